"""Files in a host's folder: installed atomically, upgraded, removed; nothing of the user's is lost."""

from __future__ import annotations

import json
import os
import re
import stat
from pathlib import Path

import pytest

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


def test_a_dry_run_writes_nothing_and_lists_the_changes(source: Path, root: Path) -> None:
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


def test_an_upgrade_replaces_files_and_removes_obsolete_ones(source: Path, root: Path) -> None:
    put(source, root)
    cached = root / "f2hdr/package/__pycache__"
    cached.mkdir()
    (cached / "node.cpython-39.pyc").write_bytes(b"x")
    (source / "init.py").write_text("newer\n")
    (source / "package" / "node.py").rename(source / "package" / "better.py")
    put(source, root, "1.1")
    assert files(root) == {"mine.py": "keep me\n", "f2hdr/init.py": "newer\n", "f2hdr/package/better.py": "two\n"}
    assert not cached.exists()


def test_a_file_that_the_user_changed_is_kept_next_to_the_new_one(source: Path, root: Path) -> None:
    put(source, root)
    (root / "f2hdr/init.py").write_text("my own\n")
    lines = put(source, root, "1.1")
    assert files(root) == {**INSTALLED, "f2hdr/init.py.bak": "my own\n"}
    assert any("init.py.bak" in line for line in lines)
    (root / "f2hdr/init.py").write_text("again\n")
    put(source, root, "1.2")
    assert files(root)["f2hdr/init.py.bak2"] == "again\n"


def test_a_file_that_existed_before_is_kept(source: Path, root: Path) -> None:
    (root / "f2hdr").mkdir()
    (root / "f2hdr/init.py").write_text("somebody else's\n")
    put(source, root)
    assert files(root)["f2hdr/init.py.bak"] == "somebody else's\n"


def test_remove_deletes_installed_files_and_no_others(source: Path, root: Path) -> None:
    put(source, root)
    remove_files(root, product="host", dry_run=False)
    assert files(root) == {"mine.py": "keep me\n"}
    assert sorted(path.name for path in root.iterdir()) == ["mine.py"]


def test_remove_keeps_changed_files_and_reports_them(source: Path, root: Path) -> None:
    put(source, root)
    (root / "f2hdr/init.py").write_text("my own\n")
    lines = remove_files(root, product="host", dry_run=False)
    assert files(root) == {"mine.py": "keep me\n", "f2hdr/init.py": "my own\n"}
    assert any(line.startswith("keep ") for line in lines)


def test_remove_without_an_installation_is_reported(root: Path) -> None:
    with pytest.raises(InstallError, match=re.escape(str(root))):
        remove_files(root, product="host", dry_run=False)


def test_an_interrupted_installation_is_completed_by_the_next_run(source: Path, root: Path) -> None:
    put(source, root)
    (root / MANIFEST).unlink()
    (root / "f2hdr/package/node.py").unlink()
    put(source, root)
    assert files(root) == INSTALLED


@pytest.mark.parametrize("target", ["/etc/x", "../x", "a/../../x", "C:/x", "a\\x"])
def test_no_file_is_installed_outside_the_folder(source: Path, root: Path, target: str) -> None:
    with pytest.raises(InstallError, match=re.escape(f'"{target}"')):
        install_files([Piece(source / "init.py", target)], root, product="host", version="1", dry_run=False)


def test_a_folder_with_the_name_of_a_file_is_an_error(source: Path, root: Path) -> None:
    (root / "f2hdr/init.py").mkdir(parents=True)
    with pytest.raises(InstallError, match=r"init\.py"):
        put(source, root)


def test_a_missing_source_is_an_error(tmp_path: Path, root: Path) -> None:
    with pytest.raises(InstallError, match="nothing"):
        install_files([Piece(tmp_path / "nothing", "x")], root, product="host", version="1", dry_run=False)


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="needs a user other than root")
def test_a_folder_that_cannot_be_written_is_named(source: Path, root: Path) -> None:
    root.chmod(stat.S_IRUSR | stat.S_IXUSR)
    with pytest.raises(InstallError, match=re.escape(str(root))):
        put(source, root)


def test_a_target_below_a_file_is_an_error(source: Path, root: Path) -> None:
    with pytest.raises(InstallError, match=r"mine\.py"):
        install_files([Piece(source / "init.py", "mine.py/x")], root, product="host", version="1", dry_run=False)
