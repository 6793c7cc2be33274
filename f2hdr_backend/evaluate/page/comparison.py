"""Compares two image sequences, and the ground truth if there is one: scales, scores and reads them for a page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from f2hdr_backend.evaluate.metrics.psnr_ssim import psnr_l, psnr_t, ssim_t
from f2hdr_backend.evaluate.metrics.score import Score
from f2hdr_backend.evaluate.page.page import PageFrame, ScoreRow, Source
from f2hdr_backend.image.arrays import FloatArray
from f2hdr_backend.image.exr import read_header
from f2hdr_backend.image.frame import Plate
from f2hdr_backend.image.metadata import anchor_gain
from f2hdr_backend.image.read import open_plate
from f2hdr_backend.shot.equations import GAMMA
from f2hdr_backend.shot.errors import ImageError
from f2hdr_backend.shot.frames import FrameRange, Sequence

METRICS = (psnr_t, psnr_l, ssim_t)
MASKS = ("motion.", "motion_mask.", "occlusion.")
"""Prefixes of the names of mask layers."""
MISMATCH_STOPS = 0.5
"""Difference in overall exposure, in stops, above which a comparison is probably a mistake."""
CONSTANT_STOPS = 0.05
"""A difference in stops that varies by less over the picture is constant; smaller ones are not reported."""
_SHADOW = 2.0**-8
"""Values below this share of white are not used to compare exposures."""


@dataclass(frozen=True)
class Side:
    """One sequence of a comparison."""

    name: str
    """``A``, ``B`` or ``truth``."""
    plate: Plate
    anchor: float | None
    """The value at which the short exposure clips, if an F2HDR header states it."""
    factor: float
    """Factor for its values."""

    def read(self, number: int) -> PageFrame:
        """Return the frame's radiance on the common scale under the side's name, and its flows and masks.

        Raises:
            MissingFrames, UnreadableFrame: see the plate's ``read``.
            ImageError: values are NaN or infinite.
        """
        image = self.plate.read(number)
        if image.nonfinite:
            raise ImageError(
                f'"{image.path}" has {image.nonfinite} pixels that are NaN or infinite.',
                hint="Render the frame again, or leave it out with --frames.",
                frame=number,
                path=image.path,
            )
        linear = image.pixels**GAMMA if self.plate.default_encoding == "gamma22" else image.pixels
        planes = {self.name: np.asarray(linear * np.float32(self.factor), np.float32)}
        planes.update({f"{self.name}/{layer}": plane for layer, plane in _shown_layers(image.layers).items()})
        return PageFrame(number, planes)

    @property
    def source(self) -> Source:
        """The description of this side on a page."""
        parts = ["gamma 2.2 converted to linear"] if self.plate.default_encoding == "gamma22" else []
        if self.factor != 1:
            parts.append(f"× {self.factor:g} to match A")
        return Source(self.name, self.plate.name, "; ".join(parts))


class Comparison:
    """A comparison of A with B, or of both with the truth.

    All values are scaled to A. A render's anchor is known from its header. A sequence without one is assumed to be
    anchored at the short exposure if another sequence is a render; if none is, values are not scaled.
    """

    def __init__(self, paths: Mapping[str, str], frames: FrameRange | None = None, truth_stops: float = 0.0) -> None:
        """Open the sequences.

        Args:
            paths: pattern or movie by name: ``A``, ``B`` and, optionally, ``truth``.
            frames: frames to compare; None for all of A.
            truth_stops: exposure correction of the truth in stops.

        Raises:
            MissingFrames: a sequence lacks a frame.
            ImageError: the sizes differ.
            ShotError: see `open_plate`.
        """
        plates = {name: open_plate(path) for name, path in paths.items()}
        anchors = {name: _anchor(plate) for name, plate in plates.items()}
        scale = anchors["A"] or 1.0
        factors = {name: scale / (anchor or 1.0) for name, anchor in anchors.items()}
        if "truth" in factors:
            factors["truth"] *= 2.0**truth_stops
        self.sides = tuple(Side(name, plates[name], anchors[name], factors[name]) for name in plates)
        self.frames = frames or plates["A"].frames
        self._require_alike()

    @property
    def reference(self) -> Side:
        """The side that others are scored against: the truth, or else B."""
        return self.sides[-1]

    def white(self) -> float:
        """Return the radiance that scores treat as 1: the clip level of a render's short exposure, or the reference's
        maximum.

        Raises:
            ImageError: all pixels of the reference are 0 or negative.
        """
        if any(side.anchor for side in self.sides):
            return self.sides[0].anchor or 1.0
        largest = max(float(self.reference.read(number).planes[self.reference.name].max()) for number in self.frames)
        if largest <= 0:
            raise ImageError(f'"{self.reference.plate.name}" is black.', hint="Compare images that are not black.")
        return largest

    def read(self, number: int) -> PageFrame:
        """Return one frame of every side."""
        planes = [side.read(number).planes for side in self.sides]
        return PageFrame(number, {name: plane for one in planes for name, plane in one.items()})

    def score(self, white: float) -> Iterator[tuple[int, dict[tuple[str, str], Score]]]:
        """Score frame by frame: yields the number, and every score by metric and side.

        The reference is clipped to 0-``white``, and both are divided by ``white``.

        Raises:
            ImageError: a frame that cannot be scored.
        """
        scored = [side for side in self.sides[:2] if side is not self.reference]
        for number in self.frames:
            reference = self.reference.read(number).planes[self.reference.name]
            truth = np.clip(reference / np.float32(white), 0, 1)
            scores: dict[tuple[str, str], Score] = {}
            for side in scored:
                prediction = side.read(number).planes[side.name] / np.float32(white)
                for metric in METRICS:
                    score = metric(prediction, truth)
                    score = replace(score, parameters=(*score.parameters, ("white", white)))
                    scores[score.metric, side.name] = score
            yield number, scores

    def mismatches(self, white: float) -> Iterator[str]:
        """Yield a sentence for every side whose overall exposure differs from A's on the first frame."""
        first, *others = self.sides
        planes = {name: plane for name, plane in self.read(self.frames.first).planes.items() if plane.ndim == 3}
        for side in others:
            stops, spread = _stops_between(planes[side.name], planes[first.name], white)
            remedy = f" --truth-stops {-stops:.2f} would correct it." if side.name == "truth" else ""
            if spread < CONSTANT_STOPS < abs(stops):
                factor = f"{side.name} is {stops:+.2f} stops from A everywhere (a factor of {2**stops:.4g})"
                yield f"{factor}: its 1.0 is another exposure.{remedy}"
            elif abs(stops) > MISMATCH_STOPS:
                yield f"{side.name} is {stops:+.2f} stops from A (median of frame {self.frames.first}).{remedy}"

    def close(self) -> None:
        """Close the files."""
        for side in self.sides:
            side.plate.close()

    def _require_alike(self) -> None:
        first = self.sides[0].plate
        for side in self.sides:
            side.plate.require(self.frames)
            if side.plate.size != first.size:
                sizes = " and ".join("{} x {}".format(*plate.size) for plate in (first, side.plate))
                raise ImageError(
                    f'"{first.name}" and "{side.plate.name}" differ in size: {sizes}.',
                    hint="Compare images of one size; scoring never resizes.",
                )


