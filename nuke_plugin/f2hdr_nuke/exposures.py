"""The exposure of each frame, from the node's knobs, and the label that shows it."""

from __future__ import annotations

import functools
import math
import time
from collections.abc import Iterable
from fractions import Fraction
from typing import Any, Optional

import nuke

from f2hdr_backend.shot.errors import ExposureError, ShotError
from f2hdr_backend.shot.exposure import ExposurePattern
from f2hdr_nuke import graph, knobs
from f2hdr_nuke.graph import Source
from f2hdr_nuke.host import Host

_TIME = ("exr/expTime", "input/exposure_time", "exif/2/ExposureTime")
_SENSITIVITY = ("exr/isoSpeed", "input/iso", "exif/2/ISOSpeedRatings")
_APERTURE = ("exr/aperture", "input/f_number", "exif/2/FNumber")
_STOPS = ("exr/f2hdr/ev", "f2hdr/ev")
READ = ("metadata", "expression")
"""Modes in which the exposure of every frame has to be read."""
_SLICE_S = 0.03
"""Seconds for which exposures are read before Nuke's window can react again."""
_SOME_FRAMES = 32
"""Frames whose values are compared, besides the expression itself, to notice that an expression has changed."""


def pattern_of(node: nuke.Node, source: Source) -> Optional[ExposurePattern]:
    """Return the exposures that the knobs give; None if they have to be measured in the pictures, or read (``learn``).

    Raises ExposureError for a ratio of 0 or less.
    """
    mode = knobs.text(node, "exposure_mode")
    if mode in READ:
        found = _known(node, "evs", source)
        return _pattern(found) if found and found["knobs"] == knob_values(node, source) else None
    found = _known(node, "pattern", source)
    if mode == "ratio":
        return _ratio_pattern(node, found)
    return None if found is None else _pattern(found)


def knob_values(node: nuke.Node, source: Source) -> Any:
    """Return the knobs' values for exposures, in plain JSON types: what a bake depends on besides the input."""
    mode = knobs.text(node, "exposure_mode")
    if mode == "ratio":
        return [mode, [knobs.number(node, "ev_ratio"), knobs.text(node, "short_parity")]]
    if mode == "expression":
        some = range(source.first, min(source.last + 1, source.first + _SOME_FRAMES))
        return [mode, [str(node["ev"].toScript()), *(_knob_ev(node, frame) for frame in some)]]
    return [mode, None]


def learn(name: str, host: Host) -> None:
    """Read the exposures of all frames of node ``name`` if its mode needs that, and keep them.

    Metadata are not read again as long as nothing above the node changes. A few frames are read at a time, so that
    Nuke's window can react. Raises ExposureError if exposures are missing or do not alternate, ShotError, Canceled.
    """
    source = host.on_main(lambda: _unread(name))
    if source is None:
        return
    values = host.on_main(lambda: knob_values(knobs.find(name), source))
    frames = range(source.first, source.last + 1)
    evs: dict[int, float] = {}
    while len(evs) < len(frames):
        host.check()
        host.progress(len(evs), len(frames), "reading exposures")
        evs.update(host.on_main(functools.partial(_read_some, name, frames[len(evs) :])))
    kept = {"input": source.digest, "knobs": values, **_stored(from_evs(evs))}
    host.on_main(lambda: knobs.keep(knobs.find(name), "evs", kept))


def found_pattern(answer: dict[str, Any], ratio: Optional[float]) -> ExposurePattern:
    """Return the exposures in the backend's answer; with ``ratio`` (stops) only the phase is taken from it."""
    pattern = normal(_pattern(answer["pattern"]))
    return pattern if ratio is None else ExposurePattern((0.0, ratio), pattern.start % 2)


def store(node: nuke.Node, answer: dict[str, Any], input_digest: str) -> ExposurePattern:
    """Keep what the backend found about the input that had this digest, and return it."""
    pattern = found_pattern(answer, None)
    kept = {
        "input": input_digest,
        **_stored(pattern),
        "cuts": answer["cuts"],
        "confidence": answer["confidence"],
    }
    knobs.keep(node, "pattern", kept)
    return pattern


def cuts_of(node: nuke.Node, source: Source) -> Optional[tuple[int, ...]]:
    """Return the cuts that the knob gives; None to find them. Raises ShotError for text that is not frame numbers."""
    written = knobs.text(node, "cuts").strip().lower()
    if written in ("", "auto"):
        found = _known(node, "pattern", source)
        return None if found is None else tuple(found["cuts"])
    if written == "none":
        return ()
    try:
        return tuple(int(part) for part in written.split(","))
    except ValueError:
        raise ShotError(
            f'The cuts "{written}" are not frame numbers.', hint="Write auto, none, or frames like 1021,1050."
        ) from None


def from_evs(evs: dict[int, float]) -> ExposurePattern:
    """Return the two-exposure pattern of EVs of successive frames; those that do not fit become exceptions.

    Raises ExposureError if they do not alternate.
    """
    frames = sorted(evs)
    low, high = min(evs.values()), max(evs.values())
    middle = (low + high) / 2
    even_short = sum((evs[frame] < middle) == (frame % 2 == 0) for frame in frames)
    start = 0 if even_short * 2 >= len(frames) else 1
    pattern = ExposurePattern((low, high), start)
    if not pattern.is_alternating:
        raise ExposureError(
            f"All frames have the exposure {low:g} EV.", hint="Choose another mode of exposures, or press Detect."
        )
    odd = tuple((frame, evs[frame]) for frame in frames if not math.isclose(evs[frame], pattern.ev(frame)))
    return ExposurePattern((low, high), start, odd)


