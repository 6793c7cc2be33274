"""Settings of a document: dataclass fields with everything that a command line, a server or a host shows."""

from __future__ import annotations

import dataclasses
import difflib
import re
from collections.abc import Iterable, Mapping
from typing import Any, Callable, Optional

from f2hdr_backend.shot.errors import DocumentError


def setting(
    help: str,
    *,
    default: Any = dataclasses.MISSING,
    factory: Optional[Callable[[], Any]] = None,
    label: str = "",
    unit: str = "",
    choices: tuple[Any, ...] = (),
    pattern: str = "",
    hint: str = "",
    option: bool = True,
    pixels: bool = True,
    path: str = "",
    words: str = "",
    schema: Optional[Mapping[str, Any]] = None,
    items: Optional[Mapping[str, Any]] = None,
) -> Any:
    """Return a dataclass field; the arguments are stored in the field's ``metadata`` under the same names.

    Args:
        help: one sentence for ``--help``, tool tips and the server's schema; with the unit, if there is one.
        default: value if a document omits the field; without it the field is required.
        factory: creates the default, in place of ``default``.
        label: name in a user interface; by default the field's own name in words.
        unit: of the value, such as ``stops``.
        choices: allowed values, or allowed items of a tuple.
        pattern: regular expression that the whole text must match.
        hint: how to write a value, for the error message.
        option: whether the command line has an option of this name.
        pixels: whether the rendered pixels depend on it.
        path: ``read`` or ``written`` if the value is the path of a file (see ``paths``).
        words: regular expression of values of such a field that are not paths.
        schema: keywords of JSON Schema that the type does not imply.
        items: the same for the items of a list.
    """
    facts = {
        "help": help, "label": label, "unit": unit, "choices": choices, "pattern": pattern, "hint": hint,
        "option": option, "pixels": pixels, "path": path, "words": words,
        "schema": dict(schema or {}), "items": dict(items or {}),
    }  # fmt: skip
    metadata = {name: value for name, value in facts.items() if value not in ("", (), {})}
    if factory is not None:
        return dataclasses.field(default_factory=factory, metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


def label_of(field: dataclasses.Field[Any]) -> str:
    """Return the name of a setting in a user interface."""
    return str(field.metadata.get("label") or field.name.replace("_", " ").capitalize())


def check_settings(document: Any) -> None:
    """Raise DocumentError if a field of a dataclass violates its ``choices`` or ``pattern``."""
    for field in dataclasses.fields(document):
        value = getattr(document, field.name)
        choices, pattern = field.metadata.get("choices"), field.metadata.get("pattern")
        for item in value if isinstance(value, tuple) else (value,):
            if choices is not None and item not in choices:
                hint = near(str(item), choices) or f"Choose from {', '.join(map(str, choices))}."
                raise _refused(field, item, hint)
        if pattern is not None and not re.fullmatch(pattern, value, re.ASCII):
            raise _refused(field, value, field.metadata.get("hint", ""))


def near(name: str, known: Iterable[Any]) -> str:
    """Return a question with the known words closest to ``name``; empty if none is close."""
    found = difflib.get_close_matches(name, [str(word) for word in known])
    return f"Did you mean {' or '.join(found)}?" if found else ""


def _refused(field: dataclasses.Field[Any], value: Any, hint: str) -> DocumentError:
    return DocumentError(f'{field.name} cannot be "{value}".', hint=hint, field=field.name, value=value)
