"""What may be asked of the server: one frozen dataclass a request, read as strictly as a Shot."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import NoReturn, Optional, TypeVar

from f2hdr_backend.shot.document import Shot
from f2hdr_backend.shot.errors import DocumentError
from f2hdr_backend.shot.fields import decode
from f2hdr_backend.shot.frames import FrameRange
from f2hdr_backend.shot.setting import check_settings, setting

Request = TypeVar("Request", "JobRequest", "FrameRequest", "DetectRequest")

LONGEST_NAME = 200
"""Most characters of a client's name."""
LONGEST_FRAMES = 20_000
"""Most characters of a frame range."""


_PATH = {"minLength": 1, "format": "path"}
_CLIENT_HELP = "Name of the client; the server shares its time fairly among these names."


@dataclass(frozen=True)
class JobRequest:
    """A Shot to render."""

    shot: Shot = setting("The Shot, with absolute paths.")
    frames: Optional[FrameRange] = setting(  # noqa: UP045 - `decode` reads typing's unions
        "Frames to render, such as 1001-1010; null for those of the Shot.", default=None
    )
    force: bool = setting("Render frames again that are already done.", default=False)
    client: str = setting(_CLIENT_HELP, default="", schema={"maxLength": LONGEST_NAME})
    priority: str = setting(
        "interactive overtakes batch between frames.", default="batch", choices=("batch", "interactive")
    )
    keep: bool = setting(
        "Continue while no client watches; if false, the job is canceled after 10 s without one.", default=True
    )

    def __post_init__(self) -> None:
        check_settings(self)
        _check_name(self.client)
        if self.frames is not None and not len(self.frames):
            raise DocumentError("frames is empty.", hint="Leave it out for those of the Shot.", field="frames")


@dataclass(frozen=True)
class FrameRequest:
    """One frame now, from pixels in mapped buffers."""

    shot: Shot = setting("Exposures, color, engine and anchor; its plate and output pattern are not used.")
    buffers: tuple[str, str, str] = setting(
        "Absolute paths of the buffers of the previous, the reference and the next frame.", items=_PATH
    )
    output: str = setting("Absolute path of the buffer to write.", schema=_PATH)
    client: str = setting(_CLIENT_HELP, default="", schema={"maxLength": LONGEST_NAME})

    def __post_init__(self) -> None:
        _check_name(self.client)


@dataclass(frozen=True)
class DetectRequest:
    """A plate whose exposures are to be measured."""

    plate: str = setting("Absolute path of the plate, as in a Shot.", schema=_PATH)
    input_space: str = setting("Color space of the plate, as in a Shot.", default="auto")
    config: str = setting("OCIO config, as in a Shot.", default="")

    def __post_init__(self) -> None:
        if not self.plate:
            raise DocumentError("The request names no plate.", hint="Give an absolute path.", field="plate")


def read_request(kind: type[Request], content: bytes) -> Request:
    """Read the body of a request. DocumentError, naming the field, for anything but that request in JSON."""
    try:
        document = json.loads(content, parse_constant=_refuse_constant, parse_float=_number)
    except (ValueError, RecursionError) as error:
        raise DocumentError(f"The body is not JSON: {error}.", hint="Send one JSON object.") from error
    if isinstance(document, dict):
        _check_span(document.get("frames"))
        _check_span(document["shot"].get("frames") if isinstance(document.get("shot"), dict) else None)
    return decode(kind, document, "request")


def _number(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"{text[:20]} is too large a number")
    return number


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


def _check_name(name: str) -> None:
    if len(name) > LONGEST_NAME:
        raise DocumentError(f"client is longer than {LONGEST_NAME} characters.", field="client")


def _check_span(text: object) -> None:
    """Refuse a range that takes long to read."""
    if isinstance(text, str) and len(text) > LONGEST_FRAMES:
        raise DocumentError(
            f"frames is longer than {LONGEST_FRAMES} characters.", hint="Ask for fewer at a time.", field="frames"
        )
