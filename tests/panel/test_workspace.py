"""The whole window with a real backend: open, detect, correct, render, cancel, a server that dies, broken plates."""

import json
import os
import shutil

import numpy as np
import pytest
from qtpy import QtCore, QtTest, QtWidgets

from f2hdr_backend.client.runtime import read_connection_file
from f2hdr_backend.image.write import write_image
from f2hdr_backend.shot.document import Shot
from f2hdr_backend.shot.frames import FrameRange

Key = QtCore.Qt.Key


def press(window, key, modifiers=QtCore.Qt.KeyboardModifier.NoModifier):
    QtTest.QTest.keyClick(window.it.viewer.canvas, key, modifiers)


def jobs(window):
    return {job["id"]: job for job in window.it.backend.jobs}


def test_the_demo_plate_is_opened_detected_corrected_and_one_frame_rendered(window, plate, tmp_path):
    window.open(plate)
    assert window.it.timeline.strip.frames == tuple(range(1001, 1009))
    assert window.picture() is not None
    window.until(lambda: window.it.model.detected_pattern is not None, "the exposures")
    pattern = window.it.model.exposures
    assert [round(pattern.ev(frame)) for frame in range(1001, 1009)] == [0, 3] * 4
    window.it.correction.menu(1004).actions()[1].trigger()
    assert window.it.model.exposures.ev(1004) == pattern.lowest
    assert dict(window.it.model.shot.exposures.exceptions) == {1004: pattern.lowest}
    assert "corrected" in window.it.timeline.describe(1004)
    window.it.model.undo()
    assert window.it.model.exposures.ev(1004) == pattern.highest
    window.set_engine(method="merge")
    window.set_output(tmp_path / "hdr" / "h.####.exr")
    press(window, Key.Key_Right)
    window.settle()
    before = window.picture()
    window.it.render_frame()
    window.until(lambda: 1002 in window.it.timeline.strip.rendered, "the rendered frame")
    window.until(lambda: window.it.viewer.bar.shown.mode == "result", "the switch to the result")
    window.settle()
    assert [path.name for path in (tmp_path / "hdr").glob("*.exr")] == ["h.1002.exr"]
    assert window.picture() != before


def test_a_range_is_rendered_and_a_long_one_canceled(window, plate, tmp_path):
    window.open(plate)
    window.until(lambda: window.it.model.detected_pattern is not None, "the exposures")
    window.set_engine(method="merge")
    window.set_output(tmp_path / "some" / "h.####.exr")
    window.it.player.go_to(1003)
    window.it.player.mark_in()
    window.it.player.go_to(1005)
    window.it.player.mark_out()
    window.it.render_range()
    window.until(lambda: window.it.timeline.strip.rendered == {1003, 1004, 1005}, "the range")
    window.set_engine(method="f2hdr", weights="standard")
    window.set_output(tmp_path / "all" / "h.####.exr")
    window.it.player.mark_out()
    window.it.player.go_to(1003)
    window.it.player.mark_in()
    known = set(jobs(window))
    window.it.render_range()
    window.until(lambda: set(jobs(window)) - known, "the job")
    name = (set(jobs(window)) - known).pop()
    window.until(lambda: (window.it.jobs.selected() or {}).get("id") == name, "the job's row")
    window.until(lambda: jobs(window)[name]["state"] == "running", "the first frame")
    window.it.jobs.cancel.click()
    assert not window.it.jobs.cancel.isEnabled()
    window.until(lambda: jobs(window)[name]["state"] == "canceled", "the end of the job")
    assert jobs(window)[name]["done"] < 8
    assert not list((tmp_path / "all").glob(".*"))


def test_a_server_that_is_killed_is_noticed_and_the_next_render_starts_another(window, plate, tmp_path):
    window.open(plate)
    window.until(lambda: window.it.model.detected_pattern is not None, "the exposures")
    window.set_output(tmp_path / "h.####.exr")
    window.set_engine(method="f2hdr", weights="standard")  # slow enough to be killed at work
    window.it.render_range()
    window.until(lambda: any(job["state"] == "running" for job in window.it.backend.jobs), "the job")
    os.kill(read_connection_file()["pid"], 9)
    window.until(lambda: window.it.backend.state == "stopped", "the notice")
    assert [job["state"] for job in window.it.backend.jobs] == ["lost"]
    window.set_engine(method="merge")
    window.it.session.render(FrameRange((1001,)))
    window.until(lambda: 1001 in window.it.timeline.strip.rendered, "the frame")
    assert window.it.backend.state == "running"


