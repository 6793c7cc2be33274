"""The bake itself: plates out of the graph, exposures, frames from the backend. In any thread, through a Host."""

from __future__ import annotations

import contextlib
import functools
import os
import threading
import time
from dataclasses import dataclass, replace
from typing import Any, Callable, Optional

from f2hdr_backend.client.connection import Connection, rebuilt
from f2hdr_backend.client.jobs import Job, detect, submit
from f2hdr_backend.client.launch import connect
from f2hdr_backend.shot.document import Shot
from f2hdr_backend.shot.errors import Cancelled, ExposureError, F2HDRError
from f2hdr_backend.shot.frames import FrameRange
from f2hdr_nuke import cache, exposures, graph, plates
from f2hdr_nuke.host import Host
from f2hdr_nuke.plan import Plan

POLL_S = 0.25
"""Seconds between two questions how far the backend is."""
_FRAME_EVENTS = ("frame_done", "frame_skipped")
CANCEL_S = 1.0
"""Seconds that a canceled bake waits for the backend to hear of it."""


def door(host: Host, address: str) -> Connection:
    """Return a connection to the backend, started if need be. Raises ServerError, Cancelled."""
    token = os.environ.get("F2HDR_TOKEN", "")
    return host.wait(lambda: connect(address=address, token=token))


@dataclass(frozen=True)
class Outcome:
    """What became of a bake: the frames that are as the node asks now, and what stopped it, if something did."""

    done: FrameRange
    warnings: tuple[str, ...] = ()
    detection: Optional[dict[str, Any]] = None
    clip_level: Optional[list[float]] = None
    error: Optional[F2HDRError] = None


def run(plan: Plan, host: Host) -> Outcome:
    """Bake. Never raises an F2HDRError: what was done before it counts."""
    bake = _Bake(plan, host)
    try:
        bake.all_of_it()
    except F2HDRError as error:
        return bake.outcome(error)
    return bake.outcome(None)


def look(plan: Plan, host: Host) -> dict[str, Any]:
    """Return what the backend finds about the exposures of the plan's frames, as ``f2hdr detect --json`` prints it.

    Raises ExposureError if they cannot be told or differ between views, and whatever stands in the way.
    """
    connection = door(host, plan.address)
    if not plan.is_original:
        write_plates(plan, host)
    return _detection(plan, host, connection)


def write_plates(plan: Plan, host: Host) -> None:
    """Write the plates that are not there as the input is now."""
    digest = f"{plan.input_digest} {host.wait(lambda: graph.files_digest(plan.input_files))}"
    wanted = [
        (view, shot.plate, frame)
        for view, shot in plan.shots.items()
        for frame in plan.plate_frames
        if not cache.has_plate(shot.plate, frame, digest)
    ]
    for shot in plan.shots.values():
        cache.forget_plates(shot.plate, *plan.input_range)
    for number, (view, pattern, frame) in enumerate(wanted):
        host.check()
        host.progress(number, len(wanted), "writing plate")
        part = f"{plan.folder}/.new.{view}.{frame}.{os.getpid()}.exr"
        host.on_main(functools.partial(plates.write_one, plan, view, frame, part))
        cache.accept_plate(part, pattern, frame, digest)


class _Bake:
    """One bake and what it has reached."""

    def __init__(self, plan: Plan, host: Host) -> None:
        self._plan = plan
        self._host = host
        self._done: dict[str, set[int]] = {view: set() for view in plan.views}
        self._warnings: list[str] = []
        self._detection: Optional[dict[str, Any]] = None
        self._clip_level: Optional[list[float]] = None

    def all_of_it(self) -> None:
        """Plates, exposures, then each view's frames."""
        connection = door(self._host, self._plan.address)
        if not self._plan.is_original:
            write_plates(self._plan, self._host)
        if any(shot.exposures is None for shot in self._plan.shots.values()):
            self._detection = _detection(self._plan, self._host, connection)
        for view, shot in self._plan.shots.items():
            self._render(connection, view, self._settled(shot))

    def outcome(self, error: Optional[F2HDRError]) -> Outcome:
        """What was reached, in every view."""
        done = FrameRange(tuple(set.intersection(*self._done.values())))
        return Outcome(done, tuple(dict.fromkeys(self._warnings)), self._detection, self._clip_level, error)

    def _settled(self, shot: Shot) -> Shot:
        """The Shot with what was found for it and for the views before it, where the knobs leave that open."""
        if shot.color.clip_level is None and self._clip_level is not None:
            shot = replace(shot, color=replace(shot.color, clip_level=tuple(self._clip_level)))
        if self._detection is None:
            return shot
        pattern = shot.exposures or exposures.found_pattern(self._detection, self._plan.ratio)
        cuts = tuple(self._detection["cuts"]) if shot.cuts is None else shot.cuts
        return replace(shot, exposures=pattern, cuts=cuts)

    def _render(self, connection: Connection, view: str, shot: Shot) -> None:
        """Have the frames of one view made; a bake that is stopped stops the backend's job too."""
        plan, host = self._plan, self._host
        job = host.wait(
            lambda: submit(
                connection, shot, plan.frames, client=f"nuke {plan.node}", priority="interactive", keep=False
            )
        )
        after = 0
        try:
            while True:
                status, events, after = host.wait(functools.partial(job.poll, after))
                self._hear(view, events)
                host.progress(status.done, len(plan.frames), f"rendering {view}")
                if status.is_over:
                    break
                host.wait(functools.partial(time.sleep, POLL_S))
        except BaseException:
            _cancel(job)
            raise
        self._warnings += status.warnings
        if status.error is not None:
            raise rebuilt(status.error)
        if status.state == "cancelled":
            raise Cancelled("The backend's job was canceled. What is done is kept.", hint="Bake again to go on.")

    def _hear(self, view: str, events: list[dict[str, Any]]) -> None:
        """Remember what the backend said: frames that are done, and where the plate clips."""
        self._done[view] |= {event["frame"] for event in events if event["event"] in _FRAME_EVENTS}
        for event in events:
            if event["event"] == "color_settled":
                self._clip_level = list(event["clip_level"])


def _detection(plan: Plan, host: Host, connection: Connection) -> dict[str, Any]:
    """What the backend finds in each view; one answer, as the views of a shot are exposed together."""
    answers = []
    for view, shot in plan.shots.items():
        host.progress(0, 1, f"looking at exposures of {view}")
        pattern, folder = shot.plate, ""
        try:
            if not plan.is_original:
                folder = f"{plan.folder}/look.{os.getpid()}.{view}"
                pattern = cache.stretch(shot.plate, plan.plate_frames, folder)
            color = shot.color
            answers.append(host.wait(functools.partial(detect, connection, pattern, color.input_space, color.config)))
        finally:
            cache.drop(folder)
    patterns = {exposures.found_pattern(answer, None) for answer in answers}
    if len(patterns) > 1:
        raise ExposureError(
            "The views alternate in different ways.", hint="Use one F2HDR node a view, with exposures set to ratio."
        )
    return answers[0]


def _cancel(job: Job) -> None:
    """Tell the backend to stop, and wait a moment until it heard."""
    waiting = threading.Thread(target=_quietly, args=(job.cancel,), daemon=True)
    waiting.start()
    waiting.join(CANCEL_S)


def _quietly(call: Callable[[], None]) -> None:
    """A backend that is gone needs no stopping."""
    with contextlib.suppress(F2HDRError):
        call()
