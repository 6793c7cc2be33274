"""Draws the node's panel and its inside from ``F2HDR.gizmo``: ``python -m tests.nuke_plugin.draw_panel docs/images``.

The pictures are drawn from the gizmo in Nuke's style; they are not screenshots.
"""

from __future__ import annotations

import hashlib
import sys
import textwrap
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont, PngImagePlugin

from tests.nuke_plugin.gizmo_reader import GIZMO, Block, Knob, read

WIDTH, ROW, LABEL = 860, 30, 150
PANEL, FIELD, LINE, TEXT, DIM, ACCENT = "#323232", "#262626", "#1c1c1c", "#d6d6d6", "#8c8c8c", "#7a5a99"
DIGEST = "gizmo"
"""Name of the PNG's text entry with the digest of the gizmo it was drawn from."""
_COLORS = {"Read": "#c9a86a", "Write": "#c9a86a", "Input": "#6b6b6b", "Output": "#6b6b6b", "Switch": "#5a7a5a"}


def gizmo_digest() -> str:
    """SHA-256 of the gizmo's text."""
    return hashlib.sha256(GIZMO.read_bytes()).hexdigest()


def draw_all(folder: Path) -> list[Path]:
    """Draw every tab and the inside; returns the files."""
    group, inner = read(GIZMO.read_text(encoding="utf-8"))
    tabs: dict[str, list[Knob]] = {}
    for knob in group.knobs:
        if knob.kind == 20:
            tabs[knob.label] = []
        elif not knob.is_hidden:
            tabs[list(tabs)[-1]].append(knob)
    paths = []
    for name, knobs in tabs.items():
        paths.append(_save(_panel(group, list(tabs), name, knobs), folder / f"nuke_{name.lower()}.png"))
    paths.append(_save(_inside(inner), folder / "nuke_inside.png"))
    return paths


def _save(picture: Image.Image, path: Path) -> Path:
    note = PngImagePlugin.PngInfo()
    note.add_text(DIGEST, gizmo_digest())
    picture.save(path, pnginfo=note, optimize=True)
    return path


def _font(size: int = 15) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def _panel(group: Block, tabs: list[str], open_tab: str, knobs: list[Knob]) -> Image.Image:
    rows: list[list[Knob]] = []
    for knob in knobs:
        if knob.is_on_line and rows:
            rows[-1].append(knob)
        else:
            rows.append([knob])
    heights = [_height(row) for row in rows]
    picture = Image.new("RGB", (WIDTH, 84 + sum(heights) + 12), PANEL)
    draw = ImageDraw.Draw(picture)
    _header(draw, group, tabs, open_tab)
    top = 84
    for row, height in zip(rows, heights, strict=True):
        _row(draw, group, row, top)
        top += height
    return picture


def _height(row: list[Knob]) -> int:
    lines = max(len(_lines(knob)) for knob in row)
    return ROW if lines <= 1 else 8 + 20 * lines


def _lines(knob: Knob) -> list[str]:
    return textwrap.wrap(knob.text, 84) if knob.kind == 26 else [""]


def _header(draw: ImageDraw.ImageDraw, group: Block, tabs: list[str], open_tab: str) -> None:
    draw.rectangle((0, 0, WIDTH, 36), fill=ACCENT)
    draw.text((14, 9), f"{group.name}1", fill="white", font=_font(17))
    left = 10
    for name in tabs:
        width = int(draw.textlength(name, font=_font())) + 28
        draw.rectangle((left, 44, left + width, 72), fill=PANEL if name == open_tab else FIELD, outline=LINE)
        draw.text((left + 14, 50), name, fill=TEXT if name == open_tab else DIM, font=_font())
        left += width + 4
    draw.line((0, 72, WIDTH, 72), fill=LINE)


def _row(draw: ImageDraw.ImageDraw, group: Block, row: list[Knob], top: int) -> None:
    first = row[0]
    if first.kind == 26 and first.text.strip() == "":
        draw.text((14, top + 8), first.label, fill=TEXT, font=_font(16))
        end = 26 + draw.textlength(first.label, font=_font(16))
        draw.line((end, top + 18, WIDTH - 14, top + 18), fill=DIM)
        return
    left = LABEL
    for number, knob in enumerate(row):
        if number == 0 and knob.kind not in (6, 22):
            width = draw.textlength(knob.label, font=_font())
            draw.text((LABEL - 10 - width, top + 7), knob.label, fill=TEXT, font=_font())
        elif knob.label and knob.kind not in (6, 22):
            draw.text((left, top + 7), knob.label, fill=TEXT, font=_font())
            left += int(draw.textlength(knob.label, font=_font())) + 8
        left = _control(draw, group, knob, left, top, len(row) == 1) + 14


