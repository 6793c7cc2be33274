"""The jobs of the workers: whole renders, one frame per step, and single windows from buffers of a host."""

from __future__ import annotations

import logging
import os
import threading
import time
from bisect import bisect
from collections.abc import Generator, Iterable
from concurrent.futures import Future
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any, Protocol

from f2hdr_backend.engine.live import HeldWindow, reconstruct_window
from f2hdr_backend.engine.settle import prepare
from f2hdr_backend.server.buffers import Buffer
from f2hdr_backend.server.crash_cleanup import FoldersInUse
from f2hdr_backend.server.exchange import Exchange
from f2hdr_backend.server.job import JobRecord
from f2hdr_backend.server.pending_response import PendingAnswer
from f2hdr_backend.server.renderers import Renderers
from f2hdr_backend.server.requests import FrameRequest
from f2hdr_backend.server.roots import Roots
from f2hdr_backend.shot.cancellation import stoppable
from f2hdr_backend.shot.document import Engine, Shot
from f2hdr_backend.shot.errors import Canceled, F2HDRError
from f2hdr_backend.shot.events import Event, FrameDone, RenderFinished
from f2hdr_backend.shot.system_errors import system_error

SKIPPING_S = 0.05
"""Maximum time in seconds that one step spends on skipped frames."""
LOOKED_AHEAD = 64
"""Frames whose paths are checked again before they are read and written; more than ``Staging`` reads ahead."""
_log = logging.getLogger("f2hdr")


class Work(Protocol):
    """A job that a worker runs. Its methods do not raise: errors become the job's result."""

    @property
    def client(self) -> str:
        """Name of the client; the scheduler is fair among clients."""

    @property
    def interactive(self) -> bool:
        """Whether a user is waiting for the result."""

    @property
    def weight(self) -> int:
        """Bytes of memory that it uses while it is queued."""

    @property
    def is_open(self) -> bool:
        """Whether its first step has run."""

    @property
    def is_ready(self) -> bool:
        """Whether its next step can run now."""

    def prepare(self) -> None:
        """Do the work that does not need the device; called in another thread before its first step."""

    def step(self, renderers: Renderers) -> bool:
        """Run one step; return whether it was the last one."""

    def interrupt(self) -> None:
        """End a step in progress early; thread-safe."""

    def stop(self) -> None:
        """Cancel the job between two steps."""


@dataclass(frozen=True)
class Place:
    """The paths that a job may access, and its device."""

    roots: Roots
    ledger: FoldersInUse
    device: str = ""
    """Used in place of ``auto``; empty to let the engine choose."""

    def engine(self, engine: Engine) -> Engine:
        """Return the engine settings with this device."""
        return replace(engine, device=self.device) if engine.device == "auto" and self.device else engine


@dataclass(frozen=True)
class RenderOrder:
    """What to render: a Shot as JSON, its priority, and whether to render finished frames again."""

    document: str
    interactive: bool
    force: bool


class RenderWork:
    """A job that renders a Shot, one frame per step."""

    def __init__(self, record: JobRecord, order: RenderOrder, place: Place) -> None:
        self.record = record
        self._order = order
        self._place = place
        self._shot: Shot | None = None
        self._before: list[Event] = []
        self._events: Generator[Event] | None = None
        self._interrupted = threading.Event()

    @property
    def client(self) -> str:
        """See :class:`Work`."""
        return self.record.client

    @property
    def interactive(self) -> bool:
        """See :class:`Work`."""
        return self._order.interactive

    @property
    def weight(self) -> int:
        """See :class:`Work`."""
        return len(self._order.document)

    @property
    def is_open(self) -> bool:
        """Whether the render has started."""
        return self._events is not None

    @property
    def is_ready(self) -> bool:
        """Whether the Shot is settled, or an error was found in it."""
        return self._shot is not None or self.record.is_over

    def prepare(self) -> None:
        """Settle the Shot, so that the device does not wait while the plate is measured."""
        if self.record.is_over:
            return
        self.record.set_message("Inspecting the plate.")
        try:
            shot, self._before = self._settled(Shot.from_json(self._order.document))
            self.record.set_message("Waiting in the queue.")
            self._shot = shot
        except Exception as error:
            self.record.fail(as_family(error))

    def step(self, renderers: Renderers) -> bool:
        """Render up to the next finished frame."""
        if self._shot is None or self.record.is_over:
            return True
        try:
            if self._events is None:
                self._events = self._render(self._shot, renderers)
            with stoppable(self._interrupted):
                if self._advance(self._events):
                    return False
        except Exception as error:
            self.record.fail(as_family(error))
        return True

    def interrupt(self) -> None:
        """See :class:`Work`. A file that is being written is finished."""
        self._interrupted.set()

    def stop(self) -> None:
        """Stop the render between two frames; no partial file is left."""
        if self._events is not None:
            self._events.close()
        self.record.fail(Canceled("The job was canceled."))

    def _settled(self, shot: Shot) -> tuple[Shot, list[Event]]:
        self._place.roots.allow_plate(shot.plate)
        shot, events = prepare(shot)
        self._place.roots.allow_frames(shot.output.pattern, shot.frames or ())
        return replace(shot, engine=self._place.engine(shot.engine)), events

    def _render(self, shot: Shot, renderers: Renderers) -> Generator[Event]:
        ledger, folder = self._place.ledger, os.path.dirname(shot.output.pattern)
        with renderers.lent(shot.engine) as renderer, ledger.noted(folder):
            yield from self._before
            self._allow(shot, shot.frames or ())
            with closing(renderer.render(shot, shot.frames, force=self._order.force)) as events:
                for event in events:
                    yield event
                    if isinstance(event, FrameDone):
                        self._allow(shot, _upcoming(event.frame, shot))

    def _allow(self, shot: Shot, frames: Iterable[int]) -> None:
        """Check the paths again: links may have changed since the Shot was settled."""
        windows = sorted({number for frame in frames for number in (frame - 1, frame, frame + 1)})
        self._place.roots.allow_plate(shot.plate, windows)
        self._place.roots.allow_frames(shot.output.pattern, frames)

    def _advance(self, events: Generator[Event]) -> bool:
        """Process events up to the next finished frame; return whether there are more.

        The last event is recorded after the render has cleaned up.
        """
        end = time.monotonic() + SKIPPING_S
        finished: Event | None = None
        for event in events:
            if isinstance(event, RenderFinished):
                finished = event
                continue
            self.record.record(event.to_json())
            if isinstance(event, FrameDone) or time.monotonic() > end:
                return True
        if finished is not None:
            self.record.record(finished.to_json())
        return False