def test_a_broken_frame_is_reported_by_its_path_and_the_others_are_shown(window, plate, tmp_path):
    shutil.copytree(plate, tmp_path / "plate")
    broken = tmp_path / "plate" / "plate.1002.tif"
    broken.write_bytes(broken.read_bytes()[:4000])
    window.open(str(tmp_path / "plate"))
    window.it.player.go_to(1002)
    window.until(lambda: str(broken) in window.it.viewer.canvas.note, "the note")
    window.until(lambda: any(kind == "error" for kind, _ in window.reported), "the failed detection")
    window.it.player.go_to(1003)
    window.settle()
    assert window.it.viewer.canvas.note == ""


@pytest.mark.parametrize("name", ["empty", "missing"])
def test_a_folder_without_frames_is_reported_and_another_plate_may_be_opened(window, plate, tmp_path, name):
    (tmp_path / "empty").mkdir()
    window.it.open_paths([str(tmp_path / name)])
    window.until(lambda: any(kind == "error" for kind, _ in window.reported), "the error")
    assert str(tmp_path / name) in window.reported[-1][1]
    window.open(plate)
    assert window.picture() is not None


def test_an_invalid_plate_is_reported_and_the_open_one_kept(window, plate, tmp_path):
    window.open(plate)
    (tmp_path / "empty").mkdir()
    window.it.open_paths([str(tmp_path / "empty")])
    window.until(lambda: any(str(tmp_path / "empty") in words for _, words in window.reported), "the error")
    assert window.it.timeline.strip.frames == tuple(range(1001, 1009)) and window.it.session.facts


def test_a_picture_process_that_dies_is_restarted(window, plate):
    window.open(plate)
    os.kill(window.it.pictures.process_id, 9)
    window.until(lambda: window.it.pictures.process_id and window.it.session.facts, "the new process")
    window.it.player.go_to(1005)
    window.settle()
    window.until(
        lambda: window.it.viewer.canvas.badge[:1] and window.it.viewer.canvas.badge[0][0] == "1005", "the frame"
    )


def test_shortcuts_are_those_of_compositing_applications_and_fields_keep_theirs(window, plate):
    window.open(plate)
    for key, frame in ((Key.Key_Right, 1002), (Key.Key_Right, 1003), (Key.Key_Left, 1002), (Key.Key_End, 1008)):
        press(window, key)
        assert window.it.timeline.frame == frame
    press(window, Key.Key_W)
    assert window.it.viewer.bar.shown.mode == "wipe"
    press(window, Key.Key_Period)
    assert window.it.viewer.bar.shown.exposure == 0.5
    press(window, Key.Key_0)
    assert window.it.viewer.bar.shown.exposure == 0
    asked = []
    window.it.timeline.correction_asked.disconnect()
    window.it.timeline.correction_asked.connect(lambda frame, place: asked.append(frame))
    press(window, Key.Key_E)
    assert asked == [window.it.timeline.frame]
    press(window, Key.Key_L)
    assert window.it.player.direction == 1
    press(window, Key.Key_K)
    assert window.it.player.direction == 0
    frame = window.it.timeline.frame
    field = window.it.form.editor("output.pattern")
    field.setFocus()
    QtTest.QTest.keyClicks(field, "jkl w")
    assert window.it.player.direction == 0 and window.it.timeline.frame == frame
    assert window.it.viewer.bar.shown.mode == "wipe"


