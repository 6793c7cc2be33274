"""Nuke's callbacks in every process: node creation, loading and saving of a script, start of a frame.

Nuke calls these while nodes are not attached to the script yet, in terminal mode, and while scripts are pasted. An
error here would stop the user's load, paste or save, so each one is printed and nothing is raised; only
``before_frame`` raises, because a render must not use a frame that is missing.
"""

from __future__ import annotations

import threading
from typing import Callable

import nuke

from f2hdr_backend.shot.errors import F2HDRError
from f2hdr_nuke import copies, farm, knobs, result

_pending: set[str] = set()
"""Work that is not possible in a callback and is done when Nuke is idle: "ids" or "move"."""


def register() -> None:
    """Register the callbacks; calling this twice has the same effect as calling it once."""
    nuke.addOnCreate(created, nodeClass="Group")
    nuke.addOnScriptLoad(loaded)
    nuke.addOnScriptSave(saving)
    nuke.addBeforeFrameRender(before_frame, nodeClass="Write")


def created() -> None:
    """A Group was created, pasted, restored by undo, or loaded."""
    try:
        node = nuke.thisNode()
        if knobs.is_f2hdr(node):
            copies.own_cache(node)
    except Exception:  # whatever Nuke refuses at this moment; "settle" repeats it
        _pending.add("ids")


def loaded() -> None:
    """A script was loaded: nodes get their own ids, and show their own frames if the script was moved."""
    _pending.discard("ids")
    for call in (copies.own_cache, copies.leave_unsaved, result.follow_script):
        _for_each(call)


def saving() -> None:
    """The script is about to be saved, possibly for the first time; depending on the version it has its name
    already."""
    _pending.add("move")
    settle()
    _pending.add("move")


def settle() -> None:
    """Do what could not be done in a callback: ids of new nodes, and moving caches once the script has a name."""
    todo = set(_pending)
    _pending.clear()
    if "ids" in todo:
        _for_each(copies.own_cache)
    if "move" in todo and not any(thread.name.startswith(knobs.WORKING) for thread in threading.enumerate()):
        _for_each(copies.leave_unsaved)


def before_frame() -> None:
    """A Write is about to render a frame: in terminal renders, request the frames that it needs from the backend.

    Raises RuntimeError, which stops the render.
    """
    write = nuke.thisNode()
    if nuke.GUI or write.name() == knobs.PLATE:
        return
    try:
        farm.provide(write, int(nuke.frame()))
    except F2HDRError as error:
        raise RuntimeError(f"F2HDR: {error}") from error


def _for_each(call: Callable[[nuke.Node], None]) -> None:
    """Call ``call`` for each F2HDR node; an error is printed, and the other nodes follow."""
    try:
        nodes = knobs.all_nodes()
    except Exception as error:  # see the module's first lines
        nuke.tprint(f"F2HDR: {error}")
        return
    for node in nodes:
        try:
            call(node)
        except Exception as error:  # see the module's first lines
            nuke.tprint(f"F2HDR: {error}")
