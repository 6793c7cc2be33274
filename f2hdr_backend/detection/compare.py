"""Compares the frames of a plate with the previous ones while it is read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from f2hdr_backend.detection.black import Black
from f2hdr_backend.detection.cuts import FARTHEST
from f2hdr_backend.detection.measure import (
    DARKEST,
    FrameMeasure,
    Step,
    likeness,
    measure_frame,
    step_between,
    thin,
    with_common_black,
)
from f2hdr_backend.image.arrays import FloatArray
from f2hdr_backend.image.frame import Encoding, Plate, PlateImage
from f2hdr_backend.machine.container import usable_cpus
from f2hdr_backend.machine.read_ahead import read_each
from f2hdr_backend.shot.equations import GAMMA
from f2hdr_backend.shot.frames import Sequence as Pattern

MOST_READERS = 4
"""Maximum number of frames read at the same time."""
MOST_PIXELS = 144_000_000
"""Pixels of the frames read at the same time, about 30 bytes each: those of four frames of 8K."""
_SAMPLED_FOR_WHITE = 8


@dataclass(frozen=True)
class PlateSteps:
    """Steps between consecutive frames, and the similarity of frames up to FARTHEST apart, by index."""

    steps: tuple[Step, ...]
    alike: dict[tuple[int, int], float]
    brightness: tuple[float, ...]
    """Mean luminance of each frame; 1.0 is the clip level."""
    black: Black | None
    """The lifted black that was subtracted to measure the steps, or None."""
    notes: tuple[str, ...]
    """Notes about the plate's files, such as files that were left out."""


def compared_frames(
    plate: Plate,
    numbers: tuple[int, ...],
    encoding: Encoding,
    darkest: float = DARKEST,
    progress: Callable[[int, int], None] | None = None,
) -> PlateSteps:
    """Read the frames ``numbers`` and compare each with the previous ones; only the last few are kept in memory.

    Linear values below ``darkest``, relative to the clip level, are not compared. ``progress`` is called with the
    number of frames done and the total. Raises MissingFrames, UnreadableFrame.
    """
    notes: dict[str, None] = {}
    steps: list[Step] = []
    alike: dict[tuple[int, int], float] = {}
    brightness: list[float] = []
    recent: list[FrameMeasure] = []
    for index, measure in enumerate(_measures(plate, numbers, encoding, darkest, notes)):
        for before, earlier in enumerate(recent, start=index - len(recent)):
            rough = step_between(earlier, measure).stops
            alike[before, index], shift = likeness(earlier, measure, rough)
            if before == index - 1:
                steps.append(step_between(earlier, measure, shift))
        recent = [*recent[-FARTHEST + 1 :], measure]
        brightness.append(float(measure.thumb.mean()))
        if progress is not None:
            progress(index + 1, len(numbers))
    even, black = with_common_black(steps)
    return PlateSteps(even, alike, tuple(brightness), black, tuple(notes))


def _measures(
    plate: Plate, numbers: tuple[int, ...], encoding: Encoding, darkest: float, notes: dict[str, None]
) -> Iterator[FrameMeasure]:
    """Yield the measures of all frames in order; some are read ahead. ``notes`` receives the notes of the files."""
    white = np.float32(_white(plate, numbers) if encoding == "linear" else 1.0)

    def measured(number: int) -> FrameMeasure:
        image = plate.read(number)
        notes.update(dict.fromkeys(image.notes))
        return measure_frame(number, _light(image, encoding) / white, darkest / float(white))

    return read_each(measured, numbers, _readers(plate))


def _readers(plate: Plate) -> int:
    """Return the number of frames to read at the same time; the frames of a movie are read in order."""
    if not Pattern.is_pattern(plate.name):
        return 1
    width, height = plate.size
    return max(1, min(MOST_READERS, usable_cpus(), MOST_PIXELS // (width * height)))


def _light(image: PlateImage, encoding: Encoding) -> FloatArray:
    pixels = np.maximum(thin(image.pixels), 0)
    return pixels if encoding == "linear" else pixels ** np.float32(GAMMA)


def _white(plate: Plate, numbers: tuple[int, ...]) -> float:
    """Return the clip level of a linear plate: the highest 99.9th percentile of a few consecutive frames."""
    middle = max(0, len(numbers) // 2 - _SAMPLED_FOR_WHITE // 2)
    sampled = numbers[middle : middle + _SAMPLED_FOR_WHITE]
    white = max(float(np.percentile(_light(plate.read(number), "linear"), 99.9)) for number in sampled)
    return white if white > 0 else 1.0
