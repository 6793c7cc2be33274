"""Blend a method's result with the frames it was computed from, by the mode of reference trust."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from f2hdr_backend.image.arrays import FloatArray, luma_of, radiance_of
from f2hdr_backend.shot.cancellation import check_stop
from f2hdr_backend.shot.equations import GAMMA
from f2hdr_backend.trust.agreement import average_agreeing
from f2hdr_backend.trust.aligned import FEATHER, align_neighbors, below_highlights, ramp
from f2hdr_backend.trust.clipped import respect_clip
from f2hdr_backend.trust.deghost import keep_surface
from f2hdr_backend.trust.published import trusted

DIM, WELL_LIT = 0.25, 0.5
"""Luma of a long reference's code values over which soft trust rises to 1; below, its noise counts more."""


def layers_followed(mode: str) -> frozenset[str]:
    """The layers of a window, besides its radiance, that a mode of trust uses."""
    return frozenset({"flow"} if mode == "soft" else ())


def trust(codes: FloatArray, exposures: tuple[float, float, float], mode: str) -> FloatArray:
    """The weight of the reference's own radiance in the result.

    ``soft`` uses a long reference from where noise no longer matters up to its clip, judged by its brightest channel,
    and a short one from where the long neighbors clip: below that they are more precise. ``hard`` is the published
    evaluation's threshold on luma. ``off`` does not use the reference.

    Args:
        codes: ``(H, W, 3)`` the reference's gamma-2.2 codes 0-1.
        exposures: of previous, reference and next; 1 is the shortest.
        mode: ``soft``, ``hard`` or ``off``.

    Returns:
        ``(H, W, 1)`` weights 0-1.
    """
    luma = luma_of(codes)[..., None]
    own, longest = exposures[1], max(exposures)
    if mode == "off":
        return np.zeros_like(luma)
    if mode == "hard":
        return trusted(codes, own)[..., None].astype(np.float32)
    if own < longest:
        neighbors_clip = np.float32((own / longest) ** (1 / GAMMA))
        return ramp((luma - neighbors_clip) / FEATHER)
    return below_highlights(codes) * ramp((luma - DIM) / (WELL_LIT - DIM))


def blend(
    radiance: FloatArray,
    flows: FloatArray,
    codes: Sequence[FloatArray],
    exposures: tuple[float, float, float],
    mode: str,
) -> tuple[FloatArray, tuple[float, float]]:
    """A result blended with the reference's own radiance by the weight of :func:`trust`.

    ``soft`` first averages the result with the frames that agree with it (:func:`average_agreeing`), replaces it where
    it shows a different surface than the reference (:func:`keep_surface`), and corrects it where the reference is
    clipped (:func:`respect_clip`).

    Args:
        radiance: ``(H, W, 3)`` a method's result; 1 is the clip of the shortest exposure.
        flows: ``(2, H, W, 2)`` pixels, reference to previous and to next; only ``soft`` uses them.
        codes: ``(H, W, 3)`` gamma-2.2 codes 0-1 each, of previous, reference and next.
        exposures: of previous, reference and next; 1 is the shortest.
        mode: ``soft``, ``hard`` or ``off``.

    Returns:
        ``(H, W, 3)`` radiance, and the factors that bring previous and next to the reference's level (1 if not
        measured).
    """
    own, matched = radiance_of(codes[1], exposures[1]), (1.0, 1.0)
    if mode == "soft":
        neighbors = align_neighbors(own, codes, exposures, flows)
        matched = (neighbors[0].matched, neighbors[1].matched)
        radiance = average_agreeing(radiance, own, exposures[1], neighbors)
        radiance = keep_surface(radiance, codes[1], own, exposures[1], neighbors)
        radiance = respect_clip(radiance, codes[1], own, neighbors)
    check_stop()
    return radiance + trust(codes[1], exposures, mode) * (own - radiance), matched
