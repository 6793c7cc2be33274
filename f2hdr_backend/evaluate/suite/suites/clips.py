"""Suite ``clips``: real clips, recorded by a simulated alternating camera. The clip itself is the truth."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from f2hdr_backend.evaluate.suite import suite
from f2hdr_backend.evaluate.suite.suite import Case
from f2hdr_backend.image.arrays import FloatArray
from f2hdr_backend.image.read import MOVIE_SUFFIXES, open_plate
from f2hdr_backend.shot.errors import DocumentError
from f2hdr_backend.simulation.sensor import NOISE_LEVELS, capture
from f2hdr_backend.simulation.source import stretched_highlights
from f2hdr_backend.train.clips import HELD_OUT
from f2hdr_backend.train.synthesis import SyntheticWindow

SEED = 20260201
SIZE = (480, 270)
RATIOS_EV = (2.0, 3.0, 4.0)
NOISES = ("low", "medium", "high")
HIGHLIGHT_STOPS = 3.0
"""Stops by which the clips' white is brightened, because video does not record highlights."""
CLIPPED_PERCENT = 0.1
"""Percentage of pixels that clip in the short exposure."""
FRAMES = 4
"""Number of frames of two consecutive windows."""
CUT = 0.12
"""Mean absolute difference of consecutive frames, in code values, from which they belong to different shots."""
SHOULDER = (0.75, 0.2)
"""Start and strength of the response's shoulder below the clip, in the pairs that measure alternation."""


class Suite(suite.Suite):
    """The held-out movies of a folder, or all of its movies if none is held out; six windows each."""

    size = SIZE

    def __init__(self, folder: Path) -> None:
        """See :class:`f2hdr_backend.evaluate.suite.suite.Suite`."""
        movies = [path for path in sorted(folder.glob("*")) if path.suffix.lower() in MOVIE_SUFFIXES]
        self._paths = [path for path in movies if path.stem in HELD_OUT] or movies
        if not self._paths:
            raise DocumentError(f"There is no movie in {folder}.", hint="Choose a folder of movies.")
        self.count = 2 * len(RATIOS_EV) * len(self._paths)
        self.about = f"{', '.join(path.stem for path in self._paths)}; seed {SEED}"

    def case(self, index: int) -> Case:
        """See :class:`f2hdr_backend.evaluate.suite.suite.Suite`."""
        turn, clip = divmod(index, len(self._paths))
        return Case(index, self._paths[clip].stem, RATIOS_EV[(turn + clip) % len(RATIOS_EV)], (turn + clip) % 2 == 0)

    def window(self, case: Case, *, other_phase: bool = False) -> SyntheticWindow:
        """See :class:`f2hdr_backend.evaluate.suite.suite.Suite`."""
        radiance = self._radiance(case)
        return _recorded(radiance[:3], case, long_reference=case.long_reference != other_phase, bent=False)

    def steady_pair(self, case: Case) -> tuple[SyntheticWindow, SyntheticWindow] | None:
        """See :class:`f2hdr_backend.evaluate.suite.suite.Suite`: one pair per clip, with a sensor response with a
        shoulder.
        """
        if case.index >= len(self._paths):
            return None
        radiance = self._radiance(case)
        first = _recorded(radiance[:3], case, long_reference=case.long_reference, bent=True)
        second = _recorded(radiance[1:], case, long_reference=not case.long_reference, bent=True)
        return first, second

    def _radiance(self, case: Case) -> FloatArray:
        """``(4, h, w, 3)`` radiance of consecutive frames; 1 is the clip of the short exposure."""
        turn, clip = divmod(case.index, len(self._paths))
        codes = _shot(self._paths[clip], (turn + 0.5) / (2 * len(RATIOS_EV)))
        light = np.stack([stretched_highlights(frame, HIGHLIGHT_STOPS) for frame in codes])
        clip_level = np.percentile(light.mean(-1), 100 - CLIPPED_PERCENT)
        return np.asarray(light / np.float32(max(float(clip_level), 1e-6)), np.float32)


def _shot(path: Path, share: float) -> FloatArray:
    """Return ``(4, h, w, 3)`` codes of consecutive frames without a cut, from about ``share`` (0-1) of the movie on.

    Raises:
        DocumentError: the movie has no four such frames.
    """
    plate = open_plate(str(path))
    try:
        numbers = plate.frames.frames
        start = round(share * max(len(numbers) - FRAMES, 0))
        for first in (*range(start, len(numbers) - FRAMES + 1), *range(start)):
            four = [_covering(plate.read(number).pixels[..., :3]) for number in numbers[first : first + FRAMES]]
            if len(four) == FRAMES and np.abs(np.diff(four, axis=0)).mean((1, 2, 3)).max() < CUT:
                return np.stack(four)
    finally:
        plate.close()
    raise DocumentError(f"{path} has no four consecutive frames without a cut.", hint="Remove it from the folder.")


def _covering(pixels: FloatArray) -> FloatArray:
    """Return ``(270, 480, 3)`` the image, scaled and center-cropped to the size of the window."""
    height, width = pixels.shape[:2]
    scale = max(SIZE[0] / width, SIZE[1] / height)
    size = max(round(width * scale), SIZE[0]), max(round(height * scale), SIZE[1])
    resized = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    left, top = (size[0] - SIZE[0]) // 2, (size[1] - SIZE[1]) // 2
    return np.asarray(resized[top : top + SIZE[1], left : left + SIZE[0]].clip(0, 1), np.float32)


def _recorded(radiance: FloatArray, case: Case, *, long_reference: bool, bent: bool) -> SyntheticWindow:
    """Return a window of three frames of radiance, with the noise of the case's sensor."""
    gain = 2.0**case.ratio_stops
    exposures = np.array([1, gain, 1] if long_reference else [gain, 1, gain], np.float32)
    random = np.random.default_rng((SEED, case.index, long_reference, bent))
    sensor = NOISE_LEVELS[NOISES[(case.index // 2) % len(NOISES)]]
    recorded = []
    for light, exposure in zip(radiance, exposures, strict=True):
        seen = _bent(light * exposure) if bent else light * exposure
        recorded.append(capture(seen, 1.0, sensor, random))
    nothing = np.zeros((2, *radiance.shape[1:3]), bool)
    flows = np.zeros((*nothing.shape, 2), np.float32)
    return SyntheticWindow(radiance, np.stack(recorded), exposures, flows, nothing, nothing[0])


def _bent(light: FloatArray) -> FloatArray:
    """Apply a response with a shoulder to radiance in clips of the exposure."""
    knee, strength = np.float32(SHOULDER[0]), np.float32(SHOULDER[1])
    above = np.clip((light - knee) / (1 - knee), 0, 1 / (2 * strength))
    return np.asarray(np.minimum(light, knee) + (1 - knee) * (above - strength * above**2), np.float32)
