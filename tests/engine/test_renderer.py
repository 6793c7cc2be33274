"""The render, from plate files to EXR files, with the classical merge: no weights, so the path itself is tested."""

import errno
import json
import os
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import OpenEXR
import pytest

from f2hdr_backend.engine.renderer import Renderer
from f2hdr_backend.image.write import write_exr, write_image
from f2hdr_backend.shot.document import Color, Engine, Output, Shot
from f2hdr_backend.shot.errors import (
    DocumentError,
    ExposureError,
    MissingFrames,
    ShotError,
    UnreadableFrame,
    UnwritableFrame,
)
from f2hdr_backend.shot.events import FrameDone, FrameSkipped, RenderFinished, RenderStarted, Warned
from f2hdr_backend.shot.exposure import ExposurePattern
from f2hdr_backend.shot.frames import FrameRange

MERGE = Engine(method="merge", device="cpu")
GAIN = 8.0
SIZE = (48, 64)


def ramp():
    """Radiance 0-1 in units of the short clip: a ramp with a little texture, so that flow can be estimated."""
    height, width = SIZE
    texture = np.random.default_rng(1).uniform(0.97, 1.0, (height, width, 1))
    slope = np.linspace(0.01, 1.0, width)[None, :, None]
    return (slope * texture * np.ones(3)).astype(np.float32)


def code(radiance, gain):
    return np.clip(radiance * gain, 0, 1) ** (1 / 2.2)


@pytest.fixture
def plate(tmp_path):
    """Five 16-bit TIFFs of a static scene, 1001 short."""
    for number in range(1001, 1006):
        gain = 1.0 if number % 2 else GAIN
        write_image(tmp_path / f"sh.{number:04d}.tif", code(ramp(), gain), bits=16)
    return str(tmp_path / "sh.####.tif")


def shot_of(plate, tmp_path, **changes):
    shot = Shot(
        plate=plate,
        exposures=ExposurePattern((0.0, 3.0), 1001),
        cuts=(),
        engine=MERGE,
        output=Output(pattern=str(tmp_path / "hdr" / "sh.####.exr"), pixel_type="float"),
    )
    return replace(shot, **changes)


def render(shot, frames=None, **options):
    return list(Renderer(shot.engine).render(shot, frames, **options))


def pixels(path):
    return OpenEXR.File(str(path)).channels()["RGB"].pixels


def files(folder):
    return sorted(path.name for path in Path(folder).glob("*.exr"))


def test_every_frame_is_rendered_with_its_number_size_and_radiance(plate, tmp_path):
    events = render(shot_of(plate, tmp_path))
    started = next(event for event in events if isinstance(event, RenderStarted))
    assert started.total == 5 and started.size == (64, 48)
    assert [event.frame for event in events if isinstance(event, FrameDone)] == [1001, 1002, 1003, 1004, 1005]
    assert isinstance(events[-1], RenderFinished) and events[-1].rendered == 5
    assert files(tmp_path / "hdr") == [f"sh.{number}.exr" for number in range(1001, 1006)]
    for number in range(1001, 1006):
        result = pixels(tmp_path / "hdr" / f"sh.{number}.exr")
        assert result.shape == (*SIZE, 3)
        np.testing.assert_allclose(result, ramp() * GAIN, rtol=0.01, atol=0.002)
        assert result.max() > 7.5


def test_the_anchor_scales_radiance_by_stops(plate, tmp_path):
    shot = shot_of(plate, tmp_path)
    for anchor, gain in (("short", 1.0), ("1", 2.0)):
        output = Output(pattern=str(tmp_path / anchor / "sh.####.exr"), anchor=anchor, pixel_type="float")
        render(replace(shot, output=output), FrameRange((1003,)))
        np.testing.assert_allclose(pixels(tmp_path / anchor / "sh.1003.exr"), ramp() * gain, rtol=0.01, atol=0.002)


def test_an_anchor_outside_the_exposures_is_refused(plate, tmp_path):
    shot = shot_of(plate, tmp_path)
    with pytest.raises(ExposureError, match="0 to 3"):
        render(replace(shot, output=replace(shot.output, anchor="5")))


