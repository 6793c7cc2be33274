"""Makes OpenEXR's own header types picklable."""

from __future__ import annotations

import copyreg
from typing import Any

import OpenEXR

_TIME_CODE = "hours minutes seconds frame dropFrame colorFrame fieldPhase bgf0 bgf1 bgf2".split()
_KEY_CODE = "filmMfcCode filmType prefix count perfOffset perfsPerFrame perfsPerCount".split()
_TILES = "xSize ySize mode roundingMode".split()
_GROUPS = range(0, 32, 4)
"""Bit offsets of the eight binary groups in a timecode's user data (SMPTE ST 12-1)."""


def _time_code(code: Any) -> tuple[Any, ...]:
    fields = [getattr(code, name) for name in _TIME_CODE]
    data = code.userData
    groups = [data >> start & 15 for start in _GROUPS]
    return OpenEXR.TimeCode, tuple(int(value) for value in (*fields, *groups))


def _key_code(code: Any) -> tuple[Any, ...]:
    return OpenEXR.KeyCode, tuple(getattr(code, name) for name in _KEY_CODE)


def _tiles(tiles: Any) -> tuple[Any, ...]:
    return _new_tiles, tuple(getattr(tiles, name) for name in _TILES)


def _new_tiles(*values: Any) -> Any:
    tiles = OpenEXR.TileDescription()
    for name, value in zip(_TILES, values, strict=True):
        setattr(tiles, name, value)
    return tiles


def _rational(value: Any) -> tuple[Any, ...]:
    return OpenEXR.Rational, (value.n, value.d)


def _bytes(value: Any) -> tuple[Any, ...]:
    return OpenEXR.Bytes, (value.data, value.type_hint)


def _opaque(value: Any) -> tuple[Any, ...]:
    return OpenEXR.OpaqueAttribute, (value.data, value.typeName)


copyreg.pickle(OpenEXR.TimeCode, _time_code)
copyreg.pickle(OpenEXR.KeyCode, _key_code)
copyreg.pickle(OpenEXR.TileDescription, _tiles)
copyreg.pickle(OpenEXR.Rational, _rational)
copyreg.pickle(OpenEXR.Bytes, _bytes)
copyreg.pickle(OpenEXR.OpaqueAttribute, _opaque)
