"""A fake of Nuke's Python module for tests, on real EXR files, after Foundry's guides and users' reports.

What fails or hangs in Nuke fails here: calls off the main thread, renders inside callbacks, main-thread calls in
terminal mode, dialogs without a window. ``nuke.fake`` is what a test does in place of a user.
"""

from __future__ import annotations

import os
import runpy
import sys
import time
from collections.abc import Callable
from typing import Any

from nuke import callbacks as callbacks
from nuke import pixels, script
from nuke.knobs import *  # noqa: F403
from nuke.nodes import EXPRESSIONS as EXPRESSIONS
from nuke.nodes import HIDDEN_INPUTS as HIDDEN_INPUTS
from nuke.nodes import INPUTS as INPUTS
from nuke.nodes import TO_SCRIPT as TO_SCRIPT
from nuke.nodes import WRITE_NON_DEFAULT_ONLY as WRITE_NON_DEFAULT_ONLY
from nuke.nodes import Format as Format
from nuke.nodes import Group as Group
from nuke.nodes import Node as Node
from nuke.nodes import Root as Root
from nuke.session import session

REPLACE = 1


def __getattr__(name: str) -> Any:
    major, minor, release = session.version
    values: dict[str, Any] = {
        "GUI": session.gui,
        "env": {"gui": session.gui, "interactive": session.gui, "indie": session.flavor == "indie", "nc": False},
        "NUKE_VERSION_MAJOR": major,
        "NUKE_VERSION_MINOR": minor,
        "NUKE_VERSION_RELEASE": release,
        "NUKE_VERSION_STRING": f"{major}.{minor}v{release}",
        "rawArgs": session.raw_args,
    }
    if name in values:
        return values[name]
    raise AttributeError(f"module 'nuke' has no attribute {name!r}")


def root() -> Root:
    session.require_main("root")
    result: Root = session.root
    return result


def toNode(name: str) -> Node | None:
    session.require_main("toNode")
    node: Any = session.root
    for part in name.split("."):
        node = node.child(part) if isinstance(node, Group) else None
        if node is None:
            return None
    result: Node = node
    return result


def allNodes(filter: str = "", group: Group | None = None, recurseGroups: bool = False) -> list[Node]:
    session.require_main("allNodes")
    where = group or session.root
    nodes = where.all() if recurseGroups else iter(where.children)
    return [node for node in nodes if not filter or node.Class() == filter]


def delete(node: Node) -> None:
    session.require_main("delete")
    assert node.parent_group is not None
    node.parent_group.children.remove(node)
    node.attached = False


def createNode(kind: str, args: str = "", inpanel: bool = True) -> Node:
    """A node of that class, or the one of the gizmo file of that name on the plug-in path."""
    session.require_main("createNode")
    for folder in session.plugin_path:
        path = os.path.join(folder, f"{kind}.gizmo")
        if os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                return script.load(file.read(), session.root)[0]
    return script.load(f"{kind} {{\n{args}\n}}", session.root)[0]


def thisNode() -> Node:
    node: Node = session.context[-1]["node"]
    return node


def thisKnob() -> Any:
    return session.context[-1]["knob"]


def views() -> list[str]:
    session.require_main("views")
    return list(session.views)


def frame(number: int | None = None) -> int:
    if number is not None:
        session.frame = number
    return session.frame


def filename(node: Node, flag: int = 0) -> str | None:
    """The path of a Read or Write with expressions and filters filled in, frame and view not."""
    session.require_main("filename")
    knob = node.knob("file")
    if knob is None or not knob.plain:
        return None
    text = knob.at(session.frame)
    for call in session.filename_filters if flag == REPLACE else []:
        text = call(text) or text
    return str(text)


def script_directory() -> str:
    return os.path.dirname(session.root.script)


def execute(
    node: Node, start: int, end: int, incr: int = 1, views: list[str] | None = None, continueOnError: bool = False
) -> None:
    """Render a Write. A disabled one renders nothing, as in Nuke."""
    session.require_main("execute")
    if session.busy:
        raise RuntimeError("I'm already executing something else")
    if session.cancel_execute:
        raise RuntimeError("Cancelled")
    if node.Class() != "Write":
        raise RuntimeError(f"{node.name()} is not executable")
    if node["disable"].value():
        return
    was, seen = session.frame, session.view
    try:
        for number in range(start, end + 1, incr):
            for view in views or [session.views[0]]:
                session.frame, session.view = number, view
                session.fire("beforeFrameRender", node)
                began = time.monotonic()
                pixels.write(node, number, view)
                session.executing_s += time.monotonic() - began
    finally:
        session.frame, session.view = was, seen


def executing() -> bool:
    return session.busy > 0


