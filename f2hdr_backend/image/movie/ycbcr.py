"""Movie pixels to RGB, in float: the converter inside FFmpeg was up to 4 codes off at 10 bits and 15 at 12.

Sources: ITU-R BT.601, BT.709 and BT.2020 (matrices, limited and full range); ITU-T H.273 (the tags' numbers).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from f2hdr_backend.image.frame import FloatArray

MATRICES = {
    1: ("bt709", 0.2126, 0.0722),
    4: ("fcc", 0.30, 0.11),
    5: ("bt601", 0.299, 0.114),
    6: ("bt601", 0.299, 0.114),
    7: ("smpte240m", 0.212, 0.087),
    9: ("bt2020", 0.2627, 0.0593),
}
"""Tag: name, and the weights of red and blue in luma."""

_UNTAGGED = (2, 3)
_LIMITED_RANGE, _FULL_RANGE = 1, 2


class UnknownCoding(Exception):
    """The pixels are coded in a way that is not converted here; the text says which."""


@dataclass(frozen=True)
class Decoded:
    """``rgb``: ``(H, W, 3)`` float32 code values, 0-1; the words say how the frame was understood."""

    rgb: FloatArray
    matrix: str
    signal_range: str


def decode(frame: av.VideoFrame) -> Decoded:
    """Return the RGB code values of a movie frame, by the matrix and the range that its tags name.

    An untagged frame is BT.709 from 720 lines on, else BT.601, and of limited range. Chroma is brought to
    full size bilinearly, sited as H.264 and ProRes have it by default: on the left one of two columns,
    between two rows. Alpha is left out. Raises UnknownCoding.
    """
    matrix = _matrix(frame)
    frame = _planar(frame)
    components = [component for component in frame.format.components if not component.is_alpha]
    planes = [_plane(frame, component) for component in components]
    bits = components[0].bits
    full = _is_full(frame)
    words = "full" if full else "limited"
    luma = _scaled(planes[0], bits, full)
    if len(planes) == 1:
        return Decoded(_clipped([luma, luma, luma]), "gray", words)
    if frame.format.is_rgb:
        return Decoded(_clipped([luma, *(_scaled(plane, bits, full) for plane in planes[1:])]), "rgb", words)
    name, red, blue = matrix
    cb, cr = (_full_size(_chroma(plane, bits, full), luma.shape) for plane in planes[1:])
    green = 1 - red - blue
    rgb = [
        luma + 2 * (1 - red) * cr,
        luma - 2 * (1 - blue) * blue / green * cb - 2 * (1 - red) * red / green * cr,
        luma + 2 * (1 - blue) * cb,
    ]
    return Decoded(_clipped(rgb), name, words)


def _matrix(frame: av.VideoFrame) -> tuple[str, float, float]:
    tag = int(frame.colorspace)
    if frame.format.is_rgb:
        return ("rgb", 0.0, 0.0)
    if tag in _UNTAGGED:
        name, red, blue = MATRICES[1 if frame.height >= 720 else 5]
        return f"{name} (untagged: chosen by its {frame.height} lines)", red, blue
    if tag not in MATRICES:
        raise UnknownCoding(f"its color matrix, number {tag} of H.273, is not supported")
    return MATRICES[tag]


def _is_full(frame: av.VideoFrame) -> bool:
    """Say whether 0 is black; untagged RGB and gray are full, untagged Y'CbCr is limited."""
    if frame.format.name.startswith("yuv"):
        return frame.format.name.startswith("yuvj") or int(frame.color_range) == _FULL_RANGE
    return int(frame.color_range) != _LIMITED_RANGE


def _planar(frame: av.VideoFrame) -> av.VideoFrame:
    """Return the frame with a plane for each component; rearranging changes no code value."""
    layout = frame.format
    colors = [component for component in layout.components if not component.is_alpha]
    bits = colors[0].bits
    if bits > 16 or layout.is_bayer or layout.name.startswith("xyz"):
        raise UnknownCoding(f'its pixel format "{layout.name}" is not supported')
    separate = len({component.plane for component in colors}) == len(colors)
    if separate and bits >= 8 and not (layout.is_big_endian or layout.has_palette or layout.is_bit_stream):
        return frame
    depth = "" if bits <= 8 else f"{bits}le"
    if layout.is_rgb or layout.has_palette:
        return frame.reformat(format=f"gbrp{depth}")
    if len(colors) == 1:
        return frame.reformat(format=f"gray{depth}")
    across, down = (round(a / b) for a, b in zip(_size(colors[0]), _size(colors[1]), strict=True))
    sampling = {(1, 1): "444", (2, 1): "422", (2, 2): "420", (4, 1): "411"}[across, down]
    return frame.reformat(format=f"yuv{sampling}p{depth}")


def _size(component: Any) -> tuple[int, int]:
    return component.width, component.height


def _plane(frame: av.VideoFrame, component: Any) -> NDArray[Any]:
    plane = frame.planes[component.plane]
    codes = np.frombuffer(plane, np.dtype("u1" if component.bits <= 8 else "<u2"))
    stride = plane.line_size // codes.itemsize
    return codes.reshape(-1, stride)[: component.height, : component.width]


def _scaled(codes: NDArray[Any], bits: int, full: bool) -> FloatArray:
    """Map black to 0 and white to 1."""
    black, white = (0, 2**bits - 1) if full else (16 << bits - 8, 235 << bits - 8)
    return (codes.astype(np.float32) - black) / (white - black)


def _chroma(codes: NDArray[Any], bits: int, full: bool) -> FloatArray:
    """Map gray to 0 and the ends of the range to -0.5 and 0.5."""
    return (codes.astype(np.float32) - (1 << bits - 1)) / (2**bits - 1 if full else 224 << bits - 8)


def _full_size(plane: FloatArray, shape: tuple[int, ...]) -> FloatArray:
    height, width = shape
    down, across = -(-height // plane.shape[0]), -(-width // plane.shape[1])
    if down > 2 or across > 2:
        raise UnknownCoding(f"its chroma is subsampled {across} x {down}, which is not supported")
    if down == 2:
        plane = _twice_between(plane)[:height]
    return _twice_left(plane)[:, :width] if across == 2 else plane


def _twice_between(plane: FloatArray) -> FloatArray:
    """Double the rows; each old one lies midway between two new ones."""
    above = np.concatenate([plane[:1], plane[:-1]])
    below = np.concatenate([plane[1:], plane[-1:]])
    doubled = np.empty((2 * plane.shape[0], plane.shape[1]), np.float32)
    doubled[0::2] = 0.75 * plane + 0.25 * above
    doubled[1::2] = 0.75 * plane + 0.25 * below
    return doubled


def _twice_left(plane: FloatArray) -> FloatArray:
    """Double the columns; each old one lies on the left one of two new ones."""
    doubled = np.empty((plane.shape[0], 2 * plane.shape[1]), np.float32)
    doubled[:, 0::2] = plane
    doubled[:, 1:-1:2] = (plane[:, :-1] + plane[:, 1:]) / 2
    doubled[:, -1] = plane[:, -1]
    return doubled


def _clipped(channels: list[FloatArray]) -> FloatArray:
    rgb = np.empty((*channels[0].shape, 3), np.float32)
    for index, channel in enumerate(channels):
        np.clip(channel, 0, 1, out=rgb[..., index])
    return rgb
