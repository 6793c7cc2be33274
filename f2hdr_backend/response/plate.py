"""The response of a plate: tests the assumed curve, and recovers a curve if it does not match."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from f2hdr_backend.color.config import load_config
from f2hdr_backend.color.curve import KNOTS, Curve
from f2hdr_backend.color.file_spaces import RESPONSE
from f2hdr_backend.color.plate import open_color
from f2hdr_backend.image.arrays import FloatArray
from f2hdr_backend.image.frame import Plate
from f2hdr_backend.response.fit import Floats, Matches, Recovered, match, recover, spread
from f2hdr_backend.shot.document import Color
from f2hdr_backend.shot.errors import ColorError
from f2hdr_backend.shot.events import Event, Warned
from f2hdr_backend.shot.exposure import ExposurePattern

LARGEST_SPREAD = 0.18
"""Maximum variation of the exposure step over brightness in stops; gamma 2.2 plates stay below 0.15 in steady light."""
SAMPLED_PAIRS = 6
SAMPLED_ROWS = 270
SMALLEST_STEP_EV = 0.5
MOST_FRAMES = 12
"""Maximum number of frames for a response file."""


def settle_response(wanted: Color, color: Color, plate: Plate, pattern: ExposurePattern) -> tuple[Color, list[Event]]:
    """Return the color with the plate's recovered curve if the assumed one does not match, and events to report.

    Args:
        wanted: as given by the user; a curve is only recovered if its input space and response are auto.
        color: the settled color.
        plate: the frames as stored.
        pattern: exposures that were given or read from the files, not measured.

    Raises:
        ColorError, UnreadableFrame: the plate cannot be read.
    """
    matches = plate_matches(plate, pattern) if is_checked(wanted, color, plate) else None
    off = None if matches is None else misfit(color, plate, matches)
    if matches is None or off is None:
        return color, []
    found = recover(matches)
    if found.reason:
        failed = f"{_finding(plate, color, off)} The curve could not be recovered: {found.reason}."
        return color, [Warned("tone_curve", failed)]
    words = f"{_finding(plate, color, off)} The curve recovered from the exposures is used; they match within"
    left = spread(matches, found.curve)
    notice = Warned("response_recovered", f"{words} {left:.2f} stops with it. --response off uses {color.input_space}.")
    return with_response(color, found.curve), [notice]


def tone_curve_note(wanted: Color, color: Color, plate: Plate, pattern: ExposurePattern) -> tuple[str, float]:
    """Return a sentence if the assumed curve does not match a plate with measured exposures, and the spread in
    stops.
    """
    matches = plate_matches(plate, pattern) if is_checked(wanted, color, plate) else None
    off = None if matches is None else misfit(color, plate, matches)
    if off is None:
        return "", 0.0
    ask = "The measured exposures have an error of this size. Give the exposures with --exposures to recover the curve."
    return f"{_finding(plate, color, off)} {ask}", off


def with_response(color: Color, curve: Curve) -> Color:
    """Return a color whose plate is decoded by a response curve."""
    config = load_config(color.config, color.context)
    named = replace(color, config=config.source, context=config.context())
    return replace(named, input_space=RESPONSE, response=curve.text())


def plate_matches(plate: Plate, pattern: ExposurePattern) -> Matches | None:
    """Return matched codes of pairs of consecutive frames over the whole plate; None if no two exposures differ."""
    pairs = list(exposed_pairs(plate, pattern))
    return match(pairs) if pairs else None


def recover_from(frames: Sequence[tuple[Floats, float]]) -> tuple[Recovered, Matches]:
    """Recover the response from frames of one scene, each ``(N, 3)`` codes and its exposure in stops."""
    ordered = sorted(frames, key=lambda frame: frame[1])
    pairs = [
        (dark, bright, high - low)
        for (dark, low), (bright, high) in itertools.combinations(ordered, 2)
        if high - low >= SMALLEST_STEP_EV
    ]
    if not pairs:
        raise ColorError(
            "The frames do not have two different exposures.",
            hint="Give --exposures, one value per frame of the cycle.",
        )
    matches = match(pairs)
    return recover(matches), matches


def sampled_codes(plate: Plate, number: int) -> Floats:
    """Return ``(N, 3)`` code values of a frame, as :func:`sampled` selects them."""
    return sampled(plate.read(number).pixels)


def sampled(pixels: FloatArray) -> Floats:
    """Return ``(N, 3)`` of ``(H, W, 3)`` pixels; of large frames medians of 3 x 3 pixels, which have less noise.

    A median is the same pixel in both exposures, whatever their curve is and wherever they clip. A mean is not: around
    clipped pixels it is darker than the scene, which looks like a tone curve or a knee.
    """
    every = max(1, pixels.shape[0] // SAMPLED_ROWS)
    if every > 1:
        rows, columns = (_with_neighbors(size, every) for size in pixels.shape[:2])
        blocks = np.ascontiguousarray(pixels[rows][:, columns], np.float32)  # 3 x 3 pixels of the frame each
        pixels = np.asarray(cv2.medianBlur(blocks, 3)[1::3, 1::3], np.float32)
    return np.asarray(pixels.reshape(-1, 3), np.float64)


def _with_neighbors(size: int, every: int) -> NDArray[np.int64]:
    """Return the indices of every ``every``-th row and its two neighbors; at the edges the row itself is repeated."""
    return np.clip(np.arange(0, size, every)[:, None] + np.array([-1, 0, 1]), 0, size - 1).ravel()


def misfit(color: Color, plate: Plate, matches: Matches) -> float | None:
    """Return the spread of the measured step (stops) if the assumed curve does not match; None if it does."""
    off = spread(matches, _assumed(color, plate))
    return off if off > LARGEST_SPREAD else None


def is_checked(wanted: Color, color: Color, plate: Plate) -> bool:
    """Return whether the input space was assumed and may be a camera's tone curve: gamma 2.2, or the sRGB tag."""
    if wanted.input_space != "auto" or wanted.response != "auto" or plate.default_encoding != "gamma22":
        return False
    if color.input_space == "gamma22":
        return True
    try:
        return color.input_space == load_config(color.config, color.context).space("srgb_tx")
    except ColorError:
        return False


