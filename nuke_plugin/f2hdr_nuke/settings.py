"""The node's knobs as a Shot: a knob named ``engine_tile`` is the field ``tile`` of the Shot's ``engine``.

A new field of the Shot needs a knob in F2HDR.gizmo and nothing here.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from typing import Any, Optional, TypeVar

import nuke

from f2hdr_backend.shot.document import Color, Engine, Output, Shot
from f2hdr_backend.shot.errors import DocumentError
from f2hdr_nuke import exposures, knobs, spaces
from f2hdr_nuke.graph import Plate, Source

LAYERS = ("flow", "mask", "coarse", "occlusion")
AUTO = "auto"
_PREFIXES = ("color_", "engine_", "output_", "layer_")
_OTHERS = (
    "exposure_mode", "ev_ratio", "short_parity", "ev", "cuts", "anchor_ev", "premultiplied", "plate_from", "cache_dir",
)  # fmt: skip
Part = TypeVar("Part", Color, Engine, Output)


def shot_of(node: nuke.Node, source: Source, plate: Plate, result: str) -> Shot:
    """Return the Shot of one view: ``plate`` to ``result``, a pattern. Exposures that are not known yet are None.

    Raises DocumentError and ExposureError for knob values that no Shot can have.
    """
    return Shot(
        plate=plate.pattern,
        exposures=exposures.pattern_of(node, source),
        cuts=exposures.cuts_of(node, source),
        color=_color(node, source, plate),
        engine=_part(Engine, node, "engine"),
        output=_part(Output, node, "output", pattern=result, anchor=_anchor(node), layers=_layers(node)),
    )


def of_node(node: nuke.Node, source: Source, plate: Plate) -> dict[str, Any]:
    """Return, by the names of knobs, everything that the result's pixels depend on, except for the input."""
    shot = shot_of(node, source, plate, "")
    fields = shot.pixel_digest_fields()
    found: dict[str, Any] = {
        f"{part}_{name}": value for part in ("color", "engine", "output") for name, value in fields[part].items()
    }
    return {
        **found,
        "color_config": shot.color.config,
        "color_clip_level": knobs.text(node, "color_clip_level"),
        "exposure_mode": exposures.knob_values(node, source),
        "cuts": knobs.text(node, "cuts"),
        "plate_from": "files" if plate.is_original else "graph",
        "premultiplied": knobs.flag(node, "premultiplied"),
    }


def key(settings: dict[str, Any], source: Source) -> str:
    """Return the name of the folder for results of this input made with ``settings``."""
    return hashlib.sha256(json.dumps([settings, source.digest], sort_keys=True).encode()).hexdigest()[:12]


def matters(knob: str) -> bool:
    """Whether a change of this knob of the node can change what is baked, or where it is."""
    return knob.startswith(_PREFIXES) or knob in _OTHERS


def changed(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """Return the names of the knobs that differ."""
    return sorted(name for name in before.keys() | now.keys() if before.get(name) != now.get(name))


def _part(kind: type[Part], node: nuke.Node, part: str, **given: Any) -> Part:
    values: dict[str, Any] = {
        field.name: knobs.text(node, f"{part}_{field.name}")
        for field in dataclasses.fields(kind)
        if field.name not in given and node.knob(f"{part}_{field.name}") is not None
    }
    return kind(**values, **given)


def _color(node: nuke.Node, source: Source, plate: Plate) -> Color:
    wanted, result = knobs.text(node, "color_input_space"), knobs.text(node, "color_output_space")
    space = plate.space if wanted == AUTO else wanted
    if result == AUTO:
        result = "linear" if space in (AUTO, *spaces.OWN) else spaces.working()
    named = {space, result} - {AUTO, *spaces.OWN}
    return Color(
        input_space=space,
        output_space=result,
        config=spaces.config_file() if named else "",
        clip_level=_clip_level(node, source),
    )


def _clip_level(node: nuke.Node, source: Source) -> Optional[tuple[float, ...]]:
    """As written; else as an earlier bake found it, so that all ranges of the shot use the same; else None."""
    written = knobs.text(node, "color_clip_level")
    if written.strip() in ("", AUTO):
        found = knobs.record(node, "clip")
        return tuple(found["level"]) if found and found["input"] == source.digest else None
    try:
        return tuple(float(part) for part in written.replace(",", " ").split())
    except ValueError:
        raise DocumentError(
            f'The clip level "{written}" cannot be read.', hint="Write auto, one number, or three: 1.0 1.0 1.0."
        ) from None


def _anchor(node: nuke.Node) -> str:
    anchor = knobs.text(node, "output_anchor")
    return f"{knobs.number(node, 'anchor_ev'):g}" if anchor == "EV" else anchor


def _layers(node: nuke.Node) -> tuple[str, ...]:
    return tuple(name for name in LAYERS if knobs.flag(node, f"layer_{name}"))
