"""Scene radiance per frame from an HDR sequence, an ordinary clip, or a single image."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import cv2
import numpy as np

from f2hdr_backend.image.arrays import FloatArray
from f2hdr_backend.image.frame import Plate, PlateImage
from f2hdr_backend.image.read import MOVIE_SUFFIXES, open_plate, read_image
from f2hdr_backend.shot.equations import GAMMA
from f2hdr_backend.shot.errors import ShotError
from f2hdr_backend.shot.frames import FrameRange, Sequence
from f2hdr_backend.simulation.panorama import HandheldPan, look

STILL_FRAMES = FrameRange(tuple(range(1, 41)))
STILL_SIZE = (640, 360)
KNEE = 0.6
"""Code value above which ``stretched_highlights`` increases the brightness."""
_WIDEST_VIEW = math.radians(60)
_WIDEST_CROP = 0.8
"""Maximum share of a flat image in the camera's view."""


@dataclass(frozen=True)
class RadianceSource:
    """``radiance(frame)`` returns ``(H, W, 3)`` float32 linear radiance in any unit, 0 or more, for each of
    ``frames``.
    """

    frames: FrameRange
    radiance: Callable[[int], FloatArray]


@dataclass(frozen=True)
class SourceOptions:
    """Options of a source: ``frames`` and ``size`` (width, height) or None for its own; ``seed`` of the camera motion
    over a single image; ``highlight_stops``, the expansion of ordinary images (see ``stretched_highlights``).
    """

    frames: FrameRange | None
    size: tuple[int, int] | None
    seed: int
    highlight_stops: float


@contextmanager
def open_source(path: str, options: SourceOptions) -> Iterator[RadianceSource]:
    """Open a sequence, a movie or one image as radiance for the duration of a block.

    Float files are read as linear. Integer files and movies are decoded by the power 2.2, and because they contain
    nothing above their clip level, their highlights are expanded. A single float image of 2:1 is a lat-long panorama,
    any other image is flat; a camera moves over either. Raises MissingFrames, UnreadableFrame, and ShotError if the
    path is none of these.
    """
    if Sequence.is_pattern(path) or path.lower().endswith(MOVIE_SUFFIXES):
        plate = open_plate(path)
        try:
            yield _moving(plate, options)
        finally:
            plate.close()
        return
    picture = read_image(path)
    light = _linear(picture, options.highlight_stops)
    height, width = light.shape[:2]
    is_panorama = picture.kind == "float" and abs(width / height - 2) < 0.01
    yield (_panorama if is_panorama else _flat)(light, options)


def stretched_highlights(codes: FloatArray, stops: float) -> FloatArray:
    """Return linear radiance for ``(H, W, 3)`` codes 0-1 of an ordinary image, with expanded highlights.

    Codes are decoded by the power 2.2. Where the maximum channel m is above 0.6, all three are multiplied by
    ``2 ** (stops * s * s)``, ``s = (m - 0.6) / 0.4``: increasing smoothly to the full ``stops`` at code 1, with the
    hue preserved.
    """
    brightest = codes.max(axis=2, keepdims=True)
    above = np.clip((brightest - np.float32(KNEE)) / np.float32(1 - KNEE), 0, 1)
    return np.asarray(codes ** np.float32(GAMMA) * np.exp2(np.float32(stops) * above * above), np.float32)


def _linear(picture: PlateImage, highlight_stops: float) -> FloatArray:
    light = np.maximum(picture.pixels, 0)
    return light if picture.kind == "float" else stretched_highlights(np.minimum(light, 1), highlight_stops)


def _moving(plate: Plate, options: SourceOptions) -> RadianceSource:
    frames = options.frames or plate.frames
    plate.require(frames)

    def radiance(frame: int) -> FloatArray:
        light = _linear(plate.read(frame), options.highlight_stops)
        return light if options.size is None else _covering(light, options.size)

    return RadianceSource(frames, radiance)


def _covering(light: FloatArray, size: tuple[int, int]) -> FloatArray:
    """Scale an image to cover ``size``, and crop it symmetrically to this aspect ratio."""
    height, width = light.shape[:2]
    scale = max(size[0] / width, size[1] / height)
    wide, high = min(width, round(size[0] / scale)), min(height, round(size[1] / scale))
    left, top = (width - wide) // 2, (height - high) // 2
    return _resized(light[top : top + high, left : left + wide], size)


def _resized(light: FloatArray, size: tuple[int, int]) -> FloatArray:
    method = cv2.INTER_AREA if size[0] < light.shape[1] else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(light, size, interpolation=method), np.float32)


def _panorama(light: FloatArray, options: SourceOptions) -> RadianceSource:
    frames, size = options.frames or STILL_FRAMES, options.size or STILL_SIZE
    finest = round(math.pi * size[0] / math.tan(_WIDEST_VIEW / 2))
    if light.shape[1] > finest:
        light = _resized(light, (finest, finest // 2))
    path = HandheldPan(options.seed)
    return RadianceSource(frames, lambda frame: look(light, *path.view(frame - frames.first), size))


def _flat(light: FloatArray, options: SourceOptions) -> RadianceSource:
    frames, size = options.frames or STILL_FRAMES, options.size or STILL_SIZE
    height, width = light.shape[:2]
    if min(height, width) < 2:
        raise ShotError(f"An image of {width} x {height} pixels is too small for a camera move.")
    scale = max(size[0] / width, size[1] / height) / _WIDEST_CROP
    if scale < 1:
        light = _resized(light, (round(width * scale), round(height * scale)))
    path = HandheldPan(options.seed)
    return RadianceSource(frames, lambda frame: _cropped(light, path.view(frame - frames.first), size))


def _cropped(light: FloatArray, view: tuple[float, float, float, float], size: tuple[int, int]) -> FloatArray:
    """Return the camera's view of a flat image: it moves around the center, rotates by the roll and zooms by the
    view.
    """
    yaw, pitch, roll, hfov = view
    height, width = light.shape[:2]
    room = min(width / size[0], height / size[1])
    scale = room * _WIDEST_CROP * hfov / _WIDEST_VIEW
    slack = 0.35 * (1 - _WIDEST_CROP) * room
    center = (width / 2 + slack * size[0] * math.sin(3 * yaw), height / 2 + slack * size[1] * math.sin(20 * pitch))
    across, down = scale * math.cos(roll), scale * math.sin(roll)
    turn = np.array([[across, -down, 0], [down, across, 0]], np.float64)
    turn[:, 2] = np.array(center) - turn[:, :2] @ np.array([size[0] / 2, size[1] / 2])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    seen = cv2.warpAffine(light, turn, size, flags=flags, borderMode=cv2.BORDER_REFLECT_101)
    return np.asarray(seen, np.float32)
