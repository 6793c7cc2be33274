"""The options that ``render`` and ``prepare`` share, and the Shot that they make."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer

from f2hdr_backend.farm.path_mapping import PathMapping
from f2hdr_backend.shot.document import Color, Engine, Shot
from f2hdr_backend.shot.document import Output as ShotOutput
from f2hdr_backend.shot.errors import DocumentError
from f2hdr_backend.shot.exposure import ExposurePattern
from f2hdr_backend.shot.frames import FrameRange

Source = Annotated[
    str, typer.Argument(help="plate.####.tif, a movie, or a Shot document (.json).", metavar="PLATE|SHOT.json")
]
PathMappingFile = Annotated[
    str | None, typer.Option("--path-mapping", metavar="FILE", help="OpenJD path mapping rules for a document's paths.")
]


@dataclass(frozen=True)
class ShotOptions:
    """What the command line says about a Shot; None where it says nothing.

    A field named as one of the Shot's color, engine or output is that one.
    """

    frames: Annotated[str | None, typer.Option(help="Frames to render, such as 1001-1010 or 1-100x2.")] = None
    exposures: Annotated[
        str | None, typer.Option(help="Stops, one a frame of the cycle: 0,3. Not given: found from the plate.")
    ] = None
    first_exposure: Annotated[
        str | None, typer.Option(help="short or long: the exposure of the plate's first frame.")
    ] = None
    method: Annotated[str | None, typer.Option(help="f2hdr, or merge: a classical aligned merge.")] = None
    weights: Annotated[str | None, typer.Option(help="Weights by name; see f2hdr weights list.")] = None
    flow: Annotated[str | None, typer.Option(help="Flow estimator: auto (the weights' own), dis, sea_raft.")] = None
    anchor: Annotated[str | None, typer.Option(help="Exposure whose clip becomes 1.0: long, short or an EV.")] = None
    reference_trust: Annotated[
        str | None, typer.Option(help="Use of well-exposed reference pixels: soft, hard or off.")
    ] = None
    layers: Annotated[str | None, typer.Option(help="Extra layers: flow,mask,coarse,occlusion.")] = None
    pixel_type: Annotated[str | None, typer.Option(help="half or float.")] = None
    compression: Annotated[str | None, typer.Option(help="zip, piz, dwaa or none.")] = None
    input_space: Annotated[
        str | None, typer.Option(help="Color space of the plate: auto, gamma22, linear, or one of the OCIO config.")
    ] = None
    output_space: Annotated[
        str | None,
        typer.Option(help="Scene-linear space of the result: ACEScg, ...; linear keeps the plate's primaries."),
    ] = None
    config: Annotated[
        str | None, typer.Option(help="OCIO config: a file, ocio://NAME, or f2hdr. Not given: $OCIO, else f2hdr.")
    ] = None
    clip_level: Annotated[
        str | None,
        typer.Option(help="Linear value where the plate clips, or one per channel: 8.1,7.9,8. Not given: found."),
    ] = None
    precision: Annotated[str | None, typer.Option(help="auto, fp32, bf16 or fp16.")] = None
    device: Annotated[str | None, typer.Option(help="auto, cpu, cuda:0, or several: cuda:0,cuda:1.")] = None
    memory: Annotated[str | None, typer.Option(help="Most memory to use, such as 8G. Not given: what is free.")] = None
    tile: Annotated[str | None, typer.Option(help="auto, off, or the rows of a band, such as 512.")] = None

    def shot(self, source: str, output: str | None, mapping: PathMapping | None = None) -> Shot:
        """The Shot that ``source`` names, a document or a bare plate, with every option that was given.

        ``output`` is the pattern of the frames to write, None for the document's own. ``mapping`` finds the document's
        paths on this machine. Exposures given in part are completed from the plate.

        Raises:
            ShotError: see ``shot.errors``.
        """
        shot = read_shot(source)
        if mapping is not None:
            shot = mapping.shot(shot)
        shot = _placed(shot, {**self._given(), **({} if output is None else {"pattern": output})})
        if self.frames is not None:
            shot = replace(shot, frames=frame_range(self.frames))
        if self.exposures is not None or self.first_exposure is not None:
            shot = _with_exposures(shot, self.exposures, self.first_exposure)
        return shot

    def _given(self) -> dict[str, Any]:
        """Options by name of their field in the Shot."""
        given = {field.name: getattr(self, field.name) for field in fields(self)}
        if self.layers is not None:
            given["layers"] = tuple(part for part in self.layers.split(",") if part)
        if self.clip_level is not None:
            given["clip_level"] = _numbers(self.clip_level)
        return {name: value for name, value in given.items() if value is not None}


def _numbers(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        raise DocumentError(
            f'The clip level cannot be "{text}".', hint="Give one positive number or three: 1 or 8.1,7.9,8.", value=text
        ) from None


def takes_shot_options(verb: Callable[..., None]) -> Callable[..., None]:
    """Put the fields of ShotOptions in the place of the verb's parameter ``options``, for typer to read."""
    hints = get_type_hints(ShotOptions, include_extras=True)
    shared = [
        inspect.Parameter(
            field.name, inspect.Parameter.KEYWORD_ONLY, default=field.default, annotation=hints[field.name]
        )
        for field in fields(ShotOptions)
    ]
    parameters: list[inspect.Parameter] = []
    for parameter in inspect.signature(verb, eval_str=True).parameters.values():
        own = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)]
        parameters += shared if parameter.name == "options" else own

    @functools.wraps(verb)
    def call(**given: Any) -> None:
        options = ShotOptions(**{field.name: given.pop(field.name) for field in fields(ShotOptions)})
        verb(**given, options=options)

    call.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    call.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return call


