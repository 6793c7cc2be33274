"""The documents of the API as JSON schemas, made from the same dataclasses that read them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, Union, get_args, get_origin, get_type_hints

from f2hdr_backend.shot.exposure import LARGEST_EV
from f2hdr_backend.shot.frames import FrameRange

_SCALARS = {str: "string", int: "integer", float: "number", bool: "boolean"}
_PATH = {"minLength": 1, "format": "path"}
_LIMITS: dict[tuple[str, str], dict[str, Any]] = {
    ("Shot", "plate"): _PATH,
    ("Shot", "handles"): {"minimum": 0},
    ("Shot", "version"): {"enum": [1]},
    ("Color", "clip_level"): {"oneOf": [{"minItems": 1, "maxItems": 1}, {"minItems": 3, "maxItems": 3}]},
    ("Engine", "memory"): {"pattern": r"^([0-9]+(\.[0-9]+)?[KMGT]?)?$"},
    ("Engine", "tile"): {"pattern": r"^(auto|off|[1-9][0-9]*)$"},
    ("Output", "pattern"): {"format": "output-pattern"},
    ("Output", "anchor"): {"pattern": r"^(long|short|[-+]?[0-9]{1,3}(\.[0-9]{1,6})?)$"},
    ("Output", "layers"): {"uniqueItems": True},
    ("ExposurePattern", "cycle"): {"minItems": 1},
    ("JobRequest", "client"): {"maxLength": 200},
    ("FrameRequest", "client"): {"maxLength": 200},
    ("FrameRequest", "output"): _PATH,
    ("DetectRequest", "plate"): _PATH,
}
"""What a field's type does not say, by class and field."""
_ITEM_LIMITS: dict[tuple[str, str], dict[str, Any]] = {
    ("Color", "clip_level"): {"exclusiveMinimum": 0},
    ("ExposurePattern", "cycle"): {"minimum": -LARGEST_EV, "maximum": LARGEST_EV},
    ("FrameRequest", "buffers"): _PATH,
}


def schemas_of(*kinds: type) -> dict[str, Any]:
    """The JSON schemas of dataclasses and of those in their fields, by class name; unknown fields are refused."""
    found: dict[str, Any] = {}
    waiting = list(kinds)
    while waiting:
        kind = waiting.pop()
        if kind.__name__ not in found:
            found[kind.__name__] = _of_class(kind, waiting)
    return found


def reference(kind: type) -> dict[str, Any]:
    """A reference to the schema of ``kind`` in an OpenAPI document."""
    return {"$ref": f"#/components/schemas/{kind.__name__}"}


def _of_class(kind: type, waiting: list[type]) -> dict[str, Any]:
    hints = get_type_hints(kind)
    fields = {field.name: field for field in dataclasses.fields(kind)}
    required = [
        name
        for name, field in fields.items()
        if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    ]
    return {
        "type": "object",
        "description": (kind.__doc__ or "").partition("\n")[0],
        "properties": {name: _of_field(kind, field, hints[name], waiting) for name, field in fields.items()},
        "required": required,
        "additionalProperties": False,
    }


def _of_field(kind: type, field: dataclasses.Field[Any], hint: Any, waiting: list[type]) -> dict[str, Any]:
    schema = _of_type(hint, waiting)
    _limit(schema["anyOf"][0] if "anyOf" in schema else schema, (kind.__name__, field.name), field.metadata)
    if "$ref" in schema or "help" not in field.metadata:
        return schema
    unit = f" Unit: {field.metadata['unit']}." if "unit" in field.metadata else ""
    return {**schema, "description": field.metadata["help"] + unit}


def _limit(schema: dict[str, Any], place: tuple[str, str], facts: Mapping[str, Any]) -> None:
    """Add to a schema what the field's type does not say."""
    items = schema.get("items")
    if "choices" in facts:
        (items or schema)["enum"] = list(facts["choices"])
    schema.update(_LIMITS.get(place, {}))
    for item in schema.get("prefixItems", [items] if items else []):
        item.update(_ITEM_LIMITS.get(place, {}))


def _of_type(hint: Any, waiting: list[type]) -> dict[str, Any]:
    if get_origin(hint) is Union:
        return {"anyOf": [_of_type(get_args(hint)[0], waiting), {"type": "null"}]}
    if get_origin(hint) is tuple:
        return _of_tuple(get_args(hint), waiting)
    if get_origin(hint) is dict:
        return {"type": "object"}
    if hint is FrameRange:
        return {"type": "string", "format": "frame-range"}
    if dataclasses.is_dataclass(hint):
        waiting.append(hint)  # type: ignore[arg-type]
        return {"$ref": f"#/components/schemas/{hint.__name__}"}  # type: ignore[union-attr]
    return {"type": _SCALARS[hint]}


def _of_tuple(kinds: tuple[Any, ...], waiting: list[type]) -> dict[str, Any]:
    if kinds[-1] is Ellipsis:
        return {"type": "array", "items": _of_type(kinds[0], waiting)}
    items = [_of_type(kind, waiting) for kind in kinds]
    return {"type": "array", "prefixItems": items, "minItems": len(items), "maxItems": len(items), "items": False}
