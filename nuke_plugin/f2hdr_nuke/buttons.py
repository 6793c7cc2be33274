"""Actions of the node's buttons. In a Nuke with a window each returns immediately; the work continues in a thread."""

from __future__ import annotations

import functools
import threading
from typing import Any, Callable, Optional

import nuke

from f2hdr_backend.client.jobs import info
from f2hdr_backend.shot.errors import Canceled, F2HDRError, ShotError
from f2hdr_backend.shot.frames import FrameRange
from f2hdr_nuke import cache, exposures, knobs, paths, plan, result, spaces, work
from f2hdr_nuke.copies import leave_unsaved, own_cache
from f2hdr_nuke.host import Host, WindowHost
from f2hdr_nuke.plan import Plan

LOOK_FRAMES = 32
"""Frames that Detect measures."""


def bake(node: nuke.Node) -> None:
    """Bake the range of the node's knobs. Without a window it returns when done; RuntimeError if that fails."""
    name = node.fullName()
    _at_work(node, lambda host: _bake(name, None, host))


def bake_frame(node: nuke.Node) -> None:
    """Bake the current frame, and show it; otherwise as ``bake``."""
    bake_frames(node, FrameRange((int(nuke.frame()),)))


def bake_frames(node: nuke.Node, frames: FrameRange) -> None:
    """Bake ``frames`` of the node; otherwise as ``bake``."""
    name = node.fullName()
    _at_work(node, lambda host: _bake(name, frames, host))


def detect(node: nuke.Node) -> None:
    """Find ratio and phase in the first frames of the range and write them into the knobs."""
    name = node.fullName()
    _at_work(node, lambda host: _detect(name, host))


def check(node: nuke.Node) -> None:
    """Show version, devices and weights of the backend."""
    try:
        address, program = knobs.text(node, "backend_url").strip(), plan.program_of(node)
    except F2HDRError as error:
        _refuse(error)
        return
    name = node.fullName()

    def ask(host: Host) -> None:
        connection = work.door(host, address, program)
        facts = info(connection)
        spaces.learn(host, connection)
        host.on_main(lambda: _show_info(name, facts))
        host.inform(_info_text(facts))

    _start(f"{knobs.WORKING}check {name}", ask)


def clear(node: nuke.Node) -> None:
    """Delete the node's cache folder, after asking."""
    try:
        folder = _folder(node)
        _require_idle(folder)
        if nuke.GUI and not nuke.ask(f"Delete all plates and results of {node.name()} in\n{folder}?"):
            return
        cache.clear(folder)
        result.forget(node)
    except F2HDRError as error:
        _refuse(error)


def show_log(node: nuke.Node) -> None:
    """Show the last lines of the node's log."""
    try:
        text = cache.log_tail(_folder(node))
    except F2HDRError as error:
        _refuse(error)
        return
    if nuke.GUI:
        nuke.message(text)
    else:
        nuke.tprint(text)


def _folder(node: nuke.Node) -> str:
    """The node's own cache folder, at the place where it belongs now."""
    own_cache(node)
    leave_unsaved(node)
    return paths.node_folder(node)


def _at_work(node: nuke.Node, call: Callable[[Host], None]) -> None:
    """Do one thing at a time for a node; its status shows that, and then the result."""
    name = node.fullName()
    try:
        folder = _folder(node)
        _require_idle(folder)
    except F2HDRError as error:
        _refuse(error)
        return

    def work_on(host: Host) -> None:
        stopped = ""
        try:
            call(host)
        except Canceled:
            raise
        except F2HDRError as error:
            stopped = error.message
            raise
        finally:
            host.on_main(lambda: result.refresh(knobs.find(name), stopped))

    knobs.write(node, status="Baking ...")
    _start(_thread_name(folder), work_on)


def _planned(name: str, frames: Optional[FrameRange]) -> Plan:
    """The plan for ``frames``, or for those of the knobs."""
    node = knobs.find(name)
    planned = plan.make(node, plan.asked_frames(node) if frames is None else frames)
    if knobs.text(node, "exposure_mode") in exposures.READ and planned.has_open_exposures:
        raise ShotError(f"{name} or its input was changed while exposures were read.", hint="Bake again.")
    return planned


