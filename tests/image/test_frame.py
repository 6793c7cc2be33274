"""Frames and the identity of their files."""

import os

import numpy as np
import pytest

from f2hdr_backend.image.frame import PlateImage, Windows, file_identity, require_frames, unreadable
from f2hdr_backend.shot.errors import MissingFrames, UnreadableFrame
from f2hdr_backend.shot.frames import FrameRange


def test_only_the_display_window_is_shown():
    pixels = np.arange(6 * 8 * 3, dtype=np.float32).reshape(6, 8, 3)
    image = PlateImage(
        1, "a.exr", pixels, "float", {"Z": pixels[..., 0]}, windows=Windows((-2, -1, 5, 4), (0, 0, 3, 2))
    )
    shown = image.displayed()
    assert np.array_equal(shown.pixels, pixels[1:4, 2:6])
    assert np.array_equal(shown.layers["Z"], pixels[1:4, 2:6, 0])
    assert shown.windows is None and shown.displayed() is shown


def test_missing_frames_are_listed():
    there = FrameRange((1, 2, 5))
    require_frames("p.#.exr", there, (1, 5))
    with pytest.raises(MissingFrames) as caught:
        require_frames("p.#.exr", there, (2, 4, 3))
    assert caught.value.frames == (3, 4)
    assert "p.#.exr" in caught.value.message and str(there) in caught.value.hint


def test_identity_changes_with_the_file_and_not_with_its_folder(tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "p.exr").write_bytes(b"1234")
        os.utime(tmp_path / folder / "p.exr", ns=(10**18, 10**18))
    first = file_identity(str(tmp_path / "a" / "p.exr"))
    assert file_identity(str(tmp_path / "b" / "p.exr")) == first
    os.utime(tmp_path / "a" / "p.exr", ns=(10**18, 2 * 10**18))
    assert file_identity(str(tmp_path / "a" / "p.exr")) != first
    with pytest.raises(UnreadableFrame) as caught:
        file_identity(str(tmp_path / "none.exr"))
    assert "none.exr" in caught.value.message


def test_the_error_of_an_unreadable_frame_has_its_number_if_known():
    error = unreadable("a.exr", "it is damaged.", "Copy it again.", 7)
    assert (error.frame, error.path) == (7, "a.exr") and ".." not in error.message
    assert "frame" not in unreadable("a.exr", "x", "y").facts