def test_flow_of_a_known_shift_has_the_convention_of_nuke(tmp_path):
    """The scene moves 3 px right and 2 px down a frame: forward is (3, -2) with v up, backward its opposite."""
    texture = np.random.default_rng(2).uniform(0.02, 0.9, (40, 52, 1)).astype(np.float32)
    texture = np.kron(texture, np.ones((4, 4, 1), np.float32)) * np.ones(3, np.float32)
    for index, number in enumerate(range(1, 4)):
        moved = texture[20 - 2 * index : 148 - 2 * index, 20 - 3 * index : 180 - 3 * index]
        write_image(tmp_path / f"p.{number}.tif", code(moved, 1.0 if number != 2 else 4.0), bits=16)
    shot = Shot(
        plate=str(tmp_path / "p.#.tif"),
        exposures=ExposurePattern((0.0, 2.0), 1),
        cuts=(),
        engine=MERGE,
        output=Output(pattern=str(tmp_path / "o.#.exr"), layers=("flow", "occlusion", "mask", "coarse")),
    )
    render(shot, FrameRange((2,)))
    channels = OpenEXR.File(str(tmp_path / "o.2.exr"), separate_channels=True).channels()
    for name, expected in (("forward.u", 3), ("forward.v", -2), ("backward.u", -3), ("backward.v", 2)):
        assert np.median(channels[name].pixels) == pytest.approx(expected, abs=0.2)
    assert {"R", "G", "B", "occlusion.forward", "motion_mask.backward", "coarse.R"} <= set(channels)


def test_finished_frames_are_skipped_unless_settings_change(plate, tmp_path):
    shot = shot_of(plate, tmp_path)
    render(shot, FrameRange((1001, 1002)))
    first = tmp_path / "hdr" / "sh.1001.exr"
    written = first.stat().st_mtime_ns
    events = render(shot)
    assert [event.frame for event in events if isinstance(event, FrameSkipped)] == [1001, 1002]
    assert [event.frame for event in events if isinstance(event, FrameDone)] == [1003, 1004, 1005]
    assert [event.done for event in events if isinstance(event, (FrameSkipped, FrameDone))] == [1, 2, 3, 4, 5]
    assert first.stat().st_mtime_ns == written
    other = replace(shot, exposures=ExposurePattern((0.0, 2.9), 1001))
    assert not [event for event in render(other) if isinstance(event, FrameSkipped)]
    assert not [event for event in render(other, force=True) if isinstance(event, FrameSkipped)]


def test_a_changed_plate_file_is_rendered_again(plate, tmp_path):
    shot = shot_of(plate, tmp_path)
    render(shot)
    write_image(tmp_path / "sh.1005.tif", code(ramp()[::-1], 1.0), bits=16)
    done = [event.frame for event in render(shot) if isinstance(event, FrameDone)]
    assert done == [1004, 1005]


def test_chunks_in_any_order_are_byte_identical_to_the_whole_render(plate, tmp_path):
    shot = shot_of(plate, tmp_path)
    render(shot)
    whole = {name: (tmp_path / "hdr" / name).read_bytes() for name in files(tmp_path / "hdr")}
    for name in whole:
        os.remove(tmp_path / "hdr" / name)
    for chunk in ((1004, 1005), (1001,), (1002, 1003)):
        render(shot, FrameRange(chunk))
    assert {name: (tmp_path / "hdr" / name).read_bytes() for name in files(tmp_path / "hdr")} == whole


def test_stopping_leaves_no_partial_file(plate, tmp_path):
    events = Renderer(MERGE).render(shot_of(plate, tmp_path))
    for event in events:
        if isinstance(event, FrameDone):
            break
    events.close()
    assert all(name.endswith(".exr") and not name.startswith(".") for name in files(tmp_path / "hdr"))
    for name in files(tmp_path / "hdr"):
        assert pixels(tmp_path / "hdr" / name).shape == (*SIZE, 3)


@pytest.mark.parametrize("count", [1, 2])
def test_shots_of_one_and_two_frames_are_rendered(tmp_path, count):
    for number in range(1, count + 1):
        write_image(tmp_path / f"p.{number}.tif", code(ramp(), GAIN if number == 1 else 1.0), bits=16)
    shot = Shot(
        plate=str(tmp_path / "p.#.tif"),
        exposures=ExposurePattern((3.0, 0.0), 1),
        cuts=(),
        engine=MERGE,
        output=Output(pattern=str(tmp_path / "o.#.exr"), pixel_type="float"),
    )
    render(shot)
    result = pixels(tmp_path / "o.1.exr")
    np.testing.assert_allclose(result[:, :6], ramp()[:, :6] * GAIN, rtol=0.01, atol=0.002)
    assert (result.max() > 7) == (count == 2)


