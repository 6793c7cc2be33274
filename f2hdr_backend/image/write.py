"""Writes frames atomically: EXR for results, PNG and TIFF for plates and images."""

from __future__ import annotations

import io
import os
from typing import Any

import cv2
import numpy as np
import OpenEXR
from numpy.typing import NDArray

from f2hdr_backend.image.exr import read_header
from f2hdr_backend.image.frame import Box, Windows
from f2hdr_backend.image.metadata import Header, writable
from f2hdr_backend.image.png import ASPECT_STEPS
from f2hdr_backend.shot.atomic import write_file
from f2hdr_backend.shot.cancellation import abandonable
from f2hdr_backend.shot.errors import DocumentError, UnwritableFrame

__all__ = ["read_header", "write_exr", "write_image"]

_UNKNOWN_UNIT = 1
"""Of a TIFF's resolution, which then is the shape of a pixel alone."""
LARGEST_HALF = 65504.0
_PIXEL_TYPES = {"half": np.float16, "float": np.float32}
_COMPRESSIONS = {
    "zip": OpenEXR.ZIP_COMPRESSION,
    "piz": OpenEXR.PIZ_COMPRESSION,
    "dwaa": OpenEXR.DWAA_COMPRESSION,
    "none": OpenEXR.NO_COMPRESSION,
}
_STORED = (np.float16, np.float32, np.uint32)


def write_exr(
    path: str | os.PathLike[str],
    layers: dict[str, NDArray[Any]],
    header: Header,
    *,
    pixel_type: str = "half",
    compression: str = "zip",
    windows: Windows | None = None,
) -> int:
    """Write one EXR file and return the number of pixels that were clipped to the range of half floats.

    ``layers`` maps names to ``(H, W)``, or ``(H, W, 3)`` for "RGB" (the unnamed R, G and B) and for colors
    such as "coarse" (coarse.R, .G and .B); any memory order. "RGB" is stored as ``pixel_type``, "half" or
    "float": half floats end at 65504, and larger values are clipped to that, never Inf. Other layers keep
    their type: float16, float32 or uint32. ``compression`` is zip, piz, dwaa (lossy) or none. ``header``
    has further attributes. ``windows`` positions the pixels, by default at 0, 0 with equal windows.
    The file is written atomically; its folder is created if missing.

    Raises UnwritableFrame if it cannot be written or the pixels are invalid, DocumentError for a wrong option or
    attribute, Canceled if the computation is stopped before the file is begun.
    """
    dtype = _choice(_PIXEL_TYPES, pixel_type, "pixel type")
    attributes = {
        **writable(header),
        "compression": _choice(_COMPRESSIONS, compression, "compression"),
        "type": OpenEXR.scanlineimage,
        **({"dataWindow": _corners(windows.data), "displayWindow": _corners(windows.display)} if windows else {}),
    }
    channels, clipped = _channels(os.fspath(path), layers, dtype)
    encoded = io.BytesIO()
    try:
        abandonable(lambda: OpenEXR.File(attributes, channels).write(encoded))
    except (RuntimeError, ValueError) as error:
        raise _unwritable(os.fspath(path), str(error), "Check its header attributes.") from error
    write_file(path, encoded.getbuffer())
    return clipped


def write_image(path: str | os.PathLike[str], pixels: NDArray[Any], bits: int, aspect: float = 1.0) -> None:
    """Write a PNG (8 or 16 bits) or a TIFF (8, 16, or 32 for float), by the suffix of ``path``.

    ``pixels`` is ``(H, W)`` or ``(H, W, C)`` with 1, 3 or 4 channels: floats with full scale at 1.0, which
    are clipped and rounded unless ``bits`` is 32; or uint8 or uint16 of exactly that many bits. Colors are not
    converted. ``aspect`` is the width of a pixel divided by its height; TIFF stores it. The file is written
    atomically. Raises UnwritableFrame, or DocumentError for an unsupported format.
    """
    name = os.fspath(path)
    suffix = os.path.splitext(name)[1].lower()
    offered = {".png": (8, 16), ".tif": (8, 16, 32), ".tiff": (8, 16, 32)}
    if bits not in offered.get(suffix, ()):
        raise DocumentError(
            f'"{name}" cannot be written with {bits} bits.',
            hint="Use a name that ends in .png (8 or 16 bits) or .tif (8, 16 or 32 bits).",
            path=name,
        )
    encoded = _encoded(suffix, _codes(name, pixels, bits), aspect)
    write_file(path, encoded)


