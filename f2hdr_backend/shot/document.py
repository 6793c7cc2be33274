"""The Shot: the one document that a host posts, the command line reads, a farm carries and an EXR stores.

Every field's ``metadata`` has ``help`` and, where it applies, ``unit`` and ``choices``: hosts build their
controls from it.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass, field
from typing import Any, Optional, Union

from f2hdr_backend.shot.errors import DocumentError, ShotError
from f2hdr_backend.shot.exposure import ExposurePattern
from f2hdr_backend.shot.fields import check_choices, decode, encode
from f2hdr_backend.shot.frames import FrameRange, Sequence

VERSION = 1


@dataclass(frozen=True)
class Color:
    """How code values become scene-linear light, and which space the result is written in."""

    input_space: str = field(
        default="auto",
        metadata={
            "help": "Color space of the plate: auto (as its files and the config's file rules say, else gamma22 for "
            "integer files and movies and linear for float files), gamma22, linear, or a name from the OCIO config."
        },
    )
    output_space: str = field(
        default="linear",
        metadata={
            "help": "Color space of the result: linear (light in the plate's own primaries), or a scene-linear space "
            "of the OCIO config."
        },
    )
    config: str = field(
        default="",
        metadata={
            "help": "OCIO config: a file, a built-in one such as ocio://studio-config-v2.1.0_aces-v1.3_ocio-v2.3, or "
            "f2hdr; empty for the environment's, else f2hdr."
        },
    )
    clip_level: Optional[tuple[float, ...]] = field(
        default=None,
        metadata={
            "help": "Linear value at which the plate clips: one, or one per channel; null to find it.",
            "unit": "1.0 = full scale",
        },
    )

    def __post_init__(self) -> None:
        levels = self.clip_level
        if levels is None:
            return
        if len(levels) not in (1, 3) or not all(math.isfinite(level) and level > 0 for level in levels):
            raise DocumentError(
                f"clip_level cannot be {list(levels)}.",
                hint="Give one positive number or three.",
                field="clip_level",
            )


@dataclass(frozen=True)
class Engine:
    """What computes the frames, and on what."""

    method: str = field(
        default="f2hdr",
        metadata={
            "help": "f2hdr is the network; merge is a classical aligned merge.",
            "choices": ("f2hdr", "merge"),
        },
    )
    weights: str = field(default="standard", metadata={"help": "Name of the installed weights."})
    flow: str = field(default="auto", metadata={"help": "Optical flow estimator; auto is the weights' own."})
    reference_trust: str = field(
        default="soft",
        metadata={
            "help": "How the result is held to the frames: to the reference where it is well exposed, and averaged "
            "with frames that show the same (soft); to the reference alone, as in the published evaluation (hard); "
            "not at all (off).",
            "choices": ("soft", "hard", "off"),
        },
    )
    precision: str = field(
        default="auto",
        metadata={"help": "Arithmetic of the network.", "choices": ("auto", "fp32", "bf16", "fp16")},
    )
    device: str = field(default="auto", metadata={"help": "auto, cpu, cuda:0, or several with commas."})
    memory: str = field(default="", metadata={"help": "Most memory to use, such as 8G; empty for what is free."})
    tile: str = field(default="auto", metadata={"help": "Tile size: auto, off, or a number.", "unit": "pixels"})

    def __post_init__(self) -> None:
        check_choices(self)
        if not re.fullmatch(r"(\d+(\.\d+)?[KMGT]?)?", self.memory, re.ASCII):
            raise DocumentError(f'memory cannot be "{self.memory}".', hint="Write it like 8G or 512M.", field="memory")
        if not re.fullmatch(r"auto|off|[1-9]\d*", self.tile, re.ASCII):
            raise DocumentError(
                f'tile cannot be "{self.tile}".', hint="Use auto, off or a size like 512.", field="tile"
            )


@dataclass(frozen=True)
class Output:
    """Where the frames go and what they hold."""

    pattern: str = field(default="", metadata={"help": "Path of the frames to write, such as hdr/sh010.####.exr."})
    anchor: str = field(
        default="long",
        metadata={
            "help": "Exposure whose clip becomes 1.0 in the result: the longest (long), the shortest "
            "(short), or an EV.",
            "unit": "stops",
        },
    )
    layers: tuple[str, ...] = field(
        default=(),
        metadata={
            "help": "Layers written beside the color.",
            "choices": ("flow", "mask", "coarse", "occlusion"),
        },
    )
    pixel_type: str = field(
        default="half", metadata={"help": "Type of the color channels.", "choices": ("half", "float")}
    )
    compression: str = field(
        default="zip", metadata={"help": "EXR compression.", "choices": ("zip", "piz", "dwaa", "none")}
    )

    def __post_init__(self) -> None:
        check_choices(self)
        if len(set(self.layers)) != len(self.layers):
            raise DocumentError("layers names a layer twice.", field="layers", value=self.layers)
        if self.anchor not in ("long", "short") and not _is_finite_number(self.anchor):
            raise DocumentError(f'anchor cannot be "{self.anchor}".', hint="Use long, short or an EV.", field="anchor")
        if self.pattern:
            _check_pattern(self.pattern)


@dataclass(frozen=True)
class Shot:
    """A plate of alternating exposures and what shall become of it; DocumentError if that is impossible."""

    plate: str = field(metadata={"help": "Path of the plate: numbered frames such as plate.####.tif, or a movie file."})
    exposures: Optional[ExposurePattern] = field(
        default=None, metadata={"help": "Exposure of every frame; empty to find it from the plate."}
    )
    frames: Optional[FrameRange] = field(
        default=None, metadata={"help": "Frames to render, such as 1001-1010; empty for the whole plate."}
    )
    handles: int = field(
        default=0,
        metadata={
            "help": "Frames of the plate before and after the cut that belong to it.",
            "unit": "frames",
        },
    )
    cuts: Optional[tuple[int, ...]] = field(
        default=None,
        metadata={
            "help": "First frame after each cut inside the plate; null to find them, an empty list for none.",
            "unit": "frame",
        },
    )
    color: Color = field(default_factory=Color, metadata={"help": "Color of the plate and of the result."})
    engine: Engine = field(default_factory=Engine, metadata={"help": "What computes the frames."})
    output: Output = field(default_factory=Output, metadata={"help": "Where the frames go."})
    version: int = field(
        default=VERSION, metadata={"help": "Version of this document's layout.", "choices": (VERSION,)}
    )

    def __post_init__(self) -> None:
        if self.cuts is not None:
            object.__setattr__(self, "cuts", tuple(sorted(set(self.cuts))))
        if self.version != VERSION:
            raise DocumentError(
                f"The Shot has version {self.version}; this F2HDR reads version {VERSION}.",
                hint="Use the F2HDR release that wrote it.",
                field="version",
            )
        if not self.plate:
            raise DocumentError("The Shot names no plate.", hint="Give a path such as plate.####.tif.", field="plate")
        if self.handles < 0:
            raise DocumentError(f"handles cannot be {self.handles}.", hint="Use 0 or more.", field="handles")
        if self.frames is not None and not len(self.frames):
            raise DocumentError("frames is empty.", hint="Leave it out for the whole plate.", field="frames")

    @classmethod
    def from_json(cls, source: Union[str, dict[str, Any]]) -> Shot:
        """Read a Shot from JSON text or from an object already parsed.

        Raises DocumentError naming the field, ExposureError for an impossible exposure pattern.
        """
        if not isinstance(source, str):
            return decode(cls, source, "shot")
        try:
            parsed = json.loads(source)
        except ValueError as error:
            raise DocumentError(f"The Shot is not JSON: {error}.") from error
        return decode(cls, parsed, "shot")

    def to_json(self) -> dict[str, Any]:
        """Return the Shot as an object of plain JSON types that ``from_json`` reads back unchanged."""
        document: dict[str, Any] = encode(self)
        return document

    def pixel_digest_fields(self) -> dict[str, Any]:
        """Return exactly those settings that rendered pixels depend on, as plain JSON types.

        Left out is what only says which frames, from where and where to, on what device and in what pieces: the same
        files under another mount give the same pixels.
        """
        document = self.to_json()
        picked: dict[str, Any] = {name: document[name] for name in ("exposures", "cuts", "version")}
        picked["color"] = {name: value for name, value in document["color"].items() if name != "config"}
        engine_names = ("method", "weights", "flow", "reference_trust", "precision")
        output_names = ("anchor", "layers", "pixel_type", "compression")
        picked["engine"] = {name: document["engine"][name] for name in engine_names}
        picked["output"] = {name: document["output"][name] for name in output_names}
        return picked


def _is_finite_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def _check_pattern(pattern: str) -> None:
    try:
        Sequence.parse(pattern)
    except ShotError as error:
        raise DocumentError(f"output.pattern: {error.message}", hint=error.hint, field="pattern") from error
