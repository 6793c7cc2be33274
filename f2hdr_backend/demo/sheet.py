"""The demo's contact sheet: plate, results, and their errors against the ground truth."""

from __future__ import annotations

import math
from itertools import zip_longest

import numpy as np
from numpy.typing import NDArray

from f2hdr_backend.demo.demo import BITS, NOISE, REFERENCE, Demo, Take, TakeScores
from f2hdr_backend.evaluate.metrics.psnr_ssim import tonemap
from f2hdr_backend.evaluate.pictures.contact_sheet import (
    GUTTER,
    MARGIN,
    ContactSheet,
    Panel,
    Scale,
    Section,
    Wheel,
    draw,
)
from f2hdr_backend.evaluate.pictures.false_color import false_color
from f2hdr_backend.evaluate.pictures.flow_colors import flow_colors
from f2hdr_backend.evaluate.pictures.tone_map import tone_map
from f2hdr_backend.image.arrays import FloatArray, codes_of

Picture = NDArray[np.uint8]

LARGEST_ERROR = 0.1
"""Error after the mu-law tone map that is shown in the brightest color."""
NOISY = "its shadows are noisy; the long neighbors show them clearly"
CLIPPED = "its highlights are clipped; the short neighbors show them"
DETAIL = (0.335, 0.26, 0.36, 0.36)
"""Left, top, width and height of the enlarged part, in shares of the frame."""
GLANCE = (0.36, 0.02, 0.56, 0.96)
"""The part with the sun, the crossing and the spheres, as :data:`DETAIL`."""


def demo_sheet(demo: Demo, scores: list[TakeScores]) -> ContactSheet:
    """The sheet of a rendered demo: the crossing with a short reference and with a long one."""
    width, height = demo.size
    stops = demo.exposures.ratio_stops
    lines = (
        f"Procedural shot, {width} x {height}, {len(demo.frames)} frames ({demo.frames}). Plate: exposures alternate "
        f"by {stops:g} stops, {NOISE} sensor noise, {BITS} bits.",
        "Result: scene-linear EXR, 1.0 = clip of the long exposure. Scores: mean over all frames, against the truth "
        "up to the clip of the short exposure.",
    )
    table = [("", "PSNR_T (mu-law)", "PSNR_L (linear)")]
    for score in scores:
        tonemapped, linear = score.means()
        table.append((score.name, f"{tonemapped:.2f} dB", f"{linear:.2f} dB"))
    sections = tuple(_section(demo, scores, frame) for frame in (demo.crossing, demo.crossing + 1))
    return ContactSheet("F2HDR demo", lines, tuple(table), sections)


def before_after(demo: Demo) -> Picture:
    """Return the picture of one glance: the same part of a short frame, a long frame and the tone-mapped result.

    No pixel is scaled.
    """
    frame, stops = demo.crossing, demo.exposures.ratio_stops
    _, after = demo.neighbors(frame)
    shown = sorted((frame, after), key=demo.exposures.gain)
    left, top, width, height = _box(demo, GLANCE)
    rows, columns = slice(top, top + height), slice(left, left + width)
    panels = [
        Panel(_picture(demo.codes(number))[rows, columns], f"plate, {_kind(demo, number)} exposure") for number in shown
    ]
    white = 2.0**stops
    result = tone_map(demo.result(demo.takes[0], frame) * np.float32(white), white)
    panels.append(Panel(result[rows, columns], "F2HDR, tone-mapped"))
    sheet = ContactSheet("", (), (), (Section("", "", (tuple(panels),)),))
    return draw(sheet, len(panels) * (width + GUTTER) - GUTTER + 2 * MARGIN)


def _section(demo: Demo, scores: list[TakeScores], frame: int) -> Section:
    """Return the section of one reference frame: plate, flow, results, errors, details."""
    truth, reference = np.clip(demo.truth(frame), 0, 1), demo.reference(frame)
    results = [demo.result(take, frame) for take in demo.takes]
    extras = (_mask(demo, demo.takes[0], frame), _error(REFERENCE, reference, truth, scores[-1], frame))
    rows = [_inputs(demo, frame)]
    for take, result, score, extra in zip_longest(demo.takes, results, scores[:-1], extras):
        if take is not None:
            rows.append((*_exposed(demo, take.name, result), _error(take.name, result, truth, score, frame), extra))
    rows.append(_details(demo, frame, [reference, *results, truth]))
    kind = _kind(demo, frame)
    text = NOISY if kind == "short" else CLIPPED
    return Section(f"Frame {frame}, {kind} reference", text, tuple(rows))


