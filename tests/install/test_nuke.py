"""The installer of the Nuke node, run as users run it."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
PROGRAM = ROOT / "installers" / "nuke" / "install.py"


def install(to: Path | None, *options: str, **variables: str) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, str(PROGRAM), *(["--to", str(to)] if to else []), *options]
    return subprocess.run(words, cwd="/", env={**os.environ, **variables}, capture_output=True, text=True, check=False)


def test_the_plugin_is_installed_in_the_home_folder_and_removed(tmp_path: Path) -> None:
    ran = install(None, HOME=str(tmp_path), USERPROFILE=str(tmp_path))
    assert ran.returncode == 0, ran.stderr
    folder = tmp_path / ".nuke" / "f2hdr"
    for name in ("init.py", "menu.py", "f2hdr_farm.py", "F2HDR.gizmo", "f2hdr_nuke/__init__.py",
                 "f2hdr_backend/shot/document.py", "f2hdr_backend/client/backend.json"):  # fmt: skip
        assert (folder / name).is_file(), name
    assert not list(folder.rglob("engine"))
    assert "nuke.pluginAddPath('./f2hdr')" in (tmp_path / ".nuke" / "init.py").read_text()
    ran = install(None, "--uninstall", HOME=str(tmp_path), USERPROFILE=str(tmp_path))
    assert ran.returncode == 0, ran.stderr
    assert not list(tmp_path.rglob("*.py"))
    assert not list(tmp_path.rglob("*f2hdr*"))


def test_an_existing_init_py_is_kept(tmp_path: Path) -> None:
    mine = tmp_path / "init.py"
    mine.write_text("import nuke\nnuke.knobDefault('Read.raw', '1')")
    install(tmp_path)
    install(tmp_path)
    content = mine.read_text()
    assert content.startswith("import nuke\nnuke.knobDefault('Read.raw', '1')\n")
    assert content.count("pluginAddPath") == 1
    ast.parse(content)
    with mine.open("a") as file:
        file.write("# more of mine\n")
    install(tmp_path, "--uninstall")
    assert mine.read_text() == "import nuke\nnuke.knobDefault('Read.raw', '1')\n# more of mine\n"


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_an_init_py_that_is_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "dotfiles").mkdir()
    real = tmp_path / "dotfiles" / "init.py"
    real.write_text("# mine\n")
    home = tmp_path / "nuke"
    home.mkdir()
    (home / "init.py").symlink_to(real)
    install(home)
    assert (home / "init.py").is_symlink()
    assert "pluginAddPath" in real.read_text()


def test_dry_run_writes_nothing(tmp_path: Path) -> None:
    ran = install(tmp_path / "new", "--dry-run")
    assert ran.returncode == 0
    assert "would install" in ran.stdout
    assert "would add F2HDR's lines to" in ran.stdout
    assert not (tmp_path / "new").exists()


def test_a_missing_backend_is_refused(tmp_path: Path) -> None:
    ran = install(tmp_path, "--backend", str(tmp_path / "nothing"))
    assert ran.returncode == 3
    assert ran.stderr.startswith("error: There is no f2hdr command at")
    assert list(tmp_path.iterdir()) == []


def test_uninstall_without_an_installation_is_reported(tmp_path: Path) -> None:
    ran = install(tmp_path, "--uninstall")
    assert ran.returncode == 3
    assert "nuke is not installed" in ran.stderr
