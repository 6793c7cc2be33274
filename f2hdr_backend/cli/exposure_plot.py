"""The chart of ``f2hdr detect --plot``: the exposure of every frame, colored by its position in the cycle."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw, ImageFont

from f2hdr_backend.evaluate.pictures.style import FAINT, FAULT, GRID, GROUND, INK, SERIES

if TYPE_CHECKING:
    from f2hdr_backend.detection.detect import Detection

WIDTH, HEIGHT = 1280, 560
_SHARP = 2
"""Oversampling factor, for smooth edges."""
_LEFT, _TOP, _RIGHT, _BOTTOM = 78, 96, 28, 70
_TICKS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000)


@dataclass(frozen=True)
class _Axes:
    """Positions of frames and stops in the picture."""

    first: int
    last: int
    low: float
    high: float

    def x(self, frame: float) -> float:
        share = (frame - self.first + 0.5) / (self.last - self.first + 1)
        return _SHARP * (_LEFT + share * (WIDTH - _LEFT - _RIGHT))

    def y(self, stops: float) -> float:
        share = (stops - self.low) / (self.high - self.low)
        return _SHARP * (HEIGHT - _BOTTOM - share * (HEIGHT - _TOP - _BOTTOM))


def draw_exposures(detection: Detection, plate: str) -> Image.Image:
    """Return an RGB picture, 1280 x 560: measured stops over frames, cuts, breaks of the cycle, and the result."""
    picture = Image.new("RGB", (WIDTH * _SHARP, HEIGHT * _SHARP), GROUND)
    draw = ImageDraw.Draw(picture)
    axes = _axes(detection)
    _draw_grid(draw, axes, detection)
    _draw_marks(draw, axes, detection)
    _draw_levels(draw, axes, detection)
    _draw_title(draw, detection, plate)
    return picture.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS)


def _axes(detection: Detection) -> _Axes:
    known = [level for level in detection.levels if not math.isnan(level)]
    if detection.pattern is not None:
        known += [ev - detection.pattern.lowest for ev in detection.pattern.cycle]
    low, high = min(known, default=0.0), max(known, default=1.0)
    margin = max(0.4, 0.12 * (high - low))
    return _Axes(detection.frames[0], detection.frames[-1], low - margin, high + margin)


def _draw_grid(draw: ImageDraw.ImageDraw, axes: _Axes, detection: Detection) -> None:
    left, right = _SHARP * _LEFT, _SHARP * (WIDTH - _RIGHT)
    for stop in range(math.ceil(axes.low), math.floor(axes.high) + 1):
        draw.line([(left, axes.y(stop)), (right, axes.y(stop))], fill=GRID, width=_SHARP)
        draw.text((left - 20, axes.y(stop)), f"{stop:+d}" if stop else "0", FAINT, _font(15), anchor="rm")
    every = next((tick for tick in _TICKS if tick * 24 >= axes.last - axes.first), _TICKS[-1])
    for frame in range(math.ceil(axes.first / every) * every, axes.last + 1, every):
        draw.text((axes.x(frame), _SHARP * (HEIGHT - _BOTTOM + 16)), str(frame), FAINT, _font(15), anchor="mt")
    draw.text((left, _SHARP * (_TOP - 12)), "stops above the shortest exposure", FAINT, _font(14), anchor="ls")
    draw.text((right, _SHARP * (HEIGHT - 14)), "frame", FAINT, _font(14), anchor="rs")
    _draw_legend(draw, detection)


def _draw_legend(draw: ImageDraw.ImageDraw, detection: Detection) -> None:
    x, y = _SHARP * _LEFT, _SHARP * (HEIGHT - 20)
    entries = [(color, f"exposure {ev:+.2f}") for color, ev in zip(SERIES, _cycle(detection), strict=False)]
    entries += [(INK, "cut")] * bool(detection.cuts) + [(FAULT, "the cycle breaks")] * bool(detection.dropped)
    for color, words in entries:
        draw.ellipse([x, y - 10, x + 20, y + 10], fill=color)
        draw.text((x + 32, y), words, INK, _font(15), anchor="lm")
        x += 80 + int(draw.textlength(words, _font(15)))


def _draw_marks(draw: ImageDraw.ImageDraw, axes: _Axes, detection: Detection) -> None:
    """Vertical lines before the frames that begin a shot (dashed) and before those where the cycle breaks."""
    top, bottom = _SHARP * _TOP, _SHARP * (HEIGHT - _BOTTOM)
    for frame in detection.cuts:
        x = axes.x(frame - 0.5)
        for y in range(top, bottom, 20):
            draw.line([(x, y), (x, y + 10)], fill=INK, width=3)
        draw.text((x + 8, top + 4), f"cut {frame}", INK, _font(14), anchor="lt")
    for frame in detection.dropped:
        x = axes.x(frame - 0.5)
        draw.line([(x, top), (x, bottom)], fill=FAULT, width=4)
        draw.text((x + 8, bottom - 6), f"break before {frame}", FAULT, _font(14), anchor="lb")


def _draw_levels(draw: ImageDraw.ImageDraw, axes: _Axes, detection: Detection) -> None:
    points = [
        (number, axes.x(number), axes.y(level))
        for number, level in zip(detection.frames, detection.levels, strict=True)
        if not math.isnan(level)
    ]
    draw.line([(x, y) for _, x, y in points], fill=GRID, width=2)
    radius = min(14.0, max(4.0, 0.36 * (axes.x(1) - axes.x(0))))
    for number, x, y in points:
        draw.ellipse([x - radius, y - radius, x + radius, y + radius], fill=_color(detection, number))


def _color(detection: Detection, number: int) -> tuple[int, int, int]:
    if detection.pattern is None:
        return FAINT
    place = detection.pattern.cycle.index(detection.pattern.ev(number))
    return SERIES[place % len(SERIES)]


def _draw_title(draw: ImageDraw.ImageDraw, detection: Detection, plate: str) -> None:
    x = _SHARP * _LEFT
    if detection.pattern is None:
        words = f"no cycle of exposures: {detection.reason}"
    else:
        cycle = ", ".join(f"{ev:g}" for ev in _cycle(detection))
        source = "file headers" if detection.source == "metadata" else "pixels"
        words = f"exposures alternate: {cycle} EV      confidence {detection.confidence:.2f}, from {source}"
    draw.text((x, _SHARP * 34), words, INK, _font(22), anchor="ls")
    draw.text((x, _SHARP * 58), plate, FAINT, _font(15), anchor="ls")


def _cycle(detection: Detection) -> tuple[float, ...]:
    return () if detection.pattern is None else detection.pattern.cycle


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size * _SHARP)
