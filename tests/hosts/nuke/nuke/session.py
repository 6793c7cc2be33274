"""The state of the one Nuke process that the fake simulates: mode, main thread, callbacks, locks, messages."""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any


class Session:
    """One process; ``reset`` starts another."""

    def __init__(self) -> None:
        self.reset(gui=True)

    def reset(self, *, gui: bool, version: tuple[int, int, int] = (15, 1, 3)) -> None:
        """Forget everything, as a new process of Nuke."""
        self.gui = gui
        self.version = version
        self.flavor = ""
        self.main = threading.get_ident()
        self.calls: queue.Queue[Callable[[], None]] = queue.Queue()
        self.callbacks: dict[str, list[tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any], str]]] = {}
        self.filename_filters: list[Callable[[str], str]] = []
        self.messages: list[str] = []
        self.printed: list[str] = []
        self.answers_to_ask: list[bool] = []
        self.tasks: list[Any] = []
        self.busy = 0
        self.context: list[dict[str, Any]] = [{}]
        self.frame = 1
        self.view = "main"
        self.views = ["main"]
        self.raw_args: list[str] = []
        self.root: Any = None
        self.groups: list[Any] = []
        self.undo_disabled = 0
        self.history: list[tuple[Any, str, Any]] = []
        self.plugin_path: list[str] = []
        self.loading = ""
        self.toolbar: Any = None
        self.read_cache: dict[tuple[str, int], Any] = {}
        self.longest_block_s = 0.0
        self.executing_s = 0.0
        self.cancel_execute = False
        self.panels: list[Any] = []
        self.on_create = "early"
        """When a group's onCreate runs: "late" (when all that is in it exists), "early" (before), or "unattached"."""
        self.value_fills = False
        """Whether ``[value]`` of a file knob has the frame number and the view filled in."""
        self.names_late = False
        """Whether a script that is saved under another name has it only after onScriptSave."""
        self.modified = False

    def require_main(self, what: str) -> None:
        """Nuke's functions belong to the main thread."""
        if threading.get_ident() != self.main:
            raise AssertionError(f"{what} was called outside of Nuke's main thread")

    @contextlib.contextmanager
    def callback(self, **context: Any) -> Iterator[None]:
        """While a callback runs, ``thisNode`` and ``thisKnob`` are set and nothing may be rendered."""
        self.busy += 1
        self.context.append(context)
        try:
            yield
        finally:
            self.context.pop()
            self.busy -= 1

    def fire(self, kind: str, node: Any, **context: Any) -> None:
        """Call what was registered for ``kind`` and the node's class."""
        for call, args, kwargs, wanted in list(self.callbacks.get(kind, [])):
            if wanted in ("*", node.Class()):
                with self.callback(node=node, **context):
                    call(*args, **kwargs)

    def changed(self, knob: Any) -> None:
        """A knob was set, by the user or by a program: knobChanged runs for nodes whose panel is open."""
        if self.gui and any(node is knob.node for node in self.panels):
            self.fire("knobChanged", knob.node, knob=knob)

    def on_main(self, call: Callable[[], Any]) -> Any:
        """Run a worker's call in the main thread and wait: exceptions are printed and swallowed, as Nuke does."""
        if not self.gui:
            raise RuntimeError("Invalid function call in non-gui mode")
        if threading.get_ident() == self.main:
            raise RuntimeError("executeInMainThreadWithResult was called from the main thread: Nuke hangs here")
        answers: queue.Queue[Any] = queue.Queue()

        def ask() -> None:
            try:
                answers.put(call())
            except Exception as error:
                self.printed.append(f"Traceback: {error!r}")
                answers.put(None)

        self.calls.put(ask)
        return answers.get(timeout=60)

    def serve(self, call: Callable[[], None]) -> None:
        """Run one call in the main thread and remember how long the window was blocked, without renders."""
        began, rendered = time.monotonic(), self.executing_s
        call()
        blocked = time.monotonic() - began - (self.executing_s - rendered)
        self.longest_block_s = max(self.longest_block_s, blocked)


session = Session()
