"""What the node's buttons do. Each returns at once in a Nuke with a window; the work goes on in a thread."""

from __future__ import annotations

import threading
from typing import Any, Callable, Optional

import nuke

from f2hdr_backend.client.jobs import info
from f2hdr_backend.shot.errors import Cancelled, F2HDRError, ShotError
from f2hdr_backend.shot.frames import FrameRange
from f2hdr_nuke import cache, exposures, knobs, plan, result, work
from f2hdr_nuke.copies import own_cache
from f2hdr_nuke.host import Host, WindowHost
from f2hdr_nuke.plan import Plan

LOOK_FRAMES = 32
"""Frames that Detect looks at."""


def bake(node: nuke.Node) -> None:
    """Bake the range that the node's knobs say. Without a window it returns when done; RuntimeError if that fails."""
    name = node.fullName()
    _at_work(node, lambda host: _bake(name, None, host))


def bake_frames(node: nuke.Node, frames: FrameRange) -> None:
    """Bake ``frames`` of the node; otherwise as ``bake``."""
    name = node.fullName()
    _at_work(node, lambda host: _bake(name, frames, host))


def detect(node: nuke.Node) -> None:
    """Find ratio and phase in the first frames of the range and write them into the knobs."""
    name = node.fullName()
    _at_work(node, lambda host: _detect(name, host))


def check(node: nuke.Node) -> None:
    """Tell what the backend is."""
    address = knobs.text(node, "backend_url").strip()
    name = node.fullName()

    def ask(host: Host) -> None:
        told = info(work.door(host, address))
        host.on_main(lambda: _show_info(name, told))
        host.tell(_info_text(told))

    _start(f"F2HDR check {name}", ask)


def clear(node: nuke.Node) -> None:
    """Delete the node's cache folder, after asking."""
    try:
        folder = plan.node_folder(node)
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
        text = cache.log_tail(plan.node_folder(node))
    except F2HDRError as error:
        _refuse(error)
        return
    if nuke.GUI:
        nuke.message(text)
    else:
        nuke.tprint(text)


def _at_work(node: nuke.Node, call: Callable[[Host], None]) -> None:
    """Do a work of the node, one at a time; its status says that, and then what became of it."""
    name = node.fullName()
    try:
        own_cache(node)
        folder = plan.node_folder(node)
        _require_idle(folder)
    except F2HDRError as error:
        _refuse(error)
        return

    def work_on(host: Host) -> None:
        stopped = ""
        try:
            call(host)
        except Cancelled:
            raise
        except F2HDRError as error:
            stopped = error.message
            raise
        finally:
            host.on_main(lambda: result.refresh(knobs.find(name), stopped))

    knobs.write(node, status="Baking ...")
    _start(_thread_name(folder), work_on)


def _planned(name: str, frames: Optional[FrameRange]) -> Plan:
    """What to bake: ``frames``, or what the knobs say."""
    node = knobs.find(name)
    planned = plan.make(node, plan.asked_frames(node) if frames is None else frames)
    if knobs.text(node, "exposure_mode") in exposures.READ and planned.has_open_exposures:
        raise ShotError(f"{name} or its input was changed while exposures were read.", hint="Bake again.")
    return planned


def _look_plan(name: str) -> Plan:
    """Where Detect looks."""
    node = knobs.find(name)
    return plan.make(node, FrameRange(plan.asked_frames(node).frames[:LOOK_FRAMES]))


def _bake(name: str, frames: Optional[FrameRange], host: Host) -> None:
    exposures.learn(name, host)
    planned = host.on_main(lambda: _planned(name, frames))
    cache.log(planned.folder, f"bake {planned.frames} of {', '.join(planned.views)} into {planned.key}")
    outcome = work.run(planned, host)
    host.on_main(lambda: result.publish(planned, outcome))
    if outcome.error is not None:
        cache.log(planned.folder, f"stopped: {outcome.error}")
        raise outcome.error
    cache.log(planned.folder, f"done {outcome.done}")


def _detect(name: str, host: Host) -> None:
    planned = host.on_main(lambda: _look_plan(name))
    answer = work.look(planned, host)
    host.on_main(lambda: _show_exposures(planned, answer))


def _show_exposures(planned: Plan, answer: dict[str, Any]) -> None:
    """Write what was found into the knobs."""
    node = knobs.find(planned.node)
    pattern = exposures.store(node, answer, planned.input_digest)
    if len(pattern.cycle) == 2:
        knobs.write(node, ev_ratio=pattern.ratio_stops, short_parity=("even", "odd")[pattern.start % 2])
    if knobs.text(node, "exposure_mode") not in ("auto", "ratio"):
        knobs.write(node, exposure_mode="auto")


def _show_info(name: str, told: dict[str, Any]) -> None:
    node = knobs.find(name)
    knobs.write(node, version_text=f"{knobs.text(node, knobs.MARK)}, backend {told.get('version')}")


def _info_text(told: dict[str, Any]) -> str:
    return "The backend answers.\n" + "\n".join(f"{name}: {value}" for name, value in told.items())


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
    except Cancelled:
        return
    except F2HDRError as error:
        host.tell(f"F2HDR: {error}")
    finally:
        host.close()


def _thread_name(folder: str) -> str:
    return f"F2HDR {folder}"


def _require_idle(folder: str) -> None:
    """A node does one thing at a time; its thread carries the name of its folder."""
    if any(thread.name == _thread_name(folder) for thread in threading.enumerate()):
        raise ShotError("This node is at work already.", hint="Wait for it, or press Cancel in its progress bar.")


def _refuse(error: F2HDRError) -> None:
    """Say why nothing happens."""
    if nuke.GUI:
        nuke.message(f"F2HDR: {error}")
        return
    raise RuntimeError(f"F2HDR: {error}") from error