def _inputs(demo: Demo, frame: int) -> tuple[Panel, ...]:
    """Return the window's three frames and the flow to the next one."""
    before, after = demo.neighbors(frame)
    labels = (f"plate {before}, {_kind(demo, before)}", f"plate {frame}, {_kind(demo, frame)}: the reference")
    pictures = [_picture(demo.codes(number)) for number in (before, frame, after)]
    return (
        Panel(pictures[0], labels[0]),
        Panel(pictures[1], labels[1], frame=_box(demo, DETAIL)),
        Panel(pictures[2], f"plate {after}, {_kind(demo, after)}"),
        _flow(demo, demo.takes[0], frame, after),
    )


def _flow(demo: Demo, take: Take, frame: int, after: int) -> Panel:
    layers = demo.rendered(take, frame).layers
    flow = np.stack([layers["forward.u"], -layers["forward.v"]], -1).astype(np.float32)
    fastest = max(1, math.ceil(np.percentile(np.hypot(flow[..., 0], flow[..., 1]), 99)))
    return Panel(flow_colors(flow, fastest), f"flow to {after}", legend=Wheel(f"rim {fastest} px"))


def _mask(demo: Demo, take: Take, frame: int) -> Panel:
    layers = demo.rendered(take, frame).layers
    mask = np.maximum(layers["motion_mask.backward"], layers["motion_mask.forward"]).astype(np.float32)
    return Panel(_picture(np.repeat(mask[..., None], 3, -1)), "motion mask, the stronger of both neighbors")


def _exposed(demo: Demo, name: str, radiance: FloatArray) -> tuple[Panel, Panel]:
    """Return the result at the long and at the short exposure."""
    stops = demo.exposures.ratio_stops
    long = Panel(_coded(radiance, 2.0**stops), f"{name}, as the long exposure shows it")
    return long, Panel(_coded(radiance, 1.0), f"{name}, {stops:g} stops down: as the short one does")


def _error(name: str, radiance: FloatArray, truth: FloatArray, scores: TakeScores, frame: int) -> Panel:
    errors = np.abs(tonemap(np.maximum(radiance, 0)) - tonemap(truth)).mean(-1)
    note = f"PSNR_T {scores.psnr_t[frame].value:.1f} dB"
    legend = Scale("0", f"{LARGEST_ERROR:g}")
    return Panel(false_color(errors, LARGEST_ERROR), f"{name}: error (mu-law)", note, legend)


def _details(demo: Demo, frame: int, pictures: list[FloatArray]) -> tuple[Panel, ...]:
    """Return enlarged parts at the exposure that the reference frame does not have."""
    left, top, width, height = _box(demo, DETAIL)
    gain, shown = (2.0**demo.exposures.ratio_stops, "long") if _kind(demo, frame) == "short" else (1.0, "short")
    names = (REFERENCE, *(take.name for take in demo.takes), "truth")
    return tuple(
        Panel(_coded(picture[top : top + height, left : left + width], gain), f"{name}, enlarged, as {shown}")
        for name, picture in zip(names, pictures, strict=True)
    )


def _box(demo: Demo, part: tuple[float, float, float, float]) -> tuple[int, int, int, int]:
    """Return a part of the frame in pixels: left, top, width and height."""
    width, height = demo.size
    left, top, wide, high = part
    return round(left * width), round(top * height), round(wide * width), round(high * height)


def _kind(demo: Demo, frame: int) -> str:
    return "short" if demo.exposures.gain(frame) == 1 else "long"


def _coded(radiance: FloatArray, gain: float) -> Picture:
    """Return radiance as a frame of that gain would record it, gamma 2.2."""
    return _picture(codes_of(radiance, gain))


def _picture(codes: FloatArray) -> Picture:
    return np.asarray(np.rint(np.clip(codes, 0, 1) * 255), np.uint8)
