"""Files in a host's folder: installed atomically, upgraded, removed; nothing of the user's is lost."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

import f2hdr_backend
from f2hdr_backend.install import backend as backends
from f2hdr_backend.install.backend import client_files, find_backend
from f2hdr_backend.install.files import InstallError, Piece, install_files, remove_files

MANIFEST = "host.f2hdr-installed.json"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A plug-in of two files, and files that must not be installed."""
    folder = tmp_path / "source"
    (folder / "package" / "__pycache__").mkdir(parents=True)
    (folder / "init.py").write_text("one\n")
    (folder / "package" / "node.py").write_text("two\n")
    (folder / "package" / "__pycache__" / "node.cpython-311.pyc").write_bytes(b"x")
    return folder


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The host's folder, with a file of the user's."""
    folder = tmp_path / "host"
    folder.mkdir()
    (folder / "mine.py").write_text("keep me\n")
    return folder


def pieces(source: Path) -> list[Piece]:
    return [Piece(source / "init.py", "f2hdr/init.py"), Piece(source / "package", "f2hdr/package")]


def files(root: Path) -> dict[str, str]:
    found = (path for path in root.rglob("*") if path.is_file() and path.name != MANIFEST)
    return {path.relative_to(root).as_posix(): path.read_text() for path in found}


def put(source: Path, root: Path, version: str = "1.0", dry_run: bool = False) -> list[str]:
    return install_files(pieces(source), root, product="host", version=version, dry_run=dry_run)


INSTALLED = {"mine.py": "keep me\n", "f2hdr/init.py": "one\n", "f2hdr/package/node.py": "two\n"}


def test_files_and_folders_are_installed_and_listed(source: Path, root: Path) -> None:
    lines = put(source, root)
    assert files(root) == INSTALLED
    assert [line.split()[0] for line in lines] == ["install", "install"]
    manifest = json.loads((root / MANIFEST).read_text())
    assert (manifest["product"], manifest["version"]) == ("host", "1.0")
    assert sorted(manifest["files"]) == ["f2hdr/init.py", "f2hdr/package/node.py"]


def test_a_dry_run_writes_nothing_and_says_what_would_be(source: Path, root: Path) -> None:
    lines = put(source, root, dry_run=True)
    assert files(root) == {"mine.py": "keep me\n"}
    assert lines[0].startswith("would install ")
    put(source, root)
    assert all(line.startswith("would remove ") for line in remove_files(root, product="host", dry_run=True))
    assert files(root) == INSTALLED


def test_installing_again_changes_nothing(source: Path, root: Path) -> None:
    put(source, root)
    before = (root / "f2hdr/init.py").stat().st_mtime_ns
    assert put(source, root) == [f"{root} is up to date (version 1.0)"]
    assert (root / "f2hdr/init.py").stat().st_mtime_ns == before


def test_an_upgrade_replaces_and_removes_what_the_new_version_lacks(source: Path, root: Path) -> None:
    put(source, root)
    cached = root / "f2hdr/package/__pycache__"
    cached.mkdir()
    (cached / "node.cpython-39.pyc").write_bytes(b"x")
    (source / "init.py").write_text("newer\n")
    (source / "package" / "node.py").rename(source / "package" / "better.py")
    put(source, root, "1.1")
    assert files(root) == {"mine.py": "keep me\n", "f2hdr/init.py": "newer\n", "f2hdr/package/better.py": "two\n"}
    assert not cached.exists()


def test_what_the_user_changed_is_kept_beside_the_new_file(source: Path, root: Path) -> None:
    put(source, root)
    (root / "f2hdr/init.py").write_text("my own\n")
    lines = put(source, root, "1.1")
    assert files(root) == {**INSTALLED, "f2hdr/init.py.bak": "my own\n"}
    assert any("init.py.bak" in line for line in lines)
    (root / "f2hdr/init.py").write_text("again\n")
    put(source, root, "1.2")
    assert files(root)["f2hdr/init.py.bak2"] == "again\n"


def test_a_file_that_was_there_before_is_kept_too(source: Path, root: Path) -> None:
    (root / "f2hdr").mkdir()
    (root / "f2hdr/init.py").write_text("somebody else's\n")
    put(source, root)
    assert files(root)["f2hdr/init.py.bak"] == "somebody else's\n"


def test_remove_takes_everything_and_leaves_what_is_not_ours(source: Path, root: Path) -> None:
    put(source, root)
    remove_files(root, product="host", dry_run=False)
    assert files(root) == {"mine.py": "keep me\n"}
    assert sorted(path.name for path in root.iterdir()) == ["mine.py"]


def test_remove_leaves_changed_files_and_says_so(source: Path, root: Path) -> None:
    put(source, root)
    (root / "f2hdr/init.py").write_text("my own\n")
    lines = remove_files(root, product="host", dry_run=False)
    assert files(root) == {"mine.py": "keep me\n", "f2hdr/init.py": "my own\n"}
    assert any(line.startswith("keep ") for line in lines)


def test_remove_of_nothing_says_so(root: Path) -> None:
    with pytest.raises(InstallError, match="host is not installed"):
        remove_files(root, product="host", dry_run=False)


def test_a_run_that_broke_in_the_middle_is_repaired_by_the_next(source: Path, root: Path) -> None:
    put(source, root)
    (root / MANIFEST).unlink()
    (root / "f2hdr/package/node.py").unlink()
    put(source, root)
    assert files(root) == INSTALLED


@pytest.mark.parametrize("target", ["/etc/x", "../x", "a/../../x", "C:/x", "a\\x"])
def test_nothing_is_installed_outside(source: Path, root: Path, target: str) -> None:
    with pytest.raises(InstallError, match="is not below"):
        install_files([Piece(source / "init.py", target)], root, product="host", version="1", dry_run=False)


def test_a_folder_where_a_file_goes_is_an_error(source: Path, root: Path) -> None:
    (root / "f2hdr/init.py").mkdir(parents=True)
    with pytest.raises(InstallError, match="is a folder"):
        put(source, root)


def test_a_missing_source_is_an_error(tmp_path: Path, root: Path) -> None:
    with pytest.raises(InstallError, match="not complete"):
        install_files([Piece(tmp_path / "nothing", "x")], root, product="host", version="1", dry_run=False)


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root writes everywhere")
def test_a_folder_that_cannot_be_written(source: Path, root: Path) -> None:
    root.chmod(stat.S_IRUSR | stat.S_IXUSR)
    with pytest.raises(InstallError, match="cannot be written"):
        put(source, root)


def test_a_target_below_a_file_is_an_error(source: Path, root: Path) -> None:
    with pytest.raises(InstallError, match="cannot be written"):
        install_files([Piece(source / "init.py", "mine.py/x")], root, product="host", version="1", dry_run=False)


def program(folder: Path, answer: str) -> Path:
    path = folder / "f2hdr"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{answer}\n")
    path.chmod(0o755)
    return path


@pytest.mark.skipif(os.name == "nt", reason="a shell script stands for the backend")
class TestFindBackend:
    def test_by_command_or_by_the_folder_of_its_environment(self, tmp_path: Path) -> None:
        path = program(tmp_path / "bin", f"echo {f2hdr_backend.__version__}")
        assert find_backend(str(path)) == find_backend(str(tmp_path)) == [str(path)]

    def test_without_a_word_it_is_the_one_beside_this_python(self) -> None:
        assert find_backend(None) == [str(Path(sys.executable).parent / "f2hdr")]

    def test_else_the_one_on_the_path(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        path = program(tmp_path, f"echo {f2hdr_backend.__version__}")
        monkeypatch.setattr(backends.sys, "executable", str(tmp_path / "elsewhere" / "python"))
        monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
        assert find_backend(None) == [str(path)]
        path.unlink()
        monkeypatch.setenv("PATH", str(tmp_path))
        with pytest.raises(InstallError, match="No f2hdr command was found"):
            find_backend(None)

    def test_one_that_does_not_answer(self, tmp_path: Path) -> None:
        path = program(tmp_path, "exit 3")
        with pytest.raises(InstallError, match="failed"):
            find_backend(str(path))

    def test_one_of_another_version(self, tmp_path: Path) -> None:
        path = program(tmp_path, "echo 9.9.9")
        with pytest.raises(InstallError, match="9.9.9"):
            find_backend(str(path))

    def test_none_at_the_place_given(self, tmp_path: Path) -> None:
        with pytest.raises(InstallError, match="There is no f2hdr command at"):
            find_backend(str(tmp_path))


def test_the_door_opens_in_a_bare_interpreter(tmp_path: Path, root: Path) -> None:
    staging = tmp_path / "staging"
    staging.mkdir()
    command = ["/opt/f2hdr/bin/f2hdr"]
    install_files(client_files(command, staging, "below"), root, product="host", version="1", dry_run=False)
    script = (
        f"import sys; sys.path.insert(0, {str(root / 'below')!r})\n"
        "from f2hdr_backend.client import launch\nfrom f2hdr_backend.shot.document import Shot\n"
        "import f2hdr_backend\nprint(f2hdr_backend.__version__, *launch.backend_command())"
    )
    environment = {name: value for name, value in os.environ.items() if name != "F2HDR_BACKEND"}
    ran = subprocess.run(
        [sys.executable, "-I", "-S", "-c", script], capture_output=True, text=True, check=True, env=environment
    )
    assert ran.stdout.split() == [f2hdr_backend.__version__, *command]
