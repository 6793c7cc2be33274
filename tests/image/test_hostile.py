"""Image files made to exhaust memory, to hang or to crash their reader: each is refused with an error that names it."""

import os
import shutil
import struct
import sys
import zlib
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from f2hdr_backend.image.frame import whole_range
from f2hdr_backend.image.read import open_plate, read_image
from f2hdr_backend.image.write import write_exr, write_image
from f2hdr_backend.shot.errors import ImageError, MissingFrames, ShotError, UnreadableFrame

DATA = Path(__file__).parents[1] / "data" / "hostile"
PIXELS = np.full((24, 36, 3), 0.5, np.float32)


def refused(path):
    with pytest.raises(UnreadableFrame) as caught:
        read_image(str(path), 7)
    assert str(path) in caught.value.message and caught.value.frame == 7
    assert "/proc/" not in str(caught.value)
    return caught.value


def exr_of(path, change):
    """Write a small EXR and change its bytes."""
    write_exr(path, {"RGB": PIXELS}, {})
    path.write_bytes(change(path.read_bytes()))
    return path


@pytest.mark.parametrize("window", [b"dataWindow", b"displayWindow"])
def test_an_exr_of_a_hundred_thousand_squared_is_refused_before_it_is_allocated(tmp_path, window):
    start = window + b"\0box2i\0" + struct.pack("<i", 16)
    huge = start + struct.pack("<4i", 0, 0, 99_999, 99_999)

    def enlarge(content):
        at = content.index(start)
        return content[:at] + huge + content[at + len(huge) :]

    assert "100000 x 100000" in refused(exr_of(tmp_path / "a.exr", enlarge)).message


def test_an_exr_whose_chunk_belongs_to_a_negative_part_is_refused():
    refused(DATA / "multipart_negative_part.1001.exr")


def test_an_exr_with_a_rational_of_zero_is_refused(tmp_path):
    write_exr(tmp_path / "a.exr", {"RGB": PIXELS}, {"framesPerSecond": Fraction(24)})
    content = (tmp_path / "a.exr").read_bytes()
    at = content.index(b"framesPerSecond\0rational\0") + len(b"framesPerSecond\0rational\0") + 8
    (tmp_path / "a.exr").write_bytes(content[:at] + b"\0\0\0\0" + content[at + 4 :])
    refused(tmp_path / "a.exr")


def test_a_png_that_expands_beyond_the_limit_is_refused(tmp_path):
    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", 30_000, 30_000, 16, 6, 0, 0, 0)
    body = zlib.compress(b"\0" * 100_000)
    (tmp_path / "a.png").write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")
    )
    refused(tmp_path / "a.png")


def test_a_tiff_of_a_hundred_thousand_squared_is_refused(tmp_path):
    write_image(tmp_path / "a.tif", PIXELS, 16)
    content = bytearray((tmp_path / "a.tif").read_bytes())
    directory = struct.unpack_from("<I", content, 4)[0]
    for entry in range(struct.unpack_from("<H", content, directory)[0]):
        at = directory + 2 + 12 * entry
        if struct.unpack_from("<H", content, at)[0] in (256, 257):
            struct.pack_into("<HHII", content, at, struct.unpack_from("<H", content, at)[0], 4, 1, 100_000)
    (tmp_path / "a.tif").write_bytes(content)
    refused(tmp_path / "a.tif")


@pytest.mark.parametrize("number", ["20260131", "99999999", "12345678901234"])
def test_a_frame_number_far_outside_the_plate_is_refused_at_once(tmp_path, number):
    for frame in (1001, 1002, 1003):
        write_image(tmp_path / f"plate.{frame}.tif", PIXELS, 16)
    shutil.copy(tmp_path / "plate.1001.tif", tmp_path / f"plate.{number}.tif")
    plate = open_plate(str(tmp_path / "plate.####.tif"))
    assert len(plate.frames) == 4
    with pytest.raises(MissingFrames) as caught:
        whole_range(plate)
    assert number in caught.value.message and "1001" in caught.value.message


@pytest.mark.skipif(sys.platform == "win32", reason="needs pipes")
@pytest.mark.parametrize("suffix", ["exr", "tif", "png", "dpx", "dng", "mov"])
def test_a_named_pipe_instead_of_a_file_is_refused_without_blocking(tmp_path, suffix):
    os.mkfifo(tmp_path / f"plate.1001.{suffix}")
    mark = "1001" if suffix == "mov" else "####"
    with pytest.raises(ImageError):
        open_plate(str(tmp_path / f"plate.{mark}.{suffix}"))


def test_a_movie_that_claims_a_billion_frames_is_refused():
    pytest.importorskip("av")
    with pytest.raises(ShotError) as caught:
        open_plate(str(DATA / "h265_memory.mp4"))
    assert "h265_memory.mp4" in caught.value.message and "1314999816" in caught.value.message


def test_a_movie_whose_tags_are_not_utf_8_is_read():
    pytest.importorskip("av")
    plate = open_plate(str(DATA / "movie_tag_not_utf8.mov"))
    assert plate.read(1).pixels.shape[2] == 3
    plate.close()


@pytest.mark.parametrize(
    "content",
    [
        "ffconcat version 1.0\nfile '/etc/passwd'\n",
        "#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n",
        "<MPD xmlns='urn:mpeg:dash:schema:mpd:2011'></MPD>",
        "v=0\no=- 0 0 IN IP4 127.0.0.1\nm=video 1234 RTP/AVP 96\n",
    ],
)
def test_formats_that_name_other_files_or_addresses_are_refused(tmp_path, content):
    pytest.importorskip("av")
    (tmp_path / "a.mov").write_text(content)
    with pytest.raises(UnreadableFrame) as caught:
        open_plate(str(tmp_path / "a.mov"))
    assert str(tmp_path / "a.mov") in caught.value.message
