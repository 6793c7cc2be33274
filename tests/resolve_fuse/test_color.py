"""The primaries that a clip is tagged with: those in the header of its files, in Lua and in Python alike."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import OpenEXR
import pytest

from tests.resolve_fuse.conftest import ROOT
from tests.resolve_fuse.lua import LUA51, LUAJIT, Lua

sys.path.insert(0, str(ROOT / "resolve_fuse"))

from f2hdr_resolve import color  # noqa: E402

PAIRS = pytest.mark.parametrize("lua", [LUAJIT, LUA51], ids=lambda lua: lua.name)
# ITU-R BT.709, BT.2020 and SMPTE RP 431-2 (D65); SMPTE ST 2065-1; Academy S-2014-004.
KNOWN = {
    "Rec.709": (0.64, 0.33, 0.3, 0.6, 0.15, 0.06, 0.3127, 0.329),
    "Rec.2020": (0.708, 0.292, 0.17, 0.797, 0.131, 0.046, 0.3127, 0.329),
    "P3-D65": (0.68, 0.32, 0.265, 0.69, 0.15, 0.06, 0.3127, 0.329),
    "ACES (AP0)": (0.7347, 0.2653, 0.0, 1.0, 0.0001, -0.077, 0.32168, 0.33767),
    "ACES (AP1)": (0.713, 0.293, 0.165, 0.83, 0.128, 0.044, 0.32168, 0.33767),
}
NAMES = """
local json = require("f2hdr_json")
local names, words, assumed = require("f2hdr_color").names_of((...))
print(json.encode({names = json.array(names), words = words, assumed = assumed or false}))
"""


def write(path: Path, chromaticities: tuple[float, ...] | None) -> Path:
    header = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}
    if chromaticities is not None:
        header["chromaticities"] = chromaticities
    OpenEXR.File(header, {"RGB": np.zeros((4, 4, 3), np.float16)}).write(str(path))
    return path


@PAIRS
@pytest.mark.parametrize("name", KNOWN)
def test_known_primaries_have_the_name_of_resolve(lua: Lua, name: str, tmp_path: Path) -> None:
    path = write(tmp_path / "é.exr", KNOWN[name])
    answer = json.loads(lua.evaluate(NAMES, path))
    assert answer["names"][0] == name and name in answer["words"] and not answer["assumed"]
    names, words, assumed = color.names_of(str(path))
    assert (list(names), words, assumed) == (answer["names"], answer["words"], False)


@PAIRS
@pytest.mark.parametrize(
    "chromaticities", [None, (0.7, 0.3, 0.2, 0.7, 0.1, 0.05, 0.3127, 0.329)], ids=["none", "other"]
)
def test_missing_primaries_are_assumed_as_rec_709_and_unknown_ones_have_no_name(
    lua: Lua, chromaticities: tuple[float, ...] | None, tmp_path: Path
) -> None:
    path = write(tmp_path / "a.exr", chromaticities)
    answer = json.loads(lua.evaluate(NAMES, path))
    names, words, assumed = color.names_of(str(path))
    assert (list(names), words, assumed) == (answer["names"], answer["words"], answer["assumed"])
    if chromaticities is None:
        assert assumed and names[0] == "Rec.709"
    else:
        assert not names and "0.7 0.3" in words


def test_lua_and_python_have_the_same_table() -> None:
    code = """
local json, list = require("f2hdr_json"), {}
for index, one in ipairs(require("f2hdr_color").PRIMARIES) do
    list[index] = {one[1], {one[2][1], one[2][2], one[2][3], one[2][4], one[2][5], one[2][6], one[3][1], one[3][2]}}
end
print(json.encode(list))
"""
    table = [(tuple(names), tuple(numbers)) for names, numbers in json.loads(LUA51.evaluate(code))]
    assert table == [(names, numbers) for names, numbers in color.PRIMARIES]


@pytest.mark.parametrize("damage", [0, 4, 20, 60])
def test_a_damaged_header_has_no_primaries(damage: int, tmp_path: Path) -> None:
    path = write(tmp_path / "a.exr", KNOWN["Rec.2020"])
    path.write_bytes(path.read_bytes()[:damage])
    assert color.names_of(str(path))[2]
    assert json.loads(LUA51.evaluate(NAMES, path))["assumed"]
