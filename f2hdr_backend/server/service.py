"""The operations of the server as plain functions, independent of HTTP and sockets."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections import OrderedDict
from collections.abc import Collection
from concurrent.futures import Future
from dataclasses import asdict, dataclass, replace
from threading import Lock
from typing import Any

import f2hdr_backend
from f2hdr_backend.client.jobs import JobStatus
from f2hdr_backend.color.config import load_config
from f2hdr_backend.detection.detect import require_pattern
from f2hdr_backend.engine.method.quality import seconds_per_megapixel
from f2hdr_backend.engine.settle import detect_light
from f2hdr_backend.flow.cache import open_cache
from f2hdr_backend.image.read import open_plate
from f2hdr_backend.server.crash_cleanup import FoldersInUse
from f2hdr_backend.server.exchange import Exchange, FileExchange, MemoryExchange
from f2hdr_backend.server.job import JobRecord
from f2hdr_backend.server.kept_frames import KeptFrames
from f2hdr_backend.server.memory_files import MemoryFiles
from f2hdr_backend.server.queue import Queue
from f2hdr_backend.server.render_jobs import FrameWork, Place, RenderOrder, RenderWork
from f2hdr_backend.server.requests import DetectRequest, FrameRequest, JobRequest
from f2hdr_backend.server.roots import Roots
from f2hdr_backend.shot.document import Color
from f2hdr_backend.shot.errors import ServerError, ShotError
from f2hdr_backend.shot.frames import FrameRange, Sequence
from f2hdr_backend.shot.paths import paths_in
from f2hdr_backend.weights.store import entries

API_VERSION = 1
FINISHED_KEPT = 200
"""Number of ended jobs whose status can still be requested."""
UNWATCHED_S = 10.0
"""Grace period in seconds before an unwatched job with ``keep=False`` is canceled."""


@dataclass(frozen=True)
class _Open:
    """A job that has not ended."""

    work: RenderWork
    digest: str
    files: Sequence
    """Its output frames, with all links in the folder resolved."""
    pixels: dict[str, Any]
    """Everything that its pixels depend on."""
    frames: str | None
    """Its frame range as text, which is smaller than the frame numbers."""


class Service:
    """Jobs, single frames, measurements and server information, over one queue; thread-safe."""

    def __init__(self, roots: Roots, ledger: FoldersInUse, queue: Queue) -> None:
        self._roots = roots
        self._ledger = ledger
        self._queue = queue
        self._frames = KeptFrames()
        self._memory = MemoryFiles()
        self._started = time.time()
        self._lock = Lock()
        self._records: OrderedDict[str, JobRecord] = OrderedDict()
        self._open: dict[str, _Open] = {}

    def submit(self, request: JobRequest) -> tuple[JobStatus, bool]:
        """Queue a render; return its status and whether the job is new.

        A request that is equal to that of an unfinished job returns that job.

        Raises:
            ShotError: a path is not absolute, or there is no output pattern.
            ServerError: a path is outside the roots, another job writes the same files with other settings, or the
            queue is full.
        """
        shot = replace(request.shot, frames=request.frames or request.shot.frames)
        if not shot.output.pattern:
            raise ShotError("The Shot has no output pattern.", hint="Set output.pattern.", field="output")
        self._allow(shot)
        document = json.dumps(shot.to_json(), sort_keys=True)
        digest = hashlib.sha256(f"{document}{request.force}".encode()).hexdigest()
        order = RenderOrder(document, request.priority == "interactive", request.force)
        record = JobRecord(request.client, keep=request.keep, output=shot.output.pattern)
        device = self._queue.device_for(shot.engine.device)
        work = RenderWork(record, order, self._place(device))
        frames = None if shot.frames is None else str(shot.frames)
        pixels = {"plate": shot.plate, "config": shot.color.config, **shot.pixel_digest_fields()}
        job = _Open(work, digest, Sequence.parse(os.path.realpath(shot.output.pattern)), pixels, frames)
        with self._lock:
            self._forget_finished()
            known = next((other for other in self._open.values() if other.digest == digest), None)
            if known is not None:
                known.work.record.keep |= request.keep
                return known.work.record.status(), False
            for other in self._open.values():
                _require_apart(job, other)
            self._queue.add(work, device)
            self._records[record.id] = record
            self._open[record.id] = job
        return record.status(), True

    def record(self, job: str) -> JobRecord:
        """Return the record of a job and restart its grace period. Raises ServerError for an unknown id."""
        with self._lock:
            record = self._records.get(job)
        if record is None:
            raise ServerError(
                f'There is no job "{job}".', hint="Submit it again: finished frames are kept.", job=job, status=404
            )
        record.seen = time.monotonic()
        return record

    def jobs(self) -> list[JobStatus]:
        """Return the status of every known job, oldest first."""
        with self._lock:
            records = list(self._records.values())
        return [record.status() for record in records]

    def progress(self, job: str, after: int | None) -> dict[str, Any]:
        """Return the status of a job with its events above number ``after``; no events if ``after`` is None."""
        record = self.record(job)
        events, last = record.since(after if after is not None else 2**62)
        return {**asdict(record.status()), "events": events, "next": last}

    def cancel(self, job: str) -> JobStatus:
        """Cancel a job, also within a frame; a job that has ended is unchanged. Raises ServerError for an unknown
        id.
        """
        record = self.record(job)
        with self._lock:
            known = self._open.get(job)
        if known is not None:
            record.set_message("Canceling.")
            self._queue.stop(known.work)
        return record.status()

    def frame(self, request: FrameRequest, passed: Collection[int] = ()) -> Future[dict[str, Any]]:
        """Queue one window; the future receives the result and can be canceled.

        ``passed`` are the descriptors of the files that came with the request.

        Raises:
            ShotError: a path is not absolute.
            DocumentError, UnreadableFrame: a memory file was not passed, or is not sealed.
            ServerError: a path is outside the roots, or the queue is full.
        """
        self._allow(request, unused=("shot.plate", "shot.output.pattern"))
        exchange: Exchange = FileExchange(request, self._roots, self._ledger, self._frames)
        if request.is_in_memory:
            exchange = MemoryExchange(request, self._memory.opened(passed))
        device = self._queue.device_for(request.shot.engine.device)
        work = FrameWork(request, self._place(device), exchange)
        self._queue.add(work, device)
        return work.result

    def detect(self, request: DetectRequest) -> dict[str, Any]:
        """Measure the exposures of a plate, with the result of ``f2hdr detect --json``.

        Raises:
            ExposureError: the exposures could not be determined.
            ShotError, ImageError, ServerError: the plate or its color settings are invalid, or a path is outside the
            roots.
        """
        color = Color(input_space=request.input_space, config=request.config)
        self._allow(request)
        self._roots.allow_plate(request.plate)
        plate = open_plate(request.plate, request.layer)
        try:
            found = detect_light(color, plate)
            require_pattern(found)
            return {"event": "detection", "plate": plate.name, **found.to_json()}
        finally:
            plate.close()

    def spaces(self, config: str) -> dict[str, Any]:
        """Return the color spaces and roles of an OCIO config. Raises ColorError, and ServerError for a path outside
        the roots.
        """
        self._allow(Color(config=config))
        return {"config": config, "spaces": list(load_config(config).offered())}

    def info(self) -> dict[str, Any]:
        """Return version, process id, devices, roots, weights and the number of jobs."""
        states = [status.state for status in self.jobs()]
        return {
            "version": f2hdr_backend.__version__,
            "api": API_VERSION,
            "pid": os.getpid(),
            "started": self._started,
            "devices": list(self._queue.devices),
            "roots": list(self._roots.folders),
            "weights": [entry.name for entry in entries()],
            "seconds_per_megapixel": seconds_per_megapixel(),
            "jobs": {state: states.count(state) for state in ("queued", "running", "done", "failed", "canceled")},
        }

    def cache(self) -> dict[str, Any]:
        """Return the size of the flow cache, with the fields of ``f2hdr cache info --json``."""
        cache = open_cache()
        held = cache.contents()
        return {"folder": str(cache.folder), "flows": held.flows, "bytes": held.bytes, "limit_bytes": cache.limit}

    def clear_cache(self) -> dict[str, Any]:
        """Delete all cached flows; return the fields of ``f2hdr cache clear --json``."""
        cache = open_cache()
        removed, left = cache.clear(), cache.contents()
        return {"folder": str(cache.folder), "flows": removed.flows, "bytes": removed.bytes, "left": left.flows}

    def tend(self) -> bool:
        """Cancel the jobs whose grace period has ended and drop unused frames; return whether any job is left.

        Called about once a second.
        """
        now = time.monotonic()
        self._frames.drop_unused()
        self._memory.drop_unused()
        with self._lock:
            self._forget_finished()
            unfinished = list(self._open.values())
        for job in unfinished:
            record = job.work.record
            if record.watchers:
                record.seen = now
            if not record.keep and now - record.seen > UNWATCHED_S:
                self._queue.stop(job.work)
        return self._queue.count > 0

    def _allow(self, document: Any, unused: Collection[str] = ()) -> None:
        """Check every path in a request, except in the fields ``unused``. Raises the errors of ``Roots.allow``."""
        for named in paths_in(document):
            if named.field not in unused:
                self._roots.allow(named.path)

    def _place(self, device: str) -> Place:
        return Place(self._roots, self._ledger, device if len(self._queue.devices) > 1 else "")

    def _forget_finished(self) -> None:
        for job in [job for job, known in self._open.items() if known.work.record.is_over]:
            del self._open[job]
        over = [job for job, record in self._records.items() if record.is_over]
        for job in over[: max(0, len(over) - FINISHED_KEPT)]:
            del self._records[job]


def _require_apart(job: _Open, other: _Open) -> None:
    """Raise ServerError if two jobs would write different pixels to the same files."""
    if job.files != other.files or job.pixels == other.pixels:
        return
    if job.frames and other.frames and set(FrameRange.parse(job.frames)).isdisjoint(FrameRange.parse(other.frames)):
        return
    raise ServerError(
        f"Job {other.work.record.id} is writing {job.files} with other settings.",
        hint="Cancel it or wait until it is done.",
        job=other.work.record.id,
        status=409,
    )