def score_rows(scores: Mapping[int, Mapping[tuple[str, str], Score]], against: str) -> tuple[ScoreRow, ...]:
    """Return the scores of `Comparison.score` by metric and side, metric after metric."""
    keys = next(iter(scores.values()), {})
    ordered = sorted(keys, key=lambda key: [metric for metric, _ in keys].index(key[0]))
    return tuple(
        ScoreRow(name, against, {number: row[metric, name] for number, row in scores.items()})
        for metric, name in ordered
    )


def _anchor(plate: Plate) -> float | None:
    """Return ``f2hdr/anchor_gain`` of the first frame, which is equal in all frames of a render; None if there is
    none.
    """
    if not (plate.name.lower().endswith(".exr") and Sequence.is_pattern(plate.name)):
        return None
    return anchor_gain(read_header(Sequence.parse(plate.name).path(plate.frames.first)))


def _shown_layers(layers: Mapping[str, NDArray[np.generic]]) -> dict[str, FloatArray]:
    """Return flows as (H, W, 2) with y down, converted from Nuke's ``.u`` and ``.v`` (up), and masks."""
    planes = {name: np.asarray(values, np.float32) for name, values in layers.items()}
    shown = {name: values for name, values in planes.items() if name.startswith(MASKS)}
    for name, right in planes.items():
        layer = name.removesuffix(".u")
        if layer != name and f"{layer}.v" in planes:
            shown[layer] = np.stack([right, -planes[f"{layer}.v"]], axis=-1)
    return dict(sorted(shown.items(), key=lambda item: item[1].ndim, reverse=True))


def _stops_between(picture: FloatArray, base: FloatArray, white: float) -> tuple[float, float]:
    """Median of log2(picture / base) over values that are well exposed in both, and the range of its middle half.

    Both are 0 where no value is.
    """
    low, high = _SHADOW * white, white / 2
    good = (picture > low) & (picture < high) & (base > low) & (base < high)
    if not good.any():
        return 0.0, 0.0
    lower, middle, upper = np.quantile(np.log2(picture[good] / base[good]), (0.25, 0.5, 0.75))
    return float(middle), float(upper - lower)
