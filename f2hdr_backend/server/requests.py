"""The requests of the API: one frozen dataclass each, validated like a Shot."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Optional, TypeVar

from f2hdr_backend.server.models import read_document
from f2hdr_backend.shot.document import CONFIG_WORDS, Shot
from f2hdr_backend.shot.errors import DocumentError
from f2hdr_backend.shot.frames import FrameRange
from f2hdr_backend.shot.paths import check_paths
from f2hdr_backend.shot.read_text import parse_json
from f2hdr_backend.shot.setting import check_settings, setting

Request = TypeVar("Request", "JobRequest", "FrameRequest", "DetectRequest")

LONGEST_NAME = 200
"""Maximum length of a client's name in characters."""


MEMORY_WORDS = "memory:[0-3]"
"""Names of memory files that are passed with the request, by their place among them."""
_PATH = {"minLength": 1, "format": "path"}
_CLIENT_HELP = "Name of the client; the server divides its time evenly among these names."


@dataclass(frozen=True)
class JobRequest:
    """A request to render a Shot."""

    shot: Shot = setting("The Shot, with absolute paths.")
    frames: Optional[FrameRange] = setting(  # noqa: UP045 - as a Shot has it
        "Frames to render, such as 1001-1010; null for those of the Shot.", default=None
    )
    force: bool = setting("Render frames again that are already done.", default=False)
    client: str = setting(_CLIENT_HELP, default="", schema={"maxLength": LONGEST_NAME})
    priority: str = setting(
        "interactive jobs run before batch jobs, from the next frame on.",
        default="batch",
        choices=("batch", "interactive"),
    )
    keep: bool = setting(
        "Continue without a watching client; if false, the job is canceled 10 s after the last client stopped "
        "watching.",
        default=True,
    )

    def __post_init__(self) -> None:
        check_settings(self)
        _check_name(self.client)
        if self.frames is not None and not len(self.frames):
            raise DocumentError("frames is empty.", hint="Omit it to render the frames of the Shot.", field="frames")


@dataclass(frozen=True)
class FrameRequest:
    """A request to reconstruct one frame from pixels in buffer files, or in memory files that are passed with it."""

    shot: Shot = setting("Exposures, color, engine and anchor; its plate and output pattern are ignored.")
    buffers: tuple[str, str, str] = setting(
        "Absolute paths of the buffers of the previous, the reference and the next frame, or names of memory files.",
        path="read",
        words=MEMORY_WORDS,
        items=_PATH,
    )
    output: str = setting(
        "Absolute path of the buffer to write, or name of a memory file.",
        path="written",
        words=MEMORY_WORDS,
        schema=_PATH,
    )
    client: str = setting(_CLIENT_HELP, default="", schema={"maxLength": LONGEST_NAME})

    def __post_init__(self) -> None:
        check_paths(self)
        _check_name(self.client)
        if len({bool(re.fullmatch(MEMORY_WORDS, name)) for name in (*self.buffers, self.output)}) > 1:
            raise DocumentError(
                "The request mixes paths and memory files.", hint="Use one kind for all four.", field="buffers"
            )

    @property
    def is_in_memory(self) -> bool:
        """Whether all pixels are in memory files, and not in buffer files."""
        return bool(re.fullmatch(MEMORY_WORDS, self.output))


@dataclass(frozen=True)
class DetectRequest:
    """A request to measure the exposures of a plate."""

    plate: str = setting("Absolute path of the plate, as in a Shot.", path="read", schema=_PATH)
    input_space: str = setting("Color space of the plate, as in a Shot.", default="auto")
    config: str = setting("OCIO config, as in a Shot.", default="", path="read", words=CONFIG_WORDS)
    layer: str = setting("Layer or view of EXR frames, as in a Shot.", default="")

    def __post_init__(self) -> None:
        check_paths(self)
        if not self.plate:
            raise DocumentError("The request has no plate.", hint="Give the absolute path of a plate.", field="plate")


def read_request(kind: type[Request], content: bytes) -> Request:
    """Parse the body of a request. Raises DocumentError, with the name of the field, if it is not a valid request."""
    return read_document(kind, parse_json(content, "The body"), "request")


def _check_name(name: str) -> None:
    if len(name) > LONGEST_NAME:
        raise DocumentError(f"client is longer than {LONGEST_NAME} characters.", field="client")
