"""Exposures whose order the pixels contradict are reported; small differences and unmeasured pixels are not."""

from __future__ import annotations

import numpy as np
import pytest

from f2hdr_backend.detection.contradiction import contradicted, reading
from f2hdr_backend.detection.detect import detect
from f2hdr_backend.engine.settle import complete_exposures, prepare
from f2hdr_backend.image.write import write_exr
from f2hdr_backend.shot.document import Shot
from f2hdr_backend.shot.errors import ExposureError
from f2hdr_backend.shot.exposure import ExposurePattern
from f2hdr_backend.shot.frames import FrameRange
from tests.engine.alternating import Scene, plate_of

SHORT_FIRST, LONG_FIRST = ExposurePattern((0.0, 3.0), 1), ExposurePattern((0.0, 3.0), 2)
FRAMES = tuple(range(1, 9))


def test_the_wrong_phase_contradicts_every_frame() -> None:
    assert contradicted(LONG_FIRST, SHORT_FIRST, FRAMES).frames == FRAMES
    assert not contradicted(SHORT_FIRST, SHORT_FIRST, FRAMES)
    assert not contradicted(LONG_FIRST, None, FRAMES)


def test_another_ratio_or_a_tiny_step_is_not_a_contradiction() -> None:
    assert not contradicted(SHORT_FIRST, ExposurePattern((0.0, 2.0), 1), FRAMES)
    assert not contradicted(ExposurePattern((0.0, 0.3), 2), SHORT_FIRST, FRAMES)


def test_a_change_of_phase_is_found_at_its_frame() -> None:
    doubled = ExposurePattern((0.0, 3.0), 1, tuple((n, SHORT_FIRST.ev(n + 1)) for n in range(5, 9)))
    assert contradicted(SHORT_FIRST, doubled, FRAMES).first >= 4


def test_the_message_names_frames_and_exposures() -> None:
    assert reading(SHORT_FIRST, FrameRange((2, 3))) == "frame 2 +3 EV, 3 +0 EV"


def plate(folder, *, header_is_late=False, stated_stops=3.0) -> str:
    """A linear EXR plate, short first, 3 stops; headers state the exposure of the frame or of the one before it."""
    pictures = plate_of(Scene(31), [3.0 * (index % 2) for index in range(8)]).pictures
    for number, codes in pictures.items():
        stated = (number + header_is_late) % 2 == 0
        header = {"expTime": 1 / 48 if stated else 1 / 48 / 2**stated_stops}
        write_exr(folder / f"p.{number:04d}.exr", {"RGB": np.asarray(codes) ** np.float32(2.2)}, header)
    return str(folder / "p.####.exr")


def test_headers_that_are_one_frame_late_are_refused_with_given_and_measured_exposures(tmp_path) -> None:
    shot = Shot(plate=plate(tmp_path, header_is_late=True))
    with pytest.raises(ExposureError) as caught:
        prepare(shot)
    assert "frame 1 +3 EV" in caught.value.message and "frame 1 +0 EV" in caught.value.message
    assert "--trust-given" in caught.value.hint and caught.value.facts["frames"] == tuple(range(1, 9))
    trusted, _ = prepare(Shot(plate=shot.plate, trust_given=True))
    assert trusted.exposures is not None and trusted.exposures.ev(1) == 3


def test_headers_that_state_another_ratio_are_used_with_a_warning(tmp_path) -> None:
    settled, events = prepare(Shot(plate=plate(tmp_path, stated_stops=2.0)))
    assert settled.exposures is not None and settled.exposures.ev(2) == pytest.approx(2)
    assert any(getattr(event, "code", "") == "exposures_doubtful" for event in events)


@pytest.mark.parametrize(("cycle", "first"), [((0.0, 3.0), "long"), (None, "long")])
def test_a_wrong_first_exposure_is_refused(tmp_path, cycle, first) -> None:
    shot = Shot(plate=plate(tmp_path))
    with pytest.raises(ExposureError, match="frame 1 \\+3 EV"):
        prepare(complete_exposures(shot, cycle, first)[0])
    right, _ = prepare(complete_exposures(shot, cycle, "short")[0])
    assert right.exposures is not None and right.exposures.ev(1) == 0


@pytest.mark.parametrize("header_is_late", [False, True])
def test_exposures_that_are_trusted_against_the_pixels_are_reported_once(tmp_path, header_is_late) -> None:
    trusting = Shot(plate=plate(tmp_path, header_is_late=header_is_late), trust_given=True)
    shot, events = (trusting, []) if header_is_late else complete_exposures(trusting, (0.0, 3.0), "long")
    _, more = prepare(shot)
    warnings = [event.message for event in (*events, *more) if getattr(event, "code", "") == "exposures_doubtful"]
    (warning,) = [text for text in warnings if "+3 EV" in text and "+0 EV" in text]
    assert "frame 1" in warning


def test_detect_reports_late_headers_and_loses_confidence() -> None:
    late = plate_of(Scene(31), [3.0 * (index % 2) for index in range(8)])
    late.metadata = {number: 3.0 * (number % 2) for number in late.frames}
    found = detect(late)
    assert found.source == "metadata" and found.confidence < 0.5
    assert any("frame 1 +3 EV" in note and "frame 1 +0 EV" in note for note in found.notes)