def normal(pattern: ExposurePattern) -> ExposurePattern:
    """Return the same exposures, the cycle starting with its shortest, at the lowest such frame from 0 on."""
    shortest = pattern.cycle.index(min(pattern.cycle))
    cycle = pattern.cycle[shortest:] + pattern.cycle[:shortest]
    return ExposurePattern(cycle, (pattern.start + shortest) % len(cycle), pattern.exceptions)


def label(node: nuke.Node, frame: int) -> str:
    """Return the cycle and the exposure of ``frame`` in words; fast, for the panel."""
    mode = knobs.text(node, "exposure_mode")
    try:
        if mode in ("metadata", "expression"):
            return f"frame {frame}: {(_metadata_ev if mode == 'metadata' else _knob_ev)(node, frame):+g} stops"
        found = knobs.record(node, "pattern")
        pattern = _ratio_pattern(node, found) if mode == "ratio" else _pattern(found) if found else None
    except ShotError as error:
        return str(error)
    if pattern is None:
        return "Not known yet: press Detect, or Bake."
    ev = pattern.ev(frame)
    name = "short" if ev == pattern.lowest else "long" if ev == pattern.highest else "between"
    steps = ", ".join(f"{step:+g}" for step in pattern.cycle)
    return f"frame {frame} is {name} ({ev:+g} stops); cycle {steps}"


def _known(node: nuke.Node, name: str, source: Source) -> Optional[dict[str, Any]]:
    """The record in the knob ``name``, if it belongs to the current input."""
    found = knobs.record(node, name)
    return found if found and found["input"] == source.digest else None


def _unread(name: str) -> Optional[Source]:
    """The input whose exposures have to be read; None if they are not needed, or known."""
    node = knobs.find(name)
    mode = knobs.text(node, "exposure_mode")
    if mode not in READ:
        return None
    source = graph.look(node)
    return None if mode == "metadata" and pattern_of(node, source) else source


def _read_some(name: str, frames: Iterable[int]) -> dict[int, float]:
    """Read the exposures of ``frames`` from the first on, until the slice of time is over."""
    node = knobs.find(name)
    ev_at = _metadata_ev if knobs.text(node, "exposure_mode") == "metadata" else _knob_ev
    evs: dict[int, float] = {}
    began = time.monotonic()
    for frame in frames:
        evs[frame] = ev_at(node, frame)
        if time.monotonic() - began > _SLICE_S:
            break
    return evs


def _ratio_pattern(node: nuke.Node, found: Optional[dict[str, Any]]) -> Optional[ExposurePattern]:
    ratio = knobs.number(node, "ev_ratio")
    if ratio <= 0:
        raise ExposureError(
            f"The ratio cannot be {ratio:g} stops.", hint="Set the stops by which the long exposure is brighter."
        )
    parity = knobs.text(node, "short_parity")
    if parity != "auto":
        return ExposurePattern((0.0, ratio), ("even", "odd").index(parity))
    return None if found is None else ExposurePattern((0.0, ratio), found["start"] % 2)


def _stored(pattern: ExposurePattern) -> dict[str, Any]:
    return {"cycle": pattern.cycle, "start": pattern.start, "exceptions": pattern.exceptions}


def _pattern(found: dict[str, Any]) -> ExposurePattern:
    exceptions = tuple((int(frame), float(ev)) for frame, ev in found["exceptions"])
    return ExposurePattern(tuple(found["cycle"]), int(found["start"]), exceptions)


def _knob_ev(node: nuke.Node, frame: int) -> float:
    return round(float(node["ev"].getValueAt(frame)), 4)


def _metadata_ev(node: nuke.Node, frame: int) -> float:
    """The EV of a frame, which every view must have."""
    source = graph.picture(node)
    evs = {view: _ev_of(source, frame, view) for view in nuke.views()}
    if len(set(evs.values())) > 1:
        listed = ", ".join(f"{view} {ev:g}" for view, ev in evs.items())
        raise ExposureError(
            f"The exposures of the views differ at frame {frame}: {listed} EV.", hint="Use one F2HDR node per view."
        )
    return next(iter(evs.values()))


def _ev_of(source: nuke.Node, frame: int, view: str) -> float:
    stops = _first(source, _STOPS, frame, view)
    if stops is not None:
        return stops
    seconds = _first(source, _TIME, frame, view)
    if not seconds or seconds <= 0:
        raise ExposureError(
            f"The input's metadata has no exposure time at frame {frame}.",
            hint="Choose another mode of exposures, or press Detect.",
        )
    sensitivity = _first(source, _SENSITIVITY, frame, view) or 100.0
    aperture = _first(source, _APERTURE, frame, view) or 1.0
    return round(math.log2(seconds * sensitivity / 100 / aperture**2), 2)


def _first(source: nuke.Node, keys: Iterable[str], frame: int, view: str) -> Optional[float]:
    """The first of ``keys`` that the metadata have, as a number; EXIF has exposure times like 1/50."""
    for key in keys:
        value = source.metadata(key, frame, view)
        if value is not None:
            try:
                return float(Fraction(str(value)))
            except (ValueError, ZeroDivisionError):
                raise ExposureError(
                    f'The input\'s metadata "{key}" is "{value}" at frame {frame}, which is not a number.',
                    hint="Choose another mode of exposures, or press Detect.",
                ) from None
    return None
