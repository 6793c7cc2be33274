"""JSON schemas of the API's documents, generated from the dataclasses that read them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from f2hdr_backend.shot.frames import FrameRange

_SCALARS = {str: "string", int: "integer", float: "number", bool: "boolean"}


def schemas_of(*kinds: type) -> dict[str, Any]:
    """Return the JSON schemas of dataclasses and of the dataclasses in their fields, by class name.

    The schemas reject unknown fields.
    """
    found: dict[str, Any] = {}
    waiting = list(kinds)
    while waiting:
        kind = waiting.pop()
        if kind.__name__ not in found:
            found[kind.__name__] = _of_class(kind, waiting)
    return found


def reference(kind: type) -> dict[str, Any]:
    """Return a reference to the schema of ``kind`` in an OpenAPI document."""
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
        "properties": {name: _of_field(field, hints[name], waiting) for name, field in fields.items()},
        "required": required,
        "additionalProperties": False,
    }


def _of_field(field: dataclasses.Field[Any], hint: Any, waiting: list[type]) -> dict[str, Any]:
    schema = _of_type(hint, waiting)
    _limit(schema["anyOf"][0] if "anyOf" in schema else schema, field.metadata)
    if "$ref" in schema or "help" not in field.metadata:
        return schema
    unit = f" Unit: {field.metadata['unit']}." if "unit" in field.metadata else ""
    return {**schema, "description": field.metadata["help"] + unit}


def _limit(schema: dict[str, Any], facts: Mapping[str, Any]) -> None:
    """Add the constraints in the field's metadata to its schema."""
    items = schema.get("items")
    if "choices" in facts:
        (items or schema)["enum"] = list(facts["choices"])
    if "pattern" in facts:
        schema["pattern"] = f"^({facts['pattern']})$"
    schema.update(facts.get("schema", {}))
    for item in schema.get("prefixItems", [items] if items else []):
        item.update(facts.get("items", {}))


def _of_type(hint: Any, waiting: list[type]) -> dict[str, Any]:
    if get_origin(hint) in (Union, UnionType):
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
