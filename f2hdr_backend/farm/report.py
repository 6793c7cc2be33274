"""Events of a farm job, besides those of frames, and the error for failed chunks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from f2hdr_backend.shot.document import Shot
from f2hdr_backend.shot.errors import F2HDRError
from f2hdr_backend.shot.events import Event
from f2hdr_backend.shot.frames import FrameRange, Sequence


@dataclass(frozen=True)
class ChunkDone(Event):
    """All frames of a chunk are rendered."""

    frames: str
    seconds: float
    worker: str
    done: int
    total: int


@dataclass(frozen=True)
class ChunkFailed(Event):
    """A chunk failed in all its ``tries`` attempts."""

    frames: str
    tries: int
    code: str
    message: str


@dataclass(frozen=True)
class ChunkRetried(Event):
    """A chunk failed and is retried."""

    frames: str
    tries: int
    message: str


def failed(shot: Shot, failures: list[ChunkFailed]) -> F2HDRError:
    """Return one error for all failed chunks, of the class of the first failure; names the missing frames."""
    first = failures[0]
    asked = FrameRange(tuple(frame for item in failures for frame in FrameRange.parse(item.frames)))
    frames = FrameRange(Sequence.parse(shot.output.pattern).missing(asked)) or asked
    return family(first.code)(
        f"{len(frames)} frames could not be rendered: {frames}. {first.frames} failed {first.tries} times: "
        f"{first.message}",
        hint="Finished frames are kept; start the job again to resume.",
        frames=frames.frames,
        failures={item.frames: item.message for item in failures},
    )


def family(code: str) -> type[F2HDRError]:
    """Return the error class of a code, or F2HDRError if the code is unknown."""
    return next((kind for kind in _kinds(F2HDRError) if kind.code == code), F2HDRError)


def failures_in(events: Iterable[Event], found: list[ChunkFailed]) -> Iterator[Event]:
    """Pass events through and append the failures to ``found``."""
    for event in events:
        if isinstance(event, ChunkFailed):
            found.append(event)
        yield event


def _kinds(kind: type[F2HDRError]) -> Iterator[type[F2HDRError]]:
    yield kind
    for below in kind.__subclasses__():
        yield from _kinds(below)
