"""Convert errors to responses: their JSON document and their HTTP status."""

from __future__ import annotations

import json
import math
from typing import Any

from fastapi.responses import Response

from f2hdr_backend.shot.errors import (
    Canceled,
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
    (Canceled, 409),
)
"""The first class that matches determines the status."""

STATUSES: dict[int, str] = {
    400: "The request does not match this description.",
    401: "The token is missing or wrong.",
    403: "A path is outside the folders that the server may access.",
    404: "The job, the frame or the weights do not exist.",
    405: "The path does not support this method.",
    408: "The request did not arrive in time.",
    409: "Another job writes to the same files.",
    413: "The body is too large.",
    422: "The request is valid but cannot be carried out.",
    429: "The queue is full.",
    503: "The device is not available, or the server is closing.",
    507: "The device has too little memory.",
}
"""Every HTTP status that an error response may have, with its description."""


def status_of(error: F2HDRError) -> int:
    """Return the HTTP status of an error; a ServerError has its own in the fact ``status``."""
    if isinstance(error, ServerError):
        status = error.facts.get("status")
        return status if isinstance(status, int) else 503
    return next((status for kind, status in _STATUSES if isinstance(error, kind)), 500)


class Answer(Response):
    """A JSON response in ASCII, so that file names with unpaired surrogates can be encoded."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """Return the encoded JSON. Raises ValueError for NaN and infinities."""
        return json.dumps(content, allow_nan=False, separators=(",", ":")).encode()


def error_document(error: F2HDRError) -> dict[str, Any]:
    """Return the error as a JSON document; NaN and infinities in its facts are converted to text."""
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
