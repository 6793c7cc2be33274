"""Exposures, cuts and gaps found in plates whose exposures, cuts and gaps are known."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from f2hdr_backend.detection.detect import detect, require_pattern
from f2hdr_backend.image.frame import PlateImage
from f2hdr_backend.shot.errors import ExposureError, MissingFrames
from f2hdr_backend.shot.frames import FrameRange
from tests.engine.alternating import MemoryPlate, Scene, plate_of

NOISES = {"clean": 0.0, "noisy": 0.004, "very noisy": 0.01}


def _alternating(stops: float, phase: int, count: int = 12) -> list[float]:
    return [stops * ((index + phase) % 2) for index in range(count)]


def _renumbered(plate: MemoryPlate, kept: list[int]) -> MemoryPlate:
    """The plate with only the pictures ``kept``, in that order and numbered from 1."""
    return MemoryPlate({number: plate.pictures[old] for number, old in enumerate(kept, start=1)})


def _assert_exposures(plate: MemoryPlate, truth: list[float], tolerance: float = 0.1) -> None:
    pattern = require_pattern(detect(plate))
    found = [pattern.ev(number) - pattern.lowest for number in plate.frames]
    assert np.allclose(found, np.array(truth) - min(truth), atol=tolerance)


@pytest.mark.parametrize("phase", [0, 1])
@pytest.mark.parametrize("stops", [1, 2, 3, 4])
@pytest.mark.parametrize("noise", NOISES)
def test_two_exposures_are_detected_despite_noise_motion_and_clipping(noise: str, stops: int, phase: int) -> None:
    truth = _alternating(stops, phase)
    scene = Scene(seed=stops + phase, pan=(2.5, -1.0), object_speed=5)
    found = detect(plate_of(scene, truth, first=1001, noise=NOISES[noise]))
    pattern = require_pattern(found)
    assert len(pattern.cycle) == 2
    assert [pattern.ev(1001 + index) for index in range(12)] == pytest.approx(truth, abs=0.1)
    assert (found.source, found.cuts, found.dropped) == ("pixels", (), ())


@pytest.mark.parametrize("stops", [1.45, 2.45, 3.55])
def test_odd_ratios_are_reported_as_measured(stops: float) -> None:
    found = detect(plate_of(Scene(3), _alternating(stops, 0), noise=0.002))
    assert require_pattern(found).ratio_stops == pytest.approx(stops, abs=0.05)


def test_a_step_close_to_a_third_of_a_stop_is_rounded_and_reported() -> None:
    found = detect(plate_of(Scene(4), _alternating(2.64, 0), noise=0.002))
    assert require_pattern(found).ratio_stops == pytest.approx(8 / 3, abs=1e-3)
    assert any("2.67" in note for note in found.notes)


@pytest.mark.parametrize("cycle", [(0, 2, 4), (0, 4, 2), (0, 2, 0, 4), (0, 1, 3, 1)])
def test_cycles_of_three_and_four_exposures_are_detected_in_order(cycle: tuple[float, ...]) -> None:
    truth = [float(cycle[(index + 1) % len(cycle)]) for index in range(4 * len(cycle) + 1)]
    plate = plate_of(Scene(5), truth, noise=0.002)
    assert len(require_pattern(detect(plate)).cycle) == len(cycle)
    _assert_exposures(plate, truth)


def test_steadily_increasing_light_does_not_change_the_ratio() -> None:
    truth = _alternating(3, 1)
    growing = [ev + 0.12 * index - 1 for index, ev in enumerate(truth)]
    _assert_exposures(plate_of(Scene(6), growing, noise=0.002), truth)


def test_exposures_are_detected_despite_a_fast_pan_and_a_large_object() -> None:
    scene = Scene(7, pan=(14, 4), object_speed=17, object_share=0.4)
    found = detect(plate_of(scene, _alternating(3, 1), noise=0.004))
    assert require_pattern(found).ratio_stops == pytest.approx(3, abs=0.1)
    assert found.cuts == ()
    assert found.dropped == ()


def test_exposures_of_linear_plates_are_detected_for_any_clip_level() -> None:
    coded = plate_of(Scene(8), _alternating(3, 0), noise=0.002)
    light = {number: (picture**2.2 * 7.3).astype(np.float32) for number, picture in coded.pictures.items()}
    _assert_exposures(MemoryPlate(light, default_encoding="linear"), _alternating(3, 0))


def test_the_encoding_can_be_given() -> None:
    coded = plate_of(Scene(8), _alternating(2, 0))
    light = MemoryPlate({number: (picture**2.2).astype(np.float32) for number, picture in coded.pictures.items()})
    assert require_pattern(detect(light, encoding="linear")).ratio_stops == pytest.approx(2, abs=0.1)


@pytest.mark.parametrize("scene", [Scene(9), Scene(10, pan=(0, 0), object_speed=0), Scene(11, pan=(18, 5))])
def test_a_plate_with_constant_exposure_is_refused_with_an_action(scene: Scene) -> None:
    found = detect(plate_of(scene, [1.0] * 12, noise=0.004))
    assert found.pattern is None
    with pytest.raises(ExposureError) as caught:
        require_pattern(found)
    assert "--exposures 0,3" in caught.value.hint


@pytest.mark.parametrize(
    "truth",
    [
        [float(ev) for ev in np.random.default_rng(1).uniform(0, 3, 16)],
        [0.0, 0.0, 3.0] * 5,
        [0.0, 3.0],
        [0.0],
    ],
    ids=["without a cycle", "equal neighbors", "two frames", "one frame"],
)
def test_plates_without_a_pattern_are_refused(truth: list[float]) -> None:
    found = detect(plate_of(Scene(12), truth, noise=0.002))
    assert found.pattern is None
    assert found.reason
    assert found.dropped == ()


def test_a_plate_without_common_levels_is_refused() -> None:
    black_and_white = {number: np.full((90, 160, 3), number % 2, np.float32) for number in range(1, 11)}
    assert "well exposed" in detect(MemoryPlate(black_and_white)).reason


def test_two_alternating_scenes_are_not_two_exposures() -> None:
    one, other = plate_of(Scene(13), [0.0] * 12), plate_of(Scene(14), [2.0] * 12)
    turns = {number: (one if number % 2 else other).pictures[number] for number in one.frames}
    assert detect(MemoryPlate(turns)).pattern is None


@pytest.mark.parametrize("gap", [3, 9, 16])
@pytest.mark.parametrize("kind", ["dropped", "doubled"])
def test_a_break_of_the_cadence_is_named_and_frames_after_it_are_correct(kind: str, gap: int) -> None:
    truth = _alternating(3, 0, 20)
    kept = [number for number in range(1, 21) if number != gap]
    if kind == "doubled":
        kept = sorted([*range(1, 21), gap])
    plate = _renumbered(plate_of(Scene(15), truth, noise=0.002), kept)
    expected = {"dropped": gap, "doubled": gap + 1}[kind]
    assert detect(plate).dropped == (expected,)
    _assert_exposures(plate, [truth[old - 1] for old in kept])


@pytest.mark.parametrize("second_phase", [0, 1])
def test_a_cut_is_detected_for_every_phase_of_the_exposures(second_phase: int) -> None:
    one = plate_of(Scene(16), _alternating(3, 0, 10), noise=0.002)
    two = plate_of(Scene(17), _alternating(3, second_phase, 10), noise=0.002)
    joined = MemoryPlate(one.pictures | {number + 10: picture for number, picture in two.pictures.items()})
    found = detect(joined)
    assert found.cuts == (11,)
    assert found.dropped == ()
    _assert_exposures(joined, _alternating(3, 0, 10) + _alternating(3, second_phase, 10))


@pytest.mark.parametrize("pan", [(10.0, 0.0), (25.0, 10.0), (70.0, 0.0)])
def test_fast_motion_is_not_a_cut(pan: tuple[float, float]) -> None:
    scene = Scene(18, pan=pan, object_speed=31, object_share=0.5)
    assert detect(plate_of(scene, _alternating(2, 0, 14), noise=0.002)).cuts == ()


def test_exposures_in_headers_are_used_and_contradictions_reported() -> None:
    plate = plate_of(Scene(19), _alternating(3, 0))
    plate.metadata = {number: 7.0 + 2.0 * ((number + 1) % 2) for number in plate.frames}
    found = detect(plate)
    assert found.source == "metadata"
    assert require_pattern(found).cycle == (0.0, 2.0)
    assert any("3.0" in note and "2.00" in note for note in found.notes)


def test_constant_exposures_in_headers_are_ignored() -> None:
    plate = plate_of(Scene(19), _alternating(3, 0))
    plate.metadata = dict.fromkeys(plate.frames, 7.0)
    found = detect(plate)
    assert found.source == "pixels"
    assert require_pattern(found).ratio_stops == pytest.approx(3, abs=0.1)


@pytest.mark.parametrize("count", [2, 12])
def test_for_a_given_cycle_only_the_phase_is_measured(count: int) -> None:
    found = detect(plate_of(Scene(20), _alternating(2, 1, count), noise=0.002), cycle=(-1.0, 1.7))
    pattern = require_pattern(found)
    assert pattern.cycle == (-1.0, 1.7)
    assert [pattern.ev(number) for number in (1, 2)] == [1.7, -1.0]


def test_exposures_of_a_frame_range_with_a_gap_are_detected() -> None:
    plate = plate_of(Scene(21), _alternating(3, 1, 16), first=-7, noise=0.002)
    found = detect(plate, frames=FrameRange.parse("-7--2,1-8"))
    assert found.dropped == ()
    pattern = require_pattern(found)
    assert [pattern.ev(number) for number in found.frames] == [3.0 * (number % 2) for number in found.frames]
    assert set(plate.reads) == set(found.frames)


def test_all_missing_frames_are_named() -> None:
    plate = plate_of(Scene(22), _alternating(3, 0))
    del plate.pictures[5], plate.pictures[6]
    with pytest.raises(MissingFrames) as caught:
        detect(plate)
    assert caught.value.frames == (5, 6)


def test_levels_and_progress_are_reported_for_every_frame() -> None:
    reported: list[tuple[int, int]] = []
    plate = plate_of(Scene(23), _alternating(3, 0), noise=0.002)
    found = detect(plate, progress=lambda done, total: reported.append((done, total)))
    assert reported == [(done, 12) for done in range(1, 13)]
    assert found.levels == pytest.approx(_alternating(3, 0), abs=0.2)


def test_a_detection_converts_to_json() -> None:
    found = detect(plate_of(Scene(24), [0.0]))
    assert json.loads(json.dumps(found.to_json()))["levels"] == [None]


@pytest.mark.parametrize("cycle", [(0, 1, 2, 3, 4), (0, 1, 2, 3, 4, 5)])
def test_a_cycle_that_is_too_long_is_refused(cycle: tuple[float, ...]) -> None:
    found = detect(plate_of(Scene(32), [float(cycle[index % len(cycle)]) for index in range(3 * len(cycle))]))
    assert found.pattern is None
    assert f"every {len(cycle)} frames" in found.reason and "alternate" not in found.reason


def test_for_three_exposures_the_supported_ones_are_reported() -> None:
    found = detect(plate_of(Scene(33), [(0.0, 2.0, 4.0)[index % 3] for index in range(12)], noise=0.002))
    assert any("3 exposures" in note and "supports" in note for note in found.notes)


@pytest.mark.parametrize("phase", [0, 1])
def test_for_very_large_steps_the_order_of_exposures_is_known(phase: int) -> None:
    """The short frames are too dark to be measured: no part of the picture is well exposed in both exposures."""
    light = np.linspace(0.2, 0.5, 90 * 160, dtype=np.float32).reshape(90, 160, 1).repeat(3, axis=2)
    gains = {number: 2.0 ** (9 * ((number + phase) % 2) - 9) for number in range(1, 9)}
    pictures = {number: (light * gain) ** np.float32(1 / 2.2) for number, gain in gains.items()}
    plate = MemoryPlate({number: np.asarray(picture, np.float32) for number, picture in pictures.items()})
    found = detect(plate)
    first = "long" if phase == 0 else "short"
    assert found.pattern is None and f"the first one is {first}" in found.reason
    placed = require_pattern(detect(plate, cycle=(0.0, 9.0)))
    assert placed.ev(1) == (9 if first == "long" else 0)


@pytest.mark.parametrize("kind", ["codes", "light"])
@pytest.mark.parametrize("stops", [2, 3, 4, 5])
@pytest.mark.parametrize("noise", [0.0, 0.002, 0.004])
def test_a_lifted_black_does_not_make_the_step_smaller(stops: int, kind: str, noise: float) -> None:
    plate = plate_of(Scene(31 + stops), _alternating(stops, 0), noise=noise)
    for codes in plate.pictures.values():
        light = codes ** np.float32(2.2)
        codes[:] = 0.02 + 0.98 * codes if kind == "codes" else (0.02 + 0.98 * light) ** np.float32(1 / 2.2)
    found = detect(plate)
    if stops == 5 and found.pattern is None:  # too little of the picture is well exposed twice
        return
    assert require_pattern(found).ratio_stops == pytest.approx(stops, abs=0.1)
    assert any("black" in note for note in found.notes)


def test_where_a_lifted_black_would_not_be_noticed_the_confidence_is_lower() -> None:
    """4 stops with much noise: both exposures share little more than a stop."""
    plate = plate_of(Scene(54), _alternating(4, 0), noise=0.004)
    for codes in plate.pictures.values():
        codes[:] = 0.02 + 0.98 * codes
    found = detect(plate)
    assert found.confidence < 0.75 or require_pattern(found).ratio_stops == pytest.approx(4, abs=0.1)
    assert any("black" in note for note in found.notes)


@pytest.mark.parametrize("stops", [3, 4])
def test_where_the_step_varies_over_brightness_the_confidence_is_lower(stops: int) -> None:
    """No lift of black explains a shoulder; the measured difference is then not that of the exposures."""
    plain, bent = (plate_of(Scene(31), _alternating(stops, 0), noise=0.001) for _ in range(2))
    for codes in bent.pictures.values():
        codes[:] = 1.6 * codes / (1 + 0.6 * codes * codes)
    even, uneven = detect(plain), detect(bent)
    assert even.confidence > 0.85 and not any("varies" in note for note in even.notes)
    assert uneven.confidence <= 0.7 and any("black" in note for note in uneven.notes)


def test_of_few_measured_steps_no_cycle_is_claimed() -> None:
    found = detect(plate_of(Scene(36), _alternating(5, 0), noise=0.002))
    assert found.pattern is None
    assert "repeat" not in found.reason and "first one is short" in found.reason


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_short_plate_with_flickering_light_has_two_exposures(seed: int) -> None:
    rng = np.random.default_rng(seed)
    truth = _alternating(1.5, 0, count=6)
    flicker = np.log2(1 + 0.1 * rng.uniform(-1, 1, 6))
    found = detect(plate_of(Scene(40 + seed), [ev + off for ev, off in zip(truth, flicker, strict=True)]))
    pattern = require_pattern(found)
    assert len(pattern.cycle) == 2
    assert [pattern.ev(number) > 0.5 for number in range(1, 7)] == [False, True] * 3


@pytest.mark.parametrize("encoding", ["gamma22", "linear"])
def test_a_step_of_the_wrong_size_may_be_another_curve_in_gamma_plates(encoding: str) -> None:
    """Given 1 stop, measured another: in integer files the curve may be wrong, in linear ones only the exposures."""
    plate = plate_of(Scene(seed=3), _alternating(1.4, 0))
    notes = [note for note in detect(plate, cycle=(0.0, 1.0), encoding=encoding).notes if "1.00" in note]
    assert len(notes) == 1
    assert ("f2hdr response" in notes[0]) == (encoding == "gamma22")


def test_notes_about_files_are_reported() -> None:
    class Noted(MemoryPlate):
        def read(self, number: int) -> PlateImage:
            return replace(super().read(number), notes=("one file was left out",))

    plate = Noted(plate_of(Scene(3), _alternating(2, 0)).pictures)
    assert detect(plate).file_notes == ("one file was left out",)


def test_numbers_as_far_apart_as_time_stamps_are_refused_at_once() -> None:
    pictures = plate_of(Scene(3), _alternating(2, 0)).pictures

    class Stamped(MemoryPlate):
        missing = ()

    plate = Stamped({1_700_000_000_000 + 40_000_123 * place: codes for place, codes in enumerate(pictures.values())})
    with pytest.raises(MissingFrames, match="12 frames"):
        detect(plate)
