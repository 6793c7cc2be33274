"""Fixtures for names of plates."""

import pytest


@pytest.fixture
def folder(tmp_path):
    """Returns a function that makes empty files of the given names and returns their folder."""

    def make(*names):
        for name in names:
            (tmp_path / name).touch()
        return tmp_path

    return make
