"""Writes 16-bit PNG files with color tags.

Source: Portable Network Graphics (third edition), W3C, sections 5.3 (chunks) and 11.3.2.6
(``cICP``) and 11.3.4.3 (``pHYs``).
"""

from __future__ import annotations

import os
import struct
import zlib

import cv2
import numpy as np

from f2hdr_backend.image.arrays import FloatArray
from f2hdr_backend.image.display_tags import Signal
from f2hdr_backend.shot.atomic import write_file

_HEADER_END = 33
"""Bytes of the signature and the first chunk, after which color chunks are allowed."""
_RGB, _FULL_RANGE = 0, 1
ASPECT_STEPS = 10_000
"""Pixels in a unit of length across, so that those in it down give the shape of a pixel."""
_UNKNOWN_UNIT = 0


def write_tagged_png(path: str | os.PathLike[str], rgb: FloatArray, signal: Signal, aspect: float = 1.0) -> None:
    """Write ``(H, W, 3)`` display code values, clipped to 0-1, with their primaries and transfer function.

    ``aspect`` is the width of a pixel over its height. The file is written atomically. Raises UnwritableFrame.
    """
    codes = np.rint(np.clip(rgb, 0, 1) * np.float32(65535)).astype(np.uint16)
    _, encoded = cv2.imencode(".png", codes[..., ::-1])
    plain = encoded.tobytes()
    tags = _chunk(b"cICP", bytes((signal.primaries, signal.transfer, _RGB, _FULL_RANGE)))
    if aspect != 1:
        tags += _chunk(b"pHYs", struct.pack(">IIB", ASPECT_STEPS, round(ASPECT_STEPS * aspect), _UNKNOWN_UNIT))
    write_file(path, plain[:_HEADER_END] + tags + plain[_HEADER_END:])


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