def frame_range(text: str) -> FrameRange:
    """Read frames as people write them, ``1-9x2``, or as OpenJD does, ``1-9:2``. Raises ShotError."""
    return FrameRange.parse(text.replace(":", "x"))


def path_mapping(rules: str | None) -> PathMapping:
    """The path mapping of a rules file; without one, paths stay as they are. Raises DocumentError."""
    return PathMapping.read(rules) if rules else PathMapping()


def is_document(source: str) -> bool:
    """Whether an argument names a Shot document rather than a bare plate."""
    return source.lower().endswith(".json")


def read_shot(source: str) -> Shot:
    """The Shot that an argument names: a document, or a bare plate. Raises DocumentError."""
    if not is_document(source):
        return Shot(plate=source)
    try:
        text = Path(source).read_text(encoding="utf-8")
    except OSError as error:
        raise DocumentError(
            f"{source} cannot be read: {error.strerror}.", hint="Name a Shot document or a plate."
        ) from error
    return Shot.from_json(text)


def _placed(shot: Shot, given: dict[str, Any]) -> Shot:
    """The Shot with ``given`` put where fields of that name are."""
    color: Color = replace(shot.color, **_among(given, Color))
    engine: Engine = replace(shot.engine, **_among(given, Engine))
    output: ShotOutput = replace(shot.output, **_among(given, ShotOutput))
    return replace(shot, color=color, engine=engine, output=output)


def _among(given: dict[str, Any], part: type[Any]) -> dict[str, Any]:
    names = {field.name for field in fields(part)}
    return {name: value for name, value in given.items() if name in names}


def _with_exposures(shot: Shot, steps: str | None, first: str | None) -> Shot:
    """The Shot with the exposures that the user gives; what they leave open comes from the plate."""
    from f2hdr_backend.engine.settle import exposures_from

    cycle = None if steps is None else ExposurePattern.parse_steps(steps)
    pattern, cuts = exposures_from(shot, cycle, first)
    return replace(shot, exposures=pattern, cuts=cuts if shot.cuts is None else shot.cuts)
