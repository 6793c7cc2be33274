"""Reading and writing knobs, and finding F2HDR's nodes. Main thread only, as all of Nuke's own functions."""

from __future__ import annotations

import contextlib
import json
import urllib.parse
from collections.abc import Iterator
from typing import Any, Optional, Union, cast

import nuke

from f2hdr_backend.shot.errors import ShotError
from f2hdr_backend.shot.read_text import json_value

PLATE = "F2HDR_plate"
"""The Write inside the node; disabled except while it writes one frame."""
RESULT = "F2HDR_result"
"""The Read inside the node."""
PROVENANCE = "provenance"
"""The ModifyMetaData inside the node."""
MARK = "f2hdr_version"
"""The knob by which an F2HDR node is known, and the version of the gizmo that made it."""

WORKING = "F2HDR "
"""Prefix of the names of threads that bake, detect or check."""
Value = Union[str, float, int, bool]
_writing: list[str] = []
"""Not empty while the plug-in sets knobs."""


def is_f2hdr(node: Optional[nuke.Node]) -> bool:
    """Whether ``node`` is an F2HDR node."""
    return node is not None and node.Class() == "Group" and node.knob(MARK) is not None


def all_nodes() -> list[nuke.Node]:
    """Return every F2HDR node of the script, those inside other groups too."""
    return [node for node in nuke.allNodes("Group", nuke.root(), recurseGroups=True) if is_f2hdr(node)]


def find(full_name: str) -> nuke.Node:
    """Return the F2HDR node of that name. Raises ShotError if it was deleted or renamed meanwhile."""
    node = nuke.toNode(full_name)
    if node is None or not is_f2hdr(node):
        raise ShotError(f"The node {full_name} was deleted or renamed.", hint="Bake again from the node.")
    return node


def inner(node: nuke.Node, name: str) -> nuke.Node:
    """Return a node inside an F2HDR node. Raises ShotError if it was removed."""
    found = nuke.toNode(f"{node.fullName()}.{name}")
    if found is None:
        raise ShotError(f"{node.fullName()} has no node {name} inside.", hint="Create a new F2HDR node.")
    return found


def text(node: nuke.Node, name: str) -> str:
    """Return a knob's value as text."""
    return str(node[name].value())


def number(node: nuke.Node, name: str) -> float:
    """Return a knob's value at the current frame."""
    return float(node[name].value())


def flag(node: nuke.Node, name: str) -> bool:
    """Return whether a checkbox is on."""
    return bool(node[name].value())


def path(node: nuke.Node, name: str) -> str:
    """Return a file knob's path with expressions filled in; empty if it has none."""
    return str(cast(nuke.File_Knob, node[name]).getEvaluatedValue() or "")


def path_at(node: nuke.Node, name: str, frame: int) -> str:
    """Return a file knob's path of one frame."""
    return str(cast(nuke.File_Knob, node[name]).evaluate(frame))


def evaluated(node: nuke.Node, name: str) -> str:
    """Return a text knob's value with expressions filled in, without blanks around it."""
    return str(cast(nuke.EvalString_Knob, node[name]).evaluate() or "").strip()


def choices(node: nuke.Node, name: str) -> list[str]:
    """Return the entries of a menu knob."""
    return [str(choice) for choice in cast(nuke.Enumeration_Knob, node[name]).values()]


def offer(node: nuke.Node, name: str, choices: list[str]) -> None:
    """Set the entries of a menu knob."""
    cast(nuke.Enumeration_Knob, node[name]).setValues(choices)


def press(node: nuke.Node, name: str) -> None:
    """Press a button."""
    cast(nuke.Script_Knob, node[name]).execute()


def write(node: nuke.Node, **values: Value) -> None:
    """Set knobs that differ, outside the undo history."""
    with without_undo():
        for name, value in values.items():
            if node[name].value() != value:
                node[name].setValue(value)


def record(node: nuke.Node, name: str) -> Optional[dict[str, Any]]:
    """Return what ``keep`` wrote into a knob, or None if it is empty."""
    stored = text(node, name)
    return json_value(urllib.parse.unquote(stored)) if stored else None


def keep(node: nuke.Node, name: str, value: dict[str, Any]) -> None:
    """Write plain JSON types into a text knob, without any character that has a meaning in Nuke's script language."""
    write(node, **{name: urllib.parse.quote(json.dumps(value), safe="")})


def is_writing() -> bool:
    """Whether the plug-in itself is setting knobs: changes that the panel need not react to."""
    return bool(_writing)


@contextlib.contextmanager
def without_undo() -> Iterator[None]:
    """Keep what happens inside out of the undo history, and mark it as the plug-in's own changes."""
    nuke.Undo().disable()
    _writing.append("")
    try:
        yield
    finally:
        _writing.pop()
        nuke.Undo().enable()


@contextlib.contextmanager
def full_size() -> Iterator[None]:
    """Leave proxy mode: a bake always has the full size, and Nuke scales it in proxy mode."""
    root = nuke.root()
    if not root.proxy():
        yield
        return
    root.setProxy(False)
    try:
        yield
    finally:
        root.setProxy(True)
