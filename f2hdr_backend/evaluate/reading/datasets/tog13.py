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
"""Lower limit of linear values, as in the published program."""


class Reader(DatasetReader):
    """The published windows, converted from camera codes to gamma 2.2 by the response curve.

    The affine matrices of the dataset are not applied: the network receives the frames as shot.
    """

    expects = (
        "BaslerCRF.mat (the response curve, 65536 x 3), and one folder per sequence with Exposures.txt (stops, one "
        "per frame "
        "of the cycle) and img_list.txt (or img_hdr_list.txt; 16-bit .tif names, one per line)."
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
        """See :class:`DatasetReader`: returns the response curve."""
        return (str(self._curve_file),)

    def codes(self, path: str) -> FloatArray:
        """Return the gamma-2.2 code values 0-1 of a frame, ``(H, W, 3)``.

        Raises:
            UnreadableFrame: the frame cannot be read.
            ShotError: the response curve is invalid.
        """
        indices = np.rint(read_image(path).pixels * (CODES - 1)).astype(np.int64)
        channels = [self._curve[indices[..., channel], channel] for channel in range(3)]
        light = np.clip(np.stack(channels, axis=-1), DARKEST, 1)
        return np.asarray(light ** (1 / GAMMA), np.float32)

    @property
    def _curve_file(self) -> Path:
        return self.folder / f"{CURVE}.mat"

    @cached_property
    def _curve(self) -> NDArray[np.float64]:
        """``(65536, 3)`` linear value of every code, with a maximum of 1."""
        curve = read_matrix(str(self._curve_file), CURVE).astype(np.float64)
        if curve.shape != (CODES, 3) or not np.isfinite(curve).all() or curve.max() <= 0:
            raise self.refusal(
                f"the curve in {self._curve_file} has the shape {curve.shape} or invalid values", str(self._curve_file)
            )
        light: NDArray[np.float64] = curve / curve.max()
        return light
