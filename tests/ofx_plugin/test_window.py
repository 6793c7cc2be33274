"""Which frames are fused, as which exposures, and which footage is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.ofx_plugin.fake_backend import FakeBackend
from tests.ofx_plugin.host import Host
from tests.ofx_plugin.plates import plate, plate_frame
from tests.ofx_plugin.suites import OK

Load = Callable[..., Host]


@pytest.fixture
def fake(load: Load, tmp_path: Path) -> FakeBackend:
    return FakeBackend(tmp_path / "run")


def exposure_of(request: dict, frame: int) -> float:
    exposures = request["shot"]["exposures"]
    return exposures["cycle"][(frame - exposures["start"]) % 2]


@pytest.mark.parametrize("shift", [0, 1, -7], ids=["as numbered", "shifted by one", "negative times"])
def test_the_phase_is_measured_for_any_frame_numbers_of_the_host(load: Load, fake: FakeBackend, shift: int) -> None:
    effect = load().create()
    effect.clips["Source"].show({number + shift: plate_frame(number) for number in range(1, 7)})
    for number in (2, 3, 6):
        assert effect.render(number + shift)[0] == OK, effect.messages
        assert exposure_of(fake.requests[-1], number + shift) == (0 if number % 2 else 3)
        assert fake.requests[-1]["shot"]["exposures"]["cycle"] == [0, 3]


def test_the_phase_given_by_the_user_is_used_and_a_contradiction_reported(load: Load, fake: FakeBackend) -> None:
    effect = load().create(phase="even frames are short")
    effect.clips["Source"].show(plate(1, 6))
    assert effect.render(3)[0] == OK
    assert exposure_of(fake.requests[-1], 3) == 3
    assert [kind for _, kind, _ in effect.messages] == ["OfxMessageWarning"]
    effect.set(phase="odd frames are short")
    assert effect.render(3)[0] == OK
    assert exposure_of(fake.requests[-1], 3) == 0
    assert effect.messages[-1][0] == "clear"


def test_gamma_encoded_frames_are_decoded(load: Load, fake: FakeBackend) -> None:
    effect = load().create(input_space="gamma22")
    effect.clips["Source"].show({number: pixels ** np.float32(1 / 2.2) for number, pixels in plate(1, 6).items()})
    assert effect.render(3)[0] == OK, effect.messages
    assert fake.requests[-1]["shot"]["exposures"] == {"cycle": [0, 3], "start": 3}


def test_without_a_measurable_space_the_ratio_is_required(load: Load, fake: FakeBackend) -> None:
    effect = load().create(input_space="ARRI LogC4")
    effect.clips["Source"].show(plate(1, 6))
    assert effect.render(3)[0] != OK
    assert "Ratio" in effect.texts()[-1]
    effect.set(exposures="given")
    assert effect.render(3)[0] == OK, effect.messages


def test_for_black_frames_the_phase_is_required(load: Load, fake: FakeBackend) -> None:
    effect = load().create(exposures="given")
    effect.clips["Source"].show({number: np.zeros((64, 96, 4), np.float32) for number in (1, 2, 3)})
    assert effect.render(2)[0] != OK
    assert "Phase" in effect.texts()[-1]
    effect.set(phase="odd frames are short")
    assert effect.render(2)[0] == OK


REFUSED = {
    "half speed": lambda number: plate_frame(number // 2),
    "a freeze": lambda number: plate_frame(min(number, 6)),
    "a still": lambda number: plate_frame(1),
    "double speed": lambda number: plate_frame(2 * number),
    "blended frames": lambda number: (plate_frame(number) + plate_frame(number + 1)) / 2,
    "grain over half speed": lambda number: (
        plate_frame(number // 2) * np.random.default_rng(number).uniform(0.99, 1, (64, 96, 1)).astype(np.float32)
    ),
}


@pytest.mark.parametrize("retime", REFUSED.values(), ids=REFUSED)
def test_retimed_still_and_blended_frames_are_refused(load: Load, fake: FakeBackend, retime: Callable) -> None:
    effect = load().create(exposures="given")
    effect.clips["Source"].show({number: retime(number) for number in range(0, 16)})
    assert effect.render(7)[0] != OK or effect.render(6)[0] != OK
    words = " ".join(effect.texts())
    assert any(word in words for word in ("retimed", "still", "blended")), words


def test_a_host_that_returns_one_picture_for_every_time_is_reported(load: Load, fake: FakeBackend) -> None:
    effect = load().create()
    effect.clips["Source"].show({number: plate_frame(3) for number in range(0, 9)})
    for number in (0, 4, 8):
        assert effect.render(number)[0] != OK
    assert not fake.requests
    assert "no other frames" in effect.texts()[0] or "no other frames" in effect.texts()[-1]


@pytest.mark.parametrize("flag", [0, None], ids=["says no", "says nothing"])
def test_a_host_without_temporal_access_is_refused_with_a_message(
    load: Load, fake: FakeBackend, flag: int | None
) -> None:
    effect = load(temporal=flag).create()
    assert len(effect.texts()) == 1
    effect.clips["Source"].show(plate(1, 3))
    assert effect.render(2)[0] != OK
    assert len(effect.texts()) == 1 and "no other frames" in effect.texts()[0]
    assert not fake.requests


def test_a_missing_neighbor_inside_the_clip_is_mirrored(load: Load, fake: FakeBackend) -> None:
    effect = load().create()
    frames = plate(1, 6)
    del frames[4]
    effect.clips["Source"].show(frames)
    effect.clips["Source"].beyond = "missing"
    assert effect.render(3)[0] == OK, effect.messages
    assert [frame for frame, _ in fake.windows[-1]] == [2, 3, 2]


def test_no_frame_outside_the_range_of_the_clip_is_requested(load: Load, fake: FakeBackend) -> None:
    effect = load().create()
    source = effect.clips["Source"]
    source.show(plate(0, 9), 3, 6)
    for number in (3, 6):
        assert effect.render(number)[0] == OK
    assert min(source.asked) == 3 and max(source.asked) == 6
    assert effect.frames_needed(4) == [3, 5]
    assert effect.frames_needed(3) == [3, 4]
    assert effect.frames_needed(6) == [5, 6]


def test_ends_of_a_clip_without_a_range_are_mirrored(load: Load, fake: FakeBackend) -> None:
    """Where the host reports no range, a frame farther away distinguishes a held end from a retime."""
    effect = load().create()
    effect.clips["Source"].show(plate(1, 6), 0, 0)
    assert effect.render(1)[0] == OK, effect.messages
    assert [frame for frame, _ in fake.windows[-1]] == [2, 1, 2]
    effect.clips["Source"].show({number: plate_frame(number // 2) for number in range(0, 12)}, 0, 0)
    assert effect.render(5)[0] != OK
    assert "retimed" in effect.texts()[-1]


def test_a_neighbor_across_a_cut_is_left_out(load: Load, fake: FakeBackend) -> None:
    effect = load().create(exposures="given")
    frames = plate(1, 6)
    other = np.random.default_rng(5).uniform(0, 0.12, (8, 12, 3)).repeat(8, 0).repeat(8, 1)
    for number in (4, 5, 6):
        exposed = np.clip(other * (1 if number % 2 else 8), 0, 1)
        frames[number] = np.dstack([exposed, np.ones((64, 96))]).astype(np.float32)
    effect.clips["Source"].show(frames)
    for number, window in ((3, [2, 3, 2]), (4, [5, 4, 5])):
        assert effect.render(number)[0] == OK, effect.messages
        assert [frame for frame, _ in fake.windows[-1]] == window


def test_measure_exposures_stores_the_ratio(load: Load, fake: FakeBackend) -> None:
    effect = load().create()
    effect.clips["Source"].show({number: plate_frame(number, stops=2.5) for number in range(1, 10)})
    effect.press("measure", 5)
    assert effect.parameters["exposures"].value == 1
    assert effect.parameters["ratio"].value == 2.5
    assert "2.5" in effect.parameters["status"].value


def test_a_wrong_ratio_is_refused(load: Load, fake: FakeBackend) -> None:
    effect = load().create(exposures="given", ratio=5.0)
    effect.clips["Source"].show(plate(1, 6))
    assert effect.render(3)[0] != OK
    assert "5" in effect.texts()[0] and "Ratio" in effect.texts()[0]
