"""The form: every field of the Shot, validation by the Shot, and the values of empty fields."""

import dataclasses

import pytest
from qtpy import QtTest, QtWidgets

from f2hdr_backend.panel.form_fields import form_fields
from f2hdr_backend.panel.shot_form import ShotForm
from f2hdr_backend.panel.shot_model import ShotModel
from f2hdr_backend.shot.document import Color, Engine, Output, Shot
from f2hdr_backend.shot.exposure import ExposurePattern


@pytest.fixture
def model(qapp):
    made = ShotModel()
    made.open(Shot("/p.####.tif", output=Output("/o.####.exr")))
    return made


@pytest.fixture
def form(qtbot, model):
    made = ShotForm(model)
    qtbot.addWidget(made)
    made.show()
    return made


def enter(form, path, text):
    field = form.editor(path)
    line = field.lineEdit() if isinstance(field, QtWidgets.QComboBox) else field
    line.selectAll()
    QtTest.QTest.keyClicks(line, text)
    line.editingFinished.emit()


def test_every_setting_of_the_shot_has_a_field_with_its_help():
    expected = {field.name for field in dataclasses.fields(Shot)} - {"version", "color", "engine", "output"}
    for name, part in (("color", Color), ("engine", Engine), ("output", Output)):
        expected |= {f"{name}.{field.name}" for field in dataclasses.fields(part)}
    found = form_fields()
    assert {field.path for field in found} == expected
    assert all(field.help and field.label for field in found)


def test_entered_values_are_in_the_shot_and_shown_again(form, model):
    enter(form, "frames", "1001-1010x2")
    enter(form, "color.clip_level", "8.1, 7.9 8")
    enter(form, "color.input_space", "linear")
    enter(form, "exposures", "0, 2.5")
    form.editor("engine.method").setCurrentText("merge")
    form.editor("output.layers").findChildren(QtWidgets.QCheckBox)[0].click()
    shot = model.shot
    assert str(shot.frames) == "1001-1009x2" and shot.color.clip_level == (8.1, 7.9, 8.0)
    assert shot.color.input_space == "linear" and shot.exposures.cycle == (0.0, 2.5)
    assert shot.engine.method == "merge" and shot.output.layers == ("flow",)
    enter(form, "frames", "")
    form.editor("frames").clear()
    model.undo()
    assert model.shot.output.layers == () or model.shot.frames is None


@pytest.mark.parametrize(
    ("path", "text"), [("frames", "10-5"), ("engine.memory", "lots"), ("output.anchor", "middle"), ("exposures", "3,3")]
)
def test_invalid_values_are_marked_and_not_applied(form, model, path, text):
    before = model.shot
    enter(form, path, text)
    assert model.shot == before
    assert len(form.problems()) == 1 and form.problems()[0]
    good = {"frames": "5-10", "engine.memory": "8G", "output.anchor": "short", "exposures": "0,3"}[path]
    enter(form, path, good)
    assert form.problems() == [] and model.shot != before


def test_detected_exposures_are_shown_as_placeholders(form, model):
    model.set_detection({"pattern": {"cycle": [0.0, 3.0], "start": 1001, "exceptions": []}, "cuts": [1005]})
    field = form.editor("exposures")
    assert field.text() == "" and "0, +3" in field.placeholderText()
    assert "1005" in form.editor("cuts").placeholderText()
    assert model.shot.exposures is None


def test_a_new_cycle_keeps_its_start_and_the_corrections(form, model):
    model.put(dataclasses.replace(model.shot, exposures=ExposurePattern((0.0, 3.0), 1001, ((1004, 0.0),))))
    enter(form, "exposures", "0, 2")
    assert model.shot.exposures == ExposurePattern((0.0, 2.0), 1001, ((1004, 0.0),))


def test_an_entered_cycle_begins_at_the_first_frame_of_the_plate(form, model):
    model.first_frame = 1003
    enter(form, "exposures", "0, 2")
    assert [model.exposures.ev(frame) for frame in (1003, 1004, 1005)] == [0, 2, 0]
    model.put(dataclasses.replace(model.shot, exposures=ExposurePattern((0.0, 2.0), 1000)))
    enter(form, "exposures", "0, 3")
    assert model.exposures == ExposurePattern((0.0, 3.0), 1000)
    enter(form, "exposures", "0, 2, 4")
    assert [model.exposures.ev(frame) for frame in (1003, 1004, 1005)] == [0, 2, 4]