def tprint(*words: Any) -> None:
    text = " ".join(str(word) for word in words)
    session.printed.append(text)
    if not session.gui:
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()


def message(text: str) -> None:
    session.require_main("message")
    if not session.gui:
        raise RuntimeError("nuke.message needs a window")
    session.messages.append(text)


def ask(text: str) -> bool:
    session.require_main("ask")
    if not session.gui:
        raise RuntimeError("nuke.ask needs a window")
    session.messages.append(text)
    return session.answers_to_ask.pop(0)


class _Bar:
    """The visible state of a ProgressTask."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.cancelled = False
        self.closed = False
        self.progress: list[int] = []
        self.said: list[str] = []


class ProgressTask:
    """The bar in Nuke's window; may be driven from any thread, and closes when this object is gone."""

    def __init__(self, name: str) -> None:
        self._bar = _Bar(name)
        session.tasks.append(self._bar)

    def __del__(self) -> None:
        self._bar.closed = True

    def setProgress(self, percent: int) -> None:
        if not isinstance(percent, int) or not 0 <= percent <= 100:
            raise TypeError(f"setProgress takes 0 to 100, not {percent!r}")
        self._bar.progress.append(percent)

    def setMessage(self, text: str) -> None:
        self._bar.said.append(text)

    def isCancelled(self) -> bool:
        return self._bar.cancelled


class Undo:
    def disable(self) -> None:
        session.undo_disabled += 1

    def enable(self) -> None:
        session.undo_disabled -= 1

    def begin(self, name: str = "") -> None:
        session.require_main("Undo.begin")

    def end(self) -> None:
        session.require_main("Undo.end")


def executeInMainThreadWithResult(call: Callable[..., Any], args: Any = (), kwargs: Any = None) -> Any:
    args = args if isinstance(args, tuple) else (args,)
    return session.on_main(lambda: call(*args, **(kwargs or {})))


def executeInMainThread(call: Callable[..., Any], args: Any = (), kwargs: Any = None) -> None:
    args = args if isinstance(args, tuple) else (args,)
    if not session.gui:
        raise RuntimeError("Invalid function call in non-gui mode")
    session.calls.put(lambda: call(*args, **(kwargs or {})))


def _adder(kind: str, default: str) -> Callable[..., None]:
    def add(call: Any, args: Any = (), kwargs: Any = None, nodeClass: str = default, node: Any = None) -> None:
        entry = (call, args, kwargs or {}, nodeClass)
        registered = session.callbacks.setdefault(kind, [])
        if entry not in registered:
            registered.append(entry)

    return add


addOnCreate = _adder("onCreate", "*")
addKnobChanged = _adder("knobChanged", "*")
addUpdateUI = _adder("updateUI", "*")
addBeforeFrameRender = _adder("beforeFrameRender", "Write")
addOnScriptLoad = _adder("onScriptLoad", "Root")
addOnScriptSave = _adder("onScriptSave", "Root")


def addFilenameFilter(call: Callable[[str], str]) -> None:
    session.filename_filters.append(call)


class _Menu:
    def __init__(self) -> None:
        self.commands: dict[str, Any] = {}

    def addCommand(self, name: str, command: Any, shortcut: str = "", icon: str = "", tooltip: str = "") -> None:
        self.commands[name] = command

    def findItem(self, name: str) -> Any:
        return self.commands.get(name)


def toolbar(name: str, create: bool = True) -> _Menu:
    if not session.gui:
        raise RuntimeError("there are no toolbars in terminal mode")
    if session.toolbar is None:
        session.toolbar = _Menu()
    menu: _Menu = session.toolbar
    return menu


def scriptOpen(path: str) -> None:
    session.require_main("scriptOpen")
    session.root = Root()
    session.root.script = os.path.abspath(path)
    with open(path, encoding="utf-8") as file:
        script.load(file.read(), session.root)
    session.fire("onScriptLoad", session.root)


def scriptSaveAs(path: str, overwrite: int = -1) -> None:
    session.require_main("scriptSaveAs")
    if not session.names_late:
        session.root.script = os.path.abspath(path)
    session.fire("onScriptSave", session.root)
    session.root.script = os.path.abspath(path)
    with open(path, "w", encoding="utf-8") as file:
        file.write(script.save(session.root.children, session.root))


def pluginAddPath(folder: str) -> None:
    """Put a folder, relative to that of the calling init.py, on both paths, and run the init.py in it."""
    folder = os.path.normpath(os.path.join(session.loading, folder))
    session.plugin_path.insert(0, folder)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    outer, session.loading = session.loading, folder
    for name in ("init.py", "menu.py") if session.gui else ("init.py",):
        if os.path.exists(os.path.join(folder, name)):
            runpy.run_path(os.path.join(folder, name))
    session.loading = outer


session.root = Root()
