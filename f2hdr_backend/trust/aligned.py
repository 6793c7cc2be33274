"""The neighbors of a window as radiance, warped to the reference along the flow and matched to its level."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from f2hdr_backend.image.arrays import FloatArray, along_flow, radiance_of
from f2hdr_backend.shot.cancellation import check_stop
from f2hdr_backend.shot.equations import GAMMA

CELL_PX = 4
"""Side in pixels of the square cells whose means are compared. A mean over a cell has less noise than a pixel."""
FEWEST_CELLS = 100
"""Fewest comparable cells from which a level is measured."""
DARK, BRIGHT = 0.1**GAMMA, 0.97**GAMMA
"""Shares of a frame's clip. A cell with a mean below the first, or a pixel above the second, is not compared."""
SAME = 0.3
"""Relative difference up to which two cells count as the same surface."""
HIGHLIGHT, FEATHER = 0.95, 0.1
"""Code value from which a pixel's radiance is not used: near its clip a sensor is not linear, and channels may clip
early. Below, its weight rises to 1 over FEATHER."""
UNSURE = 0.02
"""Error of the measured level, as a natural logarithm. A level is corrected by the part that exceeds it."""


@dataclass(frozen=True)
class AlignedNeighbor:
    """A neighbor, warped to the reference."""

    light: FloatArray
    """``(H, W, 3)`` radiance, 1 = clip of the shortest exposure; 0 outside the neighbor."""
    exposure: float
    """Relative exposure as given; 1 is the shortest."""
    matched: float
    """Factor that brought the neighbor's radiance to the reference's level; 1 if the given exposures fit."""


def align_neighbors(
    own: FloatArray, codes: Sequence[FloatArray], exposures: Sequence[float], flows: FloatArray
) -> list[AlignedNeighbor]:
    """Warp the previous and the next frame to the reference.

    The real exposures often differ from the given ones: shutters are inexact and light sources flicker. The level of
    each neighbor is measured against the reference where both are well exposed, and corrected.

    Args:
        own: ``(H, W, 3)`` the reference's radiance.
        codes: ``(H, W, 3)`` gamma-2.2 codes 0-1 each, of previous, reference and next.
        exposures: of previous, reference and next; 1 is the shortest.
        flows: ``(2, H, W, 2)`` pixels, reference to previous and to next.
    """
    here, found = _cells(own, exposures[1]), []
    for side, index in ((0, 0), (1, 2)):
        check_stop()
        light = along_flow(radiance_of(codes[index], exposures[index]), flows[side])
        matched = _level(here, _cells(light, exposures[index]))
        found.append(AlignedNeighbor(light * np.float32(matched), exposures[index], matched))
    return found


def cell_means(picture: FloatArray) -> FloatArray:
    """``(h, w)`` or ``(h, w, C)`` means over the cells of an ``(H, W)`` or ``(H, W, C)`` picture."""
    height, width = (max(side // CELL_PX, 1) for side in picture.shape[:2])
    return np.asarray(cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA), np.float32)


def _cells(light: FloatArray, exposure: float) -> FloatArray:
    """``(h, w)`` mean radiance of the cells; NaN where a cell is too dark or too bright to compare."""
    mean = cell_means(light)
    bad = cell_means((brightest(light)[..., 0] * exposure > BRIGHT).astype(np.float32)) > 0
    return np.where(bad | (mean.min(-1) * exposure < DARK), np.float32(np.nan), mean.mean(-1))


def _level(here: FloatArray, there: FloatArray) -> float:
    """The factor that scales a neighbor to the reference's level: the median over the cells with the same content."""
    same = np.abs(here - there) < SAME * here
    if np.count_nonzero(same) < FEWEST_CELLS:
        return 1.0
    measured = math.log(float(np.median(here[same] / there[same])))
    return math.exp(math.copysign(max(abs(measured) - UNSURE, 0), measured))


def brightest(picture: FloatArray) -> FloatArray:
    """``(H, W, 1)`` the maximum of three channels. ``numpy.max`` over the last axis takes ten times as long."""
    found: FloatArray = np.maximum(np.maximum(picture[..., :1], picture[..., 1:2]), picture[..., 2:])
    return found


def below_highlights(codes: FloatArray) -> FloatArray:
    """``(H, W, 1)`` weights of ``(H, W, 3)`` codes: 1 well below the clip of every channel, 0 from HIGHLIGHT."""
    return ramp((HIGHLIGHT - brightest(codes)) / FEATHER)


def ramp(position: FloatArray) -> FloatArray:
    """Smoothstep: 0 for ``position`` <= 0, 1 for ``position`` >= 1."""
    inside = np.clip(position, 0, 1)
    return np.asarray(inside * inside * (3 - 2 * inside), np.float32)
