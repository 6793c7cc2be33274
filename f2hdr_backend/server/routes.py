"""The HTTP layer: routes and their OpenAPI description. ``service`` implements the operations."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict
from typing import Annotated, Any, TypeVar

from fastapi import FastAPI, Path, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import StreamingResponse
from starlette.exceptions import HTTPException

import f2hdr_backend
from f2hdr_backend.server.access_control import body_of
from f2hdr_backend.server.error_responses import Answer, error_document, status_of
from f2hdr_backend.server.job import JobRecord
from f2hdr_backend.server.openapi import describe, described
from f2hdr_backend.server.passed_files import taken
from f2hdr_backend.server.requests import DetectRequest, FrameRequest, JobRequest, read_request
from f2hdr_backend.server.service import Service
from f2hdr_backend.shot.errors import DocumentError, F2HDRError, ServerError

HEARTBEAT_S = 1.0
"""Interval in seconds of the keep-alive comments in a stream of events."""
GONE_S = 0.5
"""Interval in seconds of the check whether the client that waits for a frame is still connected."""
DISK_THREADS = 8
"""Threads for requests that wait for a disk; other requests do not wait for them."""
MEASURING = 2
"""Plates that ``detect`` measures at once; up to 8 times as many requests are accepted."""

T = TypeVar("T")
Document = TypeVar("Document", JobRequest, DetectRequest)
JobId = Annotated[str, Path(description="Id of the job, as returned when it was submitted.", pattern="^[0-9a-f]{16}$")]
Config = Annotated[
    str, Query(min_length=1, max_length=4096, description="An OCIO config: a path, or a name such as ocio://...")
]
After = Annotated[int, Query(ge=0, le=2**53, description="Return only events with a higher number.")]


class Listener:
    """The routes of one service."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._threads = ThreadPoolExecutor(DISK_THREADS, "service")
        self._documents = ThreadPoolExecutor(1, "documents")
        self._interactive = ThreadPoolExecutor(2, "frames")
        self._measuring = ThreadPoolExecutor(MEASURING, "detect")
        self._measured = 0
        self.closing = False
        """Set when the server is about to exit; open event streams end."""

    async def submit(self, request: Request) -> Answer:
        """Queue a render. The same request returns the same job until that job has ended."""
        wanted = await self._read(JobRequest, request)
        status, is_new = await self._call(self._service.submit, wanted)
        return Answer(asdict(status), 201 if is_new else 200)

    async def jobs(self) -> Answer:
        """Return the status of every known job."""
        return Answer({"jobs": [asdict(status) for status in self._service.jobs()]})

    async def job(self, job: JobId, after: After | None = None) -> Answer:
        """Return the status of a job and, if ``after`` is given, its events with a higher number."""
        return Answer(self._service.progress(job, after))

    async def events(self, job: JobId, after: After = 0) -> StreamingResponse:
        """Stream the events of a job, each as one ``data`` line of JSON; the stream ends after the last event."""
        record = self._service.record(job)
        return StreamingResponse(self._event_lines(record, after), media_type="text/event-stream")

    async def cancel(self, job: JobId) -> Answer:
        """Cancel a job, also within a frame; a job that has ended is unchanged."""
        return Answer(asdict(self._service.cancel(job)))

    async def frame(self, request: Request) -> Answer:
        """Reconstruct one frame from pixels in buffer files or memory files, before any batch job."""
        body = await body_of(request)
        with taken(request.scope.get("state", {}).get("passed_files", [])) as passed:
            future = await self._call(self._queued, body, passed, threads=self._interactive)
        return Answer(await _awaited(future, request))

    async def detect(self, request: Request) -> Answer:
        """Measure the exposures of a plate."""
        wanted = await self._read(DetectRequest, request)
        if self._measured >= 8 * MEASURING:
            raise ServerError("Too many plates are waiting to be measured.", hint="Try again later.", status=429)
        self._measured += 1
        try:
            return Answer(await self._call(self._service.detect, wanted, threads=self._measuring))
        finally:
            self._measured -= 1

    async def spaces(self, config: Config) -> Answer:
        """List the color spaces and roles of an OCIO config."""
        return Answer(await self._call(self._service.spaces, config))

    async def info(self) -> Answer:
        """Return version, devices, roots, weights and the number of jobs of this server."""
        return Answer(await self._call(self._service.info))

    async def cache(self) -> Answer:
        """Return the size of the flow cache."""
        return Answer(await self._call(self._service.cache))

    async def clear_cache(self) -> Answer:
        """Delete all cached flows; renders compute them again when needed."""
        return Answer(await self._call(self._service.clear_cache))

    async def _read(self, kind: type[Document], request: Request) -> Document:
        """Read and parse a body; parsing runs in a thread of its own, so that a large body does not delay other
        requests.
        """
        return await self._call(read_request, kind, await body_of(request), threads=self._documents)

    def _queued(self, body: bytes, passed: list[int]) -> Future[dict[str, Any]]:
        """Parse and queue a frame: one change of threads, as a host waits."""
        return self._service.frame(read_request(FrameRequest, body), passed)

    async def _call(
        self, function: Callable[..., T], *arguments: object, threads: ThreadPoolExecutor | None = None
    ) -> T:
        """Run a function that may wait for a disk in a thread pool, so that the event loop stays responsive."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(threads or self._threads, function, *arguments)

    async def _event_lines(self, record: JobRecord, after: int) -> AsyncIterator[bytes]:
        changed, loop = asyncio.Event(), asyncio.get_running_loop()

        def wake() -> None:
            with suppress(RuntimeError):  # the event loop is closed
                loop.call_soon_threadsafe(changed.set)

        stop = record.listen(wake)
        record.watchers += 1
        try:
            while not self.closing:
                changed.clear()
                over = record.is_over
                events, after = record.since(after)
                for event in events:
                    yield f"data: {json.dumps(event)}\n\n".encode()
                if over:
                    return
                with suppress(TimeoutError):
                    await asyncio.wait_for(changed.wait(), HEARTBEAT_S)
                if not changed.is_set():
                    yield b": alive\n\n"
        finally:
            record.watchers -= 1
            stop()


def build_app(listener: Listener) -> FastAPI:
    """Return the application: all routes of ``listener``, and handlers that convert every error to JSON."""
    app = FastAPI(
        title="F2HDR",
        version=f2hdr_backend.__version__,
        description=(
            "The shared render server of F2HDR's host applications: renders, single frames and measurements of plates."
        ),
        docs_url=None,
        redoc_url=None,
    )
    routes: list[tuple[str, str, Callable[..., Awaitable[Any]]]] = [
        ("POST", "/v1/jobs", listener.submit),
        ("GET", "/v1/jobs", listener.jobs),
        ("GET", "/v1/jobs/{job}", listener.job),
        ("DELETE", "/v1/jobs/{job}", listener.cancel),
        ("GET", "/v1/jobs/{job}/events", listener.events),
        ("POST", "/v1/frames", listener.frame),
        ("POST", "/v1/detect", listener.detect),
        ("GET", "/v1/spaces", listener.spaces),
        ("GET", "/v1/info", listener.info),
        ("GET", "/v1/cache", listener.cache),
        ("DELETE", "/v1/cache", listener.clear_cache),
    ]
    for method, path, endpoint in routes:
        app.add_api_route(path, endpoint, methods=[method], response_model=None, **described(endpoint.__name__))
    app.add_exception_handler(F2HDRError, _answer_error)
    app.add_exception_handler(RequestValidationError, _answer_invalid)
    app.add_exception_handler(HTTPException, _answer_http)
    describe(app)
    return app


async def _awaited(future: Future[dict[str, Any]], request: Request) -> dict[str, Any]:
    """Return the result of a future; cancel it if the client disconnects."""
    wrapped = asyncio.wrap_future(future)
    while not wrapped.done():
        await asyncio.wait({wrapped}, timeout=GONE_S)
        if not wrapped.done() and await request.is_disconnected():
            future.cancel()
    if wrapped.cancelled():
        raise ServerError("The frame was canceled.", hint="Request it again.", status=503)
    return wrapped.result()


async def _answer_error(request: Request, error: Exception) -> Answer:
    if not isinstance(error, F2HDRError):
        raise error
    return Answer(error_document(error), status_of(error))


async def _answer_invalid(request: Request, error: Exception) -> Answer:
    problems = error.errors() if isinstance(error, RequestValidationError) else []
    words = "; ".join(f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}" for problem in problems)
    return Answer(error_document(DocumentError(f"The request is invalid: {words}.")), 400)


async def _answer_http(request: Request, error: Exception) -> Answer:
    if not isinstance(error, HTTPException):
        raise error
    refusal = ServerError(f"{error.detail}: {request.method} {request.url.path}.", status=error.status_code)
    return Answer(error_document(refusal), error.status_code, headers=dict(error.headers or {}))
