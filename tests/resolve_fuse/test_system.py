"""Files and folders of this user: Windows with accents in the user's name, and whose connection file is trusted."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.resolve_fuse.lua import ALL, LUA51, LUAJIT, WITHOUT_FFI, WITHOUT_JIT, Lua

WINDOWS = Path(__file__).parents[1] / "hosts" / "resolve" / "windows.lua"
WITH_SOCKETS = pytest.mark.parametrize("lua", [LUAJIT, WITHOUT_JIT], ids=lambda lua: lua.name)
SERVER = """
local server = require("f2hdr_http").available and require("f2hdr_http").server()
print(server and server.port or "none")
"""


USER = "C:/Users/José 日"


@pytest.fixture(scope="module")
def on_windows(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the modules did on Windows, for a user with characters that no code page of Windows has together."""
    path = tmp_path_factory.mktemp("windows") / "found.json"
    ran = LUAJIT.run(WINDOWS, path)
    assert path.exists(), ran.stderr
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8", errors="replace"))
    return found


def test_the_folders_of_a_windows_user_with_accents_are_found_and_created(on_windows: dict[str, Any]) -> None:
    assert on_windows["windows"] and on_windows["missing"]
    assert on_windows["home"] == USER
    assert on_windows["cache"] == f"{USER}/AppData/Local/f2hdr/resolve"
    assert on_windows["settings"] == f"{USER}/AppData/Roaming/f2hdr"
    assert f"{USER}/AppData/Local/f2hdr/resolve/jobs" in on_windows["folders"]
    assert on_windows["commands"] == [], "the command interpreter gets paths in the code page"


def test_the_backend_of_a_windows_user_with_accents_is_started(on_windows: dict[str, Any]) -> None:
    program = f"{USER}/f2hdr/f2hdr.exe".replace("/", "\\")
    jobs = f"{USER}/AppData/Local/f2hdr/resolve/jobs"
    assert on_windows["submitted"], on_windows.get("why")
    submit = ["submit", f"{jobs}/job.json", "--detach", "--status", f"{jobs}/job.status"]
    assert on_windows["lines"] == [subprocess.list2cmdline([program, *words]) for words in (["--version"], submit)]
    assert on_windows["no_console"] == [True, True]
    for environment in on_windows["environments"]:
        variables = dict(entry.split("=", 1) for entry in environment)
        assert variables["USERPROFILE"] == USER.replace("/", "\\")
        assert variables["F2HDR_BACKEND"] == program
        assert "PYTHONHOME" not in variables
    assert json.loads(on_windows["files"][f"{jobs}/job.json"])["plate"] == "p.####.exr"


def test_the_settings_of_a_windows_user_with_accents_are_written_and_opened(on_windows: dict[str, Any]) -> None:
    path = f"{USER}/AppData/Roaming/f2hdr/resolve.txt"
    assert on_windows["settings_path"] == path, on_windows.get("unsaved")
    assert "placement = track" in on_windows["files"][path]
    assert on_windows["shown"] == ["open " + path.replace("/", "\\")]


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


@WITH_SOCKETS
@pytest.mark.parametrize("found", ["required", "global"])
def test_ffi_is_found_in_both_places_where_hosts_have_it(lua: Lua, found: str, tmp_path: Path) -> None:
    """Some builds have the global ``ffi`` alone."""
    runtime(tmp_path)
    hide = """
ffi = require("ffi")
package.loaded.ffi = nil
package.preload.ffi = function() error("no ffi here") end
"""
    code = (hide if found == "global" else "ffi = nil") + SERVER
    assert lua.evaluate(code, env={"F2HDR_RUNTIME": str(tmp_path)}).strip() == "7777"


@pytest.mark.parametrize("lua", ALL, ids=lambda lua: lua.name)
def test_the_folders_of_the_user_are_found(lua: Lua, tmp_path: Path) -> None:
    code = 'local s = require("f2hdr_system") print(s.home(), s.cache_folder(), s.settings_folder())'
    env = {"HOME": str(tmp_path / "é"), "XDG_CACHE_HOME": "", "XDG_CONFIG_HOME": "", "F2HDR_CACHE": ""}
    home = f"{tmp_path}/é"
    said = lua.evaluate(code, env=env).strip().split("\t")
    assert said == [home, f"{home}/.cache/f2hdr/resolve", f"{home}/.config/f2hdr"]


WRITE_AND_START = """
local system = require("f2hdr_system")
local base = ...
assert(system.write_all(base .. ".json", "{}"))
system.start({"echo", "hello"}, base)
for _ = 1, 600 do
    if system.finished(base) then break end
    system.sleep(0.1)
end
print(system.finished(base))
"""


@pytest.mark.skipif(os.name == "nt", reason="the shell of Linux and macOS")
@pytest.mark.parametrize("lua", ALL, ids=lambda lua: lua.name)
def test_links_under_foreseeable_names_in_a_shared_cache_are_not_followed(lua: Lua, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("precious")
    endings = (".json.part", ".out", ".err", ".rc.part")
    for ending in endings:
        (tmp_path / f"job{ending}").symlink_to(precious)
    assert lua.evaluate(WRITE_AND_START, tmp_path / "job").strip() == "0"
    assert precious.read_text() == "precious"
    assert (tmp_path / "job.json").read_text() == "{}"
    assert (tmp_path / "job.out").read_text() == "hello\n"
