"""The bake itself: plates from the graph, exposures, frames from the backend. Runs in any thread, through a Host."""

from __future__ import annotations

import contextlib
import functools
import os
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Callable, Optional

from f2hdr_backend.client.connection import Connection, rebuilt
from f2hdr_backend.client.jobs import Job, detect, submit
from f2hdr_backend.client.launch import connect
from f2hdr_backend.shot.document import Shot
from f2hdr_backend.shot.errors import Canceled, ExposureError, F2HDRError, ServerUnreachable
from f2hdr_backend.shot.frames import FrameRange
from f2hdr_nuke import cache, exposures, graph, plates
from f2hdr_nuke.host import Host
from f2hdr_nuke.plan import Plan

POLL_S = 0.25
"""Seconds between two requests for the state of a job."""
_FRAME_EVENTS = ("frame_done", "frame_skipped")
REPLACED = "frames_replaced"
"""Code of the warning that stale frames of the cache are replaced, which is what a bake is for."""
CANCEL_S = 1.0
"""Seconds that a canceled bake waits until the backend has received the request."""
_GROWTH = 4
"""Factor from the frames of one part of a bake to those of the next; the first part is one frame."""
Arrived = Callable[[FrameRange], None]


def door(host: Host, address: str, program: str) -> Connection:
    """Return a connection to the backend, which is started if necessary.

    ``address`` is that of a running backend, or empty; ``program`` is the path of the f2hdr command, or empty. Raises
    ServerError, Canceled.
    """
    token = os.environ.get("F2HDR_TOKEN", "")
    try:
        return host.wait(lambda: connect(address=address, token=token, program=program))
    except ServerUnreachable as error:
        if address:
            raise
        hint = "In Nuke: write the path of the f2hdr command into the knob backend program (tab Files)."
        raise ServerUnreachable(error.message, hint=f"{error.hint} {hint}".strip(), **error.facts) from error


@dataclass(frozen=True)
class Outcome:
    """The result of a bake: the frames that match the node's current settings, and the reason of a stop, if any."""

    done: FrameRange
    warnings: tuple[str, ...] = ()
    detection: Optional[dict[str, Any]] = None
    clip_level: Optional[list[float]] = None
    error: Optional[F2HDRError] = None


def run(plan: Plan, host: Host, arrived: Arrived) -> Outcome:
    """Bake. ``arrived`` is called in this thread with the frames that are finished, whenever there are more.

    Never raises an F2HDRError: what was finished before it counts.
    """
    bake = _Bake(plan, host, arrived)
    try:
        bake.all_of_it()
    except F2HDRError as error:
        return bake.outcome(error)
    finally:
        bake.clean_up()
    return bake.outcome(None)


def look(plan: Plan, host: Host) -> dict[str, Any]:
    """Return what the backend finds about the exposures of the plan's frames, as ``f2hdr detect --json`` prints it.

    Raises ExposureError if they cannot be determined or differ between views, and any error of plates and backend.
    """
    connection = door(host, plan.address, plan.program)
    if not plan.is_original:
        write_plates(plan, host, plan.frames)
    return _detection(plan, host, connection)


def write_plates(plan: Plan, host: Host, frames: FrameRange) -> None:
    """Write the plates for ``frames`` that do not exist as the input is now; all where not every change is seen.

    A plate that comes out the same keeps its file, so that its results are not computed again.
    """
    digest = f"{plan.input_digest} {host.wait(lambda: graph.files_digest(plan.input_files))}"
    wanted = [
        (view, shot.plate, frame)
        for view, shot in plan.shots.items()
        for frame in plan.plates_for(frames)
        if not (plan.source.is_whole and cache.has_plate(shot.plate, frame, digest))
    ]
    for number, (view, pattern, frame) in enumerate(wanted):
        host.check()
        host.progress(number, len(wanted), "writing plate")
        part = f"{plan.folder}/.new.{view}.{frame}.{os.getpid()}.exr"
        host.on_main(functools.partial(plates.write_one, plan, view, frame, part))
        earlier = plan.earlier[view][0] if view in plan.earlier else ""
        cache.accept_plate(part, pattern, frame, digest, earlier)


