"""Images that a Python user passes."""

import numpy as np
import pytest

from f2hdr_backend.api.arrays import as_pictures
from f2hdr_backend.shot.errors import ImageError

GOOD = [np.full((4, 5, 3), value, np.float32) for value in (0.0, 0.5, 1.0)]


@pytest.mark.parametrize(("kind", "largest"), [(np.uint8, 255), (np.uint16, 65535)])
def test_integers_are_scaled_by_their_type(kind, largest):
    pictures = as_pictures([np.full((4, 5, 3), largest, kind), *GOOD[:2]], 1.0)
    assert [float(picture.max()) for picture in pictures] == [1.0, 0.0, 0.5]
    assert {picture.dtype for picture in pictures} == {np.dtype(np.float32)}


def test_lists_and_values_slightly_outside_0_to_1_are_accepted():
    frames = [(GOOD[1] + 0.5005).tolist(), GOOD[0] - 0.0005, GOOD[2].astype(np.float64)]
    assert [picture.shape for picture in as_pictures(frames, 1.0)] == [(4, 5, 3)] * 3
    assert as_pictures([8 * frame for frame in GOOD], 8.0)[2].max() == 8


def replaced(frame, index=1):
    return [*GOOD[:index], frame, *GOOD[index + 1 :]]


@pytest.mark.parametrize(
    ("frames", "facts"),
    [
        (GOOD[:2], ["2 frames", "3"]),
        (replaced(np.zeros((4, 5))), ["Frame 1", "(4, 5)"]),
        (replaced(np.zeros((4, 5, 4))), ["Frame 1", "(4, 5, 4)"]),
        (replaced(np.zeros((0, 5, 3))), ["Frame 1", "(0, 5, 3)"]),
        (replaced(np.zeros((4, 6, 3)), 2), ["Frame 2", "(4, 6, 3)", "(4, 5, 3)"]),
        (replaced(np.zeros((4, 5, 3), np.int32)), ["Frame 1", "int32"]),
        (replaced(np.full((4, 5, 3), np.nan)), ["Frame 1", "NaN"]),
        (replaced(np.full((4, 5, 3), 1.1)), ["Frame 1", "1.1", "clip_level"]),
        (replaced(np.full((4, 5, 3), -0.1)), ["Frame 1", "-0.1"]),
    ],
)
def test_invalid_arrays_are_refused_with_frame_number_shape_and_type(frames, facts):
    with pytest.raises(ImageError) as caught:
        as_pictures(frames, 1.0)
    for fact in facts:
        assert fact in str(caught.value)
