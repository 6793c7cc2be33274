"""Header attributes under their EXR names: which ones are kept, and the exposure they state."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from f2hdr_backend.shot.errors import DocumentError

Header = dict[str, Any]

FILE_STRUCTURE = frozenset(
    "channels chunkCount compression dataWindow displayWindow lineOrder maxSamplesPerPixel name preview tiles"
    " type version".split()
)
"""Attributes that describe the layout of one file; they are set again when a file is written."""

EXPOSURE_ATTRIBUTES = frozenset(("f2hdr/ev", "expTime", "isoSpeed", "aperture"))
"""Attributes that ``exposure_value`` reads."""

ANCHOR_GAIN = "f2hdr/anchor_gain"
"""The exposure of 1.0 in a file of F2HDR: the value at which the shortest exposure of the shot clips."""

_NOT_THE_PICTURE = FILE_STRUCTURE | {"dwaCompressionLevel", "idManifest", "multiView", "originalDataWindow", "view"}
_OWN = "f2hdr/"
_INT32 = range(-(2**31), 2**31)
_RATES = (Fraction(1, 1001), Fraction(100_000))
"""Frames per second that a header may state."""
_NUMBERS = (1e-9, 1e9)
"""Numbers that a header may state as exposure time, sensitivity, f-number or gain."""
_ASPECTS = (1e-3, 1e3)
_EVS = (-1000, 1000)


def of_the_picture(header: Header) -> Header:
    """Return the attributes that remain valid when the image is written to another file.

    Chromaticities, timecode, frame rate, owner, comments, pixel aspect ratio, screen window and every custom
    attribute are kept; the layout of the file and attributes from an earlier F2HDR render are removed.
    """
    kept = (key for key in header if key not in _NOT_THE_PICTURE and not key.startswith(_OWN))
    return {key: header[key] for key in kept}


def without_invalid(header: Header) -> Header:
    """Return the attributes of a file, without standard ones whose value has another type or is not possible.

    A file may contain any type under any name.
    """
    return {name: value for name, value in header.items() if name not in _VALID or _VALID[name](value)}


def _between(least: Any, most: Any, kind: Any = (int, float)) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, kind) and least <= value <= most


def _texts(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and all(isinstance(item, str) for item in value)


def _eight_numbers(value: Any) -> bool:
    return not isinstance(value, str) and np.size(value) == 8 and np.asarray(value).dtype.kind in "fiu"


_VALID: dict[str, Callable[[Any], bool]] = {
    "framesPerSecond": _between(*_RATES, Fraction),
    "timeCode": lambda value: type(value).__name__ == "TimeCode",
    "timecode": lambda value: isinstance(value, str),
    "pixelAspectRatio": _between(*_ASPECTS),
    "chromaticities": _eight_numbers,
    "multiView": _texts,
    "f2hdr/ev": _between(*_EVS),
    **dict.fromkeys(("expTime", "isoSpeed", "aperture", ANCHOR_GAIN), _between(*_NUMBERS)),
}


def exposure_value(header: Header) -> float | None:
    """Return the exposure in stops, or None if the header does not state it.

    ``f2hdr/ev`` has priority. Otherwise it is log2(time * sensitivity / f-number^2), from the standard attributes
    ``expTime`` (seconds), ``isoSpeed`` and ``aperture``; the latter two default to 100 and 1.
    """
    if isinstance(header.get("f2hdr/ev"), (int, float)):
        return float(header["f2hdr/ev"])
    values = (header.get("expTime"), header.get("isoSpeed", 100.0), header.get("aperture", 1.0))
    if not all(isinstance(value, (int, float)) and 0 < value < math.inf for value in values):
        return None
    seconds, sensitivity, aperture = values
    return math.log2(seconds * sensitivity / 100 / aperture**2)


def anchor_gain(header: Header) -> float | None:
    """Return the value at which the shortest exposure of the shot clips; None if the header does not state it."""
    gain = header.get(ANCHOR_GAIN)
    return float(gain) if isinstance(gain, (int, float)) and 0 < gain < math.inf else None


def writable(header: Header) -> Header:
    """Return the header with every value in a type that OpenEXR supports.

    The library silently drops lists of integers and long names and wraps integers beyond 32 bits, so every value is
    checked here. Raises DocumentError, which names the attribute.
    """
    for key in header:
        if not key or len(key.encode()) > 255 or key in FILE_STRUCTURE:
            raise DocumentError(
                f'"{key}" cannot be the name of a header attribute.',
                hint="Use 1 to 255 characters, and not a name that describes the file itself.",
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
    """Return whether EXR has a type for an array: vectors of 2 or 3, matrices of 3 x 3 or 4 x 4, lists of float32."""
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
        f'The header attribute "{key}" has a value that an EXR header cannot store: {str(value)[:60]!r}.',
        hint="Use text, a number within 32 bits or a short vector; write other values as JSON text.",
        field=key,
    )
