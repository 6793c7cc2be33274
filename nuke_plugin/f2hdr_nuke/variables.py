"""Graph Scope Variables (Nuke 16 and later): their values depend on the scope, while a bake has one picture per
frame."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, cast

import nuke

_CLASSES = ("VariableGroup", "VariableSwitch")
_ASKED = re.compile(r"%\\?\{|\bgetGsvValue\b|\.gsv\b")
"""``%{shot}`` in a text or a path, or an expression that reads the knob with the variables."""
_NAMED = re.compile(r"%([A-Za-z_]\w*)")
"""``%shot`` and ``%set.shot``; ``%d`` and ``%V`` look the same, so what is found must be the name of a variable."""


def names() -> frozenset[str]:
    """Return the names of the script's variables and of their sets; none before Nuke 16."""
    knob = nuke.root().knob("gsv")
    return frozenset() if knob is None else frozenset(_names(cast(Any, knob).value() or {}))


def used_by(node: nuke.Node, meaning: str, known: frozenset[str]) -> bool:
    """Whether the picture of ``node``, whose knobs are ``meaning`` in Nuke's script language, depends on variables."""
    if node.Class() in _CLASSES or _ASKED.search(meaning):
        return True
    return any(name in known for name in _NAMED.findall(meaning))


def _names(values: dict[str, Any]) -> Iterator[str]:
    for name, value in values.items():
        yield name
        if isinstance(value, dict):
            yield from _names(value)
