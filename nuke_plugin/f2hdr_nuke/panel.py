"""What a Nuke with a window has besides: the toolbar entry and a panel that stays true. No Qt."""

from __future__ import annotations

from typing import Optional

import nuke

from f2hdr_nuke import exposures, knobs, result, spaces

_SPACE_KNOBS = {"color_input_space": ("auto", "gamma22", "linear"), "color_output_space": ("auto", "linear")}


def register() -> None:
    """Add the toolbar entry and the callbacks of the panel; asking twice is the same as once."""
    toolbar = nuke.toolbar("Nodes")
    if toolbar is None or toolbar.findItem("F2HDR") is not None:
        return
    toolbar.addCommand("F2HDR", "nuke.createNode('F2HDR')", tooltip="HDR from footage of alternating exposures")
    nuke.addKnobChanged(changed, nodeClass="Group")
    nuke.addUpdateUI(Watch().look, nodeClass="Group")


def changed() -> None:
    """A knob of an open panel changed, or the panel was opened."""
    node, knob = nuke.thisNode(), nuke.thisKnob()
    if not knobs.is_f2hdr(node):
        return
    if knob.name() == "showPanel":
        offer_spaces(node)
    if knob.name() in ("showPanel", "inputChange", "exposure_mode"):
        enable_knobs(node)
    if knob.name() not in ("status", "cycle", "xpos", "ypos", "selected"):
        result.refresh(node)


def offer_spaces(node: nuke.Node) -> None:
    """Fill the color menus from the script's config; what is chosen stays."""
    for name, own in _SPACE_KNOBS.items():
        chosen = knobs.text(node, name)
        offered = [*own, *(space for space in spaces.names() if space not in own)]
        if knobs.choices(node, name) != offered:
            with knobs.without_undo():
                knobs.offer(node, name, offered if chosen in offered else [*offered, chosen])
                node[name].setValue(chosen)


def enable_knobs(node: nuke.Node) -> None:
    """Gray out what the mode of exposures does not use."""
    mode = knobs.text(node, "exposure_mode")
    for name, used in (("ev_ratio", "ratio"), ("short_parity", "ratio"), ("ev", "expression")):
        node[name].setEnabled(mode == used)


class Watch:
    """Looks after the labels when Nuke is idle; cheap, as it happens often.

    The cycle's label follows the frame. Whether a bake is stale is looked at only when something above the node
    changed, which Nuke's own hashes tell; they change with the frame too, so only those of one frame are compared.
    """

    def __init__(self) -> None:
        self._seen: dict[str, tuple[int, Optional[tuple[int, ...]]]] = {}

    def look(self) -> None:
        """Nuke is idle after a change around ``nuke.thisNode()``."""
        node = nuke.thisNode()
        if not knobs.is_f2hdr(node):
            return
        frame, source = int(nuke.frame()), node.input(0)
        now = (frame, None if source is None else tuple(source.opHashes()))
        before = self._seen.get(node.fullName())
        self._seen[node.fullName()] = now
        if before is not None and before[0] == frame and before != now:
            result.refresh(node)
        elif before != now:
            knobs.write(node, cycle=exposures.label(node, frame))
