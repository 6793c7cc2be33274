"""The neighbors of a window as light, brought onto the reference along the flow and matched to its level."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from f2hdr_backend.color.response import GAMMA

FloatArray = NDArray[np.float32]

CELL_PX = 4
"""Side of the squares whose mean light is compared: noise matters less."""
FEWEST_CELLS = 100
"""From fewer the level is not judged."""
DARK, BRIGHT = 0.1**GAMMA, 0.97**GAMMA
"""Shares of a frame's clip: a cell darker than the one, or with a pixel brighter than the other, is not compared."""
SAME = 0.3
"""Relative difference up to which two cells are taken for the same surface."""
UNSURE = 0.02
"""What the measurement may be off by, as a logarithm: a level is corrected by what exceeds it."""


@dataclass(frozen=True)
class AlignedNeighbor:
    """A neighbor where the reference sees it."""

    light: FloatArray
    """``(H, W, 3)`` radiance, 1 being the clip of the shortest exposure; 0 outside the neighbor."""
    exposure: float
    """Relative exposure as told; 1 is the shortest."""
    matched: float
    """What the neighbor's light was multiplied with so that it has the reference's level; 1 if told exposures fit."""


def light_of(codes: FloatArray, exposure: float) -> FloatArray:
    """Radiance of gamma-2.2 codes, 1 being the clip of the shortest exposure (Eq. 1)."""
    return np.asarray(codes ** np.float32(GAMMA) / np.float32(exposure), np.float32)


def align_neighbors(
    own: FloatArray, codes: Sequence[FloatArray], exposures: Sequence[float], flows: FloatArray
) -> list[AlignedNeighbor]:
    """Previous and next frame along the flows.

    Exposures are often not quite what they were told to be: shutters are inexact and lamps flicker. The level of each
    neighbor is measured against the reference, where both are well exposed, and corrected.

    Args:
        own: ``(H, W, 3)`` the reference's light.
        codes: ``(H, W, 3)`` gamma-2.2 codes 0-1 each, of previous, reference and next.
        exposures: of previous, reference and next; 1 is the shortest.
        flows: ``(2, H, W, 2)`` pixels, reference to previous and to next.
    """
    here, found = _cells(own, exposures[1]), []
    for side, index in ((0, 0), (1, 2)):
        light = _follow(light_of(codes[index], exposures[index]), flows[side])
        matched = _level(here, _cells(light, exposures[index]))
        found.append(AlignedNeighbor(light * np.float32(matched), exposures[index], matched))
    return found


def _follow(picture: FloatArray, flow: FloatArray) -> FloatArray:
    """``(H, W, 3)`` a neighbor brought onto the reference along ``(H, W, 2)`` flow; 0 outside."""
    height, width = flow.shape[:2]
    x = flow[..., 0] + np.arange(width, dtype=np.float32)
    y = flow[..., 1] + np.arange(height, dtype=np.float32)[:, None]
    return np.asarray(cv2.remap(picture, x, y, cv2.INTER_LINEAR), np.float32)


def _cells(light: FloatArray, exposure: float) -> FloatArray:
    """``(h, w)`` mean light of the cells, NaN where some of it is too dark or too bright to compare."""
    height, width = (max(side // CELL_PX, 1) for side in light.shape[:2])
    mean = cv2.resize(light, (width, height), interpolation=cv2.INTER_AREA)
    too_bright = (brightest(light)[..., 0] * exposure > BRIGHT).astype(np.float32)
    bad = cv2.resize(too_bright, (width, height), interpolation=cv2.INTER_AREA) > 0
    return np.where(bad | (mean.min(-1) * exposure < DARK), np.float32(np.nan), mean.mean(-1))


def _level(here: FloatArray, there: FloatArray) -> float:
    """The factor that brings a neighbor's light to the reference's: the median over cells that show the same."""
    same = np.abs(here - there) < SAME * here
    if np.count_nonzero(same) < FEWEST_CELLS:
        return 1.0
    measured = math.log(float(np.median(here[same] / there[same])))
    return math.exp(math.copysign(max(abs(measured) - UNSURE, 0), measured))


def brightest(picture: FloatArray) -> FloatArray:
    """``(H, W, 1)`` the greatest of three channels; numpy's own reduction takes ten times as long."""
    found: FloatArray = np.maximum(np.maximum(picture[..., :1], picture[..., 1:2]), picture[..., 2:])
    return found
