"""The sequences of Kalantari et al. (TOG 2013), two exposures: camera codes, a response curve, no ground truth."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from f2hdr_backend.evaluate.reading import scene_lists
from f2hdr_backend.evaluate.reading.dataset import DatasetReader, WindowFiles
from f2hdr_backend.evaluate.reading.matlab import read_matrix
from f2hdr_backend.image.arrays import FloatArray
from f2hdr_backend.image.read import read_image
from f2hdr_backend.shot.equations import GAMMA

CURVE = "BaslerCRF"
CODES = 65536
DARKEST = 1e-8
"""Linear light below which the published program does not go."""


class Reader(DatasetReader):
    """The published windows, brought from camera codes to gamma 2.2 by the response curve.

    The affine matrices that come with the sequences are not applied: the network is given the frames as shot.
    """

    expects = (
        "BaslerCRF.mat (the response curve, 65536 x 3), and a folder a sequence with Exposures.txt (stops, one a frame "
        "of the cycle) and img_list.txt (or img_hdr_list.txt; 16-bit .tif names, one a line)."
    )

    def _find(self) -> Iterator[WindowFiles]:
        self.require(self._curve_file)
        sequences = sorted(path for path in self.folder.iterdir() if path.is_dir() and path.name[0] != ".")
        for folder in sequences:
            names = folder / "img_hdr_list.txt"
            names = names if names.exists() else folder / "img_list.txt"
            frames = [folder / line[0] for line in scene_lists.lines(self, names)]
            self.require(*frames)
            exposures = scene_lists.two_exposures(self, folder / "Exposures.txt", len(frames))
            yield from scene_lists.windows(self, folder.name, frames, None, exposures)

    def shared(self) -> tuple[str, ...]:
        """See :class:`DatasetReader`: the response curve."""
        return (str(self._curve_file),)

    def codes(self, path: str) -> FloatArray:
        """``(H, W, 3)`` gamma-2.2 code values 0-1 of a frame. Raises UnreadableFrame, or ShotError for the curve."""
        indices = np.rint(read_image(path).pixels * (CODES - 1)).astype(np.int64)
        channels = [self._curve[indices[..., channel], channel] for channel in range(3)]
        light = np.clip(np.stack(channels, axis=-1), DARKEST, 1)
        return np.asarray(light ** (1 / GAMMA), np.float32)

    @property
    def _curve_file(self) -> Path:
        return self.folder / f"{CURVE}.mat"

    @cached_property
    def _curve(self) -> NDArray[np.float64]:
        """``(65536, 3)`` linear light of every code, 1 the largest."""
        curve = read_matrix(self._curve_file, CURVE).astype(np.float64)
        if curve.shape != (CODES, 3) or not np.isfinite(curve).all() or curve.max() <= 0:
            raise self.refusal(f"the curve in {self._curve_file} is {curve.shape}", str(self._curve_file))
        light: NDArray[np.float64] = curve / curve.max()
        return light
