"""The OpenAPI description of all routes, generated from the dataclasses that read and write the documents."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from f2hdr_backend.client.jobs import JobStatus
from f2hdr_backend.server.error_responses import STATUSES
from f2hdr_backend.server.models import reference, schemas_of
from f2hdr_backend.server.requests import DetectRequest, FrameRequest, JobRequest

_NUMBER, _TEXT, _WHOLE = {"type": "number"}, {"type": "string"}, {"type": "integer"}


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties)}


def _list(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


_JOB_STATUS = schemas_of(JobStatus)["JobStatus"]["properties"]
_ERROR = _object({"code": _TEXT, "message": _TEXT, "hint": _TEXT, "facts": {"type": "object"}, "exit_code": _WHOLE})
_FRAME = _object(
    {
        "frame": _WHOLE, "path": _TEXT, "width": _WHOLE, "height": _WHOLE,
        "waited_s": _NUMBER, "loading_s": _NUMBER, "computing_s": _NUMBER, "files_s": _NUMBER,
    }
)  # fmt: skip
_DETECTION = _object(
    {
        "event": _TEXT, "plate": _TEXT, "frames": _list(_WHOLE), "pattern": {"type": "object"}, "confidence": _NUMBER,
        "source": _TEXT, "cuts": _list(_WHOLE), "dropped": _list(_WHOLE), "levels": {"type": "array"},
        "notes": _list(_TEXT),
    }
)  # fmt: skip
_INFO = _object(
    {
        "version": _TEXT, "api": _WHOLE, "pid": _WHOLE, "started": _NUMBER, "devices": _list(_TEXT),
        "roots": _list(_TEXT), "weights": _list(_TEXT), "jobs": {"type": "object", "additionalProperties": _WHOLE},
        "seconds_per_megapixel": {"type": "object", "additionalProperties": {"type": ["number", "null"]}},
    }
)  # fmt: skip


@dataclass(frozen=True)
class _Route:
    """Request, response and statuses of one route."""

    gives: dict[str, Any]
    takes: type | None = None
    statuses: tuple[int, ...] = ()
    """Statuses of its errors, in addition to those of every route."""
    ok: tuple[int, ...] = (200,)


_ROUTES = {
    "submit": _Route(reference(JobStatus), JobRequest, (403, 408, 409, 413, 422, 429, 503), (200, 201)),
    "jobs": _Route(_object({"jobs": _list(reference(JobStatus))})),
    "job": _Route(_object({**_JOB_STATUS, "events": _list({"type": "object"}), "next": _WHOLE}), None, (404,)),
    "cancel": _Route(reference(JobStatus), None, (404,)),
    "events": _Route(_TEXT, None, (404,)),
    "frame": _Route(_FRAME, FrameRequest, (403, 404, 408, 413, 422, 429, 503, 507)),
    "detect": _Route(_DETECTION, DetectRequest, (403, 404, 408, 413, 422, 429)),
    "spaces": _Route(_object({"config": _TEXT, "spaces": _list(_TEXT)}), None, (403, 422)),
    "info": _Route(_INFO),
    "cache": _Route(_object({"folder": _TEXT, "flows": _WHOLE, "bytes": _WHOLE, "limit_bytes": _WHOLE}), None, (422,)),
    "clear_cache": _Route(_object({"folder": _TEXT, "flows": _WHOLE, "bytes": _WHOLE, "left": _WHOLE}), None, (422,)),
}


def described(name: str) -> dict[str, Any]:
    """Return the arguments of ``add_api_route`` for the route of that name."""
    route = _ROUTES[name]
    media = "text/event-stream" if name == "events" else "application/json"
    responses: dict[int | str, dict[str, Any]] = {
        status: {
            "description": "Done." if status == 200 else "A new job was created.",
            "content": {media: {"schema": route.gives}},
        }
        for status in route.ok
    }
    for status in sorted({400, 401, *route.statuses}):
        content = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
        responses[status] = {"description": STATUSES[status], "content": content}
    extra = {}
    if route.takes is not None:
        content = {"application/json": {"schema": reference(route.takes)}}
        extra = {"requestBody": {"required": True, "content": content}}
    return {"responses": responses, "openapi_extra": extra, "operation_id": name, "status_code": route.ok[-1]}


def describe(app: FastAPI) -> None:
    """Install the OpenAPI description of ``app``: routes, schemas and the bearer token."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _document(app)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def _document(app: FastAPI) -> dict[str, Any]:
    document = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
    for operations in document["paths"].values():
        for operation in operations.values():
            if "422" in operation["responses"] and operation["responses"]["422"]["description"] != STATUSES[422]:
                del operation["responses"]["422"]
    schemas = schemas_of(JobRequest, FrameRequest, DetectRequest, JobStatus)
    document["components"] = {
        "schemas": {**schemas, "Error": _ERROR},
        "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
    }
    document["security"] = [{"token": []}]
    return document
