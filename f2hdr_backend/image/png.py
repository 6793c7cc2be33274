"""Writes 16-bit PNG files with color tags.

Source: Portable Network Graphics (third edition), W3C, sections 5.3 (chunks) and 11.3.2.6 (``cICP``).
"""

from __future__ import annotations

import os
import struct
import zlib

import cv2
import numpy as np

from f2hdr_backend.image.arrays import FloatArray
from f2hdr_backend.image.signal import Signal
from f2hdr_backend.shot.atomic import write_file

_HEADER_END = 33
"""Bytes of the signature and the first chunk, after which color chunks are allowed."""
_RGB, _FULL_RANGE = 0, 1


def write_tagged_png(path: str | os.PathLike[str], rgb: FloatArray, signal: Signal) -> None:
    """Write ``(H, W, 3)`` display code values, clipped to 0-1, with their primaries and transfer function.

    The file is written atomically. Raises UnwritableFrame.
    """
    codes = np.rint(np.clip(rgb, 0, 1) * np.float32(65535)).astype(np.uint16)
    _, encoded = cv2.imencode(".png", codes[..., ::-1])
    plain = encoded.tobytes()
    tags = _chunk(b"cICP", bytes((signal.primaries, signal.transfer, _RGB, _FULL_RANGE)))
    write_file(path, plain[:_HEADER_END] + tags + plain[_HEADER_END:])


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
