"""``reconstruct``: HDR radiance from numpy arrays, without files."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from f2hdr_backend.api.arrays import FEWEST_FRAMES, as_pictures
from f2hdr_backend.engine.live import HeldWindow, reconstruct_window
from f2hdr_backend.engine.renderer import Renderer
from f2hdr_backend.engine.window import window_of
from f2hdr_backend.shot.document import Color, Engine, Output, Shot
from f2hdr_backend.shot.errors import DocumentError, ExposureError
from f2hdr_backend.shot.exposure import SMALLEST_STEP_EV, ExposurePattern
from f2hdr_backend.shot.frames import FrameRange
from f2hdr_backend.shot.setting import near

_PARTS = {"color": Color, "engine": Engine, "output": Output}
_OPTIONS = {
    field.name: part
    for part, kind in _PARTS.items()
    for field in dataclasses.fields(kind)
    if (field.metadata["pixels"] and field.name not in ("layers", "pixel_type", "compression", "input_space"))
    or field.name in ("device", "memory", "tile", "config")
}


def reconstruct(
    frames: Sequence[ArrayLike], exposures: Sequence[float], *, space: str = "gamma22", **options: Any
) -> NDArray[np.float32]:
    """Reconstruct scene-linear HDR radiance from frames of alternating exposure (paper, sections 3.2 to 3.4).

    The model is loaded at the first call and kept for calls with the same method, weights, precision and device.

    Args:
        frames: three arrays, previous, reference and next, or a longer sequence; ``(H, W, 3)`` RGB each, of one size.
            Float values from 0 to 1 (linear: to ``clip_level``), or uint8 or uint16.
        exposures: relative exposures in stops: one per frame, such as ``(0, 3, 0)``, or a repeating cycle, such as
            ``(0, 3)``.
        space: color space of the frames: ``gamma22``, ``linear``, or a name from the OCIO config.
        **options: settings of a render with the names of the command line: ``method``, ``weights``, ``flow``,
            ``reference_trust``, ``precision``, ``device``, ``memory``, ``tile``, ``anchor``, ``clip_level``,
            ``output_space``, ``config`` and others.

    Returns:
        ``(H, W, 3)`` float32 radiance of the reference for three frames; ``(N, H, W, 3)``, one result per frame, for
        N > 3. 1.0 is the clip level of the longest exposure, unless ``anchor`` is given.

    Raises:
        ImageError: frames with an invalid shape, type or range.
        ExposureError: exposures that do not match the frames or do not alternate.
        DocumentError: an unknown option, or an invalid value.
        ColorError, WeightsMissing, DeviceError: as in a render.

    Example:
        >>> hdr = reconstruct([short_1, long_2, short_3], (0, 3, 0), method="merge")  # doctest: +SKIP
    """
    shot = _shot(len(frames), exposures, space, options)
    levels = shot.color.clip_level
    pictures = as_pictures(frames, 1.0 if levels is None or space == "gamma22" else max(levels))
    renderer = _renderer(shot.engine)
    numbers = [1] if len(frames) == FEWEST_FRAMES else range(len(frames))
    results = [_one(renderer, shot, pictures, number) for number in numbers]
    return results[0] if len(frames) == FEWEST_FRAMES else np.stack(results)


@lru_cache(maxsize=2)
def _renderer(engine: Engine) -> Renderer:
    return Renderer(engine)


def _one(renderer: Renderer, shot: Shot, pictures: list[NDArray[np.float32]], number: int) -> NDArray[np.float32]:
    window = window_of(number, shot, FrameRange(tuple(range(len(pictures)))))
    before, own, after = window.frames
    held = HeldWindow((before, own, after), (pictures[before], pictures[own], pictures[after]))
    return reconstruct_window(renderer, shot, held)


def _shot(count: int, exposures: Sequence[float], space: str, options: dict[str, Any]) -> Shot:
    parts: dict[str, dict[str, Any]] = {name: {} for name in _PARTS}
    for name, value in options.items():
        if name not in _OPTIONS:
            hint = near(name, _OPTIONS) or f"Options are {', '.join(sorted(_OPTIONS))}."
            raise DocumentError(f'reconstruct has no option "{name}".', hint=hint, field=name)
        parts[_OPTIONS[name]][name] = str(value) if name == "anchor" else value
    levels = parts["color"].get("clip_level", 1.0)
    parts["color"]["clip_level"] = tuple(float(level) for level in np.atleast_1d(levels))
    return Shot(
        "frames in memory",
        exposures=_pattern(count, [float(ev) for ev in exposures]),
        cuts=(),
        color=Color(input_space=space, **parts["color"]),
        engine=Engine(**parts["engine"]),
        output=Output(**parts["output"]),
    )


def _pattern(count: int, evs: list[float]) -> ExposurePattern:
    if not 2 <= len(evs) <= max(count, 2):
        raise ExposureError(
            f"{len(evs)} exposures were given for {count} frames.",
            hint="Give one exposure in stops per frame, or a cycle such as (0, 3).",
        )
    evs = [evs[index % len(evs)] for index in range(count)]
    for index, (first, second) in enumerate(zip(evs, evs[1:], strict=False)):
        if abs(first - second) < SMALLEST_STEP_EV:
            raise ExposureError(
                f"Frames {index} and {index + 1} have the same exposure, {first:g} stops.",
                hint="Use alternating exposures, such as (0, 3, 0).",
            )
    cycle = (evs[0], evs[1])
    exceptions = tuple((index, ev) for index, ev in enumerate(evs) if ev != cycle[index % 2])
    return ExposurePattern(cycle, 0, exceptions)
