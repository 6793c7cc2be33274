"""The form fields of a Shot, derived from the Shot's dataclasses: a new setting appears automatically."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, replace
from typing import Any, Union, get_args, get_origin, get_type_hints

from f2hdr_backend.shot.document import Color, Engine, Output, Shot
from f2hdr_backend.shot.errors import DocumentError
from f2hdr_backend.shot.exposure import ExposurePattern
from f2hdr_backend.shot.frames import FrameRange

PARTS = (("", Shot), ("color", Color), ("engine", Engine), ("output", Output))
NOT_IN_THE_FORM = ("version", "color", "engine", "output")
"""Fields of the Shot that are not settings: its version, and the parts whose fields are listed separately."""


@dataclass(frozen=True)
class FormField:
    """One field. ``path`` is for example ``engine.method``."""

    path: str
    label: str
    help: str
    unit: str
    choices: tuple[Any, ...]
    kind: Any
    """The type: str, int, float, bool, FrameRange, ExposurePattern, or tuple for several values."""
    item: Any
    """The type of a tuple's values, else None."""
    optional: bool
    """Whether it may be None, to be determined by F2HDR."""
    default: Any

    @property
    def part(self) -> str:
        """The part of the Shot that contains it; empty for the Shot itself."""
        return self.path.rpartition(".")[0]

    @property
    def name(self) -> str:
        """Its name within the part."""
        return self.path.rpartition(".")[2]

    def of(self, shot: Shot) -> Any:
        """Return its value in a Shot."""
        return getattr(getattr(shot, self.part) if self.part else shot, self.name)

    def put(self, shot: Shot, value: Any) -> Shot:
        """Return the Shot with another value. Raises DocumentError if the result is invalid."""
        if not self.part:
            return replace(shot, **{self.name: value})
        return replace(shot, **{self.part: replace(getattr(shot, self.part), **{self.name: value})})

    def text(self, value: Any) -> str:
        """Return a value as editable text; empty for None."""
        if value is None:
            return ""
        if isinstance(value, ExposurePattern):
            return ", ".join(f"{ev:+g}" if ev else "0" for ev in value.cycle)
        if isinstance(value, tuple):
            return ", ".join(f"{item:g}" if isinstance(item, float) else str(item) for item in value)
        return str(value)

    def parse(self, text: str) -> Any:
        """Parse the text of a user. Raises DocumentError or ShotError."""
        words = text.strip()
        if not words and self.optional:
            return None
        if self.kind is FrameRange:
            return FrameRange.parse(words)
        if self.kind is tuple:
            parts = [part for part in words.replace(",", " ").split() if part]
            return tuple(self._number(part, self.item) for part in parts)
        if self.kind in (int, float):
            return self._number(words, self.kind)
        return words

    def _number(self, text: str, kind: Any) -> Any:
        if kind is str:
            return text
        try:
            return kind(text)
        except ValueError:
            what = "a whole number" if kind is int else "a number"
            raise DocumentError(f'{self.label} must be {what}, not "{text}".', field=self.name, value=text) from None


def form_fields() -> list[FormField]:
    """Return the fields of every part, in the order of the Shot."""
    found = []
    for part, kind in PARTS:
        hints = get_type_hints(kind)
        for field in dataclasses.fields(kind):
            if part or field.name not in NOT_IN_THE_FORM:
                found.append(_field(part, field, hints[field.name]))
    return found


def _field(part: str, field: dataclasses.Field[Any], hint: Any) -> FormField:
    facts = field.metadata
    optional = get_origin(hint) is Union
    kind = get_args(hint)[0] if optional else hint
    item = get_args(kind)[0] if get_origin(kind) is tuple else None
    default = field.default_factory() if field.default_factory is not dataclasses.MISSING else field.default
    return FormField(
        path=f"{part}.{field.name}" if part else field.name,
        label=str(facts.get("label", field.name.replace("_", " ").capitalize())),
        help=str(facts.get("help", "")),
        unit=str(facts.get("unit", "")),
        choices=tuple(facts.get("choices", ())),
        kind=tuple if item is not None else kind,
        item=item,
        optional=optional,
        default=None if default is dataclasses.MISSING else default,
    )
