"""Mapped buffers: written pixels are read back, and an inconsistent header is refused."""

import os
import struct
import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from f2hdr_backend.server.buffers import Buffer, overwrite_buffer, write_buffer
from f2hdr_backend.server.kept_frames import KeptFrames
from f2hdr_backend.shot.errors import UnreadableFrame, UnwritableFrame


def read_buffer(path):
    with KeptFrames().lent([path]) as buffers:
        return buffers[0]


def layout(width=4, height=3, channels=4, row_bytes=None, frame=7, magic=b"F2HDRPIX", version=1, stamp=0):
    """The header as documented, packed by hand."""
    row_bytes = width * channels * 4 if row_bytes is None else row_bytes
    parts = [magic, *(struct.pack("<I", number) for number in (version, width, height, channels))]
    parts += [struct.pack("<Q", row_bytes), struct.pack("<q", frame), struct.pack("<Q", stamp), bytes(16)]
    return b"".join(parts)


def test_a_hosts_buffer_with_a_gap_between_rows_is_read(tmp_path):
    pixels = np.random.default_rng(0).normal(size=(3, 4, 4)).astype("<f4")
    rows = b"".join(row.tobytes() + b"gap!" * 4 for row in pixels)
    (tmp_path / "b").write_bytes(layout(row_bytes=4 * 4 * 4 + 16) + rows[:-16])
    found = read_buffer(str(tmp_path / "b"))
    assert found.frame == 7
    assert np.array_equal(found.pixels, pixels[..., :3])


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(-(2**62), 2**62))
def test_a_written_buffer_is_read_unchanged(tmp_path_factory, width, height, frame):
    path = str(tmp_path_factory.mktemp("b") / "o")
    pixels = np.random.default_rng(width).normal(size=(height, width, 3)).astype(np.float32)
    write_buffer(path, Buffer(frame, pixels))
    found = read_buffer(path)
    assert found.frame == frame and np.array_equal(found.pixels, pixels)
    assert os.path.getsize(path) == 64 + pixels.nbytes


LIES = {
    "magic": layout(magic=b"F2HDRPIE"),
    "version": layout(version=2),
    "no width": layout(width=0, row_bytes=64),
    "huge width": layout(width=2**32 - 1, row_bytes=2**40),
    "huge height": layout(height=2**32 - 1),
    "huge both": layout(width=16384, height=16384, row_bytes=16384 * 16),
    "no channels": layout(channels=0, row_bytes=64),
    "one channel": layout(channels=1),
    "many channels": layout(channels=2**31),
    "short rows": layout(row_bytes=63),
    "huge rows": layout(row_bytes=2**63),
    "more rows than there are": layout(height=4),
    "overflow": layout(width=2**30, channels=4, row_bytes=0),
}


@pytest.mark.parametrize("name", LIES)
def test_a_false_header_is_refused(tmp_path, name):
    (tmp_path / "b").write_bytes(LIES[name] + bytes(4 * 3 * 4 * 4))
    with pytest.raises(UnreadableFrame):
        read_buffer(str(tmp_path / "b"))


@settings(max_examples=200, deadline=None)
@given(st.binary(min_size=0, max_size=200))
def test_any_bytes_give_pixels_or_an_error(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "any"
    path.write_bytes(b"F2HDRPIX\x01\0\0\0" + content)
    try:
        found = read_buffer(str(path))
    except UnreadableFrame:
        return
    assert found.pixels.shape[2] == 3


@pytest.mark.parametrize("kind", ["empty", "short header", "missing", "folder", "pipe", "device", "loop"])
def test_a_file_that_is_not_a_buffer_is_refused_without_blocking(tmp_path, kind):
    path = tmp_path / "b"
    if kind == "empty":
        path.touch()
    elif kind == "short header":
        path.write_bytes(layout()[:63])
    elif kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "loop":
        path.symlink_to(path)
    with pytest.raises(UnreadableFrame):
        read_buffer("/dev/zero" if kind == "device" else str(path))


def test_a_file_that_shrinks_and_grows_while_it_is_read_gives_pixels_or_an_error(tmp_path):
    path = tmp_path / "b"
    whole = layout(1000, 300) + bytes(1000 * 300 * 16)
    path.write_bytes(whole)
    stop = threading.Event()

    def tremble():
        while not stop.is_set():
            os.truncate(path, 100)
            path.write_bytes(whole)

    trembling = threading.Thread(target=tremble)
    trembling.start()
    outcomes = set()
    try:
        for _ in range(60):
            try:
                outcomes.add(read_buffer(str(path)).pixels.shape)
            except UnreadableFrame:
                outcomes.add("refused")
    finally:
        stop.set()
        trembling.join()
    assert outcomes <= {(300, 1000, 3), "refused"}


def test_only_buffers_are_overwritten(tmp_path):
    buffer = Buffer(1, np.zeros((2, 2, 3), np.float32))
    (tmp_path / "precious").write_text("a week of work")
    (tmp_path / "link").symlink_to(tmp_path / "precious")
    for name in ("precious", "link"):
        with pytest.raises(UnwritableFrame, match="F2HDR buffer"):
            write_buffer(str(tmp_path / name), buffer)
    assert (tmp_path / "precious").read_text() == "a week of work"
    write_buffer(str(tmp_path / "new"), buffer)
    write_buffer(str(tmp_path / "new"), buffer)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link", "new", "precious"]


@pytest.mark.parametrize(
    "there, in_place",
    [
        (layout(channels=3, stamp=9, frame=8), True),
        (layout(channels=3, stamp=0), False),
        (layout(channels=4, stamp=9), False),
        (layout(channels=3, width=3, stamp=9), False),
        (layout(channels=3, row_bytes=64, stamp=9), False),
        (layout(magic=b"precious", channels=3, stamp=9), False),
    ],
)
def test_only_a_prepared_buffer_is_overwritten_in_place(tmp_path, there, in_place):
    path = tmp_path / "b"
    before = there + bytes(4 * 3 * 4 * 4)
    path.write_bytes(before)
    linked = tmp_path / "same file"
    os.link(path, linked)
    pixels = np.random.default_rng(0).normal(size=(3, 4, 3)).astype("<f4")
    assert overwrite_buffer(str(path), Buffer(7, pixels)) == in_place
    expected = layout(channels=3) + pixels.tobytes() if in_place else before
    assert linked.read_bytes()[: len(expected)] == expected
    assert sorted(os.listdir(tmp_path)) == ["b", "same file"]


def test_a_buffer_that_does_not_exist_or_is_too_short_is_not_overwritten(tmp_path):
    buffer = Buffer(7, np.zeros((3, 4, 3), np.float32))
    assert not overwrite_buffer(str(tmp_path / "none"), buffer)
    (tmp_path / "b").write_bytes(layout(channels=3, stamp=9) + bytes(3 * 4 * 3 * 4 - 1))
    assert not overwrite_buffer(str(tmp_path / "b"), buffer)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="needs a user other than root")
def test_a_prepared_buffer_that_cannot_be_written_is_an_error(tmp_path):
    path = tmp_path / "b"
    path.write_bytes(layout(channels=3, stamp=9) + bytes(3 * 4 * 3 * 4))
    path.chmod(0o400)
    with pytest.raises(UnwritableFrame, match="b"):
        overwrite_buffer(str(path), Buffer(7, np.zeros((3, 4, 3), np.float32)))
