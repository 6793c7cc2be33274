"""The command of this installation, however it was started."""

import os
import sys

import pytest

from f2hdr_backend.cli.own_command import own_command


def program(path):
    path.parent.mkdir(exist_ok=True)
    path.touch(0o755)
    return path


@pytest.mark.parametrize("name", ["f2hdr", "f2hdr.exe", "f2hdr.cmd"])
def test_the_command_that_was_typed_is_used_first(tmp_path, monkeypatch, name):
    typed = program(tmp_path / "bin" / name)
    monkeypatch.setattr(sys, "argv", [os.path.relpath(typed), "render"])
    assert own_command() == str(typed)


def test_otherwise_the_command_next_to_python_is_used_and_never_one_in_the_current_folder(tmp_path, monkeypatch):
    program(tmp_path / "here" / "f2hdr")
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setattr(sys, "argv", ["-c"])
    monkeypatch.setattr(sys, "executable", str(tmp_path / "venv" / "python"))
    assert own_command() == ""
    beside = program(tmp_path / "venv" / "f2hdr")
    assert own_command() == str(beside)
