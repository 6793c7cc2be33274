"""The Edit page effect: a macro around the Fuse, with its controls."""

from __future__ import annotations

import json
from pathlib import Path

from tests.hosts.resolve.fusion import Comp
from tests.resolve_fuse.lua import LUA51, MODULES

READ = """
local text = assert(io.open((...), "rb")):read("*a")
local json = require("f2hdr_json")
local names = {"MacroOperator", "InstanceInput", "InstanceOutput", "GroupInfo", "OperatorInfo", "Input", "FuID"}
local scope = {Fuse = {}, ordered = function() return function(list) return list end end}
for _, name in ipairs(names) do scope[name] = function(list) list.kind = name return list end end
scope.Fuse = setmetatable({}, {__index = function(_, id)
    return function(list) list.kind = "Fuse." .. id return list end
end})
local chunk = assert(loadstring("return " .. text))
print(json.encode(setfenv(chunk, scope)()))
"""


def test_the_effect_is_one_macro_with_one_image_in_and_out(tmp_path: Path) -> None:
    effect = json.loads(LUA51.evaluate(READ, MODULES / "F2HDR.setting"))
    macro = effect["Tools"]["F2HDR"]
    assert macro["kind"] == "MacroOperator"
    assert effect["ActiveTool"] == "F2HDR"
    inner = macro["Tools"]["F2HDR1"]
    assert inner["kind"] == "Fuse.F2HDR"
    assert macro["Outputs"]["MainOutput1"]["SourceOp"] == "F2HDR1"
    assert macro["Outputs"]["MainOutput1"]["Source"] == "Output"
    images = [name for name, one in macro["Inputs"].items() if isinstance(one, dict) and one.get("Source") == "Input"]
    assert images == ["MainInput1"]
    controls = {control["id"] for control in Comp(tmp_path).run()["controls"]}
    sources = {one["Source"] for one in macro["Inputs"].values() if isinstance(one, dict)}
    assert controls - sources == {"Refresh"}
    assert sources <= controls
    assert inner["Inputs"].keys() <= controls
