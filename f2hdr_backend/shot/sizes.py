"""Sizes of memory and disk as text: one rule for every option and message.

K, M, G and T (also KB, MB, GB and TB) are powers of 1000; KiB, MiB, GiB and TiB are powers of 1024.
"""

from __future__ import annotations

import re

from f2hdr_backend.shot.errors import DocumentError

PATTERN = r"\d+(\.\d+)? ?([KMGTkmgt]([Ii]?[Bb])?|[Bb])?"
"""Regular expression of a size, for settings of a document; the empty text does not match."""
_UNITS = {
    "": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12,
    "KI": 2**10, "MI": 2**20, "GI": 2**30, "TI": 2**40,
}  # fmt: skip
HINT = "Use the form 8G or 512M (powers of 1000), or 8GiB (powers of 1024)."


def parse_size(text: str, what: str = "The size") -> int:
    """Return the number of bytes of a text such as 8G, 1.5GB or 512MiB.

    Args:
        text: a number and a unit; no unit means bytes. Case is ignored.
        what: name of the setting in the error.

    Raises:
        DocumentError: the text is not a size.
    """
    text = text.strip()
    if not re.fullmatch(PATTERN, text, re.ASCII):
        raise DocumentError(f'{what} cannot be "{text}".', hint=HINT, value=text)
    number = re.match(r"[\d.]+", text)
    assert number is not None
    return int(min(float(number[0]) * _UNITS[text[number.end() :].strip().upper().removesuffix("B")], 2.0**62))


def format_size(count: float) -> str:
    """Return a number of bytes with a unit that ``parse_size`` reads: 1 GB is 1,000,000,000 bytes."""
    for unit in ("T", "G", "M", "K"):
        if count >= _UNITS[unit]:
            return f"{count / _UNITS[unit]:.1f} {unit}B"
    return f"{count:.0f} bytes"
