"""``f2hdr detect``: the exposure of every frame of a plate, its cuts and its dropped frames."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from f2hdr_backend.cli import terminal
from f2hdr_backend.cli.command import Section
from f2hdr_backend.cli.shot_options import existing_plate
from f2hdr_backend.shot.document import Color
from f2hdr_backend.shot.exposure import ExposurePattern
from f2hdr_backend.shot.frames import FrameRange

if TYPE_CHECKING:
    from f2hdr_backend.detection.detect import Detection
    from f2hdr_backend.image.frame import Plate


def register(app: typer.Typer) -> None:
    """Add the verb ``detect`` to the command line."""
    app.command("detect", rich_help_panel=Section.RENDER)(detect)


def detect(
    plate: Annotated[
        list[str],
        typer.Argument(
            help="plate.####.tif, a folder, one file or all files of a sequence, or a movie.", metavar="PLATE"
        ),
    ],
    plot: Annotated[Path | None, typer.Option(help="PNG to write: the exposure of every frame.")] = None,
    frames: Annotated[str | None, typer.Option(help="Frames to read, such as 1001-1010. Default: all.")] = None,
    input_space: Annotated[
        str, typer.Option(help="Color space of the plate: auto, gamma22, linear, or a name from the OCIO config.")
    ] = "auto",
    config: Annotated[
        str,
        typer.Option(help="OCIO config: a file or ocio://NAME. Default: $OCIO, else the config that ships with F2HDR."),
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
) -> None:
    """Find the repeating exposures, the cuts and the dropped frames of a plate.

    The exposures come from the file headers if every frame has one, else they are measured from the pixels. If the
    result is not clear, the command fails; it never guesses.
    """
    named = existing_plate(plate)
    wanted = FrameRange.parse(frames) if frames else named.frames
    from f2hdr_backend.detection.detect import require_pattern
    from f2hdr_backend.engine.settle import detect_light
    from f2hdr_backend.image.read import open_plate

    opened = open_plate(named.plate)
    try:
        with _progress(as_json) as progress:
            color = Color(input_space=input_space, config=config)
            detection = detect_light(color, opened, wanted, progress=progress)
    finally:
        opened.close()
    if plot is not None:
        _draw(detection, opened.name, plot)
    pattern = require_pattern(detection)
    if as_json:
        print(json.dumps({"event": "detection", "plate": opened.name, **detection.to_json()}))
    else:
        terminal.show("\n".join(_report(detection, pattern, opened)))


def _draw(detection: Detection, plate: str, path: Path) -> None:
    import numpy as np

    from f2hdr_backend.cli.exposure_plot import draw_exposures
    from f2hdr_backend.image.write import write_image

    write_image(path, np.asarray(draw_exposures(detection, plate)), 8)


@contextmanager
def _progress(silent: bool) -> Iterator[Callable[[int, int], None] | None]:
    """Show a progress bar on standard error while the plate is read."""
    if silent:
        yield None
        return
    with terminal.bars() as bar:
        task = bar.add_task("detect", total=None, visible=False)
        yield lambda done, total: bar.update(task, completed=done, total=total, visible=True)


def _report(detection: Detection, pattern: ExposurePattern, plate: Plate) -> Iterator[str]:
    frames = FrameRange(detection.frames)
    yield f"{plate.name}, frames {frames}"
    yield f"cycle       {terminal.count(len(pattern.cycle), 'frame')}"
    for ev in dict.fromkeys(pattern.cycle):
        name = {pattern.lowest: "short", pattern.highest: "long"}.get(ev, "between")
        having = FrameRange(tuple(number for number in frames if pattern.ev(number) == ev))
        yield f"{name:<12}{ev:+.2f} EV on frames {_shortened(having)}"
    source = "file headers" if detection.source == "metadata" else "pixels"
    yield f"confidence  {detection.confidence:.2f}, from {source}"
    yield f"cuts        {_listed(detection.cuts, 'a new shot begins at frame')}"
    yield f"dropped     {_listed(detection.dropped, 'the cycle breaks before frame')}"
    for note in (*detection.notes, *detection.file_notes):
        yield f"note        {note}"
    yield f"as options  {_options(pattern, plate.frames.first)}"


def _shortened(frames: FrameRange) -> str:
    """Frames as text; of more than five, the first three."""
    shown = frames.frames if len(frames) <= 5 else frames.frames[:3]
    return ", ".join(map(str, shown)) + (" ..." if len(shown) < len(frames) else "")


def _listed(numbers: tuple[int, ...], words: str) -> str:
    return f"{words} {FrameRange(numbers)}" if numbers else "none"


def _options(pattern: ExposurePattern, first: int) -> str:
    """Return the options of ``render`` for this pattern; ``first`` is the plate's first frame."""
    steps = ",".join(f"{ev:g}" for ev in pattern.cycle)
    if pattern.exceptions:
        return "none: exposures that break the cycle need a Shot document"
    named = {pattern.lowest: " --first-exposure short", pattern.highest: " --first-exposure long"}
    return f"--exposures {steps}{named.get(pattern.ev(first), '')}"
