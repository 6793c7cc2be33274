"""Renaming and deleting succeed even if other processes have the file open for a moment."""

import os
import sys

import pytest

from f2hdr_backend.shot import rename
from f2hdr_backend.shot.rename import remove_file, replace_file


def held_open(monkeypatch, times):
    """Let the system refuse some times, as Windows does while another program has the file open."""
    real, tries = os.replace, []

    def refusing(part, path, **folders):
        tries.append(path)
        if len(tries) <= times:
            raise PermissionError(13, "in use", str(path))
        real(part, path, **folders)

    monkeypatch.setattr(os, "replace", refusing)
    return tries


@pytest.fixture
def files(tmp_path):
    (tmp_path / "new").write_text("new")
    (tmp_path / "file").write_text("old")
    return tmp_path / "new", tmp_path / "file"


def test_on_windows_a_rename_is_retried_while_another_program_has_the_file_open(files, monkeypatch):
    monkeypatch.setattr(sys, "platform", "win32")
    held_open(monkeypatch, 3)
    replace_file(*files)
    assert files[1].read_text() == "new" and not files[0].exists()


def test_on_windows_a_deletion_is_retried(files, monkeypatch):
    real, tries = os.unlink, []

    def refusing(path):
        tries.append(path)
        if len(tries) < 3:
            raise PermissionError(13, "in use", str(path))
        real(path)

    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(os, "unlink", refusing)
    remove_file(files[0])
    assert not os.path.exists(files[0]) and len(tries) == 3


def test_on_windows_a_rename_fails_after_the_time_limit(files, monkeypatch):
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(rename, "WAIT_S", 0.1)
    held_open(monkeypatch, 10**6)
    with pytest.raises(PermissionError):
        replace_file(*files)
    assert files[1].read_text() == "old"


def test_elsewhere_missing_permission_is_reported_immediately(files, monkeypatch):
    monkeypatch.setattr(sys, "platform", "linux")
    tries = held_open(monkeypatch, 1)
    with pytest.raises(PermissionError):
        replace_file(*files)
    assert len(tries) == 1
