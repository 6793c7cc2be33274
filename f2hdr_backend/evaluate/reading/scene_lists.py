"""The text files of a scene: names, exposures, and the resulting windows."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path

from f2hdr_backend.evaluate.reading.dataset import DatasetReader, WindowFiles
from f2hdr_backend.shot.exposure import LARGEST_EV, SMALLEST_STEP_EV
from f2hdr_backend.shot.read_text import read_text

MARGIN = 2
"""Number of frames at either end of a scene that the published windows of five frames do not score."""


def lines(reader: DatasetReader, path: Path) -> list[list[str]]:
    """Return the words of all non-empty lines.

    Raises:
        ShotError: the file is missing, empty, or not UTF-8 text.
    """
    reader.require(path)
    found = [words for line in read_text(path).splitlines() if (words := line.split())]
    if not found:
        raise reader.refusal(f"{path} is empty", str(path))
    return found


def two_exposures(reader: DatasetReader, path: Path, count: int) -> list[float]:
    """Return the relative exposures of ``count`` frames for a cycle of stops in a file; the shortest is 1.

    Raises:
        ShotError: the file is missing or has no numbers, or they are not two alternating exposures.
    """
    stops = stops_of(reader, path)
    around = [*stops, stops[0]]
    if len(set(stops)) != 2 or any(abs(b - a) < SMALLEST_STEP_EV for a, b in zip(around, around[1:], strict=False)):
        listed = ", ".join(f"{stop:g}" for stop in stops[:6])
        raise reader.refusal(f"{path} has the stops {listed}, which are not two alternating exposures", str(path))
    return [2.0 ** (stops[index % len(stops)] - min(stops)) for index in range(count)]


def stops_of(reader: DatasetReader, path: Path) -> list[float]:
    """Return the numbers in a file of stops.

    Raises:
        ShotError: the file is missing or empty, or a word is not a number of stops.
    """
    words = [word for line in lines(reader, path) for word in line]
    try:
        stops = [float(word) for word in words]
    except ValueError:
        stops = [math.nan]
    if not all(abs(stop) <= LARGEST_EV for stop in stops):
        what = f"{path} contains something other than numbers from {-LARGEST_EV:g} to {LARGEST_EV:g}"
        raise reader.refusal(what, str(path))
    return stops


def windows(
    reader: DatasetReader,
    scene: str,
    frames: Sequence[Path],
    truths: Sequence[Path] | None,
    exposures: Sequence[float],
) -> Iterator[WindowFiles]:
    """Yield the published windows of a scene: those of all frames with at least two more on either side.

    Args:
        reader: the dataset.
        scene: name of the scene.
        frames: in order.
        truths: one per frame, or None.
        exposures: one per frame.

    Raises:
        ShotError: there are too few frames for one window.
    """
    if len(frames) <= 2 * MARGIN:
        what = f"the scene {scene} has {len(frames)} frames, but a published window needs {2 * MARGIN + 1}"
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
