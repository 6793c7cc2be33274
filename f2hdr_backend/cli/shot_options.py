"""The options of the command line about a Shot, generated from the Shot's settings, and the Shot they give."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable
from dataclasses import Field, dataclass, fields, replace
from typing import Annotated, Any, get_origin, get_type_hints

import typer

from f2hdr_backend.farm.path_mapping import PathMapping
from f2hdr_backend.shot.document import Color, Engine, Output, Shot
from f2hdr_backend.shot.events import Event
from f2hdr_backend.shot.exposure import ExposurePattern
from f2hdr_backend.shot.fields import decode_text
from f2hdr_backend.shot.frames import FrameRange
from f2hdr_backend.shot.naming import Named, plate_named
from f2hdr_backend.shot.plate_files import require_plate
from f2hdr_backend.shot.read_text import read_text

Source = Annotated[
    list[str],
    typer.Argument(
        help="plate.####.tif, a folder, one file or all files of a sequence, a movie, or a Shot document (.json).",
        metavar="PLATE|SHOT.json",
    ),
]
PathMappingFile = Annotated[
    str | None, typer.Option("--path-mapping", metavar="FILE", help="OpenJD path mapping rules for a document's paths.")
]


PARTS: dict[str, type[Any]] = {"color": Color, "engine": Engine, "output": Output}
"""The parts of a Shot whose settings are options of the command line, in addition to the Shot's own."""
_PANELS: dict[type[Any], str] = {Shot: "Shot", Color: "Color", Engine: "Method and device", Output: "Output"}
"""The sections of ``--help`` that the settings of each part are in."""
_EXPOSURE_OPTIONS = {
    "exposures": "Stops of each frame of the repeating cycle, such as 0,3; not given: measured on the plate.",
    "first_exposure": "Exposure of the plate's first frame: short or long; not given: measured on the plate.",
}
"""How a user writes an exposure pattern; completed from the plate."""


def settings() -> dict[str, Field[Any]]:
    """The settings of a Shot that are options of the command line, by name."""
    return {
        field.name: field
        for part in _parts()
        for field in fields(part)
        if field.metadata["option"] and field.name not in PARTS
    }


def _parts() -> tuple[type[Any], ...]:
    return (Shot, *PARTS.values())


@dataclass(frozen=True)
class ShotOptions:
    """The options about a Shot that the user gave, as typed, by the name of the setting."""

    given: dict[str, str | bool]

    def shot(
        self, source: str | Iterable[str], output: str | None, mapping: PathMapping | None = None
    ) -> tuple[Shot, list[Event]]:
        """Return the Shot that ``source`` names, a document or a bare plate, with every option that was given.

        Args:
            source: a plate or a Shot document, or the arguments that name it.
            output: pattern of the frames to write; None for the document's own.
            mapping: finds the document's paths on this machine.

        Returns:
            The Shot, and the events of a plate that was read to complete exposures given in part.

        Raises:
            ShotError: see ``shot.errors``.
        """
        named = plate_named([source] if isinstance(source, str) else source)
        shot = read_shot(named.plate)
        shot = shot if named.frames is None else replace(shot, frames=named.frames)
        if mapping is not None:
            shot = mapping.shot(shot)
        values = {**self._values(Shot), **{name: self._part(shot, name, output) for name in PARTS}}
        shot = replace(shot, **values)
        steps, first = self.given.get("exposures"), self.given.get("first_exposure")
        if steps is None and first is None:
            return shot, []
        return _with_exposures(shot, None if steps is None else str(steps), None if first is None else str(first))

    def _part(self, shot: Shot, name: str, output: str | None) -> Any:
        values = self._values(PARTS[name])
        if name == "output" and output is not None:
            values["pattern"] = output
        return replace(getattr(shot, name), **values)

    def _values(self, part: type[Any]) -> dict[str, Any]:
        """The given options that are settings of a part, as the types of their fields."""
        hints = get_type_hints(part)
        names = [field.name for field in fields(part) if field.name in self.given and field.metadata["option"]]
        return {
            name: value if isinstance(value := self.given[name], bool) else decode_text(hints[name], value, _flag(name))
            for name in names
        }


def takes_shot_options(verb: Callable[..., None]) -> Callable[..., None]:
    """Put one option per setting of a Shot in the place of the verb's parameter ``options``, for typer to read."""
    shared = [_option(name, str | None, help) for name, help in _EXPOSURE_OPTIONS.items()]
    for part in _parts():
        hints, panel = get_type_hints(part), next(_PANELS[kind] for kind in part.__mro__ if kind in _PANELS)
        shared += [_setting_option(found, hints[name], panel) for name, found in settings().items() if name in hints]
    parameters: list[inspect.Parameter] = []
    for parameter in inspect.signature(verb, eval_str=True).parameters.values():
        own = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)]
        parameters += shared if parameter.name == "options" else own

    @functools.wraps(verb)
    def call(**given: Any) -> None:
        values = {parameter.name: given.pop(parameter.name) for parameter in shared}
        verb(**given, options=ShotOptions({name: value for name, value in values.items() if value is not None}))

    call.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    call.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return call


def _setting_option(field: Field[Any], hint: Any, panel: str) -> inspect.Parameter:
    choices = field.metadata.get("choices", ())
    metavar = "|".join(choices) if choices and get_origin(hint) is not tuple else None
    kind = bool | None if hint is bool else str | None
    default = ("" if field.default else "no-") + field.name.replace("_", "-") if hint is bool else field.default
    shown = "" if default in (None, "", ()) else f"  [default: {default}]"
    return _option(field.name, kind, field.metadata["help"] + shown, metavar, panel)


def _option(name: str, kind: Any, help: str, metavar: str | None = None, panel: str = "") -> inspect.Parameter:
    option = typer.Option(help=help, metavar=metavar, rich_help_panel=panel or _PANELS[Shot])
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[kind, option])


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")


def frame_range(text: str) -> FrameRange:
    """Read frames as people write them, ``1-9x2``, or as OpenJD does, ``1-9:2``. Raises ShotError."""
    return FrameRange.parse(text.replace(":", "x"))


def path_mapping(rules: str | None) -> PathMapping:
    """The path mapping of a rules file; without one, paths stay as they are. Raises DocumentError."""
    return PathMapping.read(rules) if rules else PathMapping()


def existing_plate(arguments: Iterable[str]) -> Named:
    """Return the plate that arguments name. Raises the errors of ``plate_named`` and ``require_plate``."""
    named = plate_named(arguments)
    require_plate(named.plate)
    return named


def is_document(source: str) -> bool:
    """Whether an argument names a Shot document rather than a bare plate."""
    return source.lower().endswith(".json")


def read_shot(source: str) -> Shot:
    """The Shot that an argument names: a document, or a bare plate. Raises DocumentError."""
    if not is_document(source):
        return Shot(plate=source)
    return Shot.from_json(read_text(source))


def _with_exposures(shot: Shot, steps: str | None, first: str | None) -> tuple[Shot, list[Event]]:
    """The Shot with the exposures that the user gives; what they leave open comes from the plate."""
    cycle = None if steps is None else ExposurePattern.parse_steps(steps)
    require_plate(shot.plate, shot.layer)
    from f2hdr_backend.engine.settle import complete_exposures

    return complete_exposures(shot, cycle, first)
