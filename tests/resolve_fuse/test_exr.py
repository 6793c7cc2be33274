"""EXR files by Lua, against OpenEXR: exact values both ways, and headers that are damaged on purpose."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import OpenEXR
import pytest

from tests.resolve_fuse.lua import ALL, LUA51, LUAJIT, WITHOUT_FFI, Lua

PAIRS = pytest.mark.parametrize("lua", ALL, ids=lambda lua: lua.name)
TRICKY = [0.0, -0.0, 1.0, -1.5, 65504.0, 1e-40, -3.4e38, 1.17549435e-38, 0.1, np.inf, -np.inf, 1 / 3, 5.9604645e-08]

COPY = """
local read, write, numbers = require("f2hdr_exr_read"), require("f2hdr_exr_write"), require("f2hdr_numbers")
local from, to, names = ...
local channels = {}
for name in names:gmatch("[^,]+") do channels[#channels + 1] = name end
local reader = assert(read.open(from))
local rows = {}
assert(reader:read(channels, function(y, planes)
    local row = {}
    for index in ipairs(channels) do
        row[index] = {}
        for x = 0, reader.width - 1 do row[index][x] = planes[index][x] end
    end
    rows[y] = row
end))
local mark = numbers.fingerprint()
local picture = {width = reader.width, height = reader.height, channels = channels, fingerprint = mark,
    strings = {["f2hdr/note"] = reader:text("note")}}
assert(write.write(to, picture, function(y, planes)
    for index in ipairs(channels) do
        for x = 0, reader.width - 1 do planes[index][x] = rows[y][index][x] end
    end
end))
reader:close()
print(mark:digest())
"""


def _picture(height: int = 5, width: int = 7) -> np.ndarray:
    pixels = np.random.default_rng(1).normal(size=(height, width, 3)).astype(np.float32) * 10
    pixels.reshape(-1)[: len(TRICKY)] = np.array(TRICKY, np.float32)
    return pixels


def _write(path: Path, channels: dict[str, np.ndarray], compression: object = OpenEXR.NO_COMPRESSION) -> None:
    header = {"compression": compression, "type": OpenEXR.scanlineimage, "note": "ends é"}
    contiguous = {name: np.ascontiguousarray(values) for name, values in channels.items()}
    with OpenEXR.File(header, contiguous) as file:
        file.write(str(path))


@PAIRS
@pytest.mark.parametrize("kind", [np.float32, np.float16, np.uint32])
def test_values_are_unchanged_after_writing_and_reading(lua: Lua, kind: type, tmp_path: Path) -> None:
    folder = tmp_path / "a folder, é 日本"
    folder.mkdir()
    with np.errstate(over="ignore", invalid="ignore"):
        pixels = _picture().astype(kind) if kind is not np.uint32 else np.arange(105, dtype=kind).reshape(5, 7, 3)
    _write(folder / "from.exr", {"RGB": pixels, "mask": pixels[..., 0]})
    lua.evaluate(COPY, folder / "from.exr", folder / "to.exr", "B,G,R,mask")
    with OpenEXR.File(str(folder / "to.exr")) as file:
        written = {name: channel.pixels for name, channel in file.channels().items()}
        assert file.header()["f2hdr/note"] == "ends é"
    np.testing.assert_array_equal(written["RGB"], pixels.astype(np.float32))
    np.testing.assert_array_equal(np.signbit(written["RGB"]), np.signbit(pixels.astype(np.float32)))
    np.testing.assert_array_equal(written["mask"], pixels[..., 0].astype(np.float32))
    assert sorted(path.name for path in folder.iterdir()) == ["from.exr", "to.exr"]


@PAIRS
def test_numbers_are_rounded_to_the_nearest_float(lua: Lua, tmp_path: Path) -> None:
    values = [0.1, 1 / 3, 1e-45, 1e-46, 3.5e38, 2.0**-126 * (1 - 2**-25), 16777217.0, 16777219.0, -1e-42, 0.7e-45]
    code = (
        f"""
local path = ...
local values = {{{",".join(repr(value) for value in values)}}}
"""
        + """
local picture = {width = #values, height = 1, channels = {"Y"}}
assert(require("f2hdr_exr_write").write(path, picture, function(_, planes)
    for x = 0, #values - 1 do planes[1][x] = values[x + 1] end
end))"""
    )
    lua.evaluate(code, tmp_path / "one.exr")
    with OpenEXR.File(str(tmp_path / "one.exr")) as file, np.errstate(over="ignore"):
        np.testing.assert_array_equal(file.channels()["Y"].pixels[0], np.array(values).astype(np.float32))


@PAIRS
def test_every_pixel_changes_the_fingerprint(lua: Lua, tmp_path: Path) -> None:
    digests = set()
    for place in [None, (0, 0, 0), (4, 6, 2), (2, 3, 1)]:
        pixels = _picture()
        if place is not None:
            pixels[place] += np.spacing(pixels[place]) if np.isfinite(pixels[place]) else 0
            pixels[place] = pixels[place] or 1e-30
        _write(tmp_path / "from.exr", {"RGB": pixels})
        digests.add(lua.evaluate(COPY, tmp_path / "from.exr", tmp_path / "to.exr", "B,G,R"))
    assert len(digests) == 4


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"compression": OpenEXR.ZIP_COMPRESSION}, "is compressed (ZIP)"),
        ({"type": OpenEXR.tiledimage, "tiles": OpenEXR.TileDescription()}, "has tiles"),
        ({"dataWindow": (np.array([0, 0], np.int32), np.array([6, 4], np.int32)),
          "displayWindow": (np.array([0, 0], np.int32), np.array([9, 9], np.int32))}, "has a data window of its own"),
    ],
)  # fmt: skip
def test_unsupported_files_are_reported(change: dict[str, object], words: str, tmp_path: Path) -> None:
    header = {"compression": OpenEXR.NO_COMPRESSION, "type": OpenEXR.scanlineimage, **change}
    with OpenEXR.File(header, {"RGB": _picture()}) as file:
        file.write(str(tmp_path / "a.exr"))
    code = 'local _, why, size = require("f2hdr_exr_read").open(...) print(why, size.width, size.height)'
    said = LUAJIT.evaluate(code, tmp_path / "a.exr")
    display = (10, 10) if "dataWindow" in change else (7, 5)
    assert words in said and str(tmp_path / "a.exr") in said
    assert said.split()[-2:] == [str(number) for number in display]


FUZZ = """
local read = require("f2hdr_exr_read")
local folder, count = ...
local opened = 0
for index = 0, tonumber(count) - 1 do
    local reader = read.open(folder .. "/" .. index .. ".exr")
    if reader then
        local names = {}
        for name in pairs(reader.channels) do names[#names + 1] = name end
        if reader:read(names, function() end) then opened = opened + 1 end
        reader:close()
    end
end
print(opened)
"""


@pytest.mark.parametrize("lua", [LUAJIT, WITHOUT_FFI, LUA51], ids=lambda lua: lua.name)
def test_damaged_files_never_raise(lua: Lua, tmp_path: Path) -> None:
    """A thousand files with flipped bytes, cuts and large numbers: read or refused, no error and no runaway."""
    _write(tmp_path / "good.exr", {"RGB": _picture(), "A": np.ones((5, 7), np.float16)})
    good = (tmp_path / "good.exr").read_bytes()
    chance = random.Random(7)
    count = 1000
    for index in range(count):
        bytes_ = bytearray(good)
        for _ in range(chance.randint(1, 4)):
            place = chance.randrange(min(len(bytes_) + 1, 500))
            kind = chance.randrange(4)
            if kind == 0:
                bytes_[place : place + 1] = bytes([chance.randrange(256)])
            elif kind == 1:
                bytes_[place : place + 4] = chance.choice([b"\xff\xff\xff\x7f", b"\x00\x00\x00\x80", b"\xff" * 4])
            elif kind == 2:
                del bytes_[chance.randrange(len(bytes_) + 1) :]
            else:
                del bytes_[place : place + chance.randint(1, 8)]
        (tmp_path / f"{index}.exr").write_bytes(bytes_)
    opened = int(lua.evaluate(FUZZ, tmp_path, count, timeout=60))
    assert 0 < opened < count