def test_alpha_layers_and_metadata_of_an_exr_plate_are_copied_to_the_result(tmp_path):
    for number in (1, 2, 3):
        gain = 1.0 if number != 2 else GAIN
        layers = {
            "RGB": np.clip(ramp() * gain, 0, 1),
            "A": np.full(SIZE, 0.25 * number, np.float16),
            "depth.Z": np.full(SIZE, 100.0 + number, np.float32),
        }
        header = {"owner": "unit", "f2hdr_test": "kept"}
        write_exr(tmp_path / f"p.{number}.exr", layers, header, pixel_type="float")
    shot = Shot(
        plate=str(tmp_path / "p.#.exr"),
        exposures=ExposurePattern((0.0, 3.0), 1),
        cuts=(),
        engine=MERGE,
        output=Output(pattern=str(tmp_path / "o.#.exr")),
    )
    render(shot)
    with OpenEXR.File(str(tmp_path / "o.2.exr"), separate_channels=True) as file:
        channels, header = file.channels(), file.header()
        assert channels["A"].pixels.dtype == np.float16 and (channels["A"].pixels == 0.5).all()
        assert (channels["depth.Z"].pixels == 102.0).all()
        assert channels["R"].pixels.dtype == np.float16
        assert header["owner"] == "unit" and header["f2hdr_test"] == "kept"
        assert json.loads(header["f2hdr/shot"])["exposures"]["cycle"] == [0.0, 3.0]


def test_nonfinite_and_too_bright_pixels_are_counted_and_reported(tmp_path):
    for number in (1, 2, 3):
        picture = np.clip(ramp() * (1.0 if number != 2 else GAIN), 0, 1)
        if number == 3:
            picture[0, 0] = np.nan
            picture[1, :3] = 1.5
        write_exr(tmp_path / f"p.{number}.exr", {"RGB": picture}, {}, pixel_type="float")
    shot = Shot(
        plate=str(tmp_path / "p.#.exr"),
        exposures=ExposurePattern((0.0, 3.0), 1),
        cuts=(),
        engine=MERGE,
        output=Output(pattern=str(tmp_path / "o.#.exr")),
    )
    said = {event.code: event for event in render(shot, FrameRange((3,))) if isinstance(event, Warned)}
    assert "1 pixels" in said["nonfinite"].message and said["nonfinite"].frame == 3
    assert "3 pixels" in said["above_clip"].message
    assert np.isfinite(pixels(tmp_path / "o.3.exr")).all()


def test_all_missing_frames_are_named_before_any_work(plate, tmp_path):
    os.remove(tmp_path / "sh.1002.tif")
    os.remove(tmp_path / "sh.1004.tif")
    with pytest.raises(MissingFrames) as caught:
        render(shot_of(plate, tmp_path))
    assert caught.value.frames == (1002, 1004)
    assert not (tmp_path / "hdr").exists()


def test_a_chunk_reads_only_the_frames_of_its_windows(plate, tmp_path):
    os.remove(tmp_path / "sh.1002.tif")
    events = render(shot_of(plate, tmp_path), FrameRange((1004, 1005)))
    assert isinstance(events[-1], RenderFinished)


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"frames": FrameRange((1003, 1009))}, ShotError, "1009"),
        ({"exposures": ExposurePattern((0.0, 2.0, 4.0), 1001)}, ExposureError, "0,2,4.*3"),
        ({"exposures": ExposurePattern((0.0, 0.0), 1001)}, ExposureError, "0,0"),
        ({"output": Output()}, DocumentError, "output"),
        ({"output": Output(pattern="o.####.png")}, DocumentError, r"o\.####\.png.*\.exr"),
        ({"color": Color(input_space="sLog9")}, ShotError, "sLog9"),
        ({"engine": replace(MERGE, flow="nosuch")}, DocumentError, "'nosuch'"),
    ],
)
def test_an_impossible_request_is_refused_in_one_sentence(plate, tmp_path, changes, error, words):
    with pytest.raises(error, match=words):
        render(shot_of(plate, tmp_path, **changes))
    assert not (tmp_path / "hdr").exists()


def test_the_plate_is_never_overwritten(tmp_path):
    for number in (1, 2, 3):
        write_exr(tmp_path / f"p.{number}.exr", {"RGB": ramp()}, {})
    before = {name: (tmp_path / name).read_bytes() for name in files(tmp_path)}
    shot = Shot(
        plate=str(tmp_path / "p.#.exr"),
        exposures=ExposurePattern((0.0, 3.0), 1),
        cuts=(),
        engine=MERGE,
        output=Output(pattern=os.path.join(str(tmp_path), ".", "p.#.exr")),
    )
    with pytest.raises(ShotError, match=re.escape(shot.plate)):
        render(shot, force=True)
    assert {name: (tmp_path / name).read_bytes() for name in files(tmp_path)} == before


