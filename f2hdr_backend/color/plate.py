"""The color of one shot, settled before its first frame: conversion to linear, the result's space, and header
values.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from f2hdr_backend.color.config import PLAIN, ColorConfig, load_config
from f2hdr_backend.color.conversion import Linear, Transform
from f2hdr_backend.color.curve import PREFIX, parse_curve, read_curve
from f2hdr_backend.color.file_spaces import EMBEDDED, RESPONSE, Own
from f2hdr_backend.color.guess import guess
from f2hdr_backend.color.linear_plate import LightPlate, find_clip, looks_log, sample
from f2hdr_backend.color.primaries import Chromaticities, Matrix, are_close, interop_id
from f2hdr_backend.color.response import Response
from f2hdr_backend.color.tags import read_tags
from f2hdr_backend.image.arrays import FloatArray
from f2hdr_backend.image.frame import Plate
from f2hdr_backend.shot.document import Color
from f2hdr_backend.shot.equations import GAMMA
from f2hdr_backend.shot.errors import ColorError
from f2hdr_backend.shot.events import ColorSettled, Event, Warned

_OF_THE_SPACE = (
    *("chromaticities", "colorInteropID", "oiio:ColorSpace", "acesImageContainerFlag", "adoptedNeutral"),
    *("colorspace", "ColorSpace", "color_space"),
)
"""Header attributes of the plate's color space, which are wrong for a result in another space."""


@dataclass(frozen=True)
class PlateColor:
    """Conversions from a settled plate's pixels to linear values, and from the network's output to the result."""

    response: Response
    decode: Transform | None = None
    """Plate to linear values in its own primaries; None if the response does this."""
    encode: Transform | None = None
    """These linear values to the output space; None if they are already in it."""
    facts: dict[str, Any] = field(default_factory=dict)
    """Header attributes about color."""
    same_space: bool = False
    """Whether the result is in the plate's own space, so that the plate's color attributes remain valid."""
    digest: str = ""
    """Digest of the config, its lookup tables and the spaces; empty if no config is used."""

    def in_light(self, plate: Plate) -> Plate:
        """Return the plate in the encoding that the response expects."""
        return plate if self.decode is None else LightPlate(plate, self.decode)

    def finish(self, radiance: FloatArray) -> FloatArray:
        """Convert ``(H, W, 3)`` radiance relative to the clip level to the output space."""
        light = self.response.to_light(radiance)
        return light if self.encode is None else self.encode.apply(light)

    def matrix(self) -> Matrix | None:
        """Return the ``(3, 3)`` matrix that :meth:`finish` multiplies RGB by; None if it does more than that."""
        encode = np.eye(3) if self.encode is None else self.encode.matrix()
        clip = np.broadcast_to(np.asarray(self.response.clip_level, np.float64), 3)
        return None if encode is None else encode @ np.diag(clip)

    def header(self, plate_header: dict[str, Any]) -> dict[str, Any]:
        """Return a plate's header with color attributes that are correct for the result."""
        stale = () if self.same_space else _OF_THE_SPACE
        return {**{key: value for key, value in plate_header.items() if key not in stale}, **self.facts}


def open_color(color: Color, plate: Plate) -> PlateColor:
    """Build the conversions of a Shot's settled color.

    Raises:
        ColorError: a config, a space or a lookup table is missing or invalid, or the output space is not scene-linear.
    """
    encoding = "gamma22" if color.input_space == "gamma22" else "linear"
    response = Response(encoding, color.clip_level or (1.0,))
    own = {
        "f2hdr/input_space": color.input_space,
        "f2hdr/clip_level": [float(level) for level in response.clip_level],
    }
    if is_plain(color):
        stated = None if encoding == "linear" else read_tags(plate).chromaticities
        facts = {**own, "f2hdr/output_space": "linear", **_primaries_facts(stated)}
        return PlateColor(response, facts=facts, same_space=encoding == "linear")
    config = load_config(color.config, color.context)
    space = config.linear(color.input_space, _own(color, plate))
    decode = None if color.input_space == "gamma22" else space.decode
    output, encode = _output(config, space, color.output_space)
    matrix = space.matrix if color.output_space == "linear" else config.linear(output).matrix
    names = {"f2hdr/output_space": output, "f2hdr/color_config": config.source}
    used = config.digest_with(space.decode, encode)
    digest = _identity(used, color.input_space, output, *(color.context or ()))
    digests = {"f2hdr/color_config_digest": config.digest, "f2hdr/color_digest": digest}
    facts = {**own, **names, **digests, **_primaries_facts(config.chromaticities_of(matrix))}
    return PlateColor(response, decode, encode, facts, digest=digest)