def _corners(box: Box) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    return np.array(box[:2], np.int32), np.array(box[2:], np.int32)


def _encoded(suffix: str, codes: NDArray[Any], aspect: float) -> bytes:
    """Encode in memory, because OpenImageIO and OpenCV do not report a full disk."""
    options = [] if suffix == ".png" else [cv2.IMWRITE_TIFF_COMPRESSION, cv2.IMWRITE_TIFF_COMPRESSION_NONE]
    if aspect != 1 and options:
        across, down = ASPECT_STEPS, round(ASPECT_STEPS * aspect)
        options += [cv2.IMWRITE_TIFF_RESUNIT, _UNKNOWN_UNIT, cv2.IMWRITE_TIFF_XDPI, across]
        options += [cv2.IMWRITE_TIFF_YDPI, down]
    encoded, data = cv2.imencode(suffix, codes[..., ::-1], options)
    if not encoded:
        raise UnwritableFrame(f"An image of shape {codes.shape} cannot be encoded as {suffix}.")
    return data.tobytes()


def _codes(path: str, pixels: NDArray[Any], bits: int) -> NDArray[Any]:
    dtype = {8: np.uint8, 16: np.uint16, 32: np.float32}[bits]
    if pixels.ndim == 2:
        pixels = pixels[..., None]
    if pixels.ndim != 3 or pixels.shape[2] not in (1, 3) or 0 in pixels.shape or pixels.dtype.kind not in "fu":
        what = f"its pixels have shape {pixels.shape} and type {pixels.dtype}"
        raise _unwritable(path, what, "Give 1 or 3 channels, as floats or unsigned integers.")
    if pixels.dtype.kind == "u" and pixels.dtype != dtype:
        what = f"{pixels.dtype} does not fit {bits} bits"
        raise _unwritable(path, what, "Give floats, or integer codes of that many bits.")
    if pixels.dtype.kind == "f" and bits < 32:
        pixels = np.rint(np.clip(np.nan_to_num(pixels), 0, 1) * np.float32(2**bits - 1))
    return pixels.astype(dtype)


def _choice(offered: dict[str, Any], wanted: str, what: str) -> Any:
    if wanted not in offered:
        choices = ", ".join(offered)
        raise DocumentError(f'"{wanted}" is not a {what}.', hint=f"Choose one of {choices}.", value=wanted)
    return offered[wanted]


def _channels(path: str, layers: dict[str, NDArray[Any]], dtype: type) -> tuple[dict[str, NDArray[Any]], int]:
    """Return contiguous arrays, because the library writes others incorrectly without an error."""
    clipped = 0
    channels: dict[str, NDArray[Any]] = {}
    size = next(iter(layers.values())).shape[:2] if layers else (0, 0)
    for name, pixels in layers.items():
        if name == "RGB":
            pixels, clipped = _typed(pixels, dtype)
        colors = pixels.shape[2:]
        if pixels.shape[:2] != size or 0 in size or colors not in ((), (3,)) or pixels.dtype not in _STORED:
            what = f'layer "{name}" has shape {pixels.shape} and type {pixels.dtype}'
            raise _unwritable(path, what, "Give layers of one size, in float16, float32 or uint32.")
        channels[name] = np.ascontiguousarray(pixels)
    if not channels or ("RGB" in channels and not channels.keys().isdisjoint("RGB")):
        raise _unwritable(path, f"layers {list(layers)}", 'Give the image once, as "RGB".')
    return channels, clipped


def _typed(pixels: NDArray[Any], dtype: type) -> tuple[NDArray[Any], int]:
    """Return the pixels in ``dtype``, and the number of pixels that were clipped."""
    if dtype is np.float32 or pixels.dtype == dtype:
        return pixels.astype(dtype, copy=False), 0
    beyond = np.abs(pixels) > LARGEST_HALF
    count = int(beyond.any(axis=-1).sum())
    if count:
        pixels = np.clip(pixels, -LARGEST_HALF, LARGEST_HALF)
    return pixels.astype(dtype), count


def _unwritable(path: str, what: str, hint: str) -> UnwritableFrame:
    return UnwritableFrame(f'"{path}" cannot be written: {what}.', hint=hint, path=path)
