"""Checks the images that a Python user passes, and converts them to float32."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from f2hdr_backend.shot.errors import ImageError

FEWEST_FRAMES = 3
OVERSHOOT = 1e-3
"""Maximum deviation of float values from the range of 0 to the clip level, caused by resizing."""


def as_pictures(frames: Sequence[ArrayLike], highest: float) -> list[NDArray[np.float32]]:
    """Return ``(H, W, 3)`` float32 images.

    Args:
        frames: ``(H, W, 3)`` each, of one size: float from 0 to ``highest``, or uint8 or uint16, which are divided by
            their largest value.
        highest: largest allowed float value: 1.0, or the clip level of linear input.

    Raises:
        ImageError: fewer than three frames, another shape or type, values out of range or not finite. The message
            names the frame by its index.
    """
    if len(frames) < FEWEST_FRAMES:
        raise ImageError(
            f"{len(frames)} frames were given; a window needs {FEWEST_FRAMES}: previous, reference and next.",
            hint="At the ends of a shot, pass the only neighbor twice.",
        )
    pictures = [_as_picture(index, np.asarray(frame), highest) for index, frame in enumerate(frames)]
    for index, picture in enumerate(pictures):
        if picture.shape != pictures[0].shape:
            raise ImageError(
                f"Frame {index} has the shape {picture.shape}, but frame 0 has {pictures[0].shape}.",
                hint="Pass frames of one size.",
            )
    return pictures


def _as_picture(index: int, frame: NDArray[Any], highest: float) -> NDArray[np.float32]:
    if frame.ndim != 3 or frame.shape[-1] != 3 or not frame.size:
        raise ImageError(f"Frame {index} has the shape {frame.shape}.", hint="Pass RGB arrays of shape (H, W, 3).")
    if frame.dtype in (np.uint8, np.uint16):
        return frame.astype(np.float32) / np.float32(np.iinfo(frame.dtype).max)
    if not np.issubdtype(frame.dtype, np.floating):
        raise ImageError(f"Frame {index} has the type {frame.dtype}.", hint="Pass float, uint8 or uint16.")
    picture = frame.astype(np.float32)
    if not np.isfinite(picture).all():
        raise ImageError(f"Frame {index} has NaN or infinite values.", hint="Replace these values first.")
    lowest, largest = float(picture.min()), float(picture.max())
    if lowest < -OVERSHOOT or largest > highest * (1 + OVERSHOOT):
        raise ImageError(
            f"Frame {index} has values from {lowest:g} to {largest:g}; the allowed range is 0 to {highest:g}.",
            hint="Divide code values by the largest code; for linear values pass clip_level.",
        )
    return picture
