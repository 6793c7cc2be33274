"""A script with a Read and an F2HDR node in the fake Nuke, and the actions of a test."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import nuke
import numpy as np
from nuke import fake, pixels
from nuke.session import session
from nuke_footage import FIRST, LAST
from numpy.typing import NDArray

PLUGIN = str(Path(__file__).parent.parent.parent.parent / "nuke_plugin")


class Comp:
    """``read`` -> ``grade`` -> ``node``; merged instead of by the network, so that it is quick."""

    def __init__(self, plate: str, script: Path, *, gui: bool, plugin: str = PLUGIN) -> None:
        fake.start(gui=gui, plugin=plugin)
        session.frame = FIRST
        nuke.root()["first_frame"].setValue(FIRST)
        nuke.root()["last_frame"].setValue(LAST)
        self.script = script
        nuke.scriptSaveAs(str(script))
        self.read = _made("Read", file=plate, first=FIRST, last=LAST, raw=True)
        self.grade = _made("Grade")
        self.grade.setInput(0, self.read)
        self.node = nuke.createNode("F2HDR")
        self.node.setInput(0, self.grade)
        self.set(engine_method="merge", output_pixel_type="float")
        session.history.clear()

    def set(self, **values: Any) -> None:
        """Set knobs as a user does."""
        for name, value in values.items():
            fake.edit(self.node, name, value)

    def from_files(self) -> None:
        """Remove the Grade, so that only the original files are above the node."""
        self.node.setInput(0, self.read)

    def bake(self, **values: Any) -> None:
        """Set knobs, press Bake, and wait."""
        self.set(**values)
        fake.press(self.node, "bake")
        self.wait()

    def press(self, button: str) -> None:
        """Press a button and wait until its work is done."""
        fake.press(self.node, button)
        self.wait()

    def wait(self, timeout: float = 120) -> None:
        """Run Nuke's event loop until the node's work is done."""
        if session.gui:
            fake.pump(lambda: not at_work(), timeout)

    def rgb(self, frame: int, view: str = "main", node: Any = None) -> NDArray[np.float32]:
        """``(H, W, 3)`` output of the node, over the format, top row first."""
        image = (node or self.node).picture(frame, view)
        whole = (0, 0, *image.size)
        return np.stack([image.plane(name, whole)[::-1] for name in pixels.RGB], axis=-1)

    def state(self) -> str:
        """The status in the panel."""
        return str(self.node["status"].value())

    def results(self) -> list[Path]:
        """The result files of all settings, in order."""
        return sorted(self.folder().glob("*/hdr.*.exr"))

    def shown(self, frame: int) -> Path:
        """The file that the Read inside the node reads."""
        return Path(str(nuke.toNode(f"{self.node.name()}.F2HDR_result")["file"].evaluate(frame)))

    def plates(self) -> list[Path]:
        """The plates that the node wrote, in order."""
        return sorted(self.folder().glob("*/plate.*.exr"))

    def folder(self) -> Path:
        """The node's own folder in the cache."""
        return self.script.parent / "f2hdr_cache" / str(self.node["node_id"].value())

    def messages(self) -> str:
        """All dialogs that the user saw."""
        return "\n".join(session.messages)


def at_work() -> bool:
    """Whether a bake or another action of the plug-in is running in a thread."""
    return any(thread.name.startswith("F2HDR ") for thread in threading.enumerate())


def _made(kind: str, **values: Any) -> Any:
    node = nuke.createNode(kind)
    for name, value in values.items():
        node[name].setValue(value)
    return node
