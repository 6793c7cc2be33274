"""Real-HDRV (Shu et al., CVPR 2024), test split: every frame at both exposures."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from f2hdr_backend.evaluate.reading.dataset import ALTERNATE, DatasetReader, WindowFiles

SHORT, LONG = 1.0, 8.0
"""Relative exposures. The dataset does not state them; the published evaluation uses 3 stops."""
STREAMS = {SHORT: "Input_0", LONG: "Input_1"}
FRAME = re.compile(r"frame_(\d+)\.tif")


class Reader(DatasetReader):
    """Alternating exposures selected from the two streams; 8 frames per scene give 6 windows.

    ``alternate``: frames with even numbers are long. ``low`` and ``high``: the reference is always short, or long.
    """

    expects = (
        "one folder per scene with Input_0/frame_00.tif ... (short), Input_1/frame_00.tif ... (long) and "
        "GT/GT_frame_00.hdr ..., with the same frames."
    )
    references = (ALTERNATE, "low", "high")

    def _find(self) -> Iterator[WindowFiles]:
        for folder in sorted(path for path in self.folder.iterdir() if path.is_dir() and path.name[0] != "."):
            names = self._names(folder)
            numbers = sorted(names)
            for number in numbers:
                if {number - 1, number + 1} <= names.keys():
                    yield self._window(folder, names, number)

    def _names(self, folder: Path) -> dict[int, str]:
        """Return the digits in a scene's file names by frame number. Raises ShotError if one of the three folders
        lacks a frame.
        """
        streams = [folder / stream for stream in STREAMS.values()]
        self.require(*streams, folder / "GT")
        found = {match[1] for stream in streams for path in stream.iterdir() if (match := FRAME.fullmatch(path.name))}
        for digits in sorted(found):
            self.require(*(stream / f"frame_{digits}.tif" for stream in streams), folder / "GT" / _truth_name(digits))
        names = {int(digits): digits for digits in found}
        if len(names) < 3:
            raise self.refusal(f"{folder} has {len(names)} frames, but a window needs three", str(folder))
        for before, after in pairwise(sorted(names)):
            if after > before + 1:
                raise self.missing(streams[0] / f"frame_{before + 1:02d}.tif")
        return names

    def _window(self, folder: Path, names: dict[int, str], number: int) -> WindowFiles:
        own = self._exposure(number)
        other = SHORT if own == LONG else LONG
        around = (names[number - 1], names[number], names[number + 1])
        exposures = (other, own, other)
        previous, reference, following = (
            _frame(folder, exposure, digits) for exposure, digits in zip(exposures, around, strict=True)
        )
        before, truth, after = (str(folder / "GT" / _truth_name(digits)) for digits in around)
        return WindowFiles(
            folder.name,
            number,
            (previous, reference, following),
            exposures,
            truth,
            neighbor_truths=(before, after),
            same_exposure=(_frame(folder, own, around[0]), _frame(folder, own, around[2])),
        )

    def _exposure(self, number: int) -> float:
        if self.reference == ALTERNATE:
            return LONG if number % 2 == 0 else SHORT
        return LONG if self.reference == "high" else SHORT


def _frame(folder: Path, exposure: float, digits: str) -> str:
    return str(folder / STREAMS[exposure] / f"frame_{digits}.tif")


def _truth_name(digits: str) -> str:
    return f"GT_frame_{digits}.hdr"
