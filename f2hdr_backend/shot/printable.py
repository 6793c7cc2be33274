"""Text for display: without the control characters that file names may contain, and of limited length."""

from __future__ import annotations

import re
import reprlib

LONGEST = 700
"""Maximum length of a message with its hint in characters; longer ones are shortened in the middle."""
_MARKS = "\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069"
_CONTROL = re.compile(f"[\x00-\x1f{_MARKS}]")
"""Terminal escape codes, line breaks, and marks that reverse the text direction."""
_UNPRINTABLE = re.compile(f"[\x00-\x08\x0b-\x1f{_MARKS}\ud800-\udfff]")
"""As ``_CONTROL`` but for tabs and line breaks, and parts of names that are not text."""
_BREAK = re.compile(r"[\t\n\r]+")


def printable(text: str, longest: int = LONGEST) -> str:
    r"""Return the text with control characters as escapes such as ``\x1b`` and line breaks as spaces.

    It is shortened to ``longest`` characters.
    """
    plain = _CONTROL.sub(_escape, _BREAK.sub(" ", text))
    if len(plain) <= longest:
        return plain
    tail = longest // 3
    return f"{plain[: longest - tail - 3]}...{plain[-tail:]}"


def escaped(text: str) -> str:
    """Return a text of any length for the terminal: as ``printable``, but it keeps its line breaks and tabs."""
    return _UNPRINTABLE.sub(_escape, text)


def _escape(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode("ascii")


def shown(value: object) -> str:
    """Return a value of a document as text for a message; lists and objects in it are shortened, however deep."""
    return _SHORT.repr(value)


_SHORT = reprlib.Repr()
_SHORT.maxlevel, _SHORT.maxstring, _SHORT.maxother = 3, LONGEST, 100


def has_control(text: str) -> bool:
    """Return whether a text contains control characters."""
    return _CONTROL.search(text) is not None
