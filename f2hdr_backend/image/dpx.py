"""DPX images: RGB, luma and Y'CbCr, 8 to 16 bits, in any packing of the standard.

OpenImageIO reads the rows of some widths from the wrong offset and swaps Y'CbCr components, so this module unpacks the
pixels itself.
Sources: SMPTE ST 268-1:2014 (header, image elements, packing); SMPTE RP 257 (used by older writers).
"""

from __future__ import annotations

import os
import re
import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from f2hdr_backend.image.arrays import FloatArray
from f2hdr_backend.image.frame import PlateImage, unreadable
from f2hdr_backend.image.metadata import Header
from f2hdr_backend.image.orientation import BY_DPX, UPRIGHT, upright_image, upright_size
from f2hdr_backend.image.timecode import nearest_rate, timecode_header
from f2hdr_backend.image.ycbcr import HD_LINES, MATRICES, scaled, scaled_chroma, to_rgb, twice_left
from f2hdr_backend.shot.limits import check_image
from f2hdr_backend.shot.safe_open import open_file

_HEADER_BYTES = 2048
_UNDEFINED = 0xFFFFFFFF
_AGAIN = "Check the file, or copy it again."
_CONVERT = "Convert it to RGB, or to EXR."

_LUMA, _RGB, _RGBA, _ABGR = 6, 50, 51, 52
_CBYCRY, _CBYACRYA, _CBYCR, _CBYCRA = 100, 101, 102, 103
_ORDER = {
    _LUMA: "Y",
    _RGB: "RGB",
    _RGBA: "RGBA",
    _ABGR: "ABGR",
    _CBYCRY: "uYvY",
    _CBYACRYA: "uYAvYA",
    _CBYCR: "uYv",
    _CBYCRA: "uYvA",
}
"""Components in storage order, by descriptor of the image element; u is Cb and v is Cr."""
_COLUMNS_A_GROUP = {_CBYCRY: 2, _CBYACRYA: 2}
"""Columns per group of components, if not 1."""

BT601 = (7, 8)
"""Numbers of BT.601 in the colorimetric field, for 625 and 525 lines."""
BT709 = 6
PRINTING_DENSITY, LINEAR, LOGARITHMIC, UNSPECIFIED_VIDEO = 1, 2, 3, 4


@dataclass(frozen=True)
class DpxHeader:
    """Header of a DPX file; ``transfer`` and ``colorimetric`` are numbers of the standard."""

    order: str
    """Byte order, ``<`` or ``>``."""
    size: tuple[int, int]
    """(width, height) as stored, in pixels."""
    orientation: int
    """Exif number of the orientation."""
    descriptor: int
    bits: int
    packing: int
    transfer: int
    colorimetric: int
    offset: int
    """Offset of the pixels in bytes."""
    metadata: Header
    writer: str
    """The program that wrote the file."""

    @property
    def upright_size(self) -> tuple[int, int]:
        """(width, height) of the upright image, in pixels."""
        return upright_size(self.size, self.orientation)


def read_header(path: str) -> DpxHeader:
    """Return the header of a DPX file. Raises UnreadableFrame, also for an unsupported encoding."""
    data = _read(path, _HEADER_BYTES)
    order = {b"SDPX": ">", b"XPDS": "<"}.get(data[:4])
    if order is None:
        raise unreadable(path, "it is not a DPX file", "Check that file name and format match.")
    if len(data) < _HEADER_BYTES:
        raise unreadable(path, "the file is truncated", _AGAIN)

    def number(at: int, kind: str = "I") -> Any:
        return struct.unpack_from(order + kind, data, at)[0]

    header = DpxHeader(
        order=order,
        size=(number(772), number(776)),
        orientation=BY_DPX.get(number(768, "H"), UPRIGHT),
        descriptor=data[800],
        transfer=data[801],
        colorimetric=data[802],
        bits=data[803],
        packing=number(804, "H"),
        offset=number(808) if 0 < number(808) < _UNDEFINED else number(4),
        metadata=_metadata(data, number),
        writer=_text(data[160:260]),
    )
    _refuse_unknown(path, header, elements=number(770, "H"), encoding=number(806, "H"))
    return header