def settle_color(color: Color, plate: Plate) -> tuple[Color, list[Event]]:
    """Settle a Shot's color: determine the plate's space and clip level if they are open, and use full names.

    The whole plate is inspected, independent of the rendered range, so that all chunks of a shot match. The config in
    use is stored too, so that the Shot has the same meaning where ``$OCIO`` is different.

    Raises:
        ColorError: see ``open_color``.
        UnreadableFrame: the plate cannot be read.
    """
    given, why = color, "given"
    events: list[Event] = []
    if color.input_space in ("auto", RESPONSE) and color.response not in ("auto", "off"):
        curve = parse_curve(color.response) if color.response.startswith(PREFIX) else read_curve(color.response)
        color, why = replace(color, input_space=RESPONSE, response=curve.text()), "given"
    if color.input_space == "auto":
        found = guess(plate, load_config(color.config, color.context))
        color, why = replace(color, input_space=found.space), found.why
        events += [Warned("input_space_doubtful", found.doubt)] if found.doubt else []
    if not is_plain(color):
        color = _named(color, load_config(color.config, color.context))
        events += _primaries_doubts(color, plate, guessed=given.input_space == "auto")
    clip_source = "given"
    if color.clip_level is None:
        color, clip_source, own = _settle_clip(color, plate)
        events += own
    if given.input_space != "auto" and given.clip_level is not None:
        return color, events
    level = color.clip_level or ()
    return color, [ColorSettled(color.input_space, why, color.output_space, color.config, level, clip_source), *events]


def is_plain(color: Color) -> bool:
    """Return whether a Shot's color needs no config."""
    return color.input_space in PLAIN and color.output_space == "linear"


def _named(color: Color, config: ColorConfig) -> Color:
    output = color.output_space if color.output_space == "linear" else _light_space(config, color.output_space)
    named = replace(color, input_space=config.space(color.input_space), output_space=output)
    return replace(named, config=config.source, context=config.context())


def _light_space(config: ColorConfig, name: str) -> str:
    """Return the full name of a scene-linear space. Raises ColorError for others."""
    space = config.space(name)
    if not config.is_scene_linear(space):
        raise ColorError(
            f'The output space "{space}" is not scene-linear, but the result of a render is scene-linear.',
            hint=(
                f"Choose one of {', '.join(config.linear_names())}; f2hdr convert writes other spaces from the result."
            ),
            space=space,
        )
    return space


def _output(config: ColorConfig, space: Linear, name: str) -> tuple[str, Transform | None]:
    """Return the result's space by name, and the conversion to it from the plate's linear values (None: none is
    needed).
    """
    if name == "linear":
        chromaticities = config.chromaticities_of(space.matrix)
        return (config.linear_in(chromaticities) if chromaticities else "") or name, None
    target = _light_space(config, name)
    if np.allclose(config.linear(target).matrix, space.matrix, rtol=0, atol=1e-6):
        return target, None
    return target, config.from_light(space.matrix, target)


def _primaries_facts(chromaticities: Chromaticities | None) -> dict[str, Any]:
    if chromaticities is None:
        return {}
    interop = interop_id(chromaticities)
    return {"chromaticities": chromaticities, **({"colorInteropID": interop} if interop else {})}


def _identity(config: str, *names: str) -> str:
    return hashlib.sha256(json.dumps([config, *names]).encode()).hexdigest()


def _own(color: Color, plate: Plate) -> Own:
    """Return the definition that the files add to a space without primaries: their primaries, or their ICC profile."""
    if color.input_space == EMBEDDED:
        return read_tags(plate).profile
    if color.input_space == RESPONSE:
        return replace(parse_curve(color.response), primaries=read_tags(plate).chromaticities)
    return read_tags(plate).chromaticities if color.input_space in PLAIN else None


def _primaries_doubts(color: Color, plate: Plate, *, guessed: bool) -> list[Event]:
    """Return warnings if the plate's primaries are unknown, or the file contradicts the given space."""
    own = read_tags(plate).chromaticities
    config = load_config(color.config, color.context)
    if color.input_space in PLAIN:
        if own is not None:
            return []
        message = (
            f"{plate.name} does not state its primaries; Rec.709 is assumed for the conversion to {color.output_space}."
        )
        return [Warned("primaries_assumed", message)]
    known = None if color.input_space in (EMBEDDED, RESPONSE) else config.chromaticities(color.input_space)
    if own is None or known is None or guessed or are_close(known, own):
        return []
    named = interop_id(own) or ", ".join(f"{value:g}" for value in own)
    message = (
        f'The header of {plate.name} states other primaries ({named}) than the given color space "{color.input_space}".'
    )
    return [Warned("primaries_disagree", message)]


def _settle_clip(color: Color, plate: Plate) -> tuple[Color, str, list[Event]]:
    """Return the clip level; the pixels are not inspected if integer codes end at full scale."""
    opened = open_color(color, plate)
    is_light = color.input_space != "gamma22" and opened.decode is None
    scale = 1.0 if opened.decode is None else _full_scale(opened.decode)
    ends_at_one = plate.default_encoding == "gamma22" and abs(scale - 1) < 5e-4
    if ends_at_one and not is_light:
        return replace(color, clip_level=(1.0,)), "full scale", []
    samples = sample(opened.in_light(plate))
    if opened.response.encoding == "gamma22":
        samples = [np.maximum(codes, 0) ** np.float32(GAMMA) for codes in samples]
    events: list[Event] = []
    if is_light and looks_log(samples):
        message = (
            f'{plate.name} is read as linear ("{color.input_space}"), but has no black and no value above 1, like '
            "camera log. If it is log, set its color space with --input-space."
        )
        events.append(Warned("looks_log", message))
    if ends_at_one:
        return replace(color, clip_level=(1.0,)), "full scale", events
    clip = find_clip(samples)
    return replace(color, clip_level=clip.level), "seen" if clip.seen else "brightest value", events


def _full_scale(decode: Transform) -> float:
    """Return the linear value of code value 1."""
    return float(np.round(decode.apply(np.ones((1, 1, 3), np.float32)).max(), 4))
