"""Showing what was baked: the Read inside the node, its state in words, and whether it is still true."""

from __future__ import annotations

from typing import Any, Optional

import nuke

import f2hdr_backend
from f2hdr_backend.shot.errors import F2HDRError
from f2hdr_backend.shot.frames import FrameRange
from f2hdr_nuke import cache, exposures, graph, knobs, plan, settings
from f2hdr_nuke.plan import Plan
from f2hdr_nuke.work import Outcome

NOT_BAKED = "Not baked."
NO_FILE = "F2HDR_not_baked.%04d.exr"
"""What the Read inside the node reads before the first bake: nothing, and its error says why."""


def publish(planned: Plan, outcome: Outcome) -> None:
    """Let the node show the frames that are there now, and say how they came to be."""
    node = knobs.find(planned.node)
    if outcome.detection is not None:
        exposures.store(node, outcome.detection, planned.input_digest)
    if outcome.clip_level is not None:
        knobs.keep(node, "clip", {"input": planned.input_digest, "level": outcome.clip_level})
    if len(outcome.done):
        before = baked(node)
        runs = _without(before["runs"], outcome.done) if before and before["key"] == planned.key else []
        runs.append([str(outcome.done), planned.input_digest])
        record = {
            "key": planned.key, "settings": planned.settings, "runs": runs, "warnings": len(outcome.warnings),
        }  # fmt: skip
        knobs.keep(node, "baked", record)
        show(node, planned)
        _write_provenance(node, planned, outcome.done)
    _tell_warnings(planned, outcome)
    refresh(node)


def show(node: nuke.Node, planned: Plan) -> None:
    """Point the Read inside the node at the plan's results."""
    read = knobs.inner(node, knobs.RESULT)
    with knobs.without_undo():
        read["file"].setValue(cache.result_pattern(planned.folder, planned.key, "%V"))
        knobs.press(read, "reload")
    tested = cache.result_pattern(planned.folder, planned.key, planned.views[0])
    knobs.write(node, result_test=tested.replace("%04d", "[format %04d [frame]]"))


def forget(node: nuke.Node) -> None:
    """Let the node show nothing: its results are gone, or belong to the node that it is a copy of."""
    knobs.write(node, baked="", result_test="", pattern="", evs="", clip="")
    read: Optional[nuke.Node] = nuke.toNode(f"{node.fullName()}.{knobs.RESULT}")
    if read is not None:
        with knobs.without_undo():
            read["file"].setValue(NO_FILE)
    knobs.write(node, status=NOT_BAKED)


def baked(node: nuke.Node) -> Optional[dict[str, Any]]:
    """Return the record of what the node shows: ``key``, ``settings``, and ``runs`` of frames and input digests."""
    return knobs.record(node, "baked")


def shows(node: nuke.Node, planned: Plan, frame: int) -> bool:
    """Whether what the node shows of ``frame`` was made as ``planned`` asks: same settings, same input."""
    record = baked(node)
    if record is None or record["key"] != planned.key:
        return False
    runs = record["runs"]
    return any(when == planned.input_digest and frame in FrameRange.parse(frames) for frames, when in runs)


def state(node: nuke.Node) -> str:
    """Return in words what is baked, and what of it is stale and why."""
    record = baked(node)
    if record is None:
        return NOT_BAKED
    try:
        source = graph.look(node)
        now = settings.of_node(node, source, plan.plate_of(node, nuke.views()[0], plan.node_folder(node)))
    except F2HDRError as error:
        return str(error)
    every = _frames(frames for frames, _ in record["runs"])
    stale = _frames(frames for frames, when in record["runs"] if when != source.digest)
    changed = settings.changed(record["settings"], now)
    if changed:
        return f"STALE: baked {every}, then changed: {', '.join(changed)}. Bake again."
    if len(stale):
        return f"STALE: the input changed after {stale} was baked. Bake again."
    unseen = " This Nuke does not let Python see changes above the input." if graph.is_limited() else ""
    return f"Baked {every}.{_warned(record['warnings'])}{unseen}"


def refresh(node: nuke.Node, stopped: str = "") -> None:
    """Write state and cycle into the panel, and what ``stopped`` the work that has just ended."""
    why = f" Stopped: {stopped}" if stopped else ""
    knobs.write(node, status=state(node) + why, cycle=exposures.label(node, int(nuke.frame())))


def _warned(count: int) -> str:
    return f" {count} warning{'s' if count > 1 else ''}, see log." if count else ""


def _tell_warnings(planned: Plan, outcome: Outcome) -> None:
    """Write warnings into the log, and to the terminal where no one opens the panel."""
    for warning in outcome.warnings:
        cache.log(planned.folder, f"warning: {warning}")
        if not nuke.GUI:
            nuke.tprint(f"F2HDR: warning: {warning}")


def _without(runs: list[list[str]], done: FrameRange) -> list[list[str]]:
    """The runs that remain when ``done`` was baked anew."""
    kept = []
    for frames, digest in runs:
        rest = FrameRange(tuple(set(FrameRange.parse(frames)).difference(done)))
        if len(rest):
            kept.append([str(rest), digest])
    return kept


def _frames(texts: Any) -> FrameRange:
    return FrameRange(tuple(frame for text in texts for frame in FrameRange.parse(text)))


def _write_provenance(node: nuke.Node, planned: Plan, done: FrameRange) -> None:
    """Let the pictures that leave the node say where they come from."""
    facts = {
        "version": f2hdr_backend.__version__,
        "method": planned.settings["engine_method"],
        "weights": planned.settings["engine_weights"],
        "exposures": exposures.label(node, done.first).rpartition("; ")[2],
        "frames": str(done),
    }
    lines = "\n".join(f'{{set f2hdr/{name} "{_plain(value)}"}}' for name, value in facts.items())
    with knobs.without_undo():
        knobs.inner(node, knobs.PROVENANCE)["metadata"].fromScript(lines)


def _plain(value: str) -> str:
    """A value without what Nuke's script language would read."""
    return "".join(letter for letter in value if letter not in '{}[]"$\\')
