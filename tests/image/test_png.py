"""Tagged PNG: the chunk by the standard, and the picture as another decoder reads it."""

import struct
import zlib

import cv2
import numpy as np

from f2hdr_backend.image.display_tags import PQ, Signal
from f2hdr_backend.image.png import write_tagged_png


def chunks(data):
    place = 8
    while place < len(data):
        (length,) = struct.unpack_from(">I", data, place)
        kind, content = data[place + 4 : place + 8], data[place + 8 : place + 8 + length]
        (check,) = struct.unpack_from(">I", data, place + 8 + length)
        assert check == zlib.crc32(kind + content)
        yield kind, content
        place += 12 + length


def test_codes_are_16_bits_and_the_tag_comes_before_the_pixels(tmp_path):
    signal = Signal("Rec.2100-PQ", 9, PQ, 9)
    rgb = np.linspace(-0.1, 1.1, 5 * 7 * 3, dtype=np.float32).reshape(5, 7, 3)
    path = tmp_path / "a.png"
    write_tagged_png(path, rgb, signal)
    found = list(chunks(path.read_bytes()))
    kinds = [kind for kind, _ in found]
    assert kinds[0] == b"IHDR" and kinds.index(b"cICP") < kinds.index(b"IDAT") and kinds[-1] == b"IEND"
    assert dict(found)[b"cICP"] == bytes((9, PQ, 0, 1))
    read = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)[..., ::-1]
    assert read.dtype == np.uint16
    assert np.array_equal(read, np.rint(np.clip(rgb, 0, 1) * np.float32(65535)).astype(np.uint16))
