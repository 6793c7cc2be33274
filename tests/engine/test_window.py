"""Which frames a frame is reconstructed from."""

import pytest

from f2hdr_backend.engine.window import window_of
from f2hdr_backend.shot.document import Shot
from f2hdr_backend.shot.errors import ExposureError, ShotError
from f2hdr_backend.shot.exposure import ExposurePattern
from f2hdr_backend.shot.frames import FrameRange

PLATE = FrameRange(tuple(range(1, 9)))


def shot(exceptions=(), cuts=()):
    return Shot("p.####.exr", exposures=ExposurePattern((3.0, 0.0), 1, exceptions), cuts=cuts)


@pytest.mark.parametrize(
    ("frame", "cuts", "frames"),
    [
        (4, (), (3, 4, 5)),
        (1, (), (2, 1, 2)),
        (8, (), (7, 8, 7)),
        (5, (5,), (6, 5, 6)),
        (4, (5,), (3, 4, 3)),
    ],
)
def test_neighbors_are_mirrored_at_the_ends_and_at_cuts(frame, cuts, frames):
    assert window_of(frame, shot(cuts=cuts), PLATE).frames == frames


def test_exposures_are_gains_relative_to_the_shortest():
    assert window_of(4, shot(), PLATE).exposures == (8.0, 1.0, 8.0)
    assert window_of(5, shot(), PLATE).exposures == (1.0, 8.0, 1.0)


def test_a_neighbor_of_the_same_exposure_is_replaced_by_the_other():
    dropped = shot(exceptions=((5, 0.0),))  # after a dropped frame, 4 and 5 are both short
    assert window_of(4, dropped, PLATE).frames == (3, 4, 3)


def test_without_exposures_and_outside_the_plate_there_is_no_window():
    with pytest.raises(ExposureError) as caught:
        window_of(4, Shot("p.####.exr"), PLATE)
    assert "--exposures" in caught.value.hint
    with pytest.raises(ShotError):
        window_of(9, shot(), PLATE)
