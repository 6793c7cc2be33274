"""A file's name never refers to half of its content, and its temporary file cannot be guessed or redirected."""

import errno
import os
import stat
import sys
import threading

import pytest

from f2hdr_backend.shot import atomic, rename, safe_open
from f2hdr_backend.shot.atomic import atomic_file, replacing, require_writable, unfinished, write_file
from f2hdr_backend.shot.errors import UnwritableFrame


def names(folder):
    return sorted(os.listdir(folder))


def test_a_finished_file_is_renamed_to_its_name_and_missing_folders_are_created(tmp_path):
    target = tmp_path / "new" / "deep" / "a.exr"
    with atomic_file(target) as file:
        (part,) = names(target.parent)
        assert part.startswith(".a.exr.") and part.endswith(".part")
        file.write(b"whole")
        file.seek(0)
        assert file.read() == b"whole"
    assert names(target.parent) == ["a.exr"] and target.read_bytes() == b"whole"


@pytest.mark.parametrize("content", ["größer\n", "größer\n".encode(), memoryview("größer\n".encode())])
def test_text_is_written_as_utf_8_and_bytes_as_they_are(tmp_path, content):
    write_file(tmp_path / "a", content)
    assert (tmp_path / "a").read_bytes() == "größer\n".encode()


@pytest.mark.parametrize("failure", [RuntimeError, KeyboardInterrupt, SystemExit])
def test_a_failed_write_leaves_the_folder_unchanged(tmp_path, failure):
    target = tmp_path / "a.exr"
    target.write_bytes(b"before")
    with pytest.raises(failure), atomic_file(target) as file:
        file.write(b"hal")
        raise failure
    assert names(tmp_path) == ["a.exr"] and target.read_bytes() == b"before"


def test_a_reader_never_sees_a_partly_written_file(tmp_path):
    target, seen, done = tmp_path / "a", set(), threading.Event()
    write_file(target, b"0" * 100_000)

    def watch():
        while not done.is_set():
            content = target.read_bytes()
            seen.add((len(content), len(set(content))))

    watcher = threading.Thread(target=watch)
    watcher.start()
    for number in range(200):
        write_file(target, bytes([number]) * 100_000)
    done.set()
    watcher.join()
    assert seen == {(100_000, 1)}


def test_temporary_names_cannot_be_predicted(tmp_path):
    found = set()
    for _ in range(20):
        with atomic_file(tmp_path / "a"):
            found.update(unfinished(tmp_path))
    assert len({name.rpartition("-")[2] for name in found}) == 20
    assert all(len(name.rpartition("-")[2]) >= len("0123456789abcdef.part") for name in found)


@pytest.mark.skipif(not hasattr(os, "O_NOFOLLOW"), reason="needs links that are not followed")
def test_a_symbolic_link_with_the_name_of_the_temporary_file_is_not_followed(tmp_path, monkeypatch):
    monkeypatch.setattr(atomic, "_temporary_name", lambda name: "guessed.part")
    (tmp_path / "victim").write_bytes(b"keep")
    (tmp_path / "guessed.part").symlink_to(tmp_path / "victim")
    with pytest.raises(OSError), replacing(tmp_path / "a") as file:
        file.write(b"overwritten")
    assert (tmp_path / "victim").read_bytes() == b"keep"


@pytest.mark.skipif(sys.platform == "win32", reason="needs symbolic links")
def test_a_link_at_the_target_is_replaced_and_not_written_through(tmp_path):
    (tmp_path / "victim").write_bytes(b"keep")
    (tmp_path / "a").symlink_to(tmp_path / "victim")
    write_file(tmp_path / "a", b"new")
    assert (tmp_path / "victim").read_bytes() == b"keep"
    assert (tmp_path / "a").read_bytes() == b"new" and not (tmp_path / "a").is_symlink()


@pytest.mark.skipif(sys.platform == "win32", reason="needs folders that can be moved while they are open")
def test_a_folder_that_is_exchanged_for_a_link_does_not_redirect_the_file(tmp_path):
    folder, victim = tmp_path / "out", tmp_path / "victim"
    folder.mkdir()
    victim.mkdir()
    with replacing(folder / "a") as file:
        file.write(b"new")
        folder.rename(tmp_path / "moved")
        folder.symlink_to(victim)
    assert names(victim) == [] and names(tmp_path / "moved") == ["a"]