def read_dpx(path: str) -> PlateImage:
    """Return a DPX image, upright, with its stored values: full scale is 1.0.

    Luma fills all three channels. Y'CbCr is converted to R'G'B' by the matrix of its colorimetric field (if that is
    unspecified, BT.709 for 720 lines and more, or else BT.601), limited range; ``f2hdr/plate_matrix`` in the metadata
    names it. Alpha becomes the layer "A". Raises UnreadableFrame.
    """
    header = read_header(path)
    codes = _unpacked(path, header)
    planes = _planes(codes, header)
    metadata = dict(header.metadata)
    if "u" in planes:
        pixels, metadata["f2hdr/plate_matrix"] = _from_ycbcr(planes, header)
    else:
        colors = (planes[name] for name in ("RGB" if "R" in planes else "YYY"))
        pixels = np.stack([scaled(plane, header.bits, True) for plane in colors], axis=-1)
    layers = {"A": scaled(planes["A"], header.bits, True)} if "A" in planes else {}
    return upright_image(PlateImage(0, path, pixels, "integer", layers, metadata), header.orientation)


def _read(path: str, count: int, offset: int = 0) -> bytes:
    try:
        with open_file(path) as file:
            file.seek(offset)
            return file.read(min(count, os.fstat(file.fileno()).st_size))
    except OSError as error:
        raise unreadable(path, error.strerror or str(error), "Check the path and the permissions.") from error


def _refuse_unknown(path: str, header: DpxHeader, elements: int, encoding: int) -> None:
    width, height = header.size
    if not (0 < width < 2**20 and 0 < height < 2**20):
        raise unreadable(path, f"its header gives the size {width} x {height}", _AGAIN)
    reason = ""
    if elements != 1:
        reason = f"it has {elements} image elements, but only one is supported"
    elif encoding == 1:
        reason = "it is run-length encoded, which is not supported"
    elif header.descriptor not in _ORDER:
        reason = f"its image element has the descriptor {header.descriptor}, which is not supported"
    elif header.bits not in (8, 10, 12, 16) or header.packing not in (0, 1, 2):
        reason = f"{header.bits} bits in packing {header.packing} are not supported"
    if reason:
        raise unreadable(path, reason, _CONVERT)
    check_image(path, header.size, 4, 4, 2**62)


