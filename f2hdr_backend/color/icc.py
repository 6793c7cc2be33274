"""ICC profiles of cameras and displays: a curve for each channel and a matrix to CIE XYZ.

Source: ICC.1:2022, sections 7 (structure), 9.2 (tags), 10.6 (curveType), 10.18 (parametricCurveType), 10.31 (XYZType).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np

from f2hdr_backend.color.primaries import ACES_WHITE, AP0, Matrix, adaptation, rgb_to_xyz

PCS_WHITE = (0.34567, 0.35850)
"""D50, the white point of all profiles, as CIE x and y."""
_HEADER = 128
_CODES = np.linspace(0, 1, 65536)
"""Code values at which curves are sampled: all 16-bit codes."""
_POWERS = {0: "g", 1: "gab", 2: "gabc", 3: "gabcd", 4: "gabcdef"}


@dataclass(frozen=True)
class IccProfile:
    """``curves`` ``(65536, 3)``: the linear value of each 16-bit code, or None if linear; ``to_ap0`` ``(3, 3)``."""

    name: str
    curves: Matrix | None
    to_ap0: Matrix


def read_profile(data: bytes) -> IccProfile | None:
    """Return the profile if it is RGB with curves and a matrix; None for tables, other models and damaged data."""
    try:
        with np.errstate(all="ignore"):  # curves that are not finite are refused
            return _read(data)
    except (KeyError, IndexError, ValueError, ArithmeticError, struct.error):
        return None


def profile_name(data: bytes) -> str:
    """Return the description in a profile, or ``without a name``."""
    try:
        tag = _tags(data)[b"desc"]
        if tag[:4] == b"mluc":
            length, start = struct.unpack_from(">II", tag, 20)
            return tag[start : start + length].decode("utf-16-be", errors="replace")
        (length,) = struct.unpack_from(">I", tag, 8)
        return tag[12 : 12 + length].split(b"\0")[0].decode("ascii", errors="replace")
    except (KeyError, struct.error):
        return "without a name"


def _read(data: bytes) -> IccProfile | None:
    tags = _tags(data)
    if data[16:20] != b"RGB " or data[20:24] != b"XYZ ":
        return None
    columns = [struct.unpack_from(">3i", tags[name], 8) for name in (b"rXYZ", b"gXYZ", b"bXYZ")]
    matrix = np.array(columns, np.float64).T / 65536
    if abs(np.linalg.det(matrix)) < 1e-6:
        return None
    curves = np.stack([_curve(tags[name]) for name in (b"rTRC", b"gTRC", b"bTRC")], axis=-1)
    if not np.isfinite(curves).all():
        return None
    to_ap0 = np.linalg.solve(rgb_to_xyz(AP0), adaptation(PCS_WHITE, ACES_WHITE) @ matrix)
    is_light = np.abs(curves - _CODES[:, None]).max() < 1e-6
    return IccProfile(profile_name(data), None if is_light else curves, np.asarray(to_ap0, np.float64))


def _tags(data: bytes) -> dict[bytes, bytes]:
    (count,) = struct.unpack_from(">I", data, _HEADER)
    entries = (struct.unpack_from(">4sII", data, _HEADER + 4 + 12 * index) for index in range(min(count, 200)))
    return {name: data[start : start + size] for name, start, size in entries}


def _curve(tag: bytes) -> Matrix:
    """Return the linear values of ``_CODES``. Raises ValueError for another kind of curve."""
    if tag[:4] == b"curv":
        (count,) = struct.unpack_from(">I", tag, 8)
        values = np.frombuffer(tag, ">u2", count, 12).astype(np.float64)
        if count < 2:
            return _CODES ** (values[0] / 256 if count else 1.0)
        return np.interp(_CODES, np.linspace(0, 1, count), values / 65535)
    if tag[:4] != b"para":
        raise ValueError
    (kind,) = struct.unpack_from(">H", tag, 8)
    names = _POWERS[kind]
    found = dict(zip(names, (value / 65536 for value in struct.unpack_from(f">{len(names)}i", tag, 12)), strict=True))
    return _parametric(kind, found)


def _parametric(kind: int, found: dict[str, float]) -> Matrix:
    """Source: ICC.1:2022, table 68."""
    power, a, b = found["g"], found.get("a", 1.0), found.get("b", 0.0)
    start = found["d"] if "d" in found else -b / a
    offset = found.get("e", 0.0) if kind == 4 else found["c"] if kind == 2 else 0.0
    below = found["c"] * _CODES + found.get("f", 0.0) if kind >= 3 else np.full_like(_CODES, offset)
    above = np.maximum(a * _CODES + b, 0) ** power + offset
    return above if kind == 0 else np.where(_CODES >= start, above, below)
