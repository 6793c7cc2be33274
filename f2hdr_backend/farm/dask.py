"""Renders a job on Dask workers, each of which keeps one model loaded.

If a worker dies, its chunk is rendered by another one, which skips the finished frames.
"""

from __future__ import annotations

import asyncio
import logging
import os
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import SimpleQueue
from typing import Any, Protocol, cast

from distributed import Client, Future, LocalCluster, Security, Worker, WorkerPlugin, get_worker
from distributed.comm.core import connect

import f2hdr_backend
from f2hdr_backend.farm.job import FarmJob, chunks, span
from f2hdr_backend.farm.report import ChunkDone, ChunkFailed
from f2hdr_backend.shot.document import Engine, Shot
from f2hdr_backend.shot.errors import F2HDRError, ServerUnreachable, VersionMismatch
from f2hdr_backend.shot.events import Event, FrameDone, FrameSkipped
from f2hdr_backend.shot.frames import FrameRange

PLUGIN = "f2hdr"
CONNECT_SECONDS = 10
"""Seconds after which a scheduler that does not answer is an error."""


class Renders(Protocol):
    """The interface of ``engine.renderer.Renderer`` that workers use."""

    def render(self, shot: Shot, frames: FrameRange | None = None, *, force: bool = False) -> Iterator[Event]:
        """Render frames and yield events."""
        ...


class WarmRenderer(WorkerPlugin):
    """Dask plugin that keeps a worker's Renderer between chunks; a job with other engine settings replaces it."""

    name = PLUGIN

    def __init__(self, open_renderer: Callable[[Engine], Renders]) -> None:
        self._open_renderer = open_renderer

    def setup(self, worker: Worker) -> None:
        """Called by Dask when the worker joins."""
        self._lock = threading.Lock()
        self._engine: Engine | None = None
        self._renderer: Renders | None = None

    def render(self, shot: Shot, frames: FrameRange) -> Iterator[Event]:
        """Render one chunk; a worker renders one chunk at a time, independent of its number of threads."""
        with self._lock:
            if self._renderer is None or self._engine != shot.engine:
                self._renderer, self._engine = self._open_renderer(shot.engine), shot.engine
            yield from self._renderer.render(shot, frames)


@contextmanager
def cluster(scheduler: str, workers: int) -> Iterator[Client]:
    """Yield a client of the scheduler at ``scheduler``, or of ``workers`` local processes if that is empty.

    Raises ServerUnreachable, or VersionMismatch if workers have another version of F2HDR.
    """
    if scheduler:
        with _connected(scheduler) as client:
            _check_versions(client)
            yield client
        return
    share = str(max(1, (os.cpu_count() or 1) // workers))
    with (
        LocalCluster(
            n_workers=workers, threads_per_worker=1, dashboard_address=None, env={"OMP_NUM_THREADS": share},
            resources={"GPU": 1}, silence_logs=logging.CRITICAL,
        ) as local,
        Client(local) as client,
    ):  # fmt: skip
        yield client


def run(job: FarmJob, client: Client, open_renderer: Callable[[Engine], Renders]) -> Iterator[Event]:
    """Render a job's chunks on a client's workers; yield frames as they are done, and the end of each chunk.

    ``open_renderer`` must be a function in a module that workers can import.
    """
    client.register_plugin(WarmRenderer(open_renderer))
    topic = f"f2hdr-{uuid.uuid4().hex}"
    inbox: SimpleQueue[Any] = SimpleQueue()
    client.subscribe_topic(topic, lambda item: inbox.put(item[1]))
    document = job.shot.to_json()
    waiting: dict[Future[Any], str] = {}
    for chunk in chunks(job.frames, job.chunk):
        future = client.submit(
            render_chunk, document, span(chunk), topic, pure=False, retries=job.retries,
            resources={"GPU": 1} if job.needs_gpu else {}, priority=-chunk.first,
        )  # fmt: skip
        waiting[future] = span(chunk)
    for future in waiting:
        future.add_done_callback(inbox.put)
    yield from _Progress(job, inbox, waiting).events()


def render_chunk(document: dict[str, Any], frames: str, topic: str) -> tuple[float, str]:
    """Render a chunk on a worker with its Renderer; return seconds and the worker's address."""
    began = time.monotonic()
    worker = get_worker()
    renderer = cast(WarmRenderer, worker.plugins[PLUGIN])
    for event in renderer.render(Shot.from_json(document), FrameRange.parse(frames)):
        worker.log_event(topic, event.to_json())
    return time.monotonic() - began, worker.address


class _Progress:
    """Follows the chunks to their end and counts the frames of all of them."""

    def __init__(self, job: FarmJob, inbox: SimpleQueue[Any], waiting: dict[Future[Any], str]) -> None:
        self._job = job
        self._inbox = inbox
        self._waiting = waiting
        self._chunks = len(waiting)
        self._seen: set[int] = set()

    def events(self) -> Iterator[Event]:
        while self._waiting:
            item = self._inbox.get()
            if isinstance(item, dict):
                yield from self._frame(item)
            else:
                yield self._ended(item)

    def _frame(self, event: dict[str, Any]) -> Iterator[Event]:
        if event["event"] not in ("frame_done", "frame_skipped") or event["frame"] in self._seen:
            return
        self._seen.add(event["frame"])
        count, total = len(self._seen), len(self._job.frames)
        if event["event"] == "frame_done":
            yield FrameDone(event["frame"], event["path"], event["seconds"], count, total)
        else:
            yield FrameSkipped(event["frame"], event["path"], count, total)

    def _ended(self, future: Future[Any]) -> Event:
        frames = self._waiting.pop(future)
        if future.status == "finished":
            seconds, worker = future.result()
            return ChunkDone(frames, seconds, worker, self._chunks - len(self._waiting), self._chunks)
        error = future.exception()
        code = error.code if isinstance(error, F2HDRError) else F2HDRError.code
        return ChunkFailed(frames, self._job.retries + 1, code, str(error))


async def _greet(scheduler: str) -> None:
    connection = await connect(scheduler, CONNECT_SECONDS, **Security().get_connection_args("client"))
    await connection.close()


def _connected(scheduler: str) -> Client:
    try:
        # The timeout of Client does not include the wait for the first answer.
        asyncio.run(asyncio.wait_for(_greet(scheduler), CONNECT_SECONDS))
        return Client(scheduler, timeout=CONNECT_SECONDS)
    except Exception as error:  # the answer of another program is read as sizes and messages: any error may follow
        raise ServerUnreachable(
            f"No Dask scheduler answers at {scheduler}.", hint="Start one with: dask scheduler", address=scheduler
        ) from error


def _check_versions(client: Client) -> None:
    """Raise VersionMismatch if a worker has another version of F2HDR, which might render other pixels."""
    ours = f2hdr_backend.__version__
    for address, version in client.run(_version).items():
        if version != ours:
            raise VersionMismatch(
                f"The worker {address} has F2HDR {version}, but this machine has {ours}.",
                hint="Install the same version on all machines.",
                here=ours,
                there=version,
            )


def _version() -> str:
    return f2hdr_backend.__version__