class _Bake:
    """One bake and what is finished of it."""

    def __init__(self, plan: Plan, host: Host, arrived: Arrived) -> None:
        self._plan = plan
        self._host = host
        self._arrived = arrived
        self._done: dict[str, set[int]] = {view: set() for view in plan.views}
        self._adopted: dict[str, list[int]] = {}
        self._shown: set[int] = set()
        self._warnings: list[str] = []
        self._detection: Optional[dict[str, Any]] = None
        self._clip_level: Optional[list[float]] = None

    def all_of_it(self) -> None:
        """Plates, exposures, then the frames of each view.

        If everything that belongs to the whole shot is known, this is done in parts, so that the first frame can be
        seen as soon as the plates around it are written.
        """
        plan, host = self._plan, self._host
        connection = door(host, plan.address, plan.program)
        for frames in _parts(plan.frames) if plan.is_settled and not plan.is_original else [plan.frames]:
            if not plan.is_original:
                write_plates(plan, host, frames)
            if plan.has_open_exposures and self._detection is None:
                self._detection = _detection(plan, host, connection)
            for view, shot in plan.shots.items():
                self._render(connection, view, self._settled(shot), frames)

    def clean_up(self) -> None:
        """Remove the results of an earlier input that the backend did not confirm for this one."""
        for view, frames in self._adopted.items():
            unconfirmed = set(frames).difference(self._done[view])
            cache.disown(self._plan.shots[view].output.pattern, unconfirmed)

    def outcome(self, error: Optional[F2HDRError]) -> Outcome:
        """Finished frames of every view."""
        return Outcome(self._finished(), tuple(dict.fromkeys(self._warnings)), self._detection, self._clip_level, error)

    def _finished(self) -> FrameRange:
        return FrameRange(tuple(set.intersection(*self._done.values())))

    def _settled(self, shot: Shot) -> Shot:
        """The Shot with what was found for it and for the views before it, where the knobs leave that open."""
        if shot.color.clip_level is None and self._clip_level is not None:
            shot = replace(shot, color=replace(shot.color, clip_level=tuple(self._clip_level)))
        if self._detection is None:
            return shot
        pattern = shot.exposures or exposures.found_pattern(self._detection, self._plan.ratio)
        cuts = tuple(self._detection["cuts"]) if shot.cuts is None else shot.cuts
        return replace(shot, exposures=pattern, cuts=cuts)

    def _render(self, connection: Connection, view: str, shot: Shot, frames: FrameRange) -> None:
        """Compute frames of one view; a bake that is stopped stops the backend's job too."""
        plan, host = self._plan, self._host
        self._adopt(view, frames)
        client = f"nuke {plan.node}"
        job = host.wait(lambda: submit(connection, shot, frames, client=client, priority="interactive", keep=False))
        after = 0
        replaced: set[str] = set()
        try:
            while True:
                status, events, after = host.wait(functools.partial(job.poll, after))
                self._take(view, events)
                replaced |= {event["message"] for event in events if event.get("code") == REPLACED}
                host.progress(len(self._done[view]), len(plan.frames), f"rendering {view}")
                if status.is_over:
                    break
                host.wait(functools.partial(time.sleep, POLL_S))
        except BaseException:
            _cancel(job)
            raise
        self._warnings += [message for message in status.warnings if message not in replaced]
        if status.error is not None:
            raise rebuilt(status.error)
        if status.state == "canceled":
            raise Canceled("The backend's job was canceled. Finished frames are kept.", hint="Bake again to resume.")

    def _adopt(self, view: str, frames: FrameRange) -> None:
        """Offer the backend the frames that the node shows now: it keeps those whose pictures did not change."""
        if view in self._plan.earlier:
            pattern, earlier = self._plan.shots[view].output.pattern, self._plan.earlier[view][1]
            found = self._host.wait(lambda: cache.adopt(earlier, pattern, frames))
            self._adopted.setdefault(view, []).extend(found)

    def _take(self, view: str, events: list[dict[str, Any]]) -> None:
        """Remember what the backend reported: finished frames, and where the plate clips."""
        self._done[view] |= {event["frame"] for event in events if event["event"] in _FRAME_EVENTS}
        for event in events:
            if event["event"] == "color_settled":
                self._clip_level = list(event["clip_level"])
        finished = self._finished()
        if set(finished) - self._shown:
            self._shown.update(finished)
            self._arrived(finished)


def _parts(frames: FrameRange) -> Iterator[FrameRange]:
    """Return the frames in parts that grow from one frame on."""
    rest, size = frames.frames, 1
    while rest:
        yield FrameRange(rest[:size])
        rest, size = rest[size:], size * _GROWTH


def _detection(plan: Plan, host: Host, connection: Connection) -> dict[str, Any]:
    """Detection result of the views, which have the same exposures."""
    answers = []
    for view, shot in plan.shots.items():
        host.progress(0, 1, f"measuring exposures of {view}")
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
            "The exposures of the views differ.", hint="Use one F2HDR node per view, with exposures set to ratio."
        )
    return answers[0]


def _cancel(job: Job) -> None:
    """Ask the backend to stop, and wait a moment until it has received that."""
    waiting = threading.Thread(target=_quietly, args=(job.cancel,), daemon=True)
    waiting.start()
    waiting.join(CANCEL_S)


def _quietly(call: Callable[[], None]) -> None:
    """A backend that does not run any more need not be stopped."""
    with contextlib.suppress(F2HDRError):
        call()
