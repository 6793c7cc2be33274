"""Limits of numbers from headers, names and documents, which are checked before memory is allocated.

``F2HDR_LIMITS`` changes them for all of F2HDR, such as ``pixels=400M,frames=2M``.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from types import MappingProxyType

from f2hdr_backend.shot.errors import DocumentError, F2HDRError, ShotError, UnreadableFrame
from f2hdr_backend.shot.sizes import parse_size

VARIABLE = "F2HDR_LIMITS"
DEFAULTS: Mapping[str, int] = MappingProxyType(
    {
        "pixels": 128_000_000,
        "layers": 1024,
        "expansion": 1000,
        "scans": 200,
        "frames": 1_000_000,
        "cycle": 100,
        "document": 16_000_000,
        "lut": 512_000_000,
        "path": 4096,
        "memory": 8_000_000_000,
        "seconds": 120,
    }
)
"""Limit by name.

``pixels``: width times height of an image (8K is 35 million). ``layers``: channels of an image. ``expansion``: bytes
of a decoded image per byte of its file, for decoded images larger than ``FREE_BYTES``. ``scans``: passes over the
image in a JPEG file. ``frames``: frames of a range or a movie, and numbers from the first to the last frame of a
plate. ``cycle``: exposures of a cycle.
``document``: bytes of a text document. ``lut``: bytes of a lookup table of an OCIO config. ``path``: bytes of a
path. ``memory``: bytes that a decoder process may use. ``seconds``: for decoding one image.
"""
FREE_BYTES = 256 * 1024 * 1024
"""Size in bytes up to which ``expansion`` does not apply."""
_HIGHEST = {"seconds": 1_000_000}
_HIGHEST_OF_OTHERS = 10**15
"""Higher limits count as these, which have no effect and fit the numbers of the system."""
_ENTRY = re.compile(r"\s*([a-z]+)\s*=\s*([0-9]{1,15})([KMG]?)\s*", re.ASCII)


def limit(name: str) -> int:
    """Return a limit: the value in ``F2HDR_LIMITS``, or the default. Raises ShotError if that variable is invalid."""
    text = os.environ.get(VARIABLE, "")
    return _parsed(text)[name] if text else DEFAULTS[name]


def check_image(path: str, size: tuple[int, int], channels: int, value_bytes: int, file_bytes: int) -> None:
    """Raise UnreadableFrame if decoding an image would need more memory than the limits allow.

    Args:
        path: the file, for the message.
        size: (width, height) in pixels, from its header.
        channels: number of decoded channels, of all parts.
        value_bytes: bytes of one decoded value.
        file_bytes: bytes of the file.
    """
    width, height = size
    if width < 1 or height < 1:
        raise _refused(path, f"its header gives a size of {width} x {height} pixels", "Check the file.")
    if width * height > limit("pixels"):
        raise _refused(path, f"its header gives {width} x {height} pixels", _raise_to("pixels", width * height))
    if channels > limit("layers"):
        raise _refused(path, f"its header gives {channels} channels", _raise_to("layers", channels))
    decoded = width * height * channels * value_bytes
    if decoded > FREE_BYTES and decoded > limit("expansion") * max(file_bytes, 1):
        needed = -(-decoded // max(file_bytes, 1))
        what = f"its {file_bytes} bytes would become {decoded} bytes of pixels"
        raise _refused(path, what, _raise_to("expansion", needed))


def check_scans(path: str, scans: int) -> None:
    """Raise UnreadableFrame if a JPEG has too many scans: the time of each is that of decoding the whole image."""
    if scans > limit("scans"):
        raise _refused(path, f"it has {scans} scans", _raise_to("scans", scans))


def check_frames(name: str, count: int, what: str) -> None:
    """Raise ShotError if a plate or a range has too many frames; ``what`` is the source of the number."""
    if count > limit("frames"):
        raise ShotError(
            f'"{name}": {what} gives {count} frames; the limit is {limit("frames")}.',
            hint=f"Check the file names and the header. {_raise_to('frames', count)}",
            path=name,
            frames=count,
        )


def check_path(path: str, field: str) -> None:
    """Raise DocumentError for a path that cannot be stored: with NUL, an unpaired surrogate, or too many bytes."""
    try:
        encoded = os.fsencode(path)
    except UnicodeEncodeError:
        raise DocumentError(f"{field} contains an unpaired surrogate.", hint="Correct the text.", field=field) from None
    if b"\0" in encoded:
        raise DocumentError(f"{field} contains a NUL character.", hint="Remove it.", field=field)
    if len(encoded) > limit("path"):
        raise DocumentError(
            f"{field} has {len(encoded)} bytes; the limit is {limit('path')}.", hint="Use a shorter path.", field=field
        )


def _parsed(text: str) -> dict[str, int]:
    limits = dict(DEFAULTS)
    for entry in text.split(","):
        found = _ENTRY.fullmatch(entry)
        if found is None or found[1] not in DEFAULTS:
            raise ShotError(
                f'{VARIABLE} cannot be "{text}".',
                hint=f"Use the form pixels=400M,frames=2M; the names are {', '.join(DEFAULTS)}.",
                variable=VARIABLE,
            )
        limits[found[1]] = min(parse_size(found[2] + found[3]), _HIGHEST.get(found[1], _HIGHEST_OF_OTHERS))
    return limits


def _raise_to(name: str, value: int) -> str:
    return f"If that is correct, set {VARIABLE}={name}={value}."


def _refused(path: str, reason: str, action: str) -> F2HDRError:
    return UnreadableFrame(f'"{path}" cannot be read: {reason}, which exceeds the limit.', hint=action, path=path)
