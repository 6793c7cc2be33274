"""Frames between requests: what is the same is not read again, and what changed always is."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from f2hdr_backend.server import kept_frames
from f2hdr_backend.server.kept_frames import KeptFrames
from f2hdr_backend.shot.errors import UnreadableFrame
from tests.server.test_buffers import layout


def put(path, frame, value, stamp, size=(4, 3), channels=3):
    """A buffer of one value, written in place as a host does."""
    width, height = size
    pixels = np.full((height, width, channels), value, "<f4")
    content = layout(width, height, channels, frame=frame, stamp=stamp) + pixels.tobytes()
    with open(path, "r+b" if path.exists() else "wb") as file:
        file.write(content)
    return str(path)


def seen(frames, *paths):
    """Frame numbers and values as they are lent."""
    with frames.lent([str(path) for path in paths]) as buffers:
        assert all((buffer.pixels == buffer.pixels[0, 0, 0]).all() for buffer in buffers)
        return [(buffer.frame, float(buffer.pixels[0, 0, 0])) for buffer in buffers]


@pytest.mark.parametrize("channels", [3, 4])
def test_a_frame_with_the_same_stamp_is_not_read_again(tmp_path, channels):
    frames, path = KeptFrames(), tmp_path / "b"
    put(path, 1, 10, stamp=5, channels=channels)
    assert seen(frames, path) == [(1, 10)]
    put(path, 1, 11, stamp=5, channels=channels)  # against the rule: shows that the pixels were not read
    assert seen(frames, path) == [(1, 10)]
    put(path, 1, 12, stamp=6, channels=channels)
    assert seen(frames, path) == [(1, 12)]
    put(path, 2, 13, stamp=6, channels=channels)
    assert seen(frames, path) == [(2, 13)]


def test_a_frame_without_a_stamp_is_always_read(tmp_path):
    frames, path = KeptFrames(), tmp_path / "b"
    for value in (1, 2):
        put(path, 1, value, stamp=0)
        assert seen(frames, path) == [(1, value)]


def test_a_window_may_name_a_frame_twice_and_an_unreadable_frame_is_reported(tmp_path):
    frames = KeptFrames()
    one, two = put(tmp_path / "1", 1, 10, 5), put(tmp_path / "2", 2, 20, 6)
    assert seen(frames, two, one, two) == [(2, 20), (1, 10), (2, 20)]
    with pytest.raises(UnreadableFrame, match="absent"):
        seen(frames, one, tmp_path / "absent", two)
    os.unlink(two)
    with pytest.raises(UnreadableFrame, match="2"):
        seen(frames, one, two)


def test_pixels_in_use_are_not_overwritten_by_the_next_request(tmp_path):
    frames, path = KeptFrames(), tmp_path / "b"
    put(path, 1, 10, stamp=5)
    with frames.lent([str(path)]) as before:
        put(path, 2, 20, stamp=6)
        assert seen(frames, path) == [(2, 20)]
        assert (before[0].frame, before[0].pixels.max()) == (1, 10)


def test_a_frame_of_another_size_replaces_the_kept_one(tmp_path):
    frames, path = KeptFrames(), tmp_path / "b"
    put(path, 1, 10, stamp=5)
    assert seen(frames, path) == [(1, 10)]
    put(path, 1, 20, stamp=6, size=(7, 5))
    assert seen(frames, path) == [(1, 20)]


@pytest.mark.parametrize(("channels", "pixel_bytes"), [(3, 12), (4, 16 + 12)])
def test_memory_is_bounded_and_the_least_recently_used_frames_are_dropped(tmp_path, channels, pixel_bytes):
    """Frames with alpha count with their copy without alpha."""
    frames = KeptFrames(limit=2 * 4 * 3 * pixel_bytes)
    paths = [tmp_path / str(frame) for frame in (1, 2, 3)]
    for frame, path in enumerate(paths, 1):
        put(path, frame, 10 * frame, stamp=frame, channels=channels)
        seen(frames, path)
    put(paths[0], 1, 99, stamp=1, channels=channels)
    put(paths[2], 3, 99, stamp=3, channels=channels)
    assert seen(frames, paths[2]) == [(3, 30)]
    assert seen(frames, paths[0]) == [(1, 99)]


def test_frames_that_no_request_needs_are_dropped_after_a_while(tmp_path, monkeypatch):
    frames, path = KeptFrames(), tmp_path / "b"
    put(path, 1, 10, stamp=5)
    seen(frames, path)
    frames.drop_unused()
    put(path, 1, 11, stamp=5)
    assert seen(frames, path) == [(1, 10)]
    monkeypatch.setattr(kept_frames, "UNUSED_S", -1.0)
    frames.drop_unused()
    assert seen(frames, path) == [(1, 11)]


def test_a_slow_file_does_not_delay_other_requests(tmp_path, monkeypatch):
    frames = KeptFrames()
    slow, fast = put(tmp_path / "slow", 1, 10, 5), put(tmp_path / "fast", 2, 20, 6)
    opened, released = threading.Event(), threading.Event()
    open_buffer = kept_frames.open_buffer

    def waiting(path):
        if path == slow:
            opened.set()
            assert released.wait(60)
        return open_buffer(path)

    monkeypatch.setattr(kept_frames, "open_buffer", waiting)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(seen, frames, slow)
        assert opened.wait(60)
        try:
            assert pool.submit(seen, frames, fast).result(30) == [(2, 20)]
        finally:
            released.set()
        assert first.result(60) == [(1, 10)]