def test_a_cycle_that_is_entered_for_a_plate_without_exposures_begins_at_its_first_frame(window, tmp_path):
    for number in (1001, 1002, 1003, 1004):
        write_image(tmp_path / f"p.{number}.tif", np.full((48, 64, 3), 0.5, np.float32), bits=16)
    window.open(str(tmp_path), frames=4)
    window.until(lambda: any(kind == "error" for kind, _ in window.reported), "the failed detection")
    field = window.it.form.editor("exposures")
    QtTest.QTest.keyClicks(field, "3, 0")
    field.editingFinished.emit()
    assert [window.it.model.exposures.ev(frame) for frame in (1001, 1002, 1003, 1004)] == [3, 0, 3, 0]


def test_the_cycle_and_its_confidence_are_not_cut_where_there_is_room(window, plate):
    window.open(plate)
    window.until(lambda: window.it.model.detected_pattern is not None, "the exposures")
    player = window.it.player
    window.until(lambda: "confidence" in player._range.whole(), "the summary")
    window.it.resize(window.it.width() - player.width() + player.layout().sizeHint().width() + 20, window.it.height())
    window.bot.wait(50)
    room = player.width() - player.layout().sizeHint().width()
    assert room < 0 or player._range.text() == player._range.whole()


def test_every_control_has_a_name_for_screen_readers(window):
    kinds = (QtWidgets.QAbstractButton, QtWidgets.QComboBox, QtWidgets.QLineEdit, QtWidgets.QAbstractSpinBox)
    found = [
        control
        for kind in kinds
        for control in window.it.findChildren(kind)
        if not control.objectName().startswith("qt_") and not isinstance(control.parent(), (QtWidgets.QComboBox,
        QtWidgets.QAbstractSpinBox, QtWidgets.QTableView, QtWidgets.QTabBar))
    ]  # fmt: skip
    assert len(found) > 40
    unnamed = [
        (type(control).__name__, control.objectName()) for control in found if not (control.accessibleName() or
        getattr(control, "text", str)() or control.toolTip())
    ]  # fmt: skip
    assert unnamed == []


