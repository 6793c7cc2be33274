"""Baking without a window: the script of a farm task, and single frames while Nuke renders."""

from __future__ import annotations

import re

import nuke

from f2hdr_backend.shot.errors import DocumentError, F2HDRError, ShotError
from f2hdr_backend.shot.frames import FrameRange
from f2hdr_nuke import buttons, copies, exposures, graph, knobs, plan, result, spaces, work
from f2hdr_nuke.host import Host

_RANGE = re.compile(r"(-?\d+)(?:[-,](-?\d+)(?:[x,](\d+))?)?")


def main(arguments: list[str]) -> None:
    """Open the script named in ``arguments`` and bake all its F2HDR nodes for the frames given with ``-F``.

    Nuke renders the script's Writes afterwards. Raises RuntimeError, so that the task fails.
    """
    scripts = [word for word in arguments[1:] if word.endswith((".nk", ".nknc", ".nkind"))]
    if not scripts:
        raise RuntimeError("F2HDR: give the script to bake: nuke -F 1001-1010 -x f2hdr_farm.py shot.nk")
    try:
        nuke.scriptOpen(scripts[0])
    except Exception as error:  # a studio's callbacks raise arbitrary exceptions; the task ends with one line
        raise RuntimeError(f"F2HDR: {scripts[0]} cannot be opened: {error}") from error
    try:
        frames = asked_frames(list(nuke.rawArgs))
        for node in _in_order(knobs.all_nodes()):
            if not node["disable"].value():
                _bake(node, frames)
    except F2HDRError as error:
        raise RuntimeError(f"F2HDR: {error}") from error


def asked_frames(arguments: list[str]) -> FrameRange:
    """Return the frames of all ``-F`` in Nuke's own arguments; those of the script without one.

    Raises DocumentError for a range that Nuke cannot read either.
    """
    asked = [after for word, after in zip(arguments, arguments[1:]) if word == "-F"]
    if not asked:
        root = nuke.root()
        return FrameRange(tuple(range(int(root.firstFrame()), int(root.lastFrame()) + 1)))
    frames: set[int] = set()
    for part in (part for text in asked for part in text.split()):
        found = _RANGE.fullmatch(part)
        if found is None:
            raise DocumentError(f'-F "{part}" is not a frame range.', hint="Write it like 1001-1010 or 1001-1100x2.")
        first, last, step = int(found[1]), int(found[2] or found[1]), int(found[3] or 1)
        frames.update(range(first, last + 1, max(1, step)))
    return FrameRange(tuple(frames))


def provide(write: nuke.Node, frame: int) -> None:
    """Bake ``frame`` of every F2HDR node above ``write`` with the knob enabled, unless it is already baked.

    Only from original files: while Nuke renders, it cannot render anything else. Raises F2HDRError.
    """
    wanted = [node for node in knobs.all_nodes() if knobs.flag(node, "on_demand") and not node["disable"].value()]
    if not wanted:
        return
    above = {node.fullName() for node in graph.upstream(write)}
    for node in wanted:
        if node.fullName() in above:
            _provide(node, frame)


def _provide(node: nuke.Node, frame: int) -> None:
    first, last = graph.frame_range(node)
    if not first <= frame <= last:
        return
    host = Host("F2HDR")
    _learn(node, host)
    planned = plan.make(node, FrameRange((frame,)))
    if not planned.is_original:
        raise ShotError(
            f"{node.fullName()} is set to bake frames while Nuke renders, but its input is not an original file.",
            hint="Bake it first, with f2hdr_farm.py; or switch off baking while rendering (tab Files).",
        )
    if not planned.is_settled:
        raise ShotError(
            f"Exposures or clip level of {node.fullName()} are not known, and cannot be measured in one frame.",
            hint="Bake a few frames and save the script, or set both knobs.",
        )
    if not result.shows(node, planned, frame):
        outcome = work.run(planned, host, lambda done: None)
        result.publish(planned, outcome)
        if outcome.error is not None:
            raise outcome.error
    result.show_range(planned)


def _bake(node: nuke.Node, frames: FrameRange) -> None:
    """Bake those of ``frames`` that the node's input has."""
    first, last = graph.frame_range(node)
    inside = FrameRange(tuple(frame for frame in frames if first <= frame <= last))
    if len(inside):
        copies.own_cache(node)
        _learn(node, Host("F2HDR"))
        if not plan.make(node, inside).is_settled:
            nuke.tprint(
                f"F2HDR: exposures, cuts or clip level of {node.fullName()} are measured in these frames alone. Bake a "
                "few frames and save the script before you submit it in chunks, or set the knobs."
            )
        buttons.bake_frames(node, inside)


def _learn(node: nuke.Node, host: Host) -> None:
    if spaces.are_unknown():
        spaces.learn(host, work.door(host, knobs.text(node, "backend_url").strip(), plan.program_of(node)))
    exposures.learn(node.fullName(), host)


def _in_order(nodes: list[nuke.Node]) -> list[nuke.Node]:
    """Sort nodes so that those whose results others need come first."""
    return sorted(nodes, key=lambda node: sum(knobs.is_f2hdr(other) for other in graph.upstream(node)))
