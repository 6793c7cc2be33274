"""``f2hdr render --preview``: the plate and the tone-mapped result of one frame, as a PNG to look at."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from f2hdr_backend.cli import terminal
from f2hdr_backend.color.plate import open_color
from f2hdr_backend.engine.settle import frames_of
from f2hdr_backend.engine.window import settled_exposures, window_of
from f2hdr_backend.evaluate.pictures.contact_sheet import ContactSheet, Panel, Section, draw
from f2hdr_backend.evaluate.pictures.tone_map import tone_map
from f2hdr_backend.image.read import open_plate, read_image
from f2hdr_backend.image.write import read_header, write_image
from f2hdr_backend.shot.document import Shot
from f2hdr_backend.shot.frames import Sequence


def write_preview(shot: Shot, path: Path) -> None:
    """Write a sheet of the middle frame of a rendered Shot: the frame before it, itself, and the result.

    Raises:
        UnreadableFrame, UnwritableFrame: from the files.
    """
    frames = tuple(frames_of(shot))
    number = frames[len(frames) // 2]
    rendered = Sequence.parse(shot.output.pattern).path(number)
    image = read_image(rendered, number)
    settled = Shot.from_json(str(read_header(rendered)["f2hdr/shot"]))
    pattern = settled_exposures(settled)
    plate = open_plate(shot.plate, shot.layer)
    try:
        window = window_of(number, settled, plate.frames)
        color = open_color(settled.color, plate)
        light = color.in_light(plate)
        # one level for all channels: the picture keeps the plate's hues
        response = replace(color.response, clip_level=(max(color.response.clip_level),))
        shown = [
            Panel(_picture(response.to_network(light.read(frame).pixels)), f"plate {frame}, {_kind(gain)}")
            for frame, gain in zip(window.frames[:2], window.exposures[:2], strict=True)
        ]
    finally:
        plate.close()
    white = 2.0**pattern.ratio_stops
    result = Panel(tone_map(image.pixels, white), f"result {number}, tone-mapped: {white:g} is white")
    section = Section(f"Frame {number}", "", ((*shown, result),))
    sheet = ContactSheet("F2HDR preview", (f"{shot.output.pattern}, anchor {shot.output.anchor}",), (), (section,))
    write_image(path, draw(sheet), bits=8)
    terminal.note(f"Preview: {path}")


def _kind(gain: float) -> str:
    return "short exposure" if gain == 1 else "long exposure"


def _picture(codes: NDArray[np.float32]) -> NDArray[np.uint8]:
    return np.asarray(np.rint(np.clip(codes, 0, 1) * 255), np.uint8)
