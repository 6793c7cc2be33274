"""Draws the Fuse's controls as Fusion's Inspector would show them, from its own AddInput calls.

python -m tests.hosts.resolve.draw_controls docs/images/resolve_controls.png
"""

from __future__ import annotations

import hashlib
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont, PngImagePlugin

from tests.hosts.resolve.fusion import Comp

WIDTH, ROW, LABEL = 400, 32, 150
BACK, PANEL, FIELD, WORDS, FAINT, ACCENT = "#1b1b1f", "#28282e", "#17171a", "#d6d6dc", "#85858f", "#d3703a"
FONT = ImageFont.load_default(size=13)
HEAD = ImageFont.load_default(size=15)
DIGEST = "controls"
"""Name of the PNG's text entry with the digest of the controls that it shows."""
NOTIFIED = ("Mode", "Space", "Exposures", "Phase", "UseRange", "Anchor")


def controls(folder: Path, **chosen: Any) -> list[dict[str, Any]]:
    """The controls that the Inspector shows for these values, each with its page."""
    comp = Comp(folder)
    values = {control["id"]: control.get("value") for control in comp.run()["controls"]}
    comp.inputs = {"Folder": "", **chosen}
    changes = [{"change": name, "value": chosen.get(name, values[name])} for name in NOTIFIED]
    report = comp.run(*changes)
    return [control for control in report["controls"] if control["visible"] and control["control"] != "Image"]


def draw(columns: list[tuple[str, list[dict[str, Any]]]]) -> Image.Image:
    """One column a page: its title and its controls."""
    rows = max(len(shown) for _, shown in columns)
    picture = Image.new("RGB", (len(columns) * (WIDTH + 16) + 16, rows * ROW + 84), BACK)
    pen = ImageDraw.Draw(picture)
    for place, (title, shown) in enumerate(columns):
        left = 16 + place * (WIDTH + 16)
        pen.rectangle((left, 16, left + WIDTH, picture.height - 16), fill=PANEL)
        pen.text((left + 14, 28), title, WORDS, HEAD)
        pen.line((left, 54, left + WIDTH, 54), fill=ACCENT, width=2)
        for row, control in enumerate(shown):
            _draw_control(pen, left + 14, 64 + row * ROW, control)
    return picture


def _draw_control(pen: ImageDraw.ImageDraw, left: int, top: int, control: dict[str, Any]) -> None:
    kind, right = control["control"], left + WIDTH - 28
    middle = top + ROW // 2
    if kind == "ButtonControl":
        pen.rounded_rectangle((left, top + 3, right, top + ROW - 5), 4, fill="#3b3b44")
        pen.text(((left + right) // 2, middle - 1), control["label"], WORDS, FONT, anchor="mm")
        return
    if kind == "LabelControl":
        pen.text((left, middle), control["label"], FAINT, FONT, anchor="lm")
        return
    pen.text((left, middle), control["label"], WORDS, FONT, anchor="lm")
    field = (left + LABEL + 30, top + 4, right, top + ROW - 6)
    if kind == "CheckboxControl":
        pen.rectangle((field[0], top + 8, field[0] + 15, top + 23), outline=FAINT)
        if control["value"]:
            pen.text((field[0] + 8, middle - 1), "x", ACCENT, FONT, anchor="mm")
    elif kind == "SliderControl":
        _draw_slider(pen, field, middle, control)
    else:
        pen.rectangle(field, fill=FIELD)
        words = dict(control["choices"]).get(control["value"], control["value"])
        pen.text((field[0] + 8, middle - 1), str(words), WORDS, FONT, "lm")
        if kind == "ComboIDControl":
            at = field[2] - 14
            pen.polygon([(at - 5, middle - 4), (at + 5, middle - 4), (at, middle + 3)], fill=FAINT)
        elif kind == "FileControl":
            pen.text((field[2] - 18, middle - 1), "...", FAINT, FONT, "lm")
        elif kind == "ScrewControl":
            pen.text((field[2] - 24, middle - 1), "< >", FAINT, FONT, "lm")


def _draw_slider(
    pen: ImageDraw.ImageDraw, field: tuple[int, int, int, int], middle: int, control: dict[str, Any]
) -> None:
    end = field[2] - 56
    share = (control["value"] - control["low"]) / (control["high"] - control["low"])
    at = field[0] + round(share * (end - field[0]))
    pen.line((field[0], middle, end, middle), fill=FAINT, width=2)
    pen.ellipse((at - 5, middle - 5, at + 5, middle + 5), fill=ACCENT)
    pen.rectangle((end + 10, field[1], field[2], field[3]), fill=FIELD)
    pen.text((end + 16, middle - 1), f"{control['value']:g}", WORDS, FONT, "lm")


def pages(folder: Path) -> list[tuple[str, list[dict[str, Any]]]]:
    """Both modes and the two other pages, as the picture in the docs shows them."""
    read = controls(folder)
    live = controls(folder, Mode="live", Exposures="values", Anchor="ev", UseRange=1)
    return [
        ("Controls, mode Read rendered", [control for control in read if control["page"] == "Controls"]),
        ("Controls, mode Live", [control for control in live if control["page"] == "Controls"]),
        ("Plate", [control for control in live if control["page"] == "Plate"]),
        ("Render", [control for control in live if control["page"] == "Render"]),
    ]


def digest(shown: list[tuple[str, list[dict[str, Any]]]]) -> str:
    """SHA-256 of what ``draw`` is given."""
    return hashlib.sha256(json.dumps(shown, sort_keys=True).encode()).hexdigest()


def main(path: Path) -> None:
    """Draw ``pages``."""
    with tempfile.TemporaryDirectory() as folder:
        shown = pages(Path(folder))
    note = PngImagePlugin.PngInfo()
    note.add_text(DIGEST, digest(shown))
    draw(shown).save(path, pnginfo=note, optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
