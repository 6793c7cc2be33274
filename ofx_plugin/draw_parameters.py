"""Draw the effect's controls as a host lays them out: ``python ofx_plugin/draw_parameters.py FILE.png``.

The picture is drawn from the declarations, so it shows names, order, choices and defaults; fonts and colors are each
host's own.
"""

from __future__ import annotations

import sys
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

sys.path.insert(0, str(Path(__file__).resolve().parent))

from generate_parameters import Parameter, parameters  # noqa: E402

WIDTH, ROW, LABEL = 760, 30, 250
BACKGROUND, GROUP, FIELD, EDGE = (49, 49, 52), (62, 62, 66), (36, 36, 38), (92, 92, 98)
TEXT, DIM, OTHERS = (226, 226, 228), (166, 166, 172), (136, 136, 142)
SHOWN_STATUS = "Frame 1012: short exposure, 3 stops, with frames 1011 and 1013. ..."


def draw(path: Path) -> None:
    """Write the picture."""
    shown = [parameter for parameter in parameters() if parameter.kind != "revision"]
    image = Image.new("RGB", (WIDTH, ROW * len(shown) + 16), BACKGROUND)
    pen = ImageDraw.Draw(image)
    font = ImageFont.load_default(15)
    for index, parameter in enumerate(shown):
        _row(pen, font, parameter, 8 + ROW * index)
    image.save(path, optimize=True)


def _row(pen: ImageDraw.ImageDraw, font: ImageFont.ImageFont, parameter: Parameter, top: int) -> None:
    middle = top + ROW // 2
    if parameter.kind == "group":
        pen.rectangle((8, top + 2, WIDTH - 8, top + ROW - 2), GROUP)
        pen.polygon([(18, middle - 4), (28, middle - 4), (23, middle + 4)], TEXT)
        pen.text((38, middle), parameter.label, TEXT, font, anchor="lm")
        return
    box = (LABEL, top + 3, WIDTH - 16, top + ROW - 3)
    if parameter.kind == "button":
        box = (LABEL, top + 3, LABEL + 190, top + ROW - 3)
        pen.rounded_rectangle(box, 4, GROUP, EDGE)
        pen.text(((box[0] + box[2]) // 2, middle), parameter.label, TEXT, font, anchor="mm")
        return
    pen.text((LABEL - 12, middle), parameter.label, DIM, font, anchor="rm")
    if parameter.kind == "label":
        pen.text((LABEL, middle), SHOWN_STATUS, DIM, font, anchor="lm")
        return
    pen.rounded_rectangle(box, 3, FIELD, EDGE)
    if parameter.kind == "real":
        share = (parameter.value - parameter.low) / (parameter.high - parameter.low)
        knob = box[0] + 90 + int(share * (box[2] - box[0] - 104))
        pen.line((box[0] + 90, middle, box[2] - 14, middle), EDGE, 2)
        pen.ellipse((knob - 5, middle - 5, knob + 5, middle + 5), TEXT)
        pen.text((box[0] + 8, middle), f"{parameter.value:g}", TEXT, font, anchor="lm")
        return
    pen.text((box[0] + 8, middle), parameter.text, TEXT, font, anchor="lm")
    if parameter.kind == "choice":
        others = " | ".join(option for option in parameter.options if option != parameter.text)
        pen.text((box[2] - 34, middle), others, OTHERS, font, anchor="rm")
        pen.polygon([(box[2] - 22, middle - 3), (box[2] - 10, middle - 3), (box[2] - 16, middle + 4)], DIM)
    elif parameter.kind == "path":
        pen.text((box[2] - 8, middle), "...", DIM, font, anchor="rm")


if __name__ == "__main__":
    draw(Path(sys.argv[1]))
