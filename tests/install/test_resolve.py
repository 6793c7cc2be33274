"""Installation into Resolve's and Fusion's folders: choice of the folders, working files, complete removal."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.resolve_fuse.conftest import ROOT, make_backend
from tests.resolve_fuse.lua import LUA51, LUAJIT, Lua

INSTALLER = ROOT / "installers" / "resolve" / "install.py"


def _run(*words: object, home: Path) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "HOME": str(home), "USERPROFILE": str(home), "OMP_NUM_THREADS": "1"}
    env.pop("F2HDR_BACKEND", None)
    return subprocess.run([sys.executable, str(INSTALLER), *map(str, words)], capture_output=True, text=True, env=env)


def _files(folder: Path) -> set[str]:
    """Every file except those that the backend may cache when its version is requested."""
    names = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    return {name for name in names if not name.startswith((".cache", "cache"))}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    made = tmp_path / "home ü"
    for name in (".local/share/DaVinciResolve/Fusion/Scripts", ".fusion/BlackmagicDesign/Fusion"):
        (made / name).mkdir(parents=True)
    return made


@pytest.fixture
def command(tmp_path: Path) -> Path:
    return make_backend(tmp_path / "backend ü").command


linux_only = pytest.mark.skipif(sys.platform != "linux", reason="lays out a Linux home")


@linux_only
@pytest.mark.parametrize("lua", [LUAJIT, LUA51], ids=lambda lua: lua.name)
def test_installed_scripts_run_and_are_removed(lua: Lua, home: Path, command: Path) -> None:
    before = _files(home)
    ran = _run("--backend", command, home=home)
    assert ran.returncode == 0, ran.stderr
    roots = [home / ".local/share/DaVinciResolve/Fusion", home / ".fusion/BlackmagicDesign/Fusion"]
    for root in roots:
        laid = _files(root)
        assert {
            "Fuses/F2HDR.fuse",
            "Scripts/Utility/F2HDR_timeline.lua",
            "Templates/Edit/Effects/F2HDR.setting",
            "F2HDR/drive_resolve.py",
        } <= laid
        modules = {path.name for path in (ROOT / "resolve_fuse").glob("f2hdr*.lua")} | {"f2hdr_install.lua"}
        assert {f"Modules/Lua/{name}" for name in modules} <= laid
        assert not any(name.endswith(".pyc") for name in laid)
    code = 'local door = assert(require("f2hdr").door({folder = ...})) print(door.backend[1], door:check())'
    env = {"LUA_PATH": f"{roots[0]}/Modules/Lua/?.lua", "F2HDR_BACKEND": ""}
    said = lua.evaluate(code, home / "cache", env=env)
    assert said.strip() == f"{command}\ttrue"
    script = f"import sys; sys.path.insert(0, {str(roots[0] / 'F2HDR')!r}); import drive_resolve"
    helped = subprocess.run([sys.executable, "-I", "-B", "-c", script], capture_output=True, text=True)
    assert helped.returncode == 0, helped.stderr
    gone = _run("--uninstall", home=home)
    assert gone.returncode == 0, gone.stderr
    assert _files(home) == before


@linux_only
def test_a_dry_run_writes_nothing_and_one_folder_can_be_named(home: Path, command: Path, tmp_path: Path) -> None:
    before = _files(home)
    assert "would install" in _run("--backend", command, "--dry-run", home=home).stdout
    assert _files(home) == before
    assert _run("--backend", command, "--to", tmp_path / "elsewhere", home=home).returncode == 0
    assert (tmp_path / "elsewhere" / "Fuses" / "F2HDR.fuse").exists() and _files(home) == before


def test_impossible_requests_are_reported(home: Path, tmp_path: Path) -> None:
    ran = _run("--backend", "/nowhere/f2hdr", "--to", tmp_path / "there", home=home)
    assert ran.returncode == 3 and "There is no f2hdr command at /nowhere/f2hdr" in ran.stderr
    ran = _run("--uninstall", "--to", tmp_path / "there", home=home)
    assert ran.returncode == 3 and "not installed in" in ran.stderr


FOLDERS = """
import os, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from f2hdr_backend.install.resolve import fusion_folders
home = Path(sys.argv[3])
print(*(folder.relative_to(home) for folder in fusion_folders(sys.argv[2], home)), sep="\\n")
"""
MAC = "Library/Application Support/Blackmagic Design"
BOX = f"Library/Containers/com.blackmagic-design.DaVinciResolveLite/Data/{MAC}/DaVinci Resolve"


@pytest.mark.parametrize(
    ("platform", "there", "found"),
    [
        ("linux", [".local/share/DaVinciResolve"], [".local/share/DaVinciResolve/Fusion"]),
        ("linux", [".fusion/BlackmagicDesign/Fusion"], [".fusion/BlackmagicDesign/Fusion"]),
        ("linux", [], []),
        ("darwin", [f"{MAC}/DaVinci Resolve"], [f"{MAC}/DaVinci Resolve/Fusion"]),
        (
            "darwin",
            [f"{MAC}/DaVinci Resolve/Support/Fusion", f"{MAC}/Fusion", BOX],
            [f"{MAC}/DaVinci Resolve/Support/Fusion", f"{MAC}/Fusion", f"{BOX}/Fusion"],
        ),
        (
            "win32",
            ["AppData/Roaming/Blackmagic Design/DaVinci Resolve"],
            ["AppData/Roaming/Blackmagic Design/DaVinci Resolve/Support/Fusion"],
        ),
    ],
)
@pytest.mark.skipif(
    Path("/opt/resolve").exists() or Path("/Applications/DaVinci Resolve").exists(),
    reason="Resolve is installed here for all users",
)
def test_the_folders_are_those_of_the_manual(platform: str, there: list[str], found: list[str], tmp_path: Path) -> None:
    for name in there:
        (tmp_path / name).mkdir(parents=True)
    env = {name: value for name, value in os.environ.items() if name not in ("APPDATA", "PROGRAMDATA")}
    ran = subprocess.run(
        [sys.executable, "-c", FOLDERS, str(ROOT), platform, str(tmp_path)],
        capture_output=True, text=True, env=env,
    )  # fmt: skip
    assert ran.stdout.split("\n")[:-1] == found if found else ran.stdout.strip() == "", ran.stderr


def test_scripts_that_hosts_run_are_python_3_9() -> None:
    for path in (INSTALLER, *sorted((ROOT / "resolve_fuse").rglob("*.py"))):
        ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 9))
