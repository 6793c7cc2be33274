"""The fake fails where Nuke does; the other tests rely on that."""

from __future__ import annotations

import threading
from typing import Any

import nuke
import pytest
from nuke import fake
from nuke.session import session


def in_thread(call: Any) -> Any:
    found: list[Any] = []

    def run() -> None:
        try:
            found.append(call())
        except BaseException as error:
            found.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    if session.gui:
        fake.pump(lambda: not thread.is_alive(), timeout=10)
    thread.join()
    return found[0]


def test_nodes_belong_to_the_main_thread() -> None:
    fake.start(gui=True)
    assert isinstance(in_thread(lambda: nuke.toNode("x")), AssertionError)


def test_main_thread_calls_need_a_window_and_another_thread() -> None:
    fake.start(gui=True)
    assert in_thread(lambda: nuke.executeInMainThreadWithResult(lambda: 5)) == 5
    with pytest.raises(RuntimeError, match="hangs"):
        nuke.executeInMainThreadWithResult(lambda: 5)
    fake.start(gui=False)
    with pytest.raises(RuntimeError, match="non-gui mode"):
        nuke.executeInMainThread(lambda: 5)


def test_main_thread_calls_swallow_exceptions() -> None:
    fake.start(gui=True)
    assert in_thread(lambda: nuke.executeInMainThreadWithResult(lambda: 1 / 0)) is None


def test_nothing_renders_inside_a_callback() -> None:
    fake.start(gui=True)
    write = nuke.createNode("Write")
    seen: list[Exception] = []

    def nested() -> None:
        try:
            nuke.execute(write, 1, 1)
        except RuntimeError as error:
            seen.append(error)

    nuke.addKnobChanged(nested)
    fake.edit(write, "label", "x")
    assert [str(error) for error in seen] == ["I'm already executing something else"]


def test_dialogs_need_a_window() -> None:
    fake.start(gui=False)
    with pytest.raises(RuntimeError):
        nuke.message("hello")


def test_a_deleted_node_cannot_be_used() -> None:
    fake.start(gui=True)
    node = nuke.createNode("Dot")
    nuke.delete(node)
    with pytest.raises(ValueError, match="not attached"):
        node.name()
