"""Context variables of OCIO configs, such as ``SHOT``: which of them a config uses, and their values."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

_REFERENCE = re.compile(r"\$\{(\w+)\}|\$(\w+)|%(\w+)%", re.ASCII)
"""How OpenColorIO writes a variable in a path, a name or the value of another variable."""


def context_of(config: str, values: Mapping[str, str]) -> tuple[str, ...]:
    """Return ``NAME=value``, sorted, for every variable that the text of a config refers to and that has a value.

    A variable that only the value of another one refers to is among them.
    """
    found: dict[str, str] = {}
    names = _references(config)
    while names:
        name = names.pop()
        if name in values and name not in found:
            found[name] = values[name]
            names += _references(values[name])
    return tuple(f"{name}={value}" for name, value in sorted(found.items()))


def parse_context(context: Iterable[str]) -> dict[str, str]:
    """Return the values by name of ``NAME=value`` texts; a text without ``=`` is a variable with an empty value."""
    return {name: value for name, _, value in (text.partition("=") for text in context)}


def _references(text: str) -> list[str]:
    return [next(filter(None, match.groups())) for match in _REFERENCE.finditer(text)]
