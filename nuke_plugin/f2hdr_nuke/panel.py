"""Additional user interface of a Nuke with a window: the toolbar entry and a panel with updates. No Qt."""

from __future__ import annotations

import importlib
import threading
from typing import Any, Optional

import nuke

from f2hdr_backend.shot.errors import F2HDRError
from f2hdr_nuke import callbacks, exposures, knobs, plan, result, settings, spaces, work
from f2hdr_nuke.host import WindowHost

_SPACE_KNOBS = {"color_input_space": ("auto", "gamma22", "linear"), "color_output_space": ("auto", "linear")}
_DOCK = "__import__('f2hdr_backend.panel.nuke_dock', None, None, ['NukePanel']).NukePanel"
"""Expression that Nuke evaluates to the widget's class."""
_OPENED, _CONNECTED = "showPanel", "inputChange"


def register() -> None:
    """Add the toolbar entry and the callbacks of the panel; calling this twice has the effect of calling it once."""
    toolbar = nuke.toolbar("Nodes")
    if toolbar is None or toolbar.findItem("F2HDR") is not None:
        return
    toolbar.addCommand("F2HDR", "nuke.createNode('F2HDR')", tooltip="HDR from footage of alternating exposures")
    _offer_dock()
    nuke.addKnobChanged(changed, nodeClass="Group")
    nuke.addUpdateUI(Watch().look, nodeClass="Group")


def _offer_dock() -> None:
    """Offer the dockable panel in the menu of panes. Its code, and Qt, are loaded when it is opened."""
    panels: Any = importlib.import_module("nukescripts.panels")
    panels.registerWidgetAsPanel(_DOCK, "F2HDR", "com.f2hdr.panel")


def changed() -> None:
    """The user changed a knob of an open panel, or opened the panel.

    The graph is walked only for knobs that change what is baked: a slider such as ``gain`` calls this at every step.
    """
    if not nuke.GUI or knobs.is_writing():
        return
    node, knob = nuke.thisNode(), nuke.thisKnob()
    if knob is None or not knobs.is_f2hdr(node):
        return
    try:
        _react(node, knob.name())
    except F2HDRError as error:
        knobs.write(node, status=str(error))


def _react(node: nuke.Node, name: str) -> None:
    if name == _OPENED:
        offer_spaces(node)
        _request_spaces(node)
    if name in (_OPENED, _CONNECTED, "exposure_mode"):
        enable_knobs(node)
    if name in (_OPENED, _CONNECTED) or settings.matters(name):
        result.refresh(node)


def offer_spaces(node: nuke.Node) -> None:
    """Fill the color menus from the script's config; the chosen entry stays."""
    for name, own in _SPACE_KNOBS.items():
        chosen = knobs.text(node, name)
        offered = [*own, *(space for space in spaces.names() if space not in own)]
        if knobs.choices(node, name) != offered:
            with knobs.without_undo():
                knobs.offer(node, name, offered if chosen in offered else [*offered, chosen])
                node[name].setValue(chosen)


def enable_knobs(node: nuke.Node) -> None:
    """Gray out the knobs that the mode of exposures does not use."""
    mode = knobs.text(node, "exposure_mode")
    for name, used in (("ev_ratio", "ratio"), ("short_parity", "ratio"), ("ev", "expression")):
        node[name].setEnabled(mode == used)


def _request_spaces(node: nuke.Node) -> None:
    """Request the names of a built-in config from the backend, in the background; then fill the menus."""
    if not spaces.are_unknown():
        return
    name, address, program = node.fullName(), knobs.text(node, "backend_url").strip(), plan.program_of(node)

    def fill() -> None:
        found = knobs.find(name)
        offer_spaces(found)
        result.refresh(found)

    def ask() -> None:
        host = WindowHost("F2HDR color spaces")
        try:
            spaces.learn(host, work.door(host, address, program))
            host.on_main(fill)
        except F2HDRError as error:
            message = str(error)
            host.on_main(lambda: knobs.write(knobs.find(name), status=message))
        finally:
            host.close()

    threading.Thread(target=ask, name=f"{knobs.WORKING}spaces {name}", daemon=True).start()


class Watch:
    """Keeps the labels up to date when Nuke is idle; fast, because that happens often.

    The label of the cycle follows the frame. Whether a bake is out of date is checked only when something above the
    node has changed: Nuke's own hashes show that. They change with the frame too, so only hashes of one frame are
    compared.
    """

    def __init__(self) -> None:
        self._seen: dict[str, tuple[int, Optional[tuple[int, ...]]]] = {}

    def look(self) -> None:
        """Nuke is idle after a change around ``nuke.thisNode()``."""
        node = nuke.thisNode()
        if not nuke.GUI or not knobs.is_f2hdr(node):
            return
        callbacks.settle()
        frame, source = int(nuke.frame()), node.input(0)
        now = (frame, None if source is None else tuple(source.opHashes()))
        before = self._seen.get(node.fullName())
        self._seen[node.fullName()] = now
        if before is not None and before[0] == frame and before != now:
            result.refresh(node)
        elif before != now:
            knobs.write(node, cycle=exposures.label(node, frame))
