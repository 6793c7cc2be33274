"""Binds the frames that a node shows to the input that they were made from, also where the plug-in is not installed.

The knob ``input_now`` has text that Nuke itself evaluates: the file at the top of the input and, if files are found
relative to the script, the script's folder. ``baked_for`` is its value at the bake. An expression in the gizmo compares
the two: a node in a script that was copied elsewhere, or pasted into another script, fails as not baked.
"""

from __future__ import annotations

import contextlib
import os
import re
from typing import Optional

import nuke

from f2hdr_nuke import graph, knobs, paths

SCRIPT_FOLDER = "[file dirname [value root.name]]"
TOP_FILE = "[file dirname [value [topnode].file]]/[file tail [knob [topnode].file]]"
"""``value`` fills in expressions and, in some versions, frame number and view; ``knob`` is the text as written."""
TOP_TEXT = "[knob [topnode].file]"
"""For a file with a view in its path, which must mean the same in every view."""
_HAS_VIEW = re.compile("%v", re.IGNORECASE)
_ASKS_SCRIPT = re.compile(r"\[.*(root|script)", re.IGNORECASE | re.DOTALL)


def bind(node: nuke.Node) -> None:
    """Bind what the node shows from now on to its present input."""
    top = _top(node)
    tests = [SCRIPT_FOLDER] if _is_found_by_script(node) else []
    written = "" if top is None else str(top["file"].value())
    text = TOP_TEXT if _HAS_VIEW.search(written) else TOP_FILE
    if top is not None and _evaluated(node, text) == (written if text == TOP_TEXT else _file_of(top)):
        tests.append(text)
    knobs.write(node, baked_for=_evaluated(node, " ".join(tests)))


def release(node: nuke.Node) -> None:
    """Bind the node to nothing. Only knobs of the group are set."""
    _write(node, "")
    knobs.write(node, baked_for="")


def _write(node: nuke.Node, text: str) -> None:
    """Set the knob without reading its value, which Nuke may not be able to evaluate."""
    with knobs.without_undo():
        node["input_now"].setValue(text)


def _evaluated(node: nuke.Node, text: str) -> str:
    """What Nuke makes of a text in the knob ``input_now``; empty if it cannot evaluate it."""
    _write(node, text)
    with contextlib.suppress(RuntimeError):
        return knobs.evaluated(node, "input_now")
    _write(node, "")
    return ""


def _top(node: nuke.Node) -> Optional[nuke.Node]:
    """The Read that Nuke's ``[topnode]`` names; None if another class of node is at the top.

    Where Python reaches only a few nodes, None unless the Read is the node's input.
    """
    top, above = node, node.input(0)
    if graph.is_limited() and (above is None or above.Class() != "Read"):
        return None
    while above is not None:
        top, above = above, above.input(0)
    return top if top.Class() == "Read" else None


def _file_of(read: nuke.Node) -> str:
    """What ``TOP_FILE`` means."""
    return f"{os.path.dirname(knobs.path(read, 'file'))}/{os.path.basename(str(read['file'].value()))}"


def _is_found_by_script(node: nuke.Node) -> bool:
    """Whether a copy of the script in another folder would read other files."""
    root = nuke.root()
    asks_project = bool(_ASKS_SCRIPT.search(str(root["project_directory"].value())))
    is_project_bound = asks_project or not paths.is_absolute(knobs.path(root, "project_directory"))
    reads = [other for other in graph.upstream(node) if other.Class() == "Read"]
    return any(
        _ASKS_SCRIPT.search(str(read["file"].value()))
        or (is_project_bound and not paths.is_absolute(knobs.path(read, "file")))
        for read in reads
    )
