"""Header attributes, under their EXR names: which travel with the picture, and what they say about it."""

from __future__ import annotations

import math
import re
from fractions import Fraction
from numbers import Integral, Real
from typing import Any

import numpy as np
import OpenEXR
from numpy.typing import NDArray

from f2hdr_backend.shot.errors import DocumentError

Header = dict[str, Any]

FILE_STRUCTURE = frozenset(
    "channels chunkCount compression dataWindow displayWindow lineOrder maxSamplesPerPixel name preview tiles"
    " type version".split()
)
"""Attributes that describe how one file is laid out; whoever writes a file sets them anew."""

EXPOSURE_ATTRIBUTES = frozenset(("f2hdr/ev", "expTime", "isoSpeed", "aperture"))
"""What ``exposure_value`` looks at."""

_NOT_THE_PICTURE = FILE_STRUCTURE | {"dwaCompressionLevel", "multiView", "originalDataWindow", "view"}
_OWN = "f2hdr/"
_INT32 = range(-(2**31), 2**31)
_TIMECODE = re.compile(r"(\d\d):(\d\d):(\d\d)([:;.,])(\d\d)")


def of_the_picture(header: Header) -> Header:
    """Return the attributes that stay true when the picture is written to another file.

    Chromaticities, timecode, frame rate, owner, comments, pixel aspect ratio, screen window and every custom
    attribute stay; the layout of the file goes, and so does what an earlier F2HDR wrote about its own work.
    """
    kept = (key for key in header if key not in _NOT_THE_PICTURE and not key.startswith(_OWN))
    return {key: header[key] for key in kept}


def exposure_value(header: Header) -> float | None:
    """Return the exposure in stops, or None if the header does not tell.

    ``f2hdr/ev`` is taken as it is. Else log2(time * sensitivity / f-number^2), from the standard attributes
    ``expTime`` (seconds), ``isoSpeed`` and ``aperture``; the latter two count as 100 and 1 if absent.
    """
    if isinstance(header.get("f2hdr/ev"), (int, float)):
        return float(header["f2hdr/ev"])
    values = (header.get("expTime"), header.get("isoSpeed", 100.0), header.get("aperture", 1.0))
    if not all(isinstance(value, (int, float)) and 0 < value < math.inf for value in values):
        return None
    seconds, sensitivity, aperture = values
    return math.log2(seconds * sensitivity / 100 / aperture**2)


def timecode(text: str, offset: int = 0, rate: Fraction = Fraction(24)) -> OpenEXR.TimeCode | None:
    """Return the timecode ``offset`` frames after ``text`` ("01:00:00:00"; ";" before the frames means
    drop-frame).

    ``rate`` is in frames a second. None if the text is no timecode or the frame number exceeds 39, which the
    two digits of SMPTE ST 12-1 cannot hold.
    """
    match = _TIMECODE.fullmatch(text.strip())
    if match is None:
        return None
    hours, minutes, seconds, frames = (int(match[group]) for group in (1, 2, 3, 5))
    drop = match[4] in ";,"
    if offset:
        hours, minutes, seconds, frames = _advance((hours, minutes, seconds, frames), offset, round(rate), drop)
    if frames > 39 or seconds > 59 or minutes > 59 or hours > 23:
        return None
    return OpenEXR.TimeCode(hours, minutes, seconds, frames, int(drop), *[0] * 13)


def _advance(start: tuple[int, int, int, int], offset: int, rate: int, drop: bool) -> tuple[int, int, int, int]:
    """Count ``offset`` frames on; drop-frame leaves out the first numbers of each minute but every tenth."""
    hours, minutes, seconds, frames = start
    dropped = rate // 15 if drop else 0
    minutes += hours * 60
    count = (minutes * 60 + seconds) * rate + frames - dropped * (minutes - minutes // 10) + offset
    if dropped:
        tens, rest = divmod(count, rate * 600 - dropped * 9)
        count += dropped * (9 * tens + max(0, (rest - dropped) // (rate * 60 - dropped)))
    seconds, frames = divmod(count, rate)
    return seconds // 3600 % 24, seconds // 60 % 60, seconds % 60, frames


def writable(header: Header) -> Header:
    """Return the header with every value in a type that OpenEXR keeps.

    The library drops lists of integers and long names without a word and wraps integers beyond 32 bits, so
    everything is looked at here. Raises DocumentError naming the attribute.
    """
    for key in header:
        if not key or len(key.encode()) > 255 or key in FILE_STRUCTURE:
            raise DocumentError(
                f'"{key}" cannot be the name of a header attribute.',
                hint="Use 1 to 255 characters and none of the names that describe the file itself.",
                field=key,
            )
    return {key: _writable(key, value) for key, value in header.items()}


def _writable(key: str, value: Any) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, (tuple, list)) and value:
        return _writable_list(key, value)
    own_type = type(value).__module__ == "OpenEXR"
    if own_type or isinstance(value, (str, float)) or (isinstance(value, np.ndarray) and _fits(value)):
        return value
    if isinstance(value, Integral) and int(value) in _INT32:
        return int(value)
    if isinstance(value, Fraction) and value.numerator in _INT32 and value.denominator in _INT32:
        return value
    raise _unwritable(key, value)


def _fits(array: NDArray[Any]) -> bool:
    """Say whether EXR has a type for it: vectors of 2 or 3, matrices of 3 x 3 or 4 x 4, rows of float32."""
    if array.dtype not in (np.int32, np.float32, np.float64):
        return False
    if array.ndim == 1 and array.size:
        return array.size in (2, 3) or array.dtype == np.float32
    return array.shape in ((3, 3), (4, 4)) and array.dtype != np.int32


def _writable_list(key: str, value: tuple[Any, ...] | list[Any]) -> Any:
    if all(isinstance(item, np.ndarray) for item in value) and len(value) == 2:
        return tuple(value)
    if all(isinstance(item, str) for item in value):
        return list(value)
    if len(value) in (2, 3) and all(isinstance(item, Integral) and int(item) in _INT32 for item in value):
        return tuple(int(item) for item in value)
    if all(isinstance(item, Real) for item in value):
        numbers = [float(item) for item in value]
        return tuple(numbers) if len(value) in (2, 3) or key == "chromaticities" else numbers
    raise _unwritable(key, value)


def _unwritable(key: str, value: Any) -> DocumentError:
    return DocumentError(
        f'The header attribute "{key}" has a value that an EXR header cannot hold: {str(value)[:60]!r}.',
        hint="Use text, a number within 32 bits or a short vector; write anything else as JSON text.",
        field=key,
    )
