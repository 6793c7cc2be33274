"""What workers do: whole renders, a frame a step, and single windows from pixels that a host holds."""

from __future__ import annotations

import logging
import os
import time
from bisect import bisect
from collections.abc import Generator, Iterable
from concurrent.futures import Future
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any, Protocol

from f2hdr_backend.engine.live import HeldWindow, reconstruct_window
from f2hdr_backend.engine.settle import prepare
from f2hdr_backend.server.buffers import Buffer, read_buffer, write_buffer
from f2hdr_backend.server.documents import FrameRequest
from f2hdr_backend.server.ledger import Ledger
from f2hdr_backend.server.record import JobRecord
from f2hdr_backend.server.renderers import Renderers
from f2hdr_backend.server.roots import Roots
from f2hdr_backend.shot.document import Engine, Shot
from f2hdr_backend.shot.errors import Cancelled, F2HDRError
from f2hdr_backend.shot.events import Event, FrameDone, RenderFinished

SKIPPING_S = 0.05
"""Seconds that one step may spend on frames that are there already."""
LOOKED_AHEAD = 64
"""Frames whose files are looked at once more before they are read ahead and written: more than are (``Staging``)."""
_log = logging.getLogger("f2hdr")


class Work(Protocol):
    """What a worker can take up. Its methods never raise: what goes wrong is the work's own result."""

    @property
    def client(self) -> str:
        """Whose it is; the server is fair among them."""

    @property
    def interactive(self) -> bool:
        """Whether somebody waits for it before a screen."""

    @property
    def weight(self) -> int:
        """Bytes that it keeps while it waits."""

    @property
    def is_open(self) -> bool:
        """Whether its first step was done."""

    @property
    def is_ready(self) -> bool:
        """Whether its next step can be done now."""

    def prepare(self) -> None:
        """Do what can be done before its turn, away from the worker."""

    def step(self, renderers: Renderers) -> bool:
        """Do one step and say whether it was the last."""

    def stop(self) -> None:
        """End it, between two steps."""


@dataclass(frozen=True)
class Place:
    """Where work happens: what it may touch, and the device it computes on."""

    roots: Roots
    ledger: Ledger
    device: str = ""
    """Stands in for ``auto``; empty to let the engine choose."""

    def engine(self, engine: Engine) -> Engine:
        """The engine settings with this place's device."""
        return replace(engine, device=self.device) if engine.device == "auto" and self.device else engine


@dataclass(frozen=True)
class RenderOrder:
    """What to render: a Shot in JSON, and how."""

    document: str
    interactive: bool
    force: bool


class RenderWork:
    """A Shot to render, one frame a step."""

    def __init__(self, record: JobRecord, order: RenderOrder, place: Place) -> None:
        self.record = record
        self._order = order
        self._place = place
        self._shot: Shot | None = None
        self._told: list[Event] = []
        self._events: Generator[Event] | None = None

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
        """Whether the render began."""
        return self._events is not None

    @property
    def is_ready(self) -> bool:
        """Whether the Shot is settled, or was found impossible."""
        return self._shot is not None or self.record.is_over

    def prepare(self) -> None:
        """Settle the Shot, so that measuring a plate keeps no device waiting."""
        if self.record.is_over:
            return
        self.record.say("Looking at the plate.")
        try:
            shot, self._told = self._settled(Shot.from_json(self._order.document))
            self.record.say("Waiting for its turn.")
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
            if self._goes_on(self._events):
                return False
        except Exception as error:
            self.record.fail(as_family(error))
        return True

    def stop(self) -> None:
        """Close the render between two frames; no partial file stays."""
        if self._events is not None:
            self._events.close()
        self.record.fail(Cancelled("The job was canceled."))

    def _settled(self, shot: Shot) -> tuple[Shot, list[Event]]:
        self._place.roots.allow_plate(shot.plate)
        shot, told_before = prepare(shot)
        self._place.roots.allow_frames(shot.output.pattern, shot.frames or ())
        return replace(shot, engine=self._place.engine(shot.engine)), told_before

    def _render(self, shot: Shot, renderers: Renderers) -> Generator[Event]:
        ledger, folder = self._place.ledger, os.path.dirname(shot.output.pattern)
        with renderers.lent(shot.engine) as renderer, ledger.noted(folder):
            yield from self._told
            self._allow(shot, shot.frames or ())
            with closing(renderer.render(shot, shot.frames, force=self._order.force)) as events:
                for event in events:
                    yield event
                    if isinstance(event, FrameDone):
                        self._allow(shot, _behind(event.frame, shot))

    def _allow(self, shot: Shot, frames: Iterable[int]) -> None:
        """Look where links lead now: they may have been turned elsewhere since the Shot was settled."""
        windows = sorted({number for frame in frames for number in (frame - 1, frame, frame + 1)})
        self._place.roots.allow_plate(shot.plate, windows)
        self._place.roots.allow_frames(shot.output.pattern, frames)

    def _goes_on(self, events: Generator[Event]) -> bool:
        """Take events up to a finished frame; whether more will come. The end is reported after cleanup."""
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


def _behind(frame: int, shot: Shot) -> tuple[int, ...]:
    """The frames that come next."""
    frames = () if shot.frames is None else shot.frames.frames
    place = bisect(frames, frame)
    return frames[place : place + LOOKED_AHEAD]


class FrameWork:
    """One window, computed now from the buffers of a host."""

    interactive = True
    is_open = False
    is_ready = True
    weight = 0

    def __init__(self, request: FrameRequest, place: Place) -> None:
        self.client = request.client
        self.result: Future[dict[str, Any]] = Future()
        """Frame, path, size and the seconds that it took."""
        self._request = request
        self._place = place
        self._asked = time.monotonic()

    def prepare(self) -> None:
        """Nothing: pixels are read when they are needed, so that those of one window are held at a time."""

    def step(self, renderers: Renderers) -> bool:
        """Compute the window, write its buffer, and set the result."""
        if self.result.set_running_or_notify_cancel():
            try:
                self.result.set_result(self._computed(renderers))
            except Exception as error:
                self.result.set_exception(as_family(error))
        return True

    def stop(self) -> None:
        """Give up an answer that nobody waits for any more."""
        self.result.cancel()

    def _computed(self, renderers: Renderers) -> dict[str, Any]:
        began = time.monotonic()
        request, place = self._request, self._place
        previous, reference, following = (read_buffer(place.roots.allow(path)) for path in request.buffers)
        target = place.roots.allow(request.output)
        read = time.monotonic()
        with renderers.lent(place.engine(request.shot.engine)) as renderer:
            loaded = time.monotonic()
            window = HeldWindow(
                (previous.frame, reference.frame, following.frame),
                (previous.pixels, reference.pixels, following.pixels),
            )
            radiance = reconstruct_window(renderer, request.shot, window)
        computed = time.monotonic()
        with place.ledger.noted(os.path.dirname(target)):
            write_buffer(target, Buffer(reference.frame, radiance))
        height, width = radiance.shape[:2]
        return {
            "frame": reference.frame,
            "path": request.output,
            "width": width,
            "height": height,
            "waited_s": began - self._asked,
            "loading_s": loaded - read,
            "computing_s": computed - loaded,
            "files_s": read - began + time.monotonic() - computed,
        }


def as_family(error: Exception) -> F2HDRError:
    """The error as one of the family; what is none is a bug, and goes into the log with its traceback."""
    if isinstance(error, F2HDRError):
        return error
    _log.error("a bug", exc_info=error)
    name = type(error).__name__
    return F2HDRError(f"F2HDR failed with {name}: {error}.", hint="This is a bug; server.log has its traceback.")