def _assumed(color: Color, plate: Plate) -> Curve | None:
    decode = open_color(color, plate).decode
    if decode is None:
        return None
    values = decode.colors(np.repeat(KNOTS[:, None], 3, axis=1).astype(np.float32))
    return Curve(np.maximum.accumulate(np.maximum(values, 0), axis=0))


def exposed_pairs(plate: Plate, pattern: ExposurePattern) -> Iterator[tuple[Floats, Floats, float]]:
    """Yield pixels ``(N, 3)`` of a darker and a brighter frame next to it, and the stops between them.

    Some pairs over the whole plate are read.
    """
    for dark, bright, stops in exposed_frames(plate, pattern):
        yield sampled_codes(plate, dark), sampled_codes(plate, bright), stops


def exposed_frames(plate: Plate, pattern: ExposurePattern) -> Iterator[tuple[int, int, float]]:
    """Yield the numbers of a darker and a brighter frame next to it, and the stops between them; some of all pairs."""
    there = list(plate.frames)
    following = [(a, b) for a, b in itertools.pairwise(there) if abs(pattern.ev(b) - pattern.ev(a)) >= SMALLEST_STEP_EV]
    places = sorted(set(np.linspace(0, len(following) - 1, SAMPLED_PAIRS).round().astype(int))) if following else []
    for place in places:
        dark, bright = sorted(following[place], key=pattern.ev)
        yield dark, bright, pattern.ev(bright) - pattern.ev(dark)


def _finding(plate: Plate, color: Color, off: float) -> str:
    return (
        f"{plate.name} does not match {color.input_space}: the step between its exposures varies by {off:.2f} stops "
        "over "
        "brightness, as with a camera's tone curve."
    )
