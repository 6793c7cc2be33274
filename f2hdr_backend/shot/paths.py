"""The paths in a document, found by the metadata of its fields: every check and every change of paths starts here.

A field with ``path`` in its metadata holds paths, as text or as a list of texts. An empty text, and a text that matches
the field's ``words``, is not a path.
"""

from __future__ import annotations

import dataclasses
import os
import re
from collections.abc import Iterator
from typing import Any, Callable, TypeVar

from f2hdr_backend.shot.limits import check_path

Document = TypeVar("Document")


@dataclasses.dataclass(frozen=True)
class NamedPath:
    """A path in a document."""

    field: str
    """Name of the field with those of its parents, such as ``output.pattern``."""
    path: str
    written: bool
    """Whether a file is written there; otherwise it is read."""


def paths_in(document: Any) -> list[NamedPath]:
    """Return the paths in a dataclass and in those in its fields, in the order of the fields."""
    return list(_paths(document, ""))


def with_paths(document: Document, change: Callable[[str], str]) -> Document:
    """Return a copy of a dataclass in which each path is replaced by ``change(path)``."""
    changed: dict[str, Any] = {}
    for field in dataclasses.fields(document):  # type: ignore[arg-type]
        value = getattr(document, field.name)
        if dataclasses.is_dataclass(value):
            changed[field.name] = with_paths(value, change)
        elif "path" in field.metadata:
            texts = [change(text) if _is_path(field, text) else text for text in _texts(value)]
            changed[field.name] = tuple(texts) if isinstance(value, tuple) else texts[0]
    return dataclasses.replace(document, **changed)  # type: ignore[type-var]


def absolute(document: Document) -> Document:
    """Return a copy of a dataclass with absolute paths; relative ones are relative to this process's folder."""
    return with_paths(document, os.path.abspath)


def check_paths(document: Any) -> None:
    """Raise DocumentError if a field for paths has a text that no file system can store, or a long one.

    Dataclasses in its fields are not checked: they check themselves.
    """
    for field in dataclasses.fields(document):
        if "path" in field.metadata:
            for text in _texts(getattr(document, field.name)):
                check_path(text, field.name)


def _paths(document: Any, parent: str) -> Iterator[NamedPath]:
    for field in dataclasses.fields(document):
        value, name = getattr(document, field.name), parent + field.name
        if dataclasses.is_dataclass(value):
            yield from _paths(value, f"{name}.")
        elif "path" in field.metadata:
            written = field.metadata["path"] == "written"
            yield from (NamedPath(name, text, written) for text in _texts(value) if _is_path(field, text))


def _texts(value: Any) -> tuple[str, ...]:
    return value if isinstance(value, tuple) else (value,)


def _is_path(field: dataclasses.Field[Any], text: str) -> bool:
    return bool(text) and not re.fullmatch(field.metadata.get("words", ""), text, re.DOTALL)
