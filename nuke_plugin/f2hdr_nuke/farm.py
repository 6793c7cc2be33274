"""Baking without a window: a farm task's script, and single frames while Nuke renders."""

from __future__ import annotations

import re

import nuke

from f2hdr_backend.shot.errors import DocumentError, F2HDRError, ShotError
from f2hdr_backend.shot.frames import FrameRange, Sequence
from f2hdr_nuke import buttons, copies, exposures, graph, knobs, plan, result, work
from f2hdr_nuke.host import Host
from f2hdr_nuke.plan import Plan

_RANGE = re.compile(r"(-?\d+)(?:[-,](-?\d+)(?:[x,](\d+))?)?")


def main(arguments: list[str]) -> None:
    """Open the script that ``arguments`` name and bake all its F2HDR nodes for the frames given with ``-F``.

    Nuke renders the script's Writes afterwards. Raises RuntimeError, so that the task fails.
    """
    scripts = [word for word in arguments[1:] if word.endswith((".nk", ".nknc", ".nkind"))]
    if not scripts:
        raise RuntimeError("F2HDR: name the script to bake: nuke -F 1001-1010 -x f2hdr_farm.py shot.nk")
    nuke.scriptOpen(scripts[0])
    try:
        frames = asked_frames(list(nuke.rawArgs))
        for node in _in_order(knobs.all_nodes()):
            if not node["disable"].value():
                _bake(node, frames)
    except F2HDRError as error:
        raise RuntimeError(f"F2HDR: {error}") from error


def asked_frames(arguments: list[str]) -> FrameRange:
    """Return the frames of all ``-F`` in Nuke's own arguments; those of the script without one.

    Raises DocumentError for what Nuke would not read either.
    """
    asked = [after for word, after in zip(arguments, arguments[1:]) if word == "-F"]
    if not asked:
        root = nuke.root()
        return FrameRange(tuple(range(int(root.firstFrame()), int(root.lastFrame()) + 1)))
    frames: set[int] = set()
    for part in (part for text in asked for part in text.split()):
        found = _RANGE.fullmatch(part)
        if found is None:
            raise DocumentError(f'-F "{part}" is no frame range.', hint="Write it like 1001-1010 or 1001-1100x2.")
        first, last, step = int(found[1]), int(found[2] or found[1]), int(found[3] or 1)
        frames.update(range(first, last + 1, max(1, step)))
    return FrameRange(tuple(frames))


def provide(write: nuke.Node, frame: int) -> None:
    """Make ``frame`` of every F2HDR node above ``write`` that asks for it, unless it is there.

    Only from original files: inside a render Nuke renders nothing else. Raises F2HDRError.
    """
    for node in graph.upstream(write):
        if knobs.is_f2hdr(node) and knobs.flag(node, "on_demand") and not node["disable"].value():
            _provide(node, frame)


def _provide(node: nuke.Node, frame: int) -> None:
    first, last = graph.frame_range(node)
    if not first <= frame <= last:
        return
    exposures.learn(node.fullName(), Host("F2HDR"))
    planned = plan.make(node, FrameRange((frame,)))
    if not planned.is_original:
        raise ShotError(
            f"{node.fullName()} shall render frames while Nuke renders, but its input is no original file.",
            hint="Bake it before, with f2hdr_farm.py; or switch that off (tab Files).",
        )
    if _is_open(planned):
        raise ShotError(
            f"Exposures or clip level of {node.fullName()} are not known, and one frame cannot tell them.",
            hint="Bake a few frames and save the script, or set both knobs.",
        )
    there = all(not Sequence.parse(shot.output.pattern).missing([frame]) for shot in planned.shots.values())
    if there and result.shows(node, planned, frame):
        return
    outcome = work.run(planned, Host("F2HDR"))
    result.publish(planned, outcome)
    if outcome.error is not None:
        raise outcome.error


def _bake(node: nuke.Node, frames: FrameRange) -> None:
    """Bake what of ``frames`` the node's input has."""
    first, last = graph.frame_range(node)
    inside = FrameRange(tuple(frame for frame in frames if first <= frame <= last))
    if len(inside):
        copies.own_cache(node)
        exposures.learn(node.fullName(), Host("F2HDR"))
        if _is_open(plan.make(node, inside)):
            nuke.tprint(
                f"F2HDR: exposures or clip level of {node.fullName()} are found from these frames alone. Bake a few "
                "frames and save the script before sending it in chunks, or set both knobs."
            )
        buttons.bake_frames(node, inside)


def _is_open(planned: Plan) -> bool:
    """Whether something that belongs to the whole shot is not decided yet."""
    return any(shot.exposures is None or shot.color.clip_level is None for shot in planned.shots.values())


def _in_order(nodes: list[nuke.Node]) -> list[nuke.Node]:
    """Nodes whose results others need come first."""
    return sorted(nodes, key=lambda node: sum(knobs.is_f2hdr(other) for other in graph.upstream(node)))
