"""Draw one picture for the viewer: crop, scaling, wipe, difference and overlays."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import cv2
import numpy as np

from f2hdr_backend.image.arrays import FloatArray
from f2hdr_backend.pictures.cache import BoundedCache
from f2hdr_backend.pictures.display_transform import ByteArray, Display
from f2hdr_backend.pictures.source import Source
from f2hdr_backend.pictures.view import View

NOISE_STOPS = 8.0
"""Stops below the clip of an exposure at which the noise floor is marked."""
CLIP_SHARE = 0.985
"""Fraction of the clip level from which a pixel is marked as clipped, because noise and compression spread it."""
LONGEST_FLOW = 16.0
"""Motion in pixels that the flow overlay draws at full opacity."""
MARKS = {
    "all clip": (255, 64, 54),
    "a channel clips": (255, 176, 32),
    "short only": (190, 120, 255),
    "noise": (64, 120, 255),
}
"""Colors of the range overlay, RGB 0-255."""
_PALETTE = (MARKS["short only"], MARKS["noise"], MARKS["a channel clips"], MARKS["all clip"])
_GRAY_SHARE = np.array([192, 128, 0, 0, 0], np.uint16)
"""Weight of the gray picture under each mark, in 256ths; also of unmarked pixels, so that marks stand out."""
_FITS_BYTES = 512 << 20
_TINTS = {"mask": (255, 150, 30), "occlusion": (255, 60, 200)}


@dataclass(frozen=True)
class Drawn:
    """``picture`` is ``(H, W, 4)`` RGBA of ``crop``; ``note`` describes what could not be shown, or is empty."""

    picture: ByteArray
    note: str = ""


class Painter:
    """Draws views of one source; caches what does not depend on the look or the wipe."""

    def __init__(self, source: Source, display: Display) -> None:
        self._source = source
        self._display = display
        self._fits: BoundedCache[_Fit] = BoundedCache(_FITS_BYTES, lambda kept: kept.pixels.nbytes + kept.fitted.nbytes)

    def draw(self, view: View) -> Drawn:
        """Draw a view. Raises MissingFrames, ImageError or ColorError."""
        if view.mode == "plate":
            return self._finished(view, self._plate(view, view.match), is_result=False)
        result = self._result(view)
        if result is None:
            note = f"Frame {view.frame} is not rendered yet: this is the exposure-matched plate."
            return Drawn(self._displayed(view, self._plate(view, True)), note)
        if view.mode == "result":
            return self._finished(view, result, is_result=True)
        plate = self._plate(view, True)
        if view.mode == "difference":
            plate_light = plate.working * np.float32(2.0**plate.stops)
            return Drawn(self._display.draw(np.abs(result.working - plate_light), view.look))
        column = self._wipe_column(view, result.working.shape[1])
        left = self._finished(view, plate.columns(0, column), is_result=False)
        right = self._finished(view, result.columns(column, None), is_result=True, first=column)
        return Drawn(np.concatenate([left.picture, right.picture], axis=1), right.note)

    def _wipe_column(self, view: View, width: int) -> int:
        left, _, right, _ = view.crop
        share = (view.wipe * self._source.plate.size[0] - left) / max(right - left, 1)
        return min(max(round(share * width), 0), width)

    def _plate(self, view: View, match: bool) -> _Shown:
        light = self._fitted(self._source.light(view.frame), view)
        stops = math.log2(view.plate_gain(view.frame)) if match else 0.0
        return _Shown(self._source.to_working(light), light, view.clip_level, stops)

    def _result(self, view: View) -> _Shown | None:
        found = self._source.result(view.frame)
        if found is None:
            return None
        working = self._fitted(found.pixels, view)
        return _Shown(working, working, (max(view.clip_level),), 0.0)

    def _fitted(self, pixels: FloatArray, view: View) -> FloatArray:
        """Return the visible part of a picture at display size, cached; each pixel is the mean of those that it
        covers.
        """
        key = id(pixels), view.crop, min(view.scale, 1.0)
        found = self._fits.get(key)
        if found is None:
            found = _Fit(pixels, fit(pixels, view.crop, view.scale))
            self._fits.put(key, found)
        return found.fitted

    def _finished(self, view: View, shown: _Shown, *, is_result: bool, first: int = 0) -> Drawn:
        """Return the picture of a part that begins at column ``first``, with its overlay."""
        if not shown.working.shape[1]:
            return Drawn(np.empty((*shown.working.shape[:2], 4), np.uint8))
        picture = self._displayed(view, shown)
        if view.overlay == "clip":
            clip = view.clip_of_result() if is_result else 1.0
            over_clip = np.asarray(shown.light / np.asarray(shown.clip_level, np.float32), np.float32)
            mark_range(picture, over_clip, clip, in_one_exposure=is_result)
        elif view.overlay != "none" and is_result:
            return self._with_layer(view, picture, first)
        return Drawn(picture)

    def _displayed(self, view: View, shown: _Shown) -> ByteArray:
        look = view.look
        return self._display.draw(shown.working, replace(look, exposure=look.exposure + shown.stops))

    def _with_layer(self, view: View, picture: ByteArray, first: int) -> Drawn:
        """Blend a layer of the result over the picture, in place."""
        result = self._source.result(view.frame)
        layers = {} if result is None else result.layers
        names = _layer_names(view.overlay)
        if not all(name in layers for name in names):
            note = (
                f"Frame {view.frame} was rendered without the layer {view.overlay}. Select it in Layers (Shot form, "
                "Output), and render the frame again."
            )
            return Drawn(picture, note)
        parts = [fit(np.asarray(layers[name], np.float32), view.crop, view.scale) for name in names]
        one, other = (part[:, first : first + picture.shape[1]] for part in parts)
        if view.overlay == "flow":
            color, share = flow_color(one, other)
        else:
            share = np.clip(np.maximum(one, other), 0, 1)
            color = np.broadcast_to(np.array(_TINTS[view.overlay], np.float32), (*share.shape, 3))
        share = share[..., None] * np.float32(0.75)
        picture[..., :3] = (picture[..., :3] * (1 - share) + color * share + 0.5).astype(np.uint8)
        return Drawn(picture)


@dataclass(frozen=True)
class _Shown:
    """A part of a frame at display size, in the working space and as light with its clip level.

    ``stops`` is added to the exposure of the display.
    """

    working: FloatArray
    light: FloatArray
    clip_level: tuple[float, ...]
    stops: float

    def columns(self, first: int, last: int | None) -> _Shown:
        """Return the columns ``first`` to ``last``, ``last`` excluded."""
        return replace(self, working=self.working[:, first:last], light=self.light[:, first:last])


@dataclass(frozen=True)
class _Fit:
    """A picture and its scaled part; keeping the picture keeps the identity that is the cache key."""

    pixels: FloatArray
    fitted: FloatArray


def fit(pixels: FloatArray, crop: tuple[int, int, int, int], scale: float) -> FloatArray:
    """Return the part of a picture at ``scale``, each pixel the mean of those that it covers; never enlarged."""
    left, top, right, bottom = crop
    part = pixels[top:bottom, left:right]
    if scale >= 1:
        return np.ascontiguousarray(part)
    size = max(1, math.ceil((right - left) * scale)), max(1, math.ceil((bottom - top) * scale))
    return np.asarray(cv2.resize(part, size, interpolation=cv2.INTER_AREA), np.float32)


def mark_range(picture: ByteArray, over_clip: FloatArray, clip: float, *, in_one_exposure: bool) -> None:
    """Turn the picture gray and mark clipped and noisy pixels, in place.

    Args:
        picture: ``(H, W, 4)`` RGBA.
        over_clip: ``(H, W, 3)`` light relative to the clip of the frame's own exposure, or of the anchor for a result.
        clip: highest recorded light, in the same units.
        in_one_exposure: also mark pixels between the anchor's clip and ``clip``: only shorter exposures recorded them.
    """
    red, green, blue = (over_clip[..., channel] for channel in range(3))
    brightest, darkest = np.maximum(np.maximum(red, green), blue), np.minimum(np.minimum(red, green), blue)
    kinds = np.zeros(brightest.shape, np.uint8)
    if in_one_exposure and clip > 1:
        kinds[brightest >= CLIP_SHARE] = 1
    for kind, marked in (
        (2, brightest < np.float32(2.0**-NOISE_STOPS)),
        (3, brightest >= CLIP_SHARE * clip),
        (4, darkest >= CLIP_SHARE * clip),
    ):
        kinds[marked] = kind
    gray = cv2.cvtColor(picture, cv2.COLOR_RGBA2GRAY)
    for channel in range(3):
        paint = np.array([0, *(color[channel] for color in _PALETTE)], np.uint8)[kinds]
        share = _GRAY_SHARE[kinds]
        picture[..., channel] = (gray.astype(np.uint16) * share + paint.astype(np.uint16) * (256 - share)) >> 8


def flow_color(right: FloatArray, up: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return ``(H, W, 3)`` RGB 0-255 with the direction of motion as hue, and ``(H, W)`` opacity 0-1 by its length."""
    length = np.hypot(right, up)
    hue = (np.degrees(np.arctan2(up, right)) % 360).astype(np.float32)
    ones = np.ones_like(hue)
    color = cv2.cvtColor(np.stack([hue, ones, ones], axis=2), cv2.COLOR_HSV2RGB) * np.float32(255)
    return np.asarray(color, np.float32), np.clip(length / np.float32(LONGEST_FLOW), 0, 1).astype(np.float32)


def _layer_names(overlay: str) -> tuple[str, str]:
    """Return the two layer names of an overlay: ``forward`` is toward the next frame, ``backward`` the previous."""
    if overlay == "flow":
        return "forward.u", "forward.v"
    stem = "motion_mask" if overlay == "mask" else "occlusion"
    return f"{stem}.backward", f"{stem}.forward"