def test_fields_are_dark_although_the_palette_of_the_application_is_light(window):
    assert QtWidgets.QApplication.palette().window().color().lightness() > 128
    for field in (window.it.player.rate, window.it.player.field, *window.it.findChildren(QtWidgets.QDoubleSpinBox)):
        assert field.lineEdit().width() > 0.7 * field.width(), "the text is not covered by buttons"
        shown = field.grab().toImage()
        assert shown.pixelColor(shown.width() - 6, shown.height() // 2).lightness() < 80


def test_the_layout_and_the_view_are_restored(qtbot, served, tmp_path, plate):
    from tests.panel.conftest import Window

    settings = QtCore.QSettings(str(tmp_path / "panel.ini"), QtCore.QSettings.Format.IniFormat)
    first = Window(qtbot, settings)
    first.open(plate)
    first.it.docks["waveform"].hide()
    first.it.viewer.bar._display.setCurrentText("Rec.709")
    first.it.shut_down()
    second = Window(qtbot, settings)
    assert second.it.docks["waveform"].isHidden() and not second.it.docks["shot"].isHidden()
    second.open(plate)
    assert second.it.viewer.bar.shown.display == "Rec.709"
    second.it.shut_down()


def test_the_backend_is_located_remembered_and_used_unless_the_environment_names_one(
    window, served, tmp_path, monkeypatch
):
    program = served.environment["F2HDR_BACKEND"]
    monkeypatch.setenv("F2HDR_BACKEND", str(tmp_path / "gone"))
    backend, found = window.it.backend, []
    backend.locate(str(tmp_path / "gone"), found.append)
    window.until(lambda: any(kind == "error" for kind, _ in window.reported), "the refusal")
    assert found == [] and backend.located == ""
    backend.locate(program, found.append)
    window.until(lambda: found, "the version")
    assert os.environ["F2HDR_BACKEND"] == backend.located == program
    backend.use_located(str(tmp_path / "other"))
    assert os.environ["F2HDR_BACKEND"] == program
    monkeypatch.delenv("F2HDR_BACKEND")
    backend.use_located(str(tmp_path / "gone"))
    assert "F2HDR_BACKEND" not in os.environ
    backend.use_located(program)
    assert os.environ["F2HDR_BACKEND"] == program


def test_times_are_estimated_by_quality_and_then_measured(window, plate, tmp_path):
    window.open(plate)
    window.until(lambda: window.it.backend.state == "running", "the backend")
    window.until(lambda: window.it._pace.estimate() is not None, "the estimate")
    good = window.it._pace.estimate()
    window.set_engine(quality="draft")
    draft = window.it._pace.estimate()
    assert 0 < draft[0] < good[0] and draft[1] == good[1]
    window.set_output(tmp_path / "h.####.exr")
    window.it.render_frame()
    window.until(lambda: window.it._pace.estimate()[1] != draft[1], "the measured time")


def test_a_job_bundle_for_the_farm_is_valid_open_job_description(window, plate, tmp_path):
    model = pytest.importorskip("openjd.model")
    window.open(plate)
    window.until(lambda: window.it.model.detected_pattern is not None, "the exposures")
    window.it.correction.menu(1004).actions()[1].trigger()
    window.set_output(tmp_path / "out" / "h.####.exr")
    window.it.player.go_to(1003)
    window.it.player.mark_in()
    window.it.session.send_to_farm(str(tmp_path / "job"), window.it._range())
    bundle = tmp_path / "job" / "bundle"
    window.until(lambda: (bundle / "template.json").exists() and "bundle" in window.reported[-1][1], "the bundle")
    template = model.decode_job_template(
        template=json.loads((bundle / "template.json").read_text()), supported_extensions=["TASK_CHUNKING"]
    )
    values = {one["name"]: one["value"] for one in json.loads((bundle / "parameter_values.json").read_text())[
        "parameterValues"]}  # fmt: skip
    parameters = model.preprocess_job_parameters(
        job_template=template, job_parameter_values={name: str(value) for name, value in values.items()},
        job_template_dir=bundle, current_working_dir=bundle,
    )  # fmt: skip
    job = model.create_job(job_template=template, job_parameter_values=parameters)
    assert [step.name for step in job.steps] and values["Frames"] == "1003-1008"
    sent = Shot.from_json((bundle / "shot.json").read_text())
    assert sent.exposures.ev(1004) == sent.exposures.lowest and sent.plate == str(plate) + "/plate.####.tif"


def test_the_device_of_the_display_transform_is_shown(window, plate):
    window.open(plate)
    path = window.it.viewer.bar.path
    assert path.text() in ("GPU", "CPU") and len(path.accessibleDescription()) > len(path.text())


def test_a_shot_document_is_opened_and_saved_as_it_is(window, demo, tmp_path):
    shot = demo.shot(demo.takes[1])
    window.open(str(demo.folder / "merge.json"))
    assert window.it.model.shot == shot
    window.it.session.save(str(tmp_path / "saved.json"))
    window.until(lambda: (tmp_path / "saved.json").exists(), "the document")
    assert Shot.from_json((tmp_path / "saved.json").read_text()) == shot


def test_playback_loops_over_the_range_and_stops_at_the_current_frame(window, plate):
    window.open(plate)
    seen = []
    window.it.viewer.shown.connect(seen.append)
    window.it.player.go_to(1003)
    window.it.player.mark_in()
    window.it.player.go_to(1006)
    window.it.player.mark_out()
    window.settle()
    seen.clear()
    window.it.player.play(1)
    window.until(lambda: seen.count(1004) > 1, "the second time around")
    window.it.player.pause()
    window.settle()
    assert set(seen) <= set(range(1003, 1007))
    assert window.it.timeline.frame == seen[-1]
    shown = len(seen)
    window.bot.wait(200)
    assert len(seen) == shown


def test_a_changed_input_space_is_shown_at_once(window, plate):
    from dataclasses import replace

    window.open(plate)
    before = window.picture()
    shot = window.it.model.shot
    window.it.model.put(replace(shot, color=replace(shot.color, input_space="linear")))
    window.until(lambda: window.it.session.facts["input_space"] == "linear", "the other space")
    window.settle()
    window.until(lambda: window.picture() != before, "the other picture")
    assert window.it.timeline.strip.frames == tuple(range(1001, 1009))
