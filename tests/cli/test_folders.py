"""The folder that answers for one that is yet to be made."""

from pathlib import Path

import pytest

from f2hdr_backend.cli.folders import innermost_existing


def test_a_folder_that_exists_is_itself(tmp_path: Path) -> None:
    assert innermost_existing(tmp_path) == tmp_path


def test_missing_folders_are_left_out(tmp_path: Path) -> None:
    assert innermost_existing(tmp_path / "show" / "shot") == tmp_path


def test_a_relative_path_starts_at_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert innermost_existing(Path()) == innermost_existing(Path("missing")) == tmp_path
