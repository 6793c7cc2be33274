"""Converts movie pixels to RGB in float: FFmpeg's converter had errors of up to 4 codes at 10 bits and 15 at 12.

Sources: ITU-R BT.601, BT.709 and BT.2020 (matrices, limited and full range); ITU-T H.273 (the tags' numbers).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from f2hdr_backend.image.arrays import FloatArray
from f2hdr_backend.image.ycbcr import (
    HD_LINES,
    MATRICES,
    scaled,
    scaled_chroma,
    stacked,
    to_rgb,
    twice_between,
    twice_left,
)

_UNTAGGED = (2, 3)
_LIMITED_RANGE, _FULL_RANGE = 1, 2


class UnknownCoding(Exception):
    """The encoding of the pixels is not supported; the message names it."""


@dataclass(frozen=True)
class Decoded:
    """``rgb``: ``(H, W, 3)`` float32 code values, 0-1; the texts state how the frame was interpreted.

    ``alpha`` is ``(H, W)`` float32, 0-1, None for a movie without alpha.
    """

    rgb: FloatArray
    matrix: str
    signal_range: str
    alpha: FloatArray | None = None


@dataclass(frozen=True)
class ContainerTags:
    """Color matrix (number of H.273) and color range in the container, for frames without tags of their own."""

    matrix: int = 2
    color_range: int = 0


def decode(frame: av.VideoFrame, container: ContainerTags | None = None) -> Decoded:
    """Return the RGB code values and the alpha of a movie frame, by the matrix and the range of its tags.

    If the frame has no tag, that of its ``container`` is used. A movie without either is BT.709 for 720 lines and more,
    or else BT.601, with limited range. Chroma is upsampled bilinearly, with the default siting of H.264 and ProRes: on
    the left one of two columns, between two rows. Raises UnknownCoding.
    """
    tags = container or ContainerTags()
    matrix = _matrix(frame, tags)
    full = _is_full(frame, tags)
    frame = _planar(frame)
    components = [component for component in frame.format.components if not component.is_alpha]
    planes = [_plane(frame, component) for component in components]
    bits = components[0].bits
    words = "full" if full else "limited"
    alpha = _alpha(frame)
    luma = scaled(planes[0], bits, full)
    if len(planes) == 1:
        return Decoded(stacked([luma, luma, luma]), "gray", words, alpha)
    if frame.format.is_rgb:
        others = (scaled(plane, bits, full) for plane in planes[1:])
        return Decoded(stacked([luma, *others]), "rgb", words, alpha)
    name, red, blue = matrix
    cb, cr = (_full_size(scaled_chroma(plane, bits, full), luma.shape) for plane in planes[1:])
    return Decoded(to_rgb(luma, cb, cr, (red, blue)), name, words, alpha)


def _alpha(frame: av.VideoFrame) -> FloatArray | None:
    """Return the alpha of a planar frame, full range."""
    found = [component for component in frame.format.components if component.is_alpha]
    return scaled(_plane(frame, found[0]), found[0].bits, True) if found else None


def _matrix(frame: av.VideoFrame, container: ContainerTags) -> tuple[str, float, float]:
    tag = int(frame.colorspace)
    if tag in _UNTAGGED:
        tag = container.matrix
    if frame.format.is_rgb:
        return ("rgb", 0.0, 0.0)
    if tag in _UNTAGGED:
        name, red, blue = MATRICES[1 if frame.height >= HD_LINES else 5]
        return f"{name} (untagged: chosen for {frame.height} lines)", red, blue
    if tag not in MATRICES:
        raise UnknownCoding(f"its color matrix, number {tag} of H.273, is not supported")
    return MATRICES[tag]


def _is_full(frame: av.VideoFrame, container: ContainerTags) -> bool:
    """Return whether 0 is black; untagged RGB and gray are full range, untagged Y'CbCr is limited."""
    tag = int(frame.color_range) or container.color_range
    if frame.format.name.startswith("yuv"):
        return frame.format.name.startswith("yuvj") or tag == _FULL_RANGE
    return tag != _LIMITED_RANGE


def _planar(frame: av.VideoFrame) -> av.VideoFrame:
    """Return the frame with one plane per component, without changing code values."""
    layout = frame.format
    colors = [component for component in layout.components if not component.is_alpha]
    bits = colors[0].bits
    if bits > 16 or layout.is_bayer or layout.name.startswith("xyz"):
        raise UnknownCoding(f'its pixel format "{layout.name}" is not supported')
    separate = len({component.plane for component in layout.components}) == len(layout.components)
    if separate and bits >= 8 and not (layout.is_big_endian or layout.has_palette or layout.is_bit_stream):
        return frame
    has_alpha = len(colors) < len(layout.components) or layout.has_palette
    depth = "" if bits <= 8 else f"{bits}le"
    if layout.is_rgb or layout.has_palette or (has_alpha and len(colors) == 1):
        return frame.reformat(format=f"gbr{'ap' if has_alpha else 'p'}{_offered(depth, has_alpha)}")
    if len(colors) == 1:
        return frame.reformat(format=f"gray{depth}")
    across, down = (round(a / b) for a, b in zip(_size(colors[0]), _size(colors[1]), strict=True))
    sampling = {(1, 1): "444", (2, 1): "422", (2, 2): "420", (4, 1): "411"}[across, down]
    return frame.reformat(format=f"yuv{'a' if has_alpha else ''}{sampling}p{depth}")


def _offered(depth: str, has_alpha: bool) -> str:
    """Return a depth that FFmpeg supports with alpha: there is no planar RGB with alpha of 9 or 14 bits."""
    return "16le" if has_alpha and depth in ("9le", "14le") else depth


def _size(component: Any) -> tuple[int, int]:
    return component.width, component.height


def _plane(frame: av.VideoFrame, component: Any) -> NDArray[Any]:
    plane = frame.planes[component.plane]
    codes = np.frombuffer(plane, np.dtype("u1" if component.bits <= 8 else "<u2"))
    stride = plane.line_size // codes.itemsize
    return codes.reshape(-1, stride)[: component.height, : component.width]


def _full_size(plane: FloatArray, shape: tuple[int, ...]) -> FloatArray:
    height, width = shape
    down, across = -(-height // plane.shape[0]), -(-width // plane.shape[1])
    if down > 2 or across > 2:
        raise UnknownCoding(f"its chroma is subsampled {across} x {down}, which is not supported")
    if down == 2:
        plane = twice_between(plane)[:height]
    return twice_left(plane)[:, :width] if across == 2 else plane
