"""Only regular files are opened, without waiting, and never outside the allowed folders."""

import ast
import os
import socket
import sys
import threading
from pathlib import Path

import pytest

from f2hdr_backend.shot import safe_open
from f2hdr_backend.shot.atomic import write_file
from f2hdr_backend.shot.errors import UnwritableFrame
from f2hdr_backend.shot.safe_open import append_to, confine, library_path, make_folders, open_file

posix = pytest.mark.skipif(sys.platform == "win32", reason="needs pipes and links")


@pytest.fixture
def roots(tmp_path):
    """An allowed folder with a file, and a folder outside it with a secret."""
    (tmp_path / "in" / "deep").mkdir(parents=True)
    (tmp_path / "in" / "deep" / "file").write_bytes(b"ours")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "file").write_bytes(b"secret")
    confine([str(tmp_path / "in")])
    yield tmp_path
    confine([])


def content(path):
    with open_file(path) as file:
        return file.read()


@posix
def test_pipes_devices_sockets_and_folders_are_refused_without_waiting(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    door = socket.socket(socket.AF_UNIX)
    door.bind(str(tmp_path / "socket"))
    for path in (tmp_path / "pipe", tmp_path / "socket", "/dev/zero", tmp_path):
        with pytest.raises(OSError) as caught:
            content(path)
        assert caught.value.strerror
    door.close()


@pytest.mark.parametrize("path", ["a\0b", "a\ud800b", "x" * 5000, ""])
def test_names_that_no_file_system_stores_raise_an_oserror_with_a_reason(path):
    with pytest.raises(OSError) as caught:
        content(path)
    assert caught.value.strerror


@posix
def test_a_log_is_appended_to_but_never_through_a_link_or_into_a_pipe(tmp_path):
    for _ in range(2):
        with append_to(tmp_path / "log") as log:
            log.write("line\n")
    assert (tmp_path / "log").read_text() == "line\nline\n"
    (tmp_path / "link").symlink_to(tmp_path / "log")
    os.mkfifo(tmp_path / "pipe")
    for name in ("link", "pipe", "."):
        with pytest.raises(OSError):
            append_to(tmp_path / name)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not allow paths of 2,400 characters")
def test_folders_are_created_at_any_depth_that_the_system_allows(tmp_path):
    deepest = os.path.join(tmp_path, *["d"] * 1200)  # more levels than Python's limit of recursion
    make_folders(deepest)
    assert os.path.isdir(deepest)
    for _ in range(1200):  # pytest's own removal is recursive
        os.rmdir(deepest)
        deepest = os.path.dirname(deepest)


def test_a_path_that_is_too_long_creates_no_folder(tmp_path):
    with pytest.raises(OSError):
        make_folders(os.path.join(tmp_path, *["d"] * 40_000))
    assert os.listdir(tmp_path) == []


def test_a_file_in_the_way_of_folders_is_an_error_and_a_folder_is_not(tmp_path):
    (tmp_path / "file").touch()
    for path in ("file", "file/a", "file/a/b"):
        with pytest.raises(OSError):
            make_folders(tmp_path / path)
    for _ in range(2):
        make_folders(f"{tmp_path}/a/b/")
    assert (tmp_path / "a" / "b").is_dir()


def test_without_a_restriction_every_file_can_be_opened(tmp_path):
    (tmp_path / "a").write_bytes(b"x")
    assert content(tmp_path / "a") == b"x"
    confine(["/"])
    assert content(tmp_path / "a") == b"x"


@posix
def test_a_library_opens_the_file_that_was_checked_even_if_the_path_changes(tmp_path):
    (tmp_path / "a").write_bytes(b"checked")
    with open_file(tmp_path / "a") as file:
        name = library_path(tmp_path / "a", file)
        os.unlink(tmp_path / "a")
        (tmp_path / "a").write_bytes(b"exchanged")
        if name != str(tmp_path / "a"):
            with open(name, "rb") as again:
                assert again.read() == b"checked"


@posix
def test_links_inside_the_allowed_folder_are_followed_and_links_out_of_it_are_not(roots):
    (roots / "in" / "link").symlink_to("deep/file")
    (roots / "in" / "far").symlink_to(roots / "in" / "deep" / "file")
    assert content(roots / "in" / "link") == content(roots / "in" / "far") == b"ours"
    (roots / "in" / "evil").symlink_to(roots / "out" / "file")
    (roots / "in" / "evil folder").symlink_to(roots / "out")
    for path in ("in/evil", "in/evil folder/file", "out/file", "in/../out/file", "in/deep/../../out/file"):
        with pytest.raises(OSError) as caught:
            content(roots / path)
        assert "outside" in caught.value.strerror


@posix
@pytest.mark.skipif(not safe_open.BY_FOLDER, reason="needs directory descriptors")
def test_a_component_that_becomes_a_link_after_the_check_is_not_followed(roots, monkeypatch):
    real = os.path.realpath

    def exchanged_afterwards(path):
        resolved = real(path)
        (roots / "in" / "deep").rename(roots / "in" / "moved")
        (roots / "in" / "deep").symlink_to(roots / "out")
        return resolved

    monkeypatch.setattr(os.path, "realpath", exchanged_afterwards)
    with pytest.raises(OSError):
        content(roots / "in" / "deep" / "file")


@posix
def test_a_file_outside_is_never_read_while_links_change(roots):
    """A second thread exchanges a folder for a link all the time, as another user of the folder could."""
    done = threading.Event()
    deep, held = roots / "in" / "deep", roots / "in" / "held"

    def flicker():
        while not done.is_set():
            deep.rename(held)
            deep.symlink_to(roots / "out")
            deep.unlink()
            held.rename(deep)

    attacker = threading.Thread(target=flicker)
    attacker.start()
    seen = set()
    try:
        for _ in range(3000):
            try:
                seen.add(content(deep / "file"))
            except OSError:
                continue
    finally:
        done.set()
        attacker.join()
    assert seen <= {b"ours"}


@posix
def test_no_file_is_written_outside_the_allowed_folders(roots):
    write_file(roots / "in" / "new" / "folder" / "a", "x")
    assert (roots / "in" / "new" / "folder" / "a").read_text() == "x"
    (roots / "in" / "evil").symlink_to(roots / "out")
    for path in ("out/a", "in/evil/a", "in/evil/new/a", "in/../out/a"):
        with pytest.raises(UnwritableFrame) as caught:
            write_file(roots / path, "x")
        assert str(roots / path) in caught.value.message
    assert os.listdir(roots / "out") == ["file"]


READERS = (
    "image", "color", "timeline", "detection", "simulation", "response", "deliver", "pictures", "server", "farm",
    "engine", "flow", "weights", "train", "api", "evaluate/reading", "evaluate/paper", "../nuke_plugin",
)  # fmt: skip


@pytest.mark.parametrize("package", READERS)
def test_all_readers_open_files_with_this_module(package):
    """``open`` waits for ever at a pipe, and follows links out of the allowed folders."""
    found = []
    for path in sorted((Path(safe_open.__file__).parents[1] / package).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                called = ast.unparse(node.func)
                if called == "open" or called.endswith((".read_bytes", ".read_text")):
                    found.append(f"{path.name}:{node.lineno} {ast.unparse(node)}")
    own_files = ("SHIPPED_FILE.read_bytes()", "log.read_text(encoding='utf-8', errors='replace')")
    assert [line for line in found if not line.endswith(own_files)] == []