def _look_plan(name: str) -> Plan:
    """The plan for the frames that Detect measures."""
    node = knobs.find(name)
    return plan.make(node, FrameRange(plan.asked_frames(node).frames[:LOOK_FRAMES]))


def _learn_spaces(name: str, host: Host) -> None:
    """Request the names of color spaces that a plan needs, if they are unknown."""
    if host.on_main(spaces.are_unknown):
        address, program = host.on_main(lambda: _door_of(name))
        spaces.learn(host, work.door(host, address, program))


def _door_of(name: str) -> tuple[str, str]:
    node = knobs.find(name)
    return knobs.text(node, "backend_url").strip(), plan.program_of(node)


def _bake(name: str, frames: Optional[FrameRange], host: Host) -> None:
    _learn_spaces(name, host)
    exposures.learn(name, host)
    planned = host.on_main(lambda: _planned(name, frames))
    cache.log(planned.folder, f"bake {planned.frames} of {', '.join(planned.views)} into {planned.key}")
    viewer = _Viewer(planned.shown_frame)
    outcome = work.run(planned, host, lambda done: host.on_main(functools.partial(_arrived, planned, done, viewer)))
    host.on_main(lambda: result.publish(planned, outcome))
    if outcome.error is not None:
        cache.log(planned.folder, f"stopped: {outcome.error}")
        raise outcome.error
    cache.log(planned.folder, f"done {outcome.done}")


def _arrived(planned: Plan, done: FrameRange, viewer: _Viewer) -> None:
    result.arrived(planned, done)
    viewer.follow(done)


class _Viewer:
    """Moves Nuke to the newest frame of a bake, until the user goes to another frame."""

    def __init__(self, frame: int) -> None:
        self._frame = frame

    def follow(self, done: FrameRange) -> None:
        """Go to the last finished frame. Main thread only."""
        if nuke.GUI and int(nuke.frame()) == self._frame:
            self._frame = done.last
            nuke.frame(done.last)


def _detect(name: str, host: Host) -> None:
    _learn_spaces(name, host)
    planned = host.on_main(lambda: _look_plan(name))
    answer = work.look(planned, host)
    host.on_main(lambda: _show_exposures(planned, answer))


def _show_exposures(planned: Plan, answer: dict[str, Any]) -> None:
    """Write the measured exposures into the knobs."""
    node = knobs.find(planned.node)
    pattern = exposures.store(node, answer, planned.input_digest)
    if len(pattern.cycle) == 2:
        knobs.write(node, ev_ratio=pattern.ratio_stops, short_parity=("even", "odd")[pattern.start % 2])
    if knobs.text(node, "exposure_mode") not in ("auto", "ratio"):
        knobs.write(node, exposure_mode="auto")


def _show_info(name: str, facts: dict[str, Any]) -> None:
    node = knobs.find(name)
    knobs.write(node, version_text=f"{knobs.text(node, knobs.MARK)}, backend {facts.get('version')}")


def _info_text(facts: dict[str, Any]) -> str:
    return "The backend answers.\n" + "\n".join(f"{name}: {value}" for name, value in facts.items())


def _start(name: str, call: Callable[[Host], None]) -> None:
    """Run ``call`` in a thread of that name if Nuke has a window, else here."""
    title = "F2HDR"
    if nuke.GUI:
        threading.Thread(target=_in_thread, args=(title, call), name=name, daemon=True).start()
        return
    try:
        call(Host(title))
    except F2HDRError as error:
        raise RuntimeError(f"F2HDR: {error}") from error


def _in_thread(title: str, call: Callable[[Host], None]) -> None:
    host = WindowHost(title)
    try:
        call(host)
    except Canceled:
        return
    except F2HDRError as error:
        host.inform(f"F2HDR: {error}")
    finally:
        host.close()


def _thread_name(folder: str) -> str:
    return f"{knobs.WORKING}{folder}"


def _require_idle(folder: str) -> None:
    """A node does one thing at a time; its thread has the name of its folder."""
    if any(thread.name == _thread_name(folder) for thread in threading.enumerate()):
        raise ShotError(
            "This node is already baking or measuring.", hint="Wait for it, or press Cancel in its progress bar."
        )


def _refuse(error: F2HDRError) -> None:
    """Report why nothing is done."""
    if nuke.GUI:
        nuke.message(f"F2HDR: {error}")
        return
    raise RuntimeError(f"F2HDR: {error}") from error
