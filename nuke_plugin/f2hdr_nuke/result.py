"""Showing what was baked: the Read inside the node, its state in words, and whether it is still up to date.

What the node shows is in knobs of the group. A copy that clears them shows nothing, whatever the Read inside it names.
"""

from __future__ import annotations

from typing import Any, Optional

import nuke

import f2hdr_backend
from f2hdr_backend.shot.errors import F2HDRError
from f2hdr_backend.shot.frames import FrameRange
from f2hdr_nuke import cache, exposures, graph, knobs, origin, paths, plan, settings
from f2hdr_nuke.plan import Plan
from f2hdr_nuke.work import Outcome

NOT_BAKED = "Not baked."
NO_FILE = "F2HDR_not_baked.%04d.exr"
"""File name in the internal Read before the first bake; the Read is then disabled."""


def publish(planned: Plan, outcome: Outcome) -> None:
    """Show the frames that exist now, and write what the bake found into the node."""
    node = knobs.find(planned.node)
    if outcome.detection is not None:
        exposures.store(node, outcome.detection, planned.input_digest)
    if outcome.clip_level is not None:
        knobs.keep(node, "clip", {"input": planned.input_digest, "level": outcome.clip_level})
    if len(outcome.done):
        _add(node, planned, outcome.done, warnings=len(outcome.warnings))
        _write_provenance(node, planned, outcome.done)
    _report_warnings(planned, outcome)
    refresh(node)


def arrived(planned: Plan, done: FrameRange) -> None:
    """Show the frames that are finished while the others are still being computed."""
    _add(knobs.find(planned.node), planned, done, warnings=0)


def show_range(planned: Plan) -> None:
    """Let the Read inside the node cover the whole input: for frames that are made while Nuke renders them."""
    _show(knobs.find(planned.node), planned.folder, planned.key, planned.input_range)


def forget(node: nuke.Node) -> None:
    """Show nothing: the results were deleted, or belong to the node that this one is a copy of.

    Only knobs of the group are set: nodes inside may not exist yet.
    """
    knobs.write(
        node, baked="", result_test="", pattern="", evs="", clip="", result_first=1, result_last=0, status=NOT_BAKED
    )
    origin.release(node)


def follow_script(node: nuke.Node) -> None:
    """Show the node's own frames, or none, if its script was moved and its input now means other files."""
    record = baked(node)
    source = graph.look(node) if record is not None and node.input(0) is not None else None
    if record is None or source is None or source.graph != record["graph"] or source.files == record["files"]:
        return
    now = settings.of_node(node, source, plan.plate_of(node, nuke.views()[0], "", source))
    folder, key = paths.node_folder(node), settings.key(now, source)
    there = cache.on_disk(folder, key, nuke.views())
    forget(node)
    if len(there):
        _keep(node, _record(folder, key, now, source, there, 0))
        _show(node, folder, key, (there.first, there.last))
    refresh(node)


def moved(node: nuke.Node, record: dict[str, Any], folder: str) -> None:
    """Show the frames of ``record`` from ``folder``, to which the node's cache was moved."""
    _keep(node, {**record, "folder": folder})
    frames = FrameRange.parse(record["frames"])
    _show(node, folder, record["key"], (frames.first, frames.last))
    refresh(node)


def baked(node: nuke.Node) -> Optional[dict[str, Any]]:
    """Return the record of what the node shows: ``folder``, ``key``, ``settings``, ``frames`` and its input."""
    return knobs.record(node, "baked")


def shows(node: nuke.Node, planned: Plan, frame: int) -> bool:
    """Whether the node shows ``frame`` of ``planned``: same settings, same input, and the file exists."""
    record = baked(node)
    if record is None or (record["folder"], record["key"]) != (planned.folder, planned.key):
        return False
    return frame in FrameRange.parse(record["frames"]) and frame in cache.on_disk(
        planned.folder, planned.key, planned.views
    )


