"""The Shot: the document that hosts send, the command line reads, farms pass on and EXR headers store.

Every field is a :func:`~f2hdr_backend.shot.setting.setting`: the options of the command line, the server's schema and
the hosts' controls are generated from its metadata or checked against it.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any, Optional, Union

from f2hdr_backend.shot import sizes
from f2hdr_backend.shot.errors import DocumentError, ShotError
from f2hdr_backend.shot.exposure import ExposurePattern
from f2hdr_backend.shot.fields import decode, encode
from f2hdr_backend.shot.frames import FrameRange, Sequence
from f2hdr_backend.shot.paths import check_paths
from f2hdr_backend.shot.read_text import parse_json
from f2hdr_backend.shot.setting import check_settings, setting

VERSION = 1
CONFIG_WORDS = "f2hdr|ocio://.*"
"""Values of an OCIO config that are not the path of a file, as a regular expression."""
_PATH_TEXT = {"pattern": r"^[^\u0000]*$"}


@dataclass(frozen=True)
class Color:
    """Conversion of code values to scene-linear, and the color space of the result."""

    input_space: str = setting(
        "Color space of the plate: auto (from the files' tags and the config's file rules; else gamma22 for integer "
        "files and movies, linear for float files), gamma22, linear, or a name from the OCIO config.",
        default="auto",
        label="Input space",
    )
    response: str = setting(
        "Camera response: auto (recovered from the plate if gamma 2.2 or sRGB does not fit it and its exposures are "
        "known), off, or a file that f2hdr response wrote.",
        default="auto",
        label="Camera response",
        path="read",
        words="auto|off|curve:.*",
        schema=_PATH_TEXT,
    )
    output_space: str = setting(
        "Color space of the result: linear (scene-linear in the plate's own primaries), or a scene-linear space of "
        "the OCIO config such as ACEScg.",
        default="linear",
        label="Output space",
    )
    config: str = setting(
        "OCIO config: a file, a built-in one (ocio://NAME), or f2hdr; empty for $OCIO, else f2hdr.",
        default="",
        label="OCIO config",
        pixels=False,
        path="read",
        words=CONFIG_WORDS,
        schema=_PATH_TEXT,
    )
    context: Optional[tuple[str, ...]] = setting(
        "Context variables of the OCIO config, such as SHOT=sh010; not given: those of the environment.",
        default=None,
        label="OCIO context",
        option=False,
        pixels=False,
    )
    clip_level: Optional[tuple[float, ...]] = setting(
        "Linear value at which the plate clips, where 1.0 is full scale: one, or one per channel such as 8.1,7.9,8; "
        "not given: measured.",
        default=None,
        label="Clip level",
        unit="1.0 = full scale",
        hint="Give one positive number, or three.",
        schema={"oneOf": [{"minItems": 1, "maxItems": 1}, {"minItems": 3, "maxItems": 3}]},
        items={"exclusiveMinimum": 0},
    )

    def __post_init__(self) -> None:
        check_paths(self)
        levels = self.clip_level
        if levels is None:
            return
        if len(levels) not in (1, 3) or not all(math.isfinite(level) and level > 0 for level in levels):
            raise DocumentError(
                f"clip_level cannot be {list(levels)}.",
                hint="Give one positive number, or three.",
                field="clip_level",
            )


@dataclass(frozen=True)
class Engine:
    """The method that computes the frames, and the device it runs on."""

    quality: str = setting(
        "Quality or speed: draft is the classical merge, good and best are networks; auto is good. A given method or "
        "given weights are used instead.",
        default="auto",
        choices=("auto", "draft", "good", "best"),
        pixels=False,
    )
    method: str = setting(
        "Reconstruction method: auto (by the quality), f2hdr (a network) or merge (a classical aligned merge).",
        default="auto",
        choices=("auto", "f2hdr", "merge"),
    )
    weights: str = setting(
        "Name of the installed weights; f2hdr weights list shows them. auto: by the quality.", default="auto"
    )
    flow: str = setting("Optical flow estimator: auto (the one of the weights), dis or sea_raft.", default="auto")
    reference_trust: str = setting(
        "soft keeps the reference frame's well-exposed pixels and averages the rest with the frames that agree; hard "
        "keeps the reference's well-exposed pixels by the published rule; off uses the method's output alone.",
        default="soft",
        choices=("soft", "hard", "off"),
    )
    precision: str = setting(
        "Arithmetic of the network; auto is half precision where the device has it.",
        default="auto",
        choices=("auto", "fp32", "bf16", "fp16"),
    )
    device: str = setting(
        "auto (CUDA, else the CPU), cpu, cuda:0, or several such as cuda:0,cuda:1.", default="auto", pixels=False
    )
    memory: str = setting(
        "Memory limit such as 8G (8,000,000,000 bytes) or 8GiB; empty for what is free.",
        default="",
        pattern=f"({sizes.PATTERN})?",
        hint=sizes.HINT,
        pixels=False,
    )
    tile: str = setting(
        "Rows per band: auto, off for whole frames, or a number such as 512.",
        default="auto",
        unit="pixels",
        pattern=r"auto|off|[1-9]\d*",
        hint="Use auto, off or a size like 512.",
        pixels=False,
    )

    def __post_init__(self) -> None:
        check_settings(self)


@dataclass(frozen=True)
class Output:
    """The frames to write and what they contain."""

    pattern: str = setting(
        "Path of the frames to write, such as hdr/sh010.####.exr.",
        default="",
        label="Output",
        option=False,
        pixels=False,
        path="written",
        schema={"format": "output-pattern"},
    )
    anchor: str = setting(
        "Exposure whose clip becomes 1.0 in the result: long, short, or an EV in stops.",
        default="long",
        unit="stops",
        pattern=r"long|short|[-+]?[0-9]{1,3}(\.[0-9]{1,6})?",
        hint="Use long, short or an EV.",
    )
    layers: tuple[str, ...] = setting(
        "Additional layers, separated by commas: flow, mask, coarse, occlusion.",
        default=(),
        choices=("flow", "mask", "coarse", "occlusion"),
        schema={"uniqueItems": True},
    )
    pixel_type: str = setting("Type of the color channels.", default="half", choices=("half", "float"))
    compression: str = setting("EXR compression.", default="zip", choices=("zip", "piz", "dwaa", "none"))

    def __post_init__(self) -> None:
        check_settings(self)
        check_paths(self)
        if len(set(self.layers)) != len(self.layers):
            raise DocumentError("layers contains a layer twice.", field="layers", value=self.layers)
        if self.pattern:
            _check_pattern(self.pattern)


@dataclass(frozen=True)
class Shot:
    """A plate of alternating exposures, and the result to render. Raises DocumentError for invalid settings."""

    plate: str = setting(
        "Path of the plate: numbered frames such as plate.####.tif, or a movie file.",
        option=False,
        pixels=False,
        path="read",
        schema={"minLength": 1, "format": "path"},
    )
    layer: str = setting(
        "Layer or view of EXR frames to render, such as main or left; empty for the plain R, G and B.", default=""
    )
    exposures: Optional[ExposurePattern] = setting(
        "Exposure of every frame; not given: measured on the plate.", default=None, option=False
    )
    frames: Optional[FrameRange] = setting(
        "Frames to render, such as 1001-1010 or 1-100x2; not given: the whole plate.", default=None, pixels=False
    )
    handles: int = setting(
        "Frames of the plate before and after the cut that belong to it.",
        default=0,
        unit="frames",
        option=False,
        pixels=False,
        schema={"minimum": 0},
    )
    trust_given: bool = setting(
        "Render with the exposures that were given or read from the file headers even if the pixels contradict them.",
        default=False,
        label="Trust given exposures",
        pixels=False,
    )
    cuts: Optional[tuple[int, ...]] = setting(
        "First frame after each cut inside the plate; null to find them, an empty list for none.",
        default=None,
        unit="frame",
        option=False,
    )
    color: Color = setting("Color of the plate and of the result.", factory=Color)
    engine: Engine = setting("The method and device.", factory=Engine)
    output: Output = setting("The frames to write.", factory=Output)
    version: int = setting("Version of this document's layout.", default=VERSION, choices=(VERSION,), option=False)

    def __post_init__(self) -> None:
        if self.cuts is not None:
            object.__setattr__(self, "cuts", tuple(sorted(set(self.cuts))))
        if self.version != VERSION:
            raise DocumentError(
                f"The Shot has version {self.version}; this F2HDR reads version {VERSION}.",
                hint="Use the F2HDR release that wrote it.",
                field="version",
            )
        check_paths(self)
        if not self.plate:
            raise DocumentError("The Shot has no plate.", hint="Give a path such as plate.####.tif.", field="plate")
        if self.handles < 0:
            raise DocumentError(f"handles cannot be {self.handles}.", hint="Use 0 or more.", field="handles")
        if self.frames is not None and not len(self.frames):
            raise DocumentError("frames is empty.", hint="Omit it for the whole plate.", field="frames")

    @classmethod
    def from_json(cls, source: Union[str, dict[str, Any]]) -> Shot:
        """Read a Shot from JSON text or from a parsed object.

        Raises DocumentError, which names the field, and ExposureError for an invalid exposure pattern.
        """
        if not isinstance(source, str):
            return decode(cls, source, "shot")
        return decode(cls, parse_json(source, "The Shot"), "shot")

    def to_json(self) -> dict[str, Any]:
        """Return the Shot as JSON types; ``from_json`` restores it."""
        document: dict[str, Any] = encode(self)
        return document

    def pixel_digest_fields(self) -> dict[str, Any]:
        """Return the settings that rendered pixels depend on (``pixels`` in the fields' metadata), as JSON types.

        Paths, frame numbers, devices and memory are not included: the same files under another mount give the same
        pixels.
        """
        picked: dict[str, Any] = _pixel_fields(self)
        return picked


def _pixel_fields(document: Any) -> Any:
    if not dataclasses.is_dataclass(document) or isinstance(document, ExposurePattern):
        return encode(document)
    return {
        field.name: _pixel_fields(getattr(document, field.name))
        for field in dataclasses.fields(document)
        if field.metadata["pixels"]
    }


def _check_pattern(pattern: str) -> None:
    try:
        Sequence.parse(pattern)
    except ShotError as error:
        raise DocumentError(f"output.pattern: {error.message}", hint=error.hint, field="pattern") from error
