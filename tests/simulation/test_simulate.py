"""Simulated plates against the radiance they were made from."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from f2hdr_backend.image.exr import read_header
from f2hdr_backend.image.metadata import anchor_gain
from f2hdr_backend.image.read import open_plate, read_image
from f2hdr_backend.image.write import write_exr, write_image
from f2hdr_backend.shot.document import Shot
from f2hdr_backend.shot.errors import MissingFrames, ShotError, UnreadableFrame
from f2hdr_backend.shot.exposure import ExposurePattern
from f2hdr_backend.shot.frames import FrameRange
from f2hdr_backend.simulation.simulate import Camera, sensor_of, short_clip, simulate
from f2hdr_backend.simulation.source import RadianceSource, SourceOptions, open_source, stretched_highlights

NOISELESS = sensor_of("none", 16)
FRAMES = FrameRange((1001, 1002, 1003))
ALL = SourceOptions(frames=None, size=None, seed=0, highlight_stops=3.0)


def _scene(frame: int) -> NDArray[np.float32]:
    """``(40, 60, 3)``: light from 0.05 to 50 in even steps of stops, turned a little every frame."""
    light = np.exp2(np.linspace(-4.3, 5.6, 2400, dtype=np.float32)).reshape(40, 60, 1)
    return np.roll(light, frame, axis=1) * np.array([1.0, 0.9, 0.8], np.float32)


SOURCE = RadianceSource(FRAMES, _scene)


def _run(folder: Path, camera: Camera, source: RadianceSource = SOURCE) -> list[int]:
    return list(simulate(source, camera, str(folder)))


@pytest.mark.parametrize("first", ["short", "long"])
def test_every_frame_is_the_truth_at_its_exposure(tmp_path: Path, first: str) -> None:
    pattern = ExposurePattern.beginning((0.0, 3.0), 1001, first)
    assert _run(tmp_path, Camera(pattern, NOISELESS)) == [1001, 1002, 1003]
    plate, truths = open_plate(str(tmp_path / "plate.####.tif")), tmp_path / "truth" / "truth.####.exr"
    for number in FRAMES:
        truth = open_plate(str(truths)).read(number).pixels
        stops_below_long = 3.0 - pattern.ev(number)
        expected = np.clip(truth * 2.0**-stops_below_long, 0, 1)
        assert plate.read(number).pixels ** 2.2 == pytest.approx(expected, abs=2e-4)
    assert pattern.ev(1001) == {"short": 0.0, "long": 3.0}[first]


def test_the_truth_is_the_scene_up_to_the_short_clip(tmp_path: Path) -> None:
    _run(tmp_path, Camera(ExposurePattern((0.0, 2.0), 1001), NOISELESS))
    truth = read_image(str(tmp_path / "truth" / "truth.1002.exr")).pixels
    scale = np.median(truth / _scene(1002))
    assert truth == pytest.approx(np.minimum(_scene(1002) * scale, 4.0), rel=1e-5)
    assert truth.max() == 4.0
    assert anchor_gain(read_header(tmp_path / "truth" / "truth.1002.exr")) == 4.0


def test_the_same_seed_gives_the_same_files_and_another_one_other_noise(tmp_path: Path) -> None:
    pattern = ExposurePattern((0.0, 2.0), 1001)
    for name, seed in (("a", 4), ("b", 4), ("c", 5)):
        _run(tmp_path / name, Camera(pattern, sensor_of("high", 10), seed))
    a, b, c = ([read_image(str(tmp_path / name / f"plate.{number}.tif")).pixels for number in FRAMES] for name in "abc")
    assert np.array_equal(a, b)
    assert not np.array_equal(a[0], c[0])


def test_noise_depends_on_the_frame_number_alone(tmp_path: Path) -> None:
    picture = np.minimum(_scene(0), 20)
    still = RadianceSource(FRAMES, lambda _: picture)
    _run(tmp_path / "all", Camera(ExposurePattern((0.0, 2.0), 1001), sensor_of("high", 12)), still)
    last = RadianceSource(FrameRange((1003,)), lambda _: picture)
    _run(tmp_path / "last", Camera(ExposurePattern((0.0, 2.0), 1001), sensor_of("high", 12)), last)
    of_all, of_last, before = (
        read_image(str(tmp_path / name)).pixels
        for name in ("all/plate.1003.tif", "last/plate.1003.tif", "all/plate.1001.tif")
    )
    assert np.array_equal(of_all, of_last)
    assert np.abs(of_all - before).mean() > 0.005


@pytest.mark.parametrize("bits", [8, 10, 12])
def test_codes_have_the_requested_bit_depth(tmp_path: Path, bits: int) -> None:
    _run(tmp_path, Camera(ExposurePattern((0.0, 3.0), 1001), sensor_of("low", bits)))
    codes = read_image(str(tmp_path / "plate.1001.tif")).pixels * (2**bits - 1)
    assert np.abs(codes - np.rint(codes)).max() < 0.04
    assert len(np.unique(np.rint(codes))) <= 2**bits


def test_the_shot_document_contains_the_exact_exposures(tmp_path: Path) -> None:
    pattern = ExposurePattern((0.0, 2.5), 1000)
    _run(tmp_path, Camera(pattern, NOISELESS))
    shot = Shot.from_json(json.loads((tmp_path / "shot.json").read_text()))
    assert shot.exposures == pattern
    assert shot.frames == FRAMES
    assert open_plate(shot.plate).frames == FRAMES
    assert os.path.isabs(shot.output.pattern)


def test_the_exposure_protects_highlights_unless_the_subject_becomes_too_dark() -> None:
    def source(light: float, lamp: float, lamp_share: float) -> RadianceSource:
        picture = np.full((100, 100, 3), light, np.float32)
        picture.reshape(-1, 3)[: int(10000 * lamp_share)] = lamp
        return RadianceSource(FrameRange((1,)), lambda _: picture)

    assert short_clip(source(1.0, 50.0, 0.01), 3) == pytest.approx(50.0), "lamps are protected"
    assert short_clip(source(1.0, 9000.0, 0.01), 3) == pytest.approx(8 / 0.025), "but not at any price"
    assert short_clip(source(1.0, 1.0, 0), 3) == pytest.approx(8 / 0.7), "the long exposure is not all white"
    with pytest.raises(ShotError, match="black"):
        short_clip(source(0.0, 0.0, 0), 3)


def test_a_folder_with_another_plate_is_refused(tmp_path: Path) -> None:
    camera = Camera(ExposurePattern((0.0, 3.0), 1001), NOISELESS)
    _run(tmp_path, camera)
    assert _run(tmp_path, camera) == list(FRAMES), "the same frames may be made again"
    with pytest.raises(ShotError, match="1002-1003"):
        _run(tmp_path, camera, RadianceSource(FrameRange((1001,)), _scene))


def test_float_sequences_are_used_as_radiance(tmp_path: Path) -> None:
    for number in FRAMES:
        write_exr(tmp_path / f"hdr.{number}.exr", {"RGB": _scene(number) - 1}, {}, pixel_type="float")
    with open_source(str(tmp_path / "hdr.####.exr"), ALL) as source:
        assert source.frames == FRAMES
        assert source.radiance(1002) == pytest.approx(np.maximum(_scene(1002) - 1, 0))
    absent = SourceOptions(FrameRange.parse("1002-1005"), None, 0, 3.0)
    with pytest.raises(MissingFrames, match="1004-1005"), open_source(str(tmp_path / "hdr.####.exr"), absent):
        pass


def test_integer_sequences_are_expanded_and_resized(tmp_path: Path) -> None:
    codes = np.linspace(0, 1, 64, dtype=np.float32)[None, :, None] * np.ones((32, 1, 3), np.float32)
    write_image(tmp_path / "clip.1.png", codes, 16)
    write_image(tmp_path / "clip.2.png", codes, 16)
    with open_source(str(tmp_path / "clip.#.png"), ALL) as source:
        light = source.radiance(1)[0, :, 0]
        assert light[-1] == pytest.approx(8.0, rel=1e-3)
        assert light[:38] == pytest.approx(codes[0, :38, 0] ** 2.2, abs=1e-3)
        assert (np.diff(light) > 0).all()
    with open_source(str(tmp_path / "clip.#.png"), SourceOptions(None, (16, 16), 0, 3.0)) as source:
        assert source.radiance(2).shape == (16, 16, 3)
        assert source.radiance(2)[8, 0, 0] == pytest.approx(0.28**2.2, abs=0.02), "the sides are cut, not squeezed"


def test_highlight_expansion_keeps_the_hue() -> None:
    codes = np.array([[[0.9, 0.45, 0.3]]], np.float32)
    assert stretched_highlights(codes, 3.0) / codes**2.2 == pytest.approx(
        np.full((1, 1, 3), 2 ** (3 * 0.75**2)), rel=1e-5
    )
    assert stretched_highlights(codes * 0.6, 3.0) == pytest.approx((codes * 0.6) ** 2.2)


@pytest.mark.parametrize("shape", [(128, 256), (150, 200)], ids=["panorama", "flat"])
def test_a_camera_moves_over_one_picture(tmp_path: Path, shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    picture = np.exp2(rng.normal(0, 0.5, (*shape, 1))) * np.ones(3)
    write_exr(tmp_path / "one.exr", {"RGB": picture.astype(np.float32)}, {}, pixel_type="float")
    options = SourceOptions(FrameRange.parse("1-10"), (64, 36), 3, 3.0)
    with open_source(str(tmp_path / "one.exr"), options) as source:
        frames = [source.radiance(frame) for frame in source.frames]
    assert {frame.shape for frame in frames} == {(36, 64, 3)}
    changes = [np.abs(after - before).mean() for before, after in zip(frames, frames[1:], strict=False)]
    assert 0 < min(changes) and max(changes) < np.abs(frames[0] - frames[0].mean()).mean()
    assert picture.min() <= frames[0].min() and frames[0].max() <= picture.max()


def test_one_picture_gives_40_frames_by_default(tmp_path: Path) -> None:
    write_image(tmp_path / "one.png", np.full((90, 160, 3), 0.5, np.float32), 8)
    with open_source(str(tmp_path / "one.png"), ALL) as source:
        assert str(source.frames) == "1-40"
        assert source.radiance(40).shape == (360, 640, 3)


def test_a_missing_source_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFrame, match="nothing.exr"), open_source(str(tmp_path / "nothing.exr"), ALL):
        pass


def test_the_first_exposure_must_be_short_or_long() -> None:
    assert ExposurePattern.beginning((0.0, 2.0, 4.0), 10, "long").ev(10) == 4.0
    with pytest.raises(ShotError, match="medium"):
        ExposurePattern.beginning((0.0, 3.0), 1, "medium")
