"""Documents of the API as pydantic models, generated from their dataclasses and the metadata of the fields.

pydantic checks structure and types and generates JSON schemas. Limits of values are in the schema too; the dataclass
checks them, as for every other caller.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from functools import cache, partial
from types import GenericAlias, UnionType
from typing import Annotated, Any, Optional, TypeVar, Union, get_args, get_origin, get_type_hints

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    Strict,
    ValidationError,
    ValidationInfo,
    create_model,
)
from pydantic.json_schema import models_json_schema

from f2hdr_backend.shot.errors import DocumentError
from f2hdr_backend.shot.fields import decode_range, unknown_field, wrong_value
from f2hdr_backend.shot.frames import FrameRange
from f2hdr_backend.shot.printable import shown
from f2hdr_backend.shot.setting import label_of

T = TypeVar("T")

LONGEST_FRAMES = 20_000
"""Maximum length of a frame range in characters."""
_STRICT = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)
_REFERENCE = "#/components/schemas/{model}"
_WANTED = {
    "string_type": "text", "int_type": "a whole number", "float_type": "a finite number",
    "finite_number": "a finite number", "bool_type": "true or false", "tuple_type": "a list", "model_type": "an object",
    "too_long": "a list of {max_length} values",
}  # fmt: skip
"""Expected value of a field, by pydantic's error type."""


def read_document(kind: Callable[..., T], document: object, where: str) -> T:
    """Build the dataclass ``kind`` from a JSON value; ``where`` is its name in errors.

    Raises DocumentError, with the name of the field, for an unknown or missing field and for a value of another type;
    and the errors of the dataclass for a value outside its limits.
    """
    try:
        return _build(kind, model_of(kind).model_validate(document))
    except ValidationError as error:
        raise _refused(kind, error, where) from None


def schemas_of(*kinds: type) -> dict[str, Any]:
    """Return the JSON schemas of dataclasses and of those in their fields, by class name."""
    _, found = models_json_schema([(model_of(kind), "validation") for kind in kinds], ref_template=_REFERENCE)
    schemas: dict[str, Any] = found["$defs"]
    return schemas


def reference(kind: type) -> dict[str, Any]:
    """Return a reference to the schema of ``kind`` in an OpenAPI document."""
    return {"$ref": _REFERENCE.format(model=kind.__name__)}


@cache
def model_of(kind: Any) -> type[BaseModel]:
    """Return the model of a dataclass; unknown fields are refused."""
    hints = get_type_hints(kind)
    fields: dict[str, Any] = {
        field.name: (_typed(hints[field.name], field.metadata), _described(field)) for field in dataclasses.fields(kind)
    }
    first_line = (kind.__doc__ or "").partition("\n")[0]
    return create_model(kind.__name__, __config__=_STRICT, __doc__=first_line, **fields)


def _described(field: dataclasses.Field[Any]) -> Any:
    unit = f" Unit: {field.metadata['unit']}." if "unit" in field.metadata else ""
    facts: dict[str, Any] = {"title": label_of(field), "description": field.metadata.get("help", "") + unit or None}
    if field.default is not dataclasses.MISSING:
        facts["default"] = field.default
    elif field.default_factory is not dataclasses.MISSING:
        facts["default_factory"] = field.default_factory
    return Field(**facts)


def _typed(hint: Any, facts: Mapping[str, Any]) -> Any:
    """The type of a field with the limits that its metadata states."""
    parts = get_args(hint)
    if get_origin(hint) in (Union, UnionType):
        return Optional[_typed(parts[0], facts)]  # noqa: UP045 - a type, not an annotation
    if dataclasses.is_dataclass(hint) and hint is not FrameRange:
        kind: Any = hint
        return Annotated[model_of(kind), AfterValidator(partial(_build, kind))]
    limits = dict(facts.get("schema", {}))
    choices = {"enum": list(facts["choices"])} if "choices" in facts else {}
    if get_origin(hint) is tuple:
        each = {"schema": {**facts.get("items", {}), **choices}}
        items = tuple(part if part is Ellipsis else _typed(part, each) for part in parts)
        kind = GenericAlias(tuple, items)
        return Annotated[kind, Strict(False), Field(json_schema_extra=limits)]  # not strict: JSON has lists
    limits |= choices
    if "pattern" in facts:
        limits["pattern"] = f"^({facts['pattern']})$"
    return Annotated[_READ_BY.get(hint, hint), Field(json_schema_extra=limits)]


def _build(kind: Callable[..., T], read: BaseModel) -> T:
    return kind(**{name: getattr(read, name) for name in read.model_fields_set})


def _whole(value: object) -> object:
    """Accept 1.0 as an integer, as JSON Schema does: some languages write integers like this."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _frames(text: str, info: ValidationInfo) -> FrameRange:
    name = str(info.field_name)
    if len(text) > LONGEST_FRAMES:  # long patterns take too long to parse
        raise DocumentError(
            f"{name} is longer than {LONGEST_FRAMES} characters.", hint="Request fewer frames at a time.", field=name
        )
    return decode_range(text, name)


_READ_BY: dict[Any, Any] = {
    int: Annotated[int, BeforeValidator(_whole)],
    FrameRange: Annotated[str, AfterValidator(_frames), Field(json_schema_extra={"format": "frame-range"})],
}
"""Types that are parsed by functions of this package."""


def _refused(kind: Any, error: ValidationError, where: str) -> DocumentError:
    """Return the first unknown field, as it may be a misspelled required one; otherwise the first error."""
    errors = error.errors(include_url=False)
    first = next((each for each in errors if each["type"] == "extra_forbidden"), errors[0])
    place, value = first["loc"], first["input"]
    path, parent = _path(where, place), _path(where, place[:-1])
    if first["type"] == "extra_forbidden":
        return unknown_field(parent, str(place[-1]), _fields_at(kind, place[:-1]))
    if first["type"] == "missing":
        field = _fields_at(kind, place[:-1]).get(str(place[-1]))
        if field is None:
            count = 1 + max(int(each["loc"][-1]) for each in errors if each["loc"][:-1] == place[:-1])
            return wrong_value(parent, f"a list of {count} values", value)
        return DocumentError(f"{path} is missing.", hint=field.metadata["help"], field=field.name)
    if first["type"] in _WANTED:
        return wrong_value(path, _WANTED[first["type"]].format(**first.get("ctx", {})), value)
    return DocumentError(f"{path} cannot be {shown(value)}.", hint=f"{first['msg']}.", field=path, value=value)


def _path(where: str, place: tuple[int | str, ...]) -> str:
    return where + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place)


def _fields_at(kind: Any, names: tuple[int | str, ...]) -> dict[str, dataclasses.Field[Any]]:
    """Return the fields of the dataclass at the path ``names``; none in a list."""
    for name in names:
        hint = get_type_hints(kind).get(str(name))
        kind = next((part for part in (hint, *get_args(hint)) if dataclasses.is_dataclass(part)), None)
        if kind is None:
            return {}
    return {field.name: field for field in dataclasses.fields(kind)}
