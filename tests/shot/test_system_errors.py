"""Errors of the operating system: the path, the reason and an action, as F2HDRError."""

import errno
import os

import pytest

from f2hdr_backend.shot.system_errors import ACTIONS, system_error


@pytest.mark.parametrize("number", sorted(ACTIONS))
def test_an_error_names_path_reason_and_action(number):
    error = system_error(OSError(number, os.strerror(number), "/disk/a.exr"))
    assert error.path == "/disk/a.exr" and "/disk/a.exr" in error.message
    assert os.strerror(number) in error.message and error.hint == ACTIONS[number]


def test_an_error_without_path_or_number_has_a_message():
    assert os.strerror(errno.EMFILE) in system_error(OSError(errno.EMFILE, os.strerror(errno.EMFILE))).message
    assert "odd" in system_error(OSError("odd")).message and system_error(OSError()).hint