def _control(draw: ImageDraw.ImageDraw, group: Block, knob: Knob, left: int, top: int, alone: bool) -> int:
    """Draw one control and return where it ends."""
    value = group.values.get(knob.name, knob.items[0] if knob.items else "0" if knob.kind in (3, 7) else "")
    if knob.kind == 22:
        return _box(draw, left, top, knob.label, fill="#4a4a4a")
    if knob.kind == 6:
        draw.rectangle((left, top + 7, left + 15, top + 22), fill=FIELD, outline=LINE)
        draw.text((left + 22, top + 7), knob.label, fill=TEXT, font=_font())
        return left + 22 + int(draw.textlength(knob.label, font=_font()))
    if knob.kind == 26:
        for number, line in enumerate(_lines(knob)):
            draw.text((left, top + 7 + 20 * number), line, fill=DIM, font=_font())
        return left + int(draw.textlength(knob.text, font=_font()))
    if knob.kind == 4:
        widest = max(draw.textlength(item, font=_font()) for item in knob.items)
        end = _box(draw, left, top, value, fill="#4a4a4a", width=int(widest) + 44)
        draw.polygon([(end - 20, top + 13), (end - 10, top + 13), (end - 15, top + 19)], fill=TEXT)
        return end
    if knob.kind in (3, 7):
        end = _box(draw, left, top, value, width=84)
        return _slider(draw, knob, float(value), end + 12, top) if knob.kind == 7 and alone else end
    return _box(draw, left, top, value, width=WIDTH - 14 - left if alone else 330)


def _box(draw: ImageDraw.ImageDraw, left: int, top: int, text: str, fill: str = FIELD, width: int = 0) -> int:
    width = width or int(draw.textlength(text, font=_font())) + 26
    draw.rectangle((left, top + 3, left + width, top + ROW - 3), fill=fill, outline=LINE)
    draw.text((left + 10, top + 7), text, fill=TEXT, font=_font())
    return left + width


def _slider(draw: ImageDraw.ImageDraw, knob: Knob, value: float, left: int, top: int) -> int:
    assert knob.span is not None
    low, high = knob.span
    end = WIDTH - 14
    draw.line((left, top + 15, end, top + 15), fill=DIM)
    at = left + (end - left) * (value - low) / (high - low)
    draw.rectangle((at - 4, top + 7, at + 4, top + 23), fill=TEXT)
    for number, x in ((low, left), (high, end - 10)):
        draw.text((x, top + 16), f"{number:g}", fill=DIM, font=_font(11))
    return end


def _inside(inner: dict[str, Block]) -> Image.Image:
    """The nodes of the group at their positions, with their inputs."""
    scale, wide, high = 1.5, 150, 34
    places = {name: (int(block.values["xpos"]), int(block.values["ypos"])) for name, block in inner.items()}
    left, top = min(x for x, _ in places.values()), min(y for _, y in places.values())
    spot = {name: (40 + (x - left) * scale, 30 + (y - top) * scale) for name, (x, y) in places.items()}
    size = (max(x for x, _ in spot.values()) + wide + 40, max(y for _, y in spot.values()) + high + 30)
    picture = Image.new("RGB", (int(size[0]), int(size[1])), PANEL)
    draw = ImageDraw.Draw(picture)
    for name, block in inner.items():
        for number, source in enumerate(block.inputs):
            if source is not None:
                end = (spot[name][0] + wide * (number + 1) / (len(block.inputs) + 1), spot[name][1])
                draw.line((spot[source][0] + wide / 2, spot[source][1] + high, *end), fill=DIM)
    for name, block in inner.items():
        x, y = spot[name]
        off = block.values.get("disable") == "true"
        draw.rounded_rectangle((x, y, x + wide, y + high), 5, fill=_COLORS.get(block.kind, "#5b6b7a"), outline=LINE)
        draw.text((x + 8, y + 2), name, fill="white", font=_font(14))
        draw.text((x + 8, y + 18), block.kind + (" (off)" if off else ""), fill="#e0e0e0", font=_font(11))
    return picture


if __name__ == "__main__":
    draw_all(Path(sys.argv[1]))
