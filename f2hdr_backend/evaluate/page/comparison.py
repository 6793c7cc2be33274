"""Two sequences of pictures, and the truth if there is one, on one scale: what to score and what to show."""

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
from f2hdr_backend.image.read import open_plate
from f2hdr_backend.shot.equations import GAMMA
from f2hdr_backend.shot.errors import ImageError
from f2hdr_backend.shot.frames import FrameRange, Sequence

METRICS = (psnr_t, psnr_l, ssim_t)
MASKS = ("motion.", "motion_mask.", "occlusion.")
"""Layers that are masks, by how their names begin."""
MISMATCH_STOPS = 0.5
"""A difference in overall exposure beyond which a comparison is likely to be a mistake."""
_SHADOW = 2.0**-8
"""Share of white below which a pixel tells nothing about exposure."""


@dataclass(frozen=True)
class Side:
    """One sequence of a comparison."""

    name: str
    """``A``, ``B`` or ``truth``."""
    plate: Plate
    anchor: float | None
    """The value at which the short exposure clips, where an F2HDR render says so."""
    factor: float
    """What its values are multiplied by."""

    def read(self, number: int) -> PageFrame:
        """The frame's radiance under the side's name, on the scale of the comparison, and its flows and masks.

        Raises:
            MissingFrames, UnreadableFrame: as the plate does. ImageError: values that are NaN or infinite.
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
        """How a page introduces it."""
        parts = ["gamma 2.2 made linear"] if self.plate.default_encoding == "gamma22" else []
        if self.factor != 1:
            parts.append(f"× {self.factor:g} to match A")
        return Source(self.name, self.plate.name, "; ".join(parts))


class Comparison:
    """A against B, or both against the truth.

    All values are on the scale of A. A render's anchor is known from its header; a sequence without one counts as
    anchored at the short exposure if another is a render, and is taken as it is if none is.
    """

    def __init__(self, paths: Mapping[str, str], frames: FrameRange | None = None, truth_stops: float = 0.0) -> None:
        """Open the sequences.

        Args:
            paths: pattern or movie by name: ``A``, ``B`` and, if there is one, ``truth``.
            frames: which to compare; None for all of A.
            truth_stops: exposure added to the truth.

        Raises:
            MissingFrames: a frame that one of them lacks. ImageError: their sizes differ. What `open_plate` raises.
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
        """What scores are against: the truth, else B."""
        return self.sides[-1]

    def white(self) -> float:
        """The radiance that scores count as 1: where a render's short exposure clips, else the reference's largest.

        Raises:
            ImageError: a reference without any light.
        """
        if any(side.anchor for side in self.sides):
            return self.sides[0].anchor or 1.0
        largest = max(float(self.reference.read(number).planes[self.reference.name].max()) for number in self.frames)
        if largest <= 0:
            raise ImageError(f'"{self.reference.plate.name}" is black.', hint="Compare pictures that hold light.")
        return largest

    def read(self, number: int) -> PageFrame:
        """One frame of every side."""
        planes = [side.read(number).planes for side in self.sides]
        return PageFrame(number, {name: plane for one in planes for name, plane in one.items()})

    def score(self, white: float) -> Iterator[tuple[int, dict[tuple[str, str], Score]]]:
        """Score frame by frame: yields the number, and every score by metric and side's name.

        The reference is clipped to 0-``white`` and both are divided by it.

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
        """A sentence for every side whose overall exposure differs from A's on the first frame."""
        first, *others = self.sides
        planes = {name: plane for name, plane in self.read(self.frames.first).planes.items() if plane.ndim == 3}
        for side in others:
            stops = _stops_between(planes[side.name], planes[first.name], white)
            if abs(stops) > MISMATCH_STOPS:
                remedy = f" --truth-stops {-stops:.2f} would remove that." if side.name == "truth" else ""
                yield f"{side.name} is {stops:+.2f} stops from A (median of frame {self.frames.first}).{remedy}"

    def close(self) -> None:
        """Let go of open files."""
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
                    hint="Compare pictures of one size; a comparison never resizes what it scores.",
                )


def score_rows(scores: Mapping[int, Mapping[tuple[str, str], Score]], against: str) -> tuple[ScoreRow, ...]:
    """Scores of `Comparison.score` by metric and side, metric after metric."""
    keys = next(iter(scores.values()), {})
    ordered = sorted(keys, key=lambda key: [metric for metric, _ in keys].index(key[0]))
    return tuple(
        ScoreRow(name, against, {number: row[metric, name] for number, row in scores.items()})
        for metric, name in ordered
    )


def _anchor(plate: Plate) -> float | None:
    """``f2hdr/anchor_gain`` of the first frame, which is alike on all frames of a render."""
    if not (plate.name.lower().endswith(".exr") and Sequence.is_pattern(plate.name)):
        return None
    gain = read_header(Sequence.parse(plate.name).path(plate.frames.first)).get("f2hdr/anchor_gain")
    return float(gain) if isinstance(gain, (int, float)) and gain > 0 else None


def _shown_layers(layers: Mapping[str, NDArray[np.generic]]) -> dict[str, FloatArray]:
    """Flows as (H, W, 2) with y down, from Nuke's ``.u`` and ``.v`` (up), and masks."""
    planes = {name: np.asarray(values, np.float32) for name, values in layers.items()}
    shown = {name: values for name, values in planes.items() if name.startswith(MASKS)}
    for name, right in planes.items():
        layer = name.removesuffix(".u")
        if layer != name and f"{layer}.v" in planes:
            shown[layer] = np.stack([right, -planes[f"{layer}.v"]], axis=-1)
    return dict(sorted(shown.items(), key=lambda item: item[1].ndim, reverse=True))


def _stops_between(picture: FloatArray, base: FloatArray, white: float) -> float:
    """Median of log2(picture / base) over values that are well exposed in both; 0 where there are none."""
    low, high = _SHADOW * white, white / 2
    good = (picture > low) & (picture < high) & (base > low) & (base < high)
    return float(np.median(np.log2(picture[good] / base[good]))) if good.any() else 0.0
