"""Chart of seconds and memory against frame size: two panels with logarithmic axes, one line per method."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from f2hdr_backend.evaluate.bench.measure import Measured, NotRun
from f2hdr_backend.evaluate.bench.report import Report
from f2hdr_backend.evaluate.pictures.contact_sheet import Picture
from f2hdr_backend.evaluate.pictures.style import FAINT, GRID, GROUND, INK, SERIES, Color

WIDTH, HEIGHT = 1500, 640
ZOOM = 2
"""Supersampling factor for smooth lines."""
COLORS: dict[str, Color] = dict(zip(("f2hdr", "merge", "plain"), SERIES, strict=False))
TITLE_PX, TEXT_PX, LABEL_PX = 26, 17, 15
LABEL_STEP = 20
"""Minimum distance between the labels at the ends of lines, in pixels."""
LEFT, RIGHT, TOP, BOTTOM = 70, 160, 136, 80
"""Margins of a panel for the labels of its axes, in pixels."""
GB = 10**9


@dataclass(frozen=True)
class Line:
    """The values of one method against megapixels."""

    name: str
    points: tuple[tuple[float, float], ...]
    """Pairs of megapixels and measured value."""
    missing: tuple[tuple[float, float], ...] = ()
    """Pairs of megapixels and required value, where there was not enough memory."""


@dataclass(frozen=True)
class Scale:
    """A logarithmic axis that maps values from ``low`` to ``high`` to pixels from ``start`` to ``end``."""

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        """Return the position of a value in pixels."""
        share = math.log(value / self.low) / math.log(self.high / self.low)
        return self.start + share * (self.end - self.start)

    def ticks(self) -> list[float]:
        """Return 1, 2 and 5 times the powers of ten within the axis; only the powers if there are at least 5 of
        them.
        """
        powers = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
        steps = (1, 2, 5) if len(powers) < 5 else (1,)
        marks = [step * 10.0**power for power in powers for step in steps]
        return [mark for mark in marks if self.low <= mark <= self.high]


def draw(report: Report, facts: str) -> Picture:
    """Return the chart as ``(H, W, 3)`` RGB with a line of ``facts`` above it. The report needs at least one
    measurement.
    """
    canvas = Image.new("RGB", (WIDTH * ZOOM, HEIGHT * ZOOM), GROUND)
    pen = _Pen(ImageDraw.Draw(canvas))
    pen.text((LEFT, 20), "f2hdr bench", TITLE_PX, INK)
    pen.text((LEFT, 58), facts, TEXT_PX, FAINT)
    sizes = sorted({(_megapixels(result), f"{result.size[0]} x {result.size[1]}") for result in report.results})
    panels = ("seconds a frame", _times(report)), ("peak memory, GB", _peaks(report))
    for index, (heading, lines) in enumerate(panels):
        left = index * WIDTH / 2
        pen.text((left + LEFT, TOP - 36), heading, TEXT_PX, INK)
        across = _spanning([size for size, _ in sizes], left + LEFT, left + WIDTH / 2 - RIGHT)
        up = _spanning([value for line in lines for _, value in line.points + line.missing], HEIGHT - BOTTOM, TOP)
        _draw_axes(pen, across, up, sizes)
        _draw_lines(pen, across, up, lines)
    return np.asarray(canvas.reduce(ZOOM), np.uint8)


class _Pen:
    """Draws in pixel coordinates of the finished image."""

    def __init__(self, draw: ImageDraw.ImageDraw) -> None:
        self._draw = draw

    def text(self, place: tuple[float, float], text: str, size: int, ink: Color, anchor: str = "la") -> None:
        font = ImageFont.load_default(size=size * ZOOM)
        scaled = place[0] * ZOOM, place[1] * ZOOM
        self._draw.text(scaled, text, ink, font, anchor, stroke_width=2 * ZOOM, stroke_fill=GROUND)

    def line(self, points: list[tuple[float, float]], ink: Color, width: float) -> None:
        scaled = [(x * ZOOM, y * ZOOM) for x, y in points]
        self._draw.line(scaled, fill=ink, width=round(width * ZOOM), joint="curve")

    def dot(self, place: tuple[float, float], ink: Color, *, hollow: bool = False) -> None:
        self._draw.circle((place[0] * ZOOM, place[1] * ZOOM), 5 * ZOOM, GROUND if hollow else ink, ink, 2 * ZOOM)


def _draw_axes(pen: _Pen, across: Scale, up: Scale, sizes: list[tuple[float, str]]) -> None:
    for value in up.ticks():
        y = up.at(value)
        pen.line([(across.start, y), (across.end, y)], GRID, 1)
        pen.text((across.start - 10, y), f"{value:g}", LABEL_PX, FAINT, "rm")
    for megapixels, name in sizes:
        x = across.at(megapixels)
        pen.line([(x, up.start), (x, up.end)], GRID, 1)
        pen.text((x, up.start + 10), name, LABEL_PX, FAINT, "ma")
        pen.text((x, up.start + 32), f"{megapixels:.3g} MP", LABEL_PX, FAINT, "ma")


def _draw_lines(pen: _Pen, across: Scale, up: Scale, lines: list[Line]) -> None:
    for line in lines:
        ink = COLORS[line.name]
        points = [(across.at(size), up.at(value)) for size, value in line.points]
        missing = [(across.at(size), up.at(value)) for size, value in line.missing]
        if len(points) > 1:
            pen.line(points, ink, 2.5)
        for point in points:
            pen.dot(point, ink)
        for point in missing:
            pen.dot(point, ink, hollow=True)
    _draw_labels(pen, across, up, lines)


def _draw_labels(pen: _Pen, across: Scale, up: Scale, lines: list[Line]) -> None:
    """Draw each line's name and last value at its end, from top to bottom, without overlap."""
    ends = [(line, max(line.points + line.missing)) for line in lines]
    lowest = 0.0
    for line, (megapixels, value) in sorted(ends, key=lambda end: up.at(end[1][1])):
        lowest = max(up.at(value), lowest + LABEL_STEP)
        needs = " would need" if (megapixels, value) in line.missing else " "
        text = f"{line.name}{needs} {value:.3g}"
        pen.text((across.at(megapixels) + 12, lowest), text, LABEL_PX, COLORS[line.name], "lm")


def _times(report: Report) -> list[Line]:
    return [
        Line(name, tuple((_megapixels(each), each.seconds) for each in report.measured if each.method == name))
        for name in dict.fromkeys(each.method for each in report.measured)
    ]


def _peaks(report: Report) -> list[Line]:
    lines = []
    for name in dict.fromkeys(each.method for each in report.results):
        results = [each for each in report.results if each.method == name]
        points = [(_megapixels(each), each.bytes / GB) for each in results if isinstance(each, Measured)]
        missing = [(_megapixels(each), each.bytes / GB) for each in results if isinstance(each, NotRun) and each.bytes]
        if points or missing:
            lines.append(Line(name, tuple(points), tuple(missing)))
    return lines


def _megapixels(result: Measured | NotRun) -> float:
    return result.size[0] * result.size[1] / 1e6


def _spanning(values: list[float], start: float, end: float) -> Scale:
    """Return an axis with a margin on both sides of its values."""
    low, high = min(values), max(values)
    room = max((high / low) ** 0.12, 1.3)
    return Scale(low / room, high * room, start, end)