def state(node: nuke.Node) -> str:
    """Return in words what is baked, and what of it is out of date and why."""
    record = baked(node)
    if record is None:
        return NOT_BAKED
    frames = FrameRange.parse(record["frames"])
    try:
        there = cache.on_disk(record["folder"], record["key"], nuke.views())
        source = graph.look(node)
        now = settings.of_node(node, source, plan.plate_of(node, nuke.views()[0], "", source))
    except F2HDRError as error:
        return str(error)
    deleted = FrameRange(tuple(set(frames).difference(there)))
    if len(deleted) == len(frames):
        return f"Not baked: the frames are no longer in {record['folder']}/{record['key']}. Bake again."
    changed = settings.changed(record["settings"], now)
    if changed:
        return f"STALE: baked {frames}, then changed: {', '.join(changed)}. Bake again."
    if source.digest != record["input"]:
        return f"STALE: the input changed after {frames} was baked. Bake again."
    kept = FrameRange(tuple(set(frames).intersection(there)))
    gone = f" Deleted since: {deleted}. Bake again." if len(deleted) else ""
    unseen = " Python in this Nuke cannot detect changes above the input." if graph.is_limited() else ""
    return f"Baked {kept}.{_warned(record['warnings'])}{gone}{unseen}"


def refresh(node: nuke.Node, stopped: str = "") -> None:
    """Write state and cycle into the panel, and what ``stopped`` the bake that has just ended."""
    why = f" Stopped: {stopped}" if stopped else ""
    knobs.write(node, status=state(node) + why, cycle=exposures.label(node, int(nuke.frame())))


def _add(node: nuke.Node, planned: Plan, done: FrameRange, warnings: int) -> None:
    """Add frames to what the node shows; results of another input or of other settings are no longer shown."""
    before = baked(node)
    same = before is not None and (before["folder"], before["key"]) == (planned.folder, planned.key)
    kept = set(FrameRange.parse(before["frames"])) if before is not None and same else set()
    frames = FrameRange(tuple(kept.union(done)))
    _keep(node, _record(planned.folder, planned.key, planned.settings, planned.source, frames, warnings))
    _show(node, planned.folder, planned.key, (frames.first, frames.last))


def _record(
    folder: str, key: str, made_with: dict[str, Any], source: graph.Source, frames: FrameRange, warnings: int
) -> dict[str, Any]:
    return {
        "folder": folder, "key": key, "settings": made_with, "input": source.digest, "graph": source.graph,
        "files": source.files, "frames": str(frames), "warnings": warnings,
    }  # fmt: skip


def _keep(node: nuke.Node, record: dict[str, Any]) -> None:
    knobs.keep(node, "baked", record)


def _show(node: nuke.Node, folder: str, key: str, frames: tuple[int, int]) -> None:
    """Point the Read inside the node at these results. Its range is the baked one, for those who scan scripts."""
    read = knobs.inner(node, knobs.RESULT)
    first, last = frames
    with knobs.without_undo():
        knobs.write(read, file=cache.result_pattern(folder, key, "%V"), first=first, last=last)
        knobs.press(read, "reload")
    tested = cache.result_pattern(folder, key, nuke.views()[0])
    knobs.write(node, result_first=first, result_last=last, result_test=tested.replace("%04d", "[format %04d [frame]]"))
    origin.bind(node)


def _warned(count: int) -> str:
    return f" {count} warning{'s' if count > 1 else ''}, see log." if count else ""


def _report_warnings(planned: Plan, outcome: Outcome) -> None:
    """Write warnings into the log, and to the terminal where no one opens the panel."""
    for warning in outcome.warnings:
        cache.log(planned.folder, f"warning: {warning}")
        if not nuke.GUI:
            nuke.tprint(f"F2HDR: warning: {warning}")


def _write_provenance(node: nuke.Node, planned: Plan, done: FrameRange) -> None:
    """Write into the metadata of the node's output how it was made."""
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
    """A value without the characters that have a meaning in Nuke's script language."""
    return "".join(letter for letter in value if letter not in '{}[]"$\\')
