"""Errors as answers: the family's JSON, and the HTTP status that goes with it."""

from __future__ import annotations

import json
import math
from typing import Any

from fastapi.responses import Response

from f2hdr_backend.shot.errors import (
    Cancelled,
    DeviceError,
    DocumentError,
    F2HDRError,
    ImageError,
    MissingFrames,
    OutOfMemory,
    ServerError,
    ShotError,
    WeightsError,
    WeightsMissing,
)

_STATUSES: tuple[tuple[type[F2HDRError], int], ...] = (
    (DocumentError, 400),
    (MissingFrames, 404),
    (ShotError, 422),
    (ImageError, 422),
    (WeightsMissing, 404),
    (WeightsError, 422),
    (OutOfMemory, 507),
    (DeviceError, 503),
    (Cancelled, 409),
)
"""The first class that fits decides."""

STATUSES: dict[int, str] = {
    400: "The request is not as described here.",
    401: "The token is missing or wrong.",
    403: "A path lies outside the folders that the server may touch.",
    404: "There is no such job, frame or weights.",
    405: "The path does not take this method.",
    408: "The request took too long to arrive.",
    409: "Another job is in the way.",
    413: "The body is too large.",
    422: "The request can be read but not done.",
    429: "The queue is full.",
    503: "The device is not there, or the server is closing.",
    507: "The device has too little memory.",
}
"""Every status that an error may have, and what it means."""


def status_of(error: F2HDRError) -> int:
    """The HTTP status of an error; a ServerError carries its own as the fact ``status``."""
    if isinstance(error, ServerError):
        status = error.facts.get("status")
        return status if isinstance(status, int) else 503
    return next((status for kind, status in _STATUSES if isinstance(error, kind)), 500)


class Answer(Response):
    """JSON in plain ASCII, so that half a character in a file's name is no obstacle."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """Return the bytes; ValueError for numbers that JSON does not have."""
        return json.dumps(content, allow_nan=False, separators=(",", ":")).encode()


def error_document(error: F2HDRError) -> dict[str, Any]:
    """The error's JSON, its facts fit for every reader: numbers that JSON does not have become text."""
    document = error.to_json()
    return {**document, "facts": {name: _finite(value) for name, value in document["facts"].items()}}


def _finite(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, list):
        return [_finite(item) for item in value]
    if isinstance(value, dict):
        return {name: _finite(item) for name, item in value.items()}
    return value