def _upcoming(frame: int, shot: Shot) -> tuple[int, ...]:
    """Return the next ``LOOKED_AHEAD`` frames after ``frame``."""
    frames = () if shot.frames is None else shot.frames.frames
    place = bisect(frames, frame)
    return frames[place : place + LOOKED_AHEAD]


class FrameWork:
    """A job that computes one window from the pixels of a host."""

    interactive = True
    is_open = False
    is_ready = True
    weight = 0

    def __init__(self, request: FrameRequest, place: Place, exchange: Exchange) -> None:
        self.client = request.client
        self._interrupted = threading.Event()
        self.result: Future[dict[str, Any]] = PendingAnswer(self._interrupted)
        """Frame number, path, size in pixels, and times in seconds."""
        self._request = request
        self._place = place
        self._exchange = exchange
        self._asked = time.monotonic()

    def prepare(self) -> None:
        """Do nothing: pixels are read in ``step``, so that only one window is in memory at a time."""

    def step(self, renderers: Renderers) -> bool:
        """Compute the window, write the result, and set the answer."""
        if self.result.set_running_or_notify_cancel():
            try:
                with stoppable(self._interrupted):
                    self.result.set_result(self._computed(renderers))
            except Exception as error:
                self.result.set_exception(as_family(error))
        return True

    def interrupt(self) -> None:
        """See :class:`Work`."""
        self._interrupted.set()

    def stop(self) -> None:
        """Cancel the result."""
        self.result.cancel()

    def _computed(self, renderers: Renderers) -> dict[str, Any]:
        began = time.monotonic()
        request, engine = self._request, self._place.engine(self._request.shot.engine)
        with self._exchange.window() as (previous, reference, following):
            read = time.monotonic()
            with renderers.lent(engine) as renderer:
                loaded = time.monotonic()
                window = HeldWindow(
                    (previous.frame, reference.frame, following.frame),
                    (previous.pixels, reference.pixels, following.pixels),
                )
                radiance = reconstruct_window(renderer, request.shot, window)
            computed = time.monotonic()
            self._exchange.write(Buffer(reference.frame, radiance))
        return {
            "frame": reference.frame,
            "path": request.output,
            "width": radiance.shape[1],
            "height": radiance.shape[0],
            "waited_s": began - self._asked,
            "loading_s": loaded - read,
            "computing_s": computed - loaded,
            "files_s": read - began + time.monotonic() - computed,
        }


def as_family(error: Exception) -> F2HDRError:
    """Return the error as an F2HDRError; any other exception is a bug and is logged with its traceback."""
    if isinstance(error, F2HDRError):
        return error
    if isinstance(error, (OSError, MemoryError)):
        _log.error("refused by the system", exc_info=error)
        return system_error(error)
    _log.error("a bug", exc_info=error)
    name = type(error).__name__
    return F2HDRError(f"F2HDR failed with {name}: {error}.", hint="This is a bug; the traceback is in server.log.")