def test_a_truncated_frame_or_one_of_another_size_is_named(plate, tmp_path):
    whole = (tmp_path / "sh.1004.tif").read_bytes()
    (tmp_path / "sh.1004.tif").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UnreadableFrame, match="sh.1004.tif"):
        render(shot_of(plate, tmp_path))
    write_image(tmp_path / "sh.1004.tif", code(ramp()[:, :60], GAIN), bits=16)
    with pytest.raises(UnreadableFrame, match="60 ?x ?48"):
        render(shot_of(plate, tmp_path))
    assert all(not name.startswith(".") for name in files(tmp_path / "hdr"))


def test_a_full_disk_names_the_file_and_leaves_no_partial_file(plate, tmp_path, monkeypatch):
    def full(fd):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UnwritableFrame, match="sh.1001.exr"):
        render(shot_of(plate, tmp_path))
    assert files(tmp_path / "hdr") == []


def test_the_frame_range_of_a_render_does_not_change_the_bytes_of_a_frame(plate, tmp_path):
    shot = shot_of(plate, tmp_path)
    render(replace(shot, frames=FrameRange((1001, 1002))))
    first = (tmp_path / "hdr" / "sh.1002.exr").read_bytes()
    render(replace(shot, frames=FrameRange((1002, 1003))), force=True)
    assert (tmp_path / "hdr" / "sh.1002.exr").read_bytes() == first


def test_flickering_light_gives_a_warning_and_a_summary_and_short_frames_are_steady(tmp_path):
    """Every second long frame is 10 % brighter than its exposure; the shadows of short frames come from them."""
    light = np.random.default_rng(3).uniform(0.03, 0.2, (96, 128, 3)).astype(np.float32)
    for number in range(1, 10):
        gain = 1.0 if number % 2 else 4.0 * (1.1 if number % 4 == 0 else 1.0)
        write_image(tmp_path / f"sh.{number:04d}.tif", code(light, gain), bits=16)
    exposures = ExposurePattern((0.0, 2.0), 1)
    events = render(shot_of(str(tmp_path / "sh.####.tif"), tmp_path, exposures=exposures), FrameRange((2, 3, 4, 5)))
    found = [event for event in events if isinstance(event, Warned) and event.code == "exposures_off"]
    assert len(found) == 2 and "Frame 4 is 8% brighter" in found[0].message and "frame 3" in found[0].message
    assert "in 3 frames: 3-5" in found[1].message
    shadows = [np.median(pixels(tmp_path / "hdr" / f"sh.{number:04d}.exr") / (4 * light)) for number in (3, 5)]
    assert shadows == pytest.approx([1, 1], abs=0.03)


def test_files_of_other_programs_are_replaced_only_with_force(plate, tmp_path):
    shot = shot_of(plate, tmp_path)
    (tmp_path / "hdr").mkdir()
    write_exr(tmp_path / "hdr" / "sh.1003.exr", {"RGB": ramp()}, {})
    before = (tmp_path / "hdr" / "sh.1003.exr").read_bytes()
    with pytest.raises(ShotError, match="sh.1003.exr") as caught:
        render(shot)
    assert "--force" in caught.value.hint and files(tmp_path / "hdr") == ["sh.1003.exr"]
    assert (tmp_path / "hdr" / "sh.1003.exr").read_bytes() == before
    render(shot, FrameRange((1001,)))
    render(shot, force=True)
    assert len([name for name in files(tmp_path / "hdr") if name.endswith(".exr")]) == 5


def test_frames_of_other_settings_are_replaced_with_one_warning(plate, tmp_path):
    shot = shot_of(plate, tmp_path)
    assert not [event for event in render(shot) if isinstance(event, Warned) and event.code == "frames_replaced"]
    changed = replace(shot, engine=replace(MERGE, reference_trust="hard"))
    reported = [event for event in render(changed) if isinstance(event, Warned) and event.code == "frames_replaced"]
    assert len(reported) == 1 and "1001-1005" in reported[0].message


def test_a_document_with_exposures_and_cuts_of_the_wrong_phase_is_refused(plate, tmp_path):
    wrong = shot_of(plate, tmp_path, exposures=ExposurePattern((0.0, 3.0), 1002))
    with pytest.raises(ExposureError, match="--trust-given"):
        render(wrong)
    render(replace(wrong, trust_given=True))