@pytest.mark.skipif(sys.platform == "win32", reason="needs file modes")
def test_a_private_file_is_created_with_permissions_for_its_owner_only(tmp_path):
    with replacing(tmp_path / "a", private=True):
        (part,) = names(tmp_path)
        assert stat.S_IMODE((tmp_path / part).stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o600


@pytest.mark.skipif(sys.platform == "win32", reason="needs a umask")
@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o002, 0o664)])
def test_other_files_have_the_permissions_of_the_umask(tmp_path, umask, mode):
    before = os.umask(umask)
    try:
        write_file(tmp_path / "a", b"")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == mode


def test_the_longest_name_that_the_file_system_allows_can_be_written(tmp_path):
    for name in ("n" * 251 + ".exr", "ü" * 125 + ".exr"):
        with atomic_file(tmp_path / name) as file:
            file.write(b"x")
            assert len(unfinished(tmp_path, name=name)) == 1
        assert (tmp_path / name).read_bytes() == b"x"


def test_on_windows_every_writer_retries_while_another_program_has_the_file_open(tmp_path, monkeypatch):
    real, tries = os.replace, []

    def refusing(part, path, **folders):
        tries.append(path)
        if len(tries) <= 3:
            raise PermissionError(errno.EACCES, "in use", str(path))
        real(part, path, **folders)

    monkeypatch.setattr(os, "replace", refusing)
    monkeypatch.setattr(rename.sys, "platform", "win32")
    write_file(tmp_path / "a", b"new")
    assert len(tries) == 4 and names(tmp_path) == ["a"]


def test_without_directory_descriptors_files_are_written_by_path(tmp_path, monkeypatch):
    for module in (atomic, safe_open):
        monkeypatch.setattr(module, "BY_FOLDER", False)
    write_file(tmp_path / "a", b"new")
    assert names(tmp_path) == ["a"]
    with pytest.raises(RuntimeError), atomic_file(tmp_path / "b"):
        raise RuntimeError
    assert names(tmp_path) == ["a"]


@pytest.mark.parametrize(
    ("code", "action"),
    [(errno.ENOSPC, "space"), (errno.EACCES, "permissions"), (errno.EROFS, "read-only"), (errno.EIO, "again")],
)
def test_an_error_of_the_disk_names_the_file_the_reason_and_the_action(tmp_path, code, action):
    target = tmp_path / "a.exr"
    with pytest.raises(UnwritableFrame) as caught, atomic_file(target) as file:
        file.write(b"hal")
        raise OSError(code, os.strerror(code), "other name")
    assert str(target) in caught.value.message and os.strerror(code) in caught.value.message
    assert action in caught.value.hint and ".part" not in str(caught.value)
    assert caught.value.path == str(target)
    assert names(tmp_path) == []


def test_a_folder_with_the_name_of_the_file_and_a_file_with_that_of_the_folder_are_refused(tmp_path):
    (tmp_path / "folder.exr").mkdir()
    (tmp_path / "file").write_bytes(b"")
    for path in (tmp_path / "folder.exr", tmp_path / "file" / "a.exr"):
        with pytest.raises(UnwritableFrame) as caught, atomic_file(path) as file:
            file.write(b"x")
        assert caught.value.path == str(path)
        with pytest.raises(UnwritableFrame):
            require_writable(path)
    assert names(tmp_path) == ["file", "folder.exr"]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="needs a user other than root")
def test_a_read_only_folder_is_refused(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(UnwritableFrame), atomic_file(tmp_path / "a.exr") as file:
        file.write(b"x")


def test_temporary_files_of_killed_processes_are_found_by_file_and_by_process(tmp_path):
    left = [f".a.exr.{pid}-0123456789abcdef.part" for pid in (47, 470)] + [".b.exr.47-0123456789abcdef.part"]
    for name in [*left, "a.exr", ".a.exr.47-zz.part", "a.exr.47-0123456789abcdef.part"]:
        (tmp_path / name).write_bytes(b"")
    assert unfinished(tmp_path, name="a.exr") == [str(tmp_path / name) for name in left[:2]]
    assert unfinished(tmp_path, pid=47) == [str(tmp_path / name) for name in (left[0], left[2])]
    assert unfinished(tmp_path / "not there") == []
