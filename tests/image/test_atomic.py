"""A name never stands for half a file."""

import errno
import os

import pytest

from f2hdr_backend.image.atomic import atomic_path
from f2hdr_backend.shot.errors import UnwritableFrame


def test_a_finished_file_takes_its_name_and_missing_folders_are_made(tmp_path):
    target = tmp_path / "new" / "deep" / "a.exr"
    with atomic_path(target) as part:
        assert part.parent == target.parent and part.name.startswith(".a.exr.") and part.suffix == ".part"
        part.write_bytes(b"whole")
        assert not target.exists()
    assert [path.read_bytes() for path in target.parent.iterdir()] == [b"whole"]


@pytest.mark.parametrize("failure", [RuntimeError, KeyboardInterrupt, SystemExit])
def test_any_failure_leaves_the_folder_as_it_was(tmp_path, failure):
    target = tmp_path / "a.exr"
    target.write_bytes(b"before")
    with pytest.raises(failure), atomic_path(target) as part:
        part.write_bytes(b"hal")
        raise failure
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"before"]


@pytest.mark.parametrize(
    ("code", "mend"),
    [
        (errno.ENOSPC, "Free some space"),
        (errno.EACCES, "you may write to"),
        (errno.EROFS, "not read-only"),
        (errno.EIO, "try again"),
    ],
)
def test_a_refusing_disk_becomes_one_sentence_with_its_mend(tmp_path, code, mend):
    target = tmp_path / "a.exr"
    with pytest.raises(UnwritableFrame, match=mend) as caught, atomic_path(target) as part:
        part.write_bytes(b"hal")
        raise OSError(code, os.strerror(code), str(part))
    assert str(target) in caught.value.message and os.strerror(code) in caught.value.message
    assert ".part" not in str(caught.value)
    assert caught.value.path == str(target)
    assert list(tmp_path.iterdir()) == []


def test_folders_and_files_in_the_way_are_named(tmp_path):
    (tmp_path / "folder.exr").mkdir()
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(UnwritableFrame, match="in the way"), atomic_path(tmp_path / "folder.exr") as part:
        part.write_bytes(b"x")
    with pytest.raises(UnwritableFrame, match="is a file"), atomic_path(tmp_path / "file" / "a.exr"):
        pass


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder_is_refused(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(UnwritableFrame, match="permissions"), atomic_path(tmp_path / "a.exr") as part:
        part.write_bytes(b"x")
