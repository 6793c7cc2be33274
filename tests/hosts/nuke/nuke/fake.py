"""Actions that a test performs in place of the user, or of Nuke."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable
from typing import Any

import nuke
from nuke import script
from nuke.knobs import Knob
from nuke.nodes import Node, Root
from nuke.session import session


def start(*, gui: bool, plugin: str = "", version: tuple[int, int, int] = (15, 1, 3)) -> None:
    """A new process of Nuke, with a plug-in folder on its path."""
    session.reset(gui=gui, version=version)
    session.root = Root()
    if plugin:
        nuke.pluginAddPath(plugin)


def press(node: Node, button: str) -> None:
    """The user clicks a button of the node's panel."""
    node[button].execute()  # type: ignore[attr-defined]


def edit(node: Node, name: str, value: Any) -> None:
    """The user opens the panel, unless it is open, and changes a knob."""
    if session.gui and node not in session.panels:
        session.panels.append(node)
    node[name].setValue(value)


def open_panel(node: Node) -> None:
    """The user opens the node's panel."""

    if node not in session.panels:
        session.panels.append(node)

    class Shown:
        def name(self) -> str:
            return "showPanel"

    session.fire("knobChanged", node, knob=Shown())


def idle() -> None:
    """Nuke is idle and updates its display."""
    for node in session.root.all():
        session.fire("updateUI", node)


def pump(until: Callable[[], bool], timeout: float = 60.0) -> None:
    """Nuke's event loop, until something has happened; AssertionError if it does not."""
    end = time.monotonic() + timeout
    while not until() or not session.calls.empty():
        if time.monotonic() > end:
            raise AssertionError(f"nothing happened in {timeout} s; messages: {session.messages}")
        try:
            session.serve(session.calls.get(timeout=0.01))
        except queue.Empty:
            continue


def undo() -> None:
    """The user presses Ctrl-Z."""
    knob, attribute, value = session.history.pop()
    setattr(knob, attribute, value)


def paste_copy(node: Node) -> Node:
    """The user copies a node and pastes it next to it, connected as the first."""
    made = script.load(script.save([node]), session.root)[0]
    made.sources = list(node.sources)
    return made


def set_variables(**values: str) -> None:
    """The user makes Graph Scope Variables in the project settings (Nuke 16)."""
    session.root.add(Knob("gsv", default={"__default__": values}))


def add_view(name: str) -> None:
    """The user adds a view to the project."""
    session.views.append(name)


def render(first: int, last: int) -> None:
    """``nuke -x``: every enabled Write of the script's top level."""
    for node in session.root.children:
        if node.Class() == "Write" and not node["disable"].value():
            nuke.execute(node, first, last, 1, views=list(session.views))
