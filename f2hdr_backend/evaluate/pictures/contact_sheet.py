"""Contact sheets: labeled images in rows, with title, scores and legends, as one image."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from f2hdr_backend.evaluate.pictures.false_color import color_bar
from f2hdr_backend.evaluate.pictures.flow_colors import color_wheel
from f2hdr_backend.evaluate.pictures.style import FAINT, GROUND, INK, MARK, Color
from f2hdr_backend.shot.errors import ImageError

Picture = NDArray[np.uint8]

WIDTH = 1920
MARGIN, GUTTER, ROW_GAP = 28, 12, 16
TITLE_PX, HEADING_PX, TEXT_PX, LABEL_PX, LEGEND_PX = 38, 25, 19, 17, 14


@dataclass(frozen=True)
class Scale:
    """The legend of a false-color picture."""

    low: str
    """Text at the dark end."""
    high: str
    """Text at the bright end."""


@dataclass(frozen=True)
class Wheel:
    """The legend of a flow picture."""

    fastest: str
    """Text for the speed at the edge of the wheel."""


@dataclass(frozen=True)
class Panel:
    """One image of a sheet."""

    picture: Picture
    """``(H, W, 3)`` RGB of any size; downscaled by area averaging, enlarged by repeating pixels."""
    label: str
    """The caption."""
    note: str = ""
    """Text on the right, such as a score."""
    legend: Scale | Wheel | None = None
    frame: tuple[int, int, int, int] | None = None
    """Left, top, width and height in pixels of a rectangle to outline."""


@dataclass(frozen=True)
class Section:
    """Rows of panels, with or without a heading. The longest row determines the number of columns."""

    heading: str
    text: str
    rows: tuple[tuple[Panel, ...], ...]


@dataclass(frozen=True)
class ContactSheet:
    """A title, lines of text next to a table, and sections."""

    title: str
    lines: tuple[str, ...]
    table: tuple[tuple[str, ...], ...]
    """Rows of cells, the first of which is the header; may be empty."""
    sections: tuple[Section, ...]


def draw(sheet: ContactSheet, width: int = WIDTH) -> Picture:
    """Return the sheet as ``(H, width, 3)`` RGB.

    Raises:
        ImageError: there is no panel, an image is not ``(H, W, 3)`` uint8, or the width is too small for the columns.
    """
    layout = _Layout.of(sheet, width)
    canvas = Image.new("RGB", (width, layout.height), GROUND)
    pen = _Pen(canvas)
    _draw_head(pen, sheet, width)
    top = layout.head
    for section in sheet.sections:
        if section.heading:
            pen.text((MARGIN, top + 8), section.heading, HEADING_PX)
            pen.text((MARGIN + pen.width(section.heading, HEADING_PX) + 18, top + 14), section.text, LABEL_PX, FAINT)
            top += _heading_height()
        for row in section.rows:
            for column, panel in enumerate(row):
                _draw_panel(pen, panel, (MARGIN + column * (layout.cell + GUTTER), top), layout.cell)
            top += layout.row_height(row)
    return np.asarray(canvas, np.uint8)


def grid(panels: tuple[Panel, ...], columns: int) -> tuple[tuple[Panel, ...], ...]:
    """Split panels into rows of ``columns``."""
    return tuple(panels[start : start + columns] for start in range(0, len(panels), columns))


@dataclass(frozen=True)
class _Layout:
    """Positions and sizes in pixels."""

    head: int
    cell: int
    """Width of a panel."""
    height: int

    @classmethod
    def of(cls, sheet: ContactSheet, width: int) -> _Layout:
        rows = [row for section in sheet.sections for row in section.rows if row]
        if not rows:
            raise ImageError("A contact sheet needs at least one image.")
        for panel in (panel for row in rows for panel in row):
            _check(panel)
        columns = max(map(len, rows))
        cell = (width - 2 * MARGIN - (columns - 1) * GUTTER) // columns
        if cell < 1:
            raise ImageError(f"{columns} columns do not fit in {width} pixels.", hint="Increase the width.")
        head = 40 + _line_height(TITLE_PX) + _line_height(TEXT_PX) * max(len(sheet.lines), len(sheet.table) - 2, 0)
        if not sheet.title:
            head = MARGIN // 2
        headings = sum(_heading_height() for section in sheet.sections if section.heading)
        body = headings + sum(_row_height(row, cell) for row in rows)
        return cls(head, cell, head + body + MARGIN - ROW_GAP)

    def row_height(self, row: tuple[Panel, ...]) -> int:
        return _row_height(row, self.cell)


class _Pen:
    """Draws text and images on a canvas."""

    def __init__(self, canvas: Image.Image) -> None:
        self.canvas = canvas
        self.draw = ImageDraw.Draw(canvas)

    def text(self, place: tuple[float, float], text: str, size: int, ink: Color = INK, anchor: str = "la") -> None:
        self.draw.text(place, text, fill=ink, font=_font(size), anchor=anchor)

    def width(self, text: str, size: int) -> float:
        return self.draw.textlength(text, font=_font(size))


def _draw_head(pen: _Pen, sheet: ContactSheet, width: int) -> None:
    pen.text((MARGIN, 22), sheet.title, TITLE_PX)
    for index, line in enumerate(sheet.lines):
        pen.text((MARGIN, 28 + _line_height(TITLE_PX) + index * _line_height(TEXT_PX)), line, TEXT_PX, FAINT)
    right = float(width - MARGIN)
    for cells in reversed(list(zip(*sheet.table, strict=True))):
        last = len(cells) - 1
        for index, cell in enumerate(cells):
            bold = INK if index else FAINT
            pen.text((right, 28 + index * _line_height(TEXT_PX)), cell, TEXT_PX, bold, anchor="ra")
        right -= max(pen.width(cell, TEXT_PX) for cell in cells[: last + 1]) + 36


def _draw_panel(pen: _Pen, panel: Panel, place: tuple[int, int], cell: int) -> None:
    left, top = place
    pen.text((left, top), panel.label, LABEL_PX)
    pen.text((left + cell, top), panel.note, LABEL_PX, FAINT, anchor="ra")
    top += _line_height(LABEL_PX)
    picture = _fitted(panel.picture, cell)
    pen.canvas.paste(Image.fromarray(picture), (left, top))
    if panel.frame is not None:
        zoom = cell / panel.picture.shape[1]
        x, y, wide, high = (side * zoom for side in panel.frame)
        pen.draw.rectangle((left + x, top + y, left + x + wide, top + y + high), outline=MARK, width=2)
    corner = (left + cell, top + picture.shape[0])
    if isinstance(panel.legend, Scale):
        _draw_scale(pen, panel.legend, corner, cell)
    elif isinstance(panel.legend, Wheel):
        _draw_wheel(pen, panel.legend, corner, cell)


def _draw_scale(pen: _Pen, scale: Scale, corner: tuple[int, int], cell: int) -> None:
    """Draw a color bar with labels in the lower right corner."""
    bar = Image.fromarray(color_bar(max(cell // 4, 8), 10))
    low, high = pen.width(scale.low, LEGEND_PX), pen.width(scale.high, LEGEND_PX)
    right, middle = corner[0] - 8, corner[1] - 14
    left = right - high - low - bar.width - 12
    pen.draw.rectangle((left - 6, middle - 11, corner[0] - 1, corner[1] - 1), fill=GROUND)
    pen.text((left, middle), scale.low, LEGEND_PX, anchor="lm")
    pen.canvas.paste(bar, (round(left + low + 6), middle - 5))
    pen.text((right, middle), scale.high, LEGEND_PX, anchor="rm")


def _draw_wheel(pen: _Pen, wheel: Wheel, corner: tuple[int, int], cell: int) -> None:
    """Draw a color wheel with the speed at its edge in the lower right corner."""
    side = max(cell // 7, 16)
    colors, coverage = color_wheel(side)
    right, bottom = corner[0] - 8, corner[1] - 8
    label = pen.width(wheel.fastest, LEGEND_PX)
    pen.draw.rectangle((right - side - label - 16, bottom - side - 6, corner[0] - 1, corner[1] - 1), fill=GROUND)
    mask = Image.fromarray(np.asarray(np.rint(coverage * 255), np.uint8))
    pen.canvas.paste(Image.fromarray(colors), (right - side, bottom - side), mask)
    pen.text((right - side - 6, bottom - side / 2), wheel.fastest, LEGEND_PX, anchor="rm")


def _fitted(picture: Picture, width: int) -> Picture:
    """Return the image scaled to ``width``."""
    height = _fitted_height(picture, width)
    smaller = width < picture.shape[1]
    scaled = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA if smaller else cv2.INTER_NEAREST)
    return np.asarray(scaled, np.uint8)


def _fitted_height(picture: Picture, width: int) -> int:
    return max(1, round(picture.shape[0] * width / picture.shape[1]))


def _row_height(row: tuple[Panel, ...], cell: int) -> int:
    return _line_height(LABEL_PX) + max(_fitted_height(panel.picture, cell) for panel in row) + ROW_GAP


def _heading_height() -> int:
    return _line_height(HEADING_PX) + 18


def _line_height(size: int) -> int:
    return round(1.4 * size)


def _font(size: int) -> ImageFont.ImageFont | ImageFont.FreeTypeFont:
    """Return Pillow's built-in font."""
    return ImageFont.load_default(size=size)


def _check(panel: Panel) -> None:
    picture = panel.picture
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3 or not picture.size:
        raise ImageError(
            f'The image "{panel.label}" is {picture.shape} {picture.dtype}, not (height, width, 3) of 8 bits.',
            hint="Convert radiance to 8-bit display codes first.",
        )
