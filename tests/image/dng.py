"""A minimal CFA DNG file, as a camera would write it."""

from __future__ import annotations

import struct

import numpy as np

XYZ_TO_REC709 = (
    (3.2404542, -1.5371385, -0.4985314),
    (-0.969266, 1.8760108, 0.041556),
    (0.0556434, -0.2040259, 1.0572252),
)
_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 10: 8}
_BYTE, _ASCII, _SHORT, _LONG, _RATIONAL, _SIGNED = 1, 2, 3, 4, 5, 10


def write_dng(
    path, light, *, neutral=(0.5, 1, 0.8), black=512, white=15000, shutter=(1, 48), orientation=1, iso=0, extra=()
):
    """Write ``(H, W, 3)`` light of Rec.709 primaries as an RGGB mosaic that clips where a camera channel reaches 1.

    ``neutral`` is what the camera's channels see of white: the as-shot white balance is its inverse. ``extra`` has
    further tags as (number, type, value).
    """
    height, width, _ = light.shape
    camera = light * np.asarray(neutral)
    mosaic = np.empty((height, width))
    for row, column, channel in ((0, 0, 0), (0, 1, 1), (1, 0, 1), (1, 1, 2)):
        mosaic[row::2, column::2] = camera[row::2, column::2, channel]
    codes = np.rint(black + np.clip(mosaic, 0, 1) * (white - black)).astype("<u2")
    matrix = [round(value * 100000) for row in XYZ_TO_REC709 for value in row]
    tags = [
        (254, _LONG, [0]), (256, _LONG, [width]), (257, _LONG, [height]), (258, _SHORT, [16]), (259, _SHORT, [1]),
        (262, _SHORT, [32803]), (271, _ASCII, b"F2HDR\0"), (272, _ASCII, b"Synthetic\0"), (273, _LONG, [0]),
        (274, _SHORT, [orientation]), (277, _SHORT, [1]), (278, _LONG, [height]), (279, _LONG, [codes.nbytes]),
        (33421, _SHORT, [2, 2]), (33422, _BYTE, bytes((0, 1, 1, 2))), (33434, _RATIONAL, list(shutter)),
        *([(34665, _LONG, [0])] if iso else []),
        (50706, _BYTE, bytes((1, 4, 0, 0))), (50708, _ASCII, b"F2HDR Synthetic\0"), (50714, _LONG, [black]),
        (50717, _LONG, [white]), (50721, _SIGNED, [part for value in matrix for part in (value, 100000)]),
        (50728, _RATIONAL, [part for value in neutral for part in (round(value * 100000), 100000)]),
        (50778, _SHORT, [21]), *extra,
    ]  # fmt: skip
    path.write_bytes(_tiff(tags, codes.tobytes(), iso))
    return path


def _tiff(tags, pixels, iso):
    """Lay out header, directory, long values, the directory of the sensitivity, pixels."""
    exif = struct.pack("<HHHIHHI", 1, 34855, _SHORT, 1, iso, 0, 0)
    values = [(tag, kind, _packed(kind, value)) for tag, kind, value in tags]
    start = 8 + 2 + 12 * len(values) + 4
    long_values = sum(len(data) + len(data) % 2 for _, _, data in values if len(data) > 4)
    places = {34665: start + long_values, 273: start + long_values + len(exif)}
    directory, beyond = struct.pack("<H", len(values)), b""
    for tag, kind, data in values:
        if tag in places:
            data = struct.pack("<I", places[tag])
        count = len(data) // _BYTES[kind]
        if len(data) > 4:
            field = struct.pack("<I", start + len(beyond))
            beyond += data + b"\0" * (len(data) % 2)
        else:
            field = data.ljust(4, b"\0")
        directory += struct.pack("<HHI", tag, kind, count) + field
    return struct.pack("<2sHI", b"II", 42, 8) + directory + struct.pack("<I", 0) + beyond + exif + pixels


def _packed(kind, value):
    if isinstance(value, bytes):
        return value
    return struct.pack("<" + {_SHORT: "H", _LONG: "I", _RATIONAL: "I", _SIGNED: "i"}[kind] * len(value), *value)
