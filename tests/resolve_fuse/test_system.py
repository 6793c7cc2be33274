"""Files and folders of this user: Windows with accents in the user's name, and whose connection file is trusted."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.resolve_fuse.lua import ALL, LUA51, LUAJIT, WITHOUT_FFI, WITHOUT_JIT, Lua

WINDOWS = Path(__file__).parents[1] / "hosts" / "resolve" / "windows.lua"
WITH_SOCKETS = pytest.mark.parametrize("lua", [LUAJIT, WITHOUT_JIT], ids=lambda lua: lua.name)
SERVER = """
local server = require("f2hdr_http").available and require("f2hdr_http").server()
print(server and server.port or "none")
"""


def test_a_windows_user_with_accents_is_found_by_wide_characters(tmp_path: Path) -> None:
    ran = LUAJIT.run(WINDOWS, tmp_path / "found.json")
    found = json.loads((tmp_path / "found.json").read_text(encoding="utf-8")), ran.stderr
    facts = found[0]
    assert facts["windows"] and facts["missing"]
    assert facts["home"] == "C:/Users/José 日"
    assert facts["cache"] == "C:/Users/José/AppData/Local/f2hdr/resolve"
    assert facts["settings"] == "C:/Users/José/AppData/Roaming/f2hdr"
    assert facts["backend"] == "C:\\Users\\José\\f2hdr\\f2hdr.exe"
    assert "C:/Users/José/AppData/Local/f2hdr/resolve/jobs" in facts["made"]
    assert facts["opened"][0] == "C:/Users/José 日/x"
    assert any(path.startswith("C:/Users/José/AppData/Local/f2hdr/resolve/jobs") for path in facts["opened"])


def runtime(folder: Path, port: int = 7777) -> Path:
    """A connection file as the server writes it; returns it."""
    (folder / "f2hdr").mkdir(parents=True, mode=0o700)
    path = folder / "f2hdr" / "server.json"
    path.write_text(json.dumps({"address": f"http://127.0.0.1:{port}", "token": "t"}))
    path.chmod(0o600)
    return path


@WITH_SOCKETS
def test_a_connection_file_with_private_permissions_is_used(lua: Lua, tmp_path: Path) -> None:
    runtime(tmp_path)
    assert lua.evaluate(SERVER, env={"F2HDR_RUNTIME": str(tmp_path)}).strip() == "7777"


@WITH_SOCKETS
@pytest.mark.parametrize("mode", [0o644, 0o640, 0o660, 0o602])
def test_a_connection_file_that_others_can_access_is_refused(lua: Lua, mode: int, tmp_path: Path) -> None:
    runtime(tmp_path).chmod(mode)
    assert lua.evaluate(SERVER, env={"F2HDR_RUNTIME": str(tmp_path)}).strip() == "none"


@WITH_SOCKETS
@pytest.mark.parametrize("mode", [0o777, 0o770, 0o720])
def test_a_folder_that_others_can_write_is_refused(lua: Lua, mode: int, tmp_path: Path) -> None:
    runtime(tmp_path).parent.chmod(mode)
    assert lua.evaluate(SERVER, env={"F2HDR_RUNTIME": str(tmp_path)}).strip() == "none"


@WITH_SOCKETS
@pytest.mark.parametrize("linked", ["file", "folder"])
def test_a_connection_file_that_is_a_link_is_refused(lua: Lua, linked: str, tmp_path: Path) -> None:
    real = runtime(tmp_path / "elsewhere")
    target, place = (real, "f2hdr/server.json") if linked == "file" else (real.parent, "f2hdr")
    (tmp_path / "run" / place).parent.mkdir(parents=True, mode=0o700)
    (tmp_path / "run" / place).symlink_to(target)
    assert lua.evaluate(SERVER, env={"F2HDR_RUNTIME": str(tmp_path / "run")}).strip() == "none"


@WITH_SOCKETS
@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="only root can give a file away")
def test_a_file_or_folder_of_another_user_is_refused(lua: Lua, tmp_path: Path) -> None:
    path = runtime(tmp_path)
    os.chown(path, 4242, 4242)
    assert lua.evaluate(SERVER, env={"F2HDR_RUNTIME": str(tmp_path)}).strip() == "none"
    os.chown(path, 0, 0)
    os.chown(path.parent, 4242, 4242)
    assert lua.evaluate(SERVER, env={"F2HDR_RUNTIME": str(tmp_path)}).strip() == "none"


@WITH_SOCKETS
def test_an_empty_runtime_folder_is_not_replaced_by_the_temporary_folder(lua: Lua, tmp_path: Path) -> None:
    """Another user can create the folder in the temporary folder; a file there must not be used as ours."""
    (tmp_path / "run").mkdir(mode=0o700)
    uid = os.getuid()
    runtime(tmp_path / "tmp" / f"f2hdr-{uid}")
    (tmp_path / "tmp" / f"f2hdr-{uid}").chmod(0o700)
    env = {"F2HDR_RUNTIME": "", "XDG_RUNTIME_DIR": str(tmp_path / "run"), "TMPDIR": str(tmp_path / "tmp")}
    assert lua.evaluate(SERVER, env=env).strip() == "none"


@pytest.mark.parametrize("lua", [WITHOUT_FFI, LUA51], ids=lambda lua: lua.name)
def test_without_ffi_no_connection_file_is_trusted(lua: Lua, tmp_path: Path) -> None:
    path = runtime(tmp_path)
    code = 'print(require("f2hdr_owner").is_private((...), "file"))'
    assert lua.evaluate(code, path).strip() == "false"


@pytest.mark.parametrize("lua", ALL, ids=lambda lua: lua.name)
def test_the_folders_of_the_user_are_found(lua: Lua, tmp_path: Path) -> None:
    code = 'local s = require("f2hdr_system") print(s.home(), s.cache_folder(), s.settings_folder())'
    env = {"HOME": str(tmp_path / "é"), "XDG_CACHE_HOME": "", "XDG_CONFIG_HOME": "", "F2HDR_CACHE": ""}
    home = f"{tmp_path}/é"
    said = lua.evaluate(code, env=env).strip().split("\t")
    assert said == [home, f"{home}/.cache/f2hdr/resolve", f"{home}/.config/f2hdr"]
