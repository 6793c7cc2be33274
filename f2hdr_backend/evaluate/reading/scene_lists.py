"""The text files beside a scene's pictures: names, exposures, and the windows that both give."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path

from f2hdr_backend.evaluate.reading.dataset import DatasetReader, WindowFiles
from f2hdr_backend.shot.exposure import SMALLEST_STEP_EV

MARGIN = 2
"""Frames at either end of a scene that the published windows of five leave unscored."""


def lines(reader: DatasetReader, path: Path) -> list[list[str]]:
    """The words of every line that has some.

    Raises:
        ShotError: the file is missing, empty, or no text.
    """
    reader.require(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise reader.refusal(f"{path} is no UTF-8 text", str(path)) from error
    found = [words for line in text.splitlines() if (words := line.split())]
    if not found:
        raise reader.refusal(f"{path} is empty", str(path))
    return found


def two_exposures(reader: DatasetReader, path: Path, count: int) -> list[float]:
    """Relative exposures of ``count`` frames from a list of stops, repeated cyclically; the shortest is 1.

    Raises:
        ShotError: the file is missing, holds no numbers, or they are not two exposures in turn.
    """
    stops = stops_of(reader, path)
    around = [*stops, stops[0]]
    if len(set(stops)) != 2 or any(abs(b - a) < SMALLEST_STEP_EV for a, b in zip(around, around[1:], strict=False)):
        listed = ", ".join(f"{stop:g}" for stop in stops[:6])
        raise reader.refusal(f"{path} holds {listed}, which are not two exposures in turn", str(path))
    return [2.0 ** (stops[index % len(stops)] - min(stops)) for index in range(count)]


def stops_of(reader: DatasetReader, path: Path) -> list[float]:
    """The numbers of a list of stops.

    Raises:
        ShotError: the file is missing or empty, or a word is not a finite number.
    """
    words = [word for line in lines(reader, path) for word in line]
    try:
        stops = [float(word) for word in words]
    except ValueError:
        stops = [math.nan]
    if not all(math.isfinite(stop) for stop in stops):
        raise reader.refusal(f"{path} does not hold numbers alone", str(path))
    return stops


def windows(
    reader: DatasetReader,
    scene: str,
    frames: Sequence[Path],
    truths: Sequence[Path] | None,
    exposures: Sequence[float],
) -> Iterator[WindowFiles]:
    """The published windows of a scene: every frame that has two more on either side.

    Args:
        reader: whose scene it is.
        scene: its name.
        frames: in order.
        truths: one a frame, or None.
        exposures: one a frame.

    Raises:
        ShotError: too few frames for one window.
    """
    if len(frames) <= 2 * MARGIN:
        what = f"the scene {scene} has {len(frames)} frames, and a published window takes {2 * MARGIN + 1}"
        raise reader.refusal(what, str(frames[0].parent))
    for index in range(MARGIN, len(frames) - MARGIN):
        around = (index - 1, index, index + 1)
        previous, reference, following = (str(frames[place]) for place in around)
        first, own, last = (exposures[place] for place in around)
        yield WindowFiles(
            scene,
            index,
            (previous, reference, following),
            (first, own, last),
            truth=None if truths is None else str(truths[index]),
            neighbor_truths=None if truths is None else (str(truths[index - 1]), str(truths[index + 1])),
        )
