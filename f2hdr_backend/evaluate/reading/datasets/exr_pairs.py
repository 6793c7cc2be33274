"""Your own footage: a folder of alternating exposures and a folder of EXR ground truth."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from f2hdr_backend.color.response import Response
from f2hdr_backend.evaluate.reading import scene_lists
from f2hdr_backend.evaluate.reading.dataset import DatasetReader, WindowFiles
from f2hdr_backend.evaluate.reading.ground_truth import GroundTruth, normalize_reference
from f2hdr_backend.evaluate.reading.pairing import pair_by_number
from f2hdr_backend.image.arrays import FloatArray
from f2hdr_backend.image.exr import read_header
from f2hdr_backend.image.metadata import anchor_gain
from f2hdr_backend.image.read import read_image

PLATE, TRUTH = "plate", "truth"


class Reader(DatasetReader):
    """Every frame with both neighbors. Radiance above the clip of the short exposure is clipped, never rescaled."""

    expects = (
        "plate/ and truth/ with frames of the same numbers (plate: integer images in gamma 2.2, or linear EXR with 1 "
        "at each frame's clip; truth: EXR with 1 at the clip of the short exposure, or written by F2HDR) and "
        "Exposures.txt (stops, one per frame of the cycle, starting at the first frame), in the folder itself or in "
        "one folder per scene."
    )

    def _find(self) -> Iterator[WindowFiles]:
        single = any((self.folder / name).exists() for name in (PLATE, TRUTH))
        inside = [self.folder] if single else sorted(path for path in self.folder.iterdir() if path.is_dir())
        for folder in inside:
            self.require(folder / PLATE, folder / TRUTH)
            yield from self._windows(folder)

    def codes(self, path: str) -> FloatArray:
        """Return the gamma-2.2 code values 0-1 of a frame, ``(H, W, 3)``. Raises UnreadableFrame."""
        image = read_image(path)
        return Response("linear" if image.kind == "float" else "gamma22").to_network(image.pixels)

    def truth(self, path: str) -> GroundTruth:
        """Return a ground-truth frame clipped to 0-1, on the scale of the plate. Raises UnreadableFrame.

        The clip of the short exposure is in the header of files that F2HDR wrote; in other files it is 1.
        """
        stated = anchor_gain(read_header(path)) if path.lower().endswith(".exr") else None
        return normalize_reference(np.clip(read_image(path).pixels / np.float32(stated or 1.0), 0, 1))

    def _windows(self, folder: Path) -> Iterator[WindowFiles]:
        plate, truth = (
            [str(path) for path in (folder / name).iterdir() if path.is_file() and path.name[0] != "."]
            for name in (PLATE, TRUTH)
        )
        pairs = pair_by_number(plate, truth)
        if len(pairs) < 3:
            raise self.refusal(f"{folder} has {len(pairs)} frames, but a window needs three", str(folder))
        if gaps := sorted(set(range(pairs[0][0], pairs[-1][0])) - {number for number, _, _ in pairs}):
            raise self.missing(folder / PLATE / f"frame {gaps[0]}")
        exposures = scene_lists.two_exposures(self, folder / "Exposures.txt", len(pairs))
        for index in range(1, len(pairs) - 1):
            (_, before, truth_before), (number, own, truth_own), (_, after, truth_after) = pairs[index - 1 : index + 2]
            yield WindowFiles(
                folder.name,
                number,
                (before, own, after),
                (exposures[index - 1], exposures[index], exposures[index + 1]),
                truth_own,
                neighbor_truths=(truth_before, truth_after),
            )