def _unpacked(path: str, header: DpxHeader) -> NDArray[np.uint16]:
    """Return ``(H, N)`` codes: N components per row in storage order."""
    width, height = header.size
    group, columns = len(_ORDER[header.descriptor]), _COLUMNS_A_GROUP.get(header.descriptor, 1)
    count = -(-width // columns) * group
    used = _row_bytes(header, count)
    aligned = -(-used // 4) * 4
    data = _read(path, aligned * height, header.offset)
    stride = aligned if aligned * height <= len(data) else used  # some writers omit the padding of rows
    if stride * height > len(data):
        raise unreadable(path, f"it ends after {len(data) // stride} of {height} rows", _AGAIN)
    rows = np.frombuffer(data, np.uint8, stride * height).reshape(height, stride)
    return _codes(rows[:, :used], header, count)


def _row_bytes(header: DpxHeader, count: int) -> int:
    if header.bits in (8, 16):
        return count * header.bits // 8
    if header.packing == 0:
        return -(-count * header.bits // 32) * 4
    return -(-count // 3) * 4 if header.bits == 10 else count * 2


def _codes(rows: NDArray[np.uint8], header: DpxHeader, count: int) -> NDArray[np.uint16]:
    rows = np.ascontiguousarray(rows)
    if header.bits == 8:
        return rows.astype(np.uint16)
    if header.bits == 16 or (header.bits == 12 and header.packing):
        codes = rows.view(header.order + "u2").astype(np.uint16)
        shifted = codes >> 4 if header.bits == 12 and header.packing == 1 else codes & (2**header.bits - 1)
        return shifted.astype(np.uint16)
    words = rows.view(header.order + "u4").astype(np.uint32)
    if header.packing == 0:
        return _from_stream(words, header.bits, count)
    first = 2 if header.packing == 1 else 0
    shifts = (first, first + 10, first + 20)
    if header.descriptor != _LUMA:  # words of luma images are filled from the low end
        shifts = shifts[::-1]
    parts = np.stack([words >> np.uint32(shift) & 0x3FF for shift in shifts], axis=-1)
    return parts.reshape(len(rows), -1)[:, :count].astype(np.uint16)


def _from_stream(words: NDArray[np.uint32], bits: int, count: int) -> NDArray[np.uint16]:
    """Unpack codes stored without gaps, from the low end of each 32-bit word to the next word."""
    at = np.arange(count) * bits
    word, shift = at // 32, (at % 32).astype(np.uint64)
    padded = np.concatenate([words, np.zeros((len(words), 1), np.uint32)], axis=1).astype(np.uint64)
    joined = padded[:, word] | padded[:, word + 1] << np.uint64(32)
    return (joined >> shift & np.uint64(2**bits - 1)).astype(np.uint16)


def _planes(codes: NDArray[np.uint16], header: DpxHeader) -> dict[str, NDArray[np.uint16]]:
    """Return components by name, each ``(H, columns)``; chroma of 4:2:2 has half the columns."""
    order, width = _ORDER[header.descriptor], header.size[0]
    groups = codes.reshape(len(codes), -1, len(order))
    planes = {}
    for name in dict.fromkeys(order):
        places = [place for place, letter in enumerate(order) if letter == name]
        planes[name] = groups[:, :, places].reshape(len(codes), -1)[:, :width]
    return planes


def _from_ycbcr(planes: dict[str, NDArray[np.uint16]], header: DpxHeader) -> tuple[FloatArray, str]:
    bits, (width, height) = header.bits, header.size
    luma = scaled(planes["Y"], bits, False)
    halved = planes["u"].shape[1] < width
    cb, cr = (scaled_chroma(planes[name], bits, False) for name in "uv")
    if halved:
        cb, cr = (twice_left(plane)[:, :width] for plane in (cb, cr))
    stated = header.colorimetric == BT709 or header.colorimetric in BT601
    is_601 = header.colorimetric in BT601 if stated else height < HD_LINES
    name, red, blue = MATRICES[5 if is_601 else 1]
    return to_rgb(luma, cb, cr, (red, blue)), name if stated else f"{name} (chosen by its {height} lines)"


def _metadata(data: bytes, number: Any) -> Header:
    header: Header = {}
    aspect = (number(1628), number(1632))
    if all(0 < value < _UNDEFINED for value in aspect):
        header["pixelAspectRatio"] = aspect[0] / aspect[1]
    rates = [value for value in (number(1724, "f"), number(1940, "f")) if 1 <= value < 1000]
    rate = nearest_rate(rates[0]) if rates else None
    if rate is not None:
        header["framesPerSecond"] = rate
    stored = number(1920)
    if stored != _UNDEFINED:
        text = ":".join(f"{stored >> shift & 0xFF:02x}" for shift in (24, 16, 8, 0))
        header |= timecode_header(text, rate=rate)
    if owner := _text(data[460:660]):
        header["owner"] = owner
    if created := re.match(r"(\d{4}:\d\d:\d\d)[: ](\d\d:\d\d:\d\d)", _text(data[136:160])):
        header["capDate"] = f"{created[1]} {created[2]}"
    return header


def _text(data: bytes) -> str:
    return data.split(b"\0")[0].split(b"\xff")[0].decode("ascii", errors="replace").strip()
