"""Converts frozen dataclasses to JSON and back; rejects unknown fields, wrong types and invalid choices."""

from __future__ import annotations

import dataclasses
import math
import types
from collections.abc import Iterable
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from f2hdr_backend.shot.errors import DocumentError, ShotError
from f2hdr_backend.shot.frames import FrameRange
from f2hdr_backend.shot.printable import shown
from f2hdr_backend.shot.setting import near

T = TypeVar("T")
_UNIONS = (Union, getattr(types, "UnionType", Union))


def encode(value: Any) -> Any:
    """Return a value as JSON types; a FrameRange becomes text, a tuple becomes a list."""
    if isinstance(value, FrameRange):
        return str(value)
    if dataclasses.is_dataclass(value):
        return {field.name: encode(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, tuple):
        return [encode(item) for item in value]
    return value


def decode(kind: type[T], value: object, where: str) -> T:
    """Build the dataclass ``kind`` from a JSON object; ``where`` names it in errors.

    Raises DocumentError, which names the field, for an unknown or missing field and for a value of another type.
    """
    if not isinstance(value, dict):
        raise wrong_value(where, "an object", value)
    known = {field.name: field for field in dataclasses.fields(kind)}  # type: ignore[arg-type]
    for name in value:
        if name not in known:
            raise unknown_field(where, str(name), known)
    for name, field in known.items():
        required = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        if required and name not in value:
            raise DocumentError(f'{where} lacks the field "{name}".', hint=field.metadata["help"], field=name)
    hints = get_type_hints(kind)
    return kind(**{name: _decode_value(hints[name], item, f"{where}.{name}") for name, item in value.items()})


def decode_text(kind: Any, text: str, where: str) -> Any:
    """Parse a setting from the text of an option; items of a list are separated by commas.

    Args:
        kind: type of the field, from ``get_type_hints``.
        text: the text of the option.
        where: name of the option in errors.

    Raises:
        DocumentError: the text is not a value of that type.
    """
    if get_origin(kind) in _UNIONS:
        return decode_text(get_args(kind)[0], text, where)
    if get_origin(kind) is tuple:
        return tuple(decode_text(get_args(kind)[0], part, where) for part in text.split(",") if part)
    if kind is FrameRange:
        return decode_range(text.replace(":", "x"), where)  # OpenJD writes 1-9x2 as 1-9:2
    if kind not in (int, float):
        return text
    try:
        return kind(text)
    except ValueError:
        raise wrong_value(where, _KINDS[kind], text) from None


def _decode_value(kind: Any, value: Any, where: str) -> Any:
    if get_origin(kind) in _UNIONS:
        return None if value is None else _decode_value(get_args(kind)[0], value, where)
    if get_origin(kind) is tuple:
        return _decode_tuple(get_args(kind), value, where)
    if kind is FrameRange:
        return decode_range(value, where)
    if dataclasses.is_dataclass(kind):
        return decode(kind, value, where)  # type: ignore[arg-type]
    return _decode_scalar(kind, value, where)


_KINDS = {str: "text", int: "a whole number", float: "a finite number", bool: "true or false"}


def _decode_scalar(kind: type, value: Any, where: str) -> Any:
    if kind is float and type(value) is int:
        value = float(value) if abs(value) < 2**1023 else math.inf
    if kind is int and type(value) is float and value.is_integer():
        value = int(value)  # as in JSON Schema: some languages have only floats
    if type(value) is not kind or (isinstance(value, float) and not math.isfinite(value)):
        raise wrong_value(where, _KINDS[kind], value)
    return value


def _decode_tuple(kinds: tuple[Any, ...], value: Any, where: str) -> tuple[Any, ...]:
    if not isinstance(value, (list, tuple)):
        raise wrong_value(where, "a list", value)
    if kinds[-1] is Ellipsis:
        kinds = kinds[:1] * len(value)
    if len(kinds) != len(value):
        raise wrong_value(where, f"a list of {len(kinds)} values", value)
    return tuple(_decode_value(kind, item, f"{where}[{index}]") for index, (kind, item) in enumerate(zip(kinds, value)))


def decode_range(value: Any, where: str) -> FrameRange:
    """Parse a range of frames; ``where`` is the field's name in a DocumentError."""
    if not isinstance(value, str):
        raise wrong_value(where, "text such as 1001-1010", value)
    try:
        return FrameRange.parse(value)
    except ShotError as error:
        raise DocumentError(f"{where}: {error.message}", hint=error.hint, field=where, value=value) from error


def wrong_value(where: str, wanted: str, value: object) -> DocumentError:
    """Return the error for a value of another type; ``wanted`` is the expected type."""
    return DocumentError(f"{where} must be {wanted}, not {shown(value)}.", field=where, value=value)


def unknown_field(where: str, name: str, known: Iterable[str]) -> DocumentError:
    """Return the error for an unknown field of a document; its message lists the closest of the ``known`` ones."""
    known = list(known)
    hint = near(name, known) or f"Its fields are {', '.join(known)}."
    return DocumentError(f'{where} has no field "{name}".', hint=hint, field=name, known=known)
