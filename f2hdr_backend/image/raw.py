"""Develops camera raw and DNG frames to linear values, with the same settings for all frames of a shot.

Black and white levels are those of the file; the result is linear Rec.709, demosaiced and white-balanced, and 1.0 is
the clip level of the channel with the lowest gain. No setting depends on a frame's content: no automatic brightness, no
white level from its brightest pixel, no noise reduction.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import rawpy

from f2hdr_backend.image.decoder_processes import in_decoder_process
from f2hdr_backend.image.dng import read_times
from f2hdr_backend.image.frame import PlateImage, unreadable
from f2hdr_backend.image.metadata import Header
from f2hdr_backend.shot.limits import check_image
from f2hdr_backend.shot.safe_open import open_file

WhiteBalance = tuple[float, ...]
"""Multipliers of red, green, blue and the second green."""

_TURNED = (5, 6)
"""Orientations that swap width and height."""


@in_decoder_process
def white_balance(path: str) -> WhiteBalance:
    """Return the camera's multipliers for one frame, the smallest of which is 1; a shot uses those of its first frame.

    A file without them gets its daylight multipliers. Raises UnreadableFrame.
    """
    with _opened(path) as raw:
        for reported in (raw.camera_whitebalance, raw.daylight_whitebalance):
            if all(math.isfinite(value) and value > 0 for value in reported[:3]):
                red, green, blue = reported[:3]
                second = reported[3] if math.isfinite(reported[3]) and reported[3] > 0 else green
                least = min(red, green, blue, second)
                return red / least, green / least, blue / least, second / least
    return 1.0, 1.0, 1.0, 1.0


@in_decoder_process
def read_raw(path: str, balance: WhiteBalance) -> PlateImage:
    """Return one frame: ``(H, W, 3)`` linear Rec.709, 0-1, developed with the shot's white balance.

    ``f2hdr/plate_white_balance`` in the metadata states the multipliers. Raises UnreadableFrame.
    """
    with _opened(path) as raw:
        codes = raw.postprocess(
            gamma=(1, 1),
            no_auto_bright=True,
            adjust_maximum_thr=0.0,
            user_wb=list(balance),
            output_color=rawpy.ColorSpace.sRGB,
            output_bps=16,
        )
        header = {**_header(path, raw), "f2hdr/plate_white_balance": list(balance)}
    return PlateImage(0, path, codes.astype(np.float32) / np.float32(65535), "float", {}, header)


@in_decoder_process
def probe_raw(path: str) -> tuple[tuple[int, int], str, Header]:
    """Return (width, height) in pixels, the kind and the metadata of a frame without developing it.

    Raises UnreadableFrame.
    """
    with _opened(path) as raw:
        sizes = raw.sizes
        size = (sizes.iwidth, sizes.iheight)
        return size[::-1] if sizes.flip in _TURNED else size, "float", _header(path, raw)


def _header(path: str, raw: rawpy.RawPy) -> Header:
    """Return the exposure, and the time of CinemaDNG, under their EXR names."""
    reported = {"expTime": raw.other.shutter_speed, "isoSpeed": raw.other.iso_speed, "aperture": raw.other.aperture}
    header: Header = {name: float(value) for name, value in reported.items() if math.isfinite(value) and value > 0}
    if path.lower().endswith(".dng"):
        with open_file(path) as file:
            header |= read_times(file)
    return header


@contextmanager
def _opened(path: str) -> Iterator[rawpy.RawPy]:
    """Yield an open raw file. Raises UnreadableFrame, also for errors inside the block."""
    try:
        with open_file(path) as file, rawpy.imread(file) as raw:
            size = (raw.sizes.raw_width, raw.sizes.raw_height)
            check_image(path, size, 3, 4, os.fstat(file.fileno()).st_size)
            yield raw
    except OSError as error:
        raise unreadable(path, error.strerror or str(error), "Check the path and the file.") from error
    except rawpy.LibRawError as error:
        reason = error.args[0].decode(errors="replace") if isinstance(error.args[0], bytes) else str(error)
        raise unreadable(path, reason, "Check the file, or convert it to DNG.") from error
