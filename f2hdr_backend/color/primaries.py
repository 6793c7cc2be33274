"""Red, green, blue and white as CIE xy, and the matrices between them and ACES2065-1.

Sources: SMPTE RP 177 (matrix of primaries), SMPTE ST 2065-1 (AP0), ACES S-2014-004 (AP1), ITU-R BT.709 and BT.2020,
SMPTE EG 432-1 (P3); Bradford adaptation after Lam (1985), as in OCIO's utility transforms, and CAT02 of
CIECAM02 (CIE 159:2004), as used by most camera manufacturers.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from f2hdr_backend.shot.errors import ColorError

Matrix = NDArray[np.float64]
Chromaticities = tuple[float, ...]
"""x and y of red, green, blue and white: eight numbers, as in an EXR header."""

D65 = (0.3127, 0.3290)
ACES_WHITE = (0.32168, 0.33767)
AP0: Chromaticities = (0.7347, 0.2653, 0.0, 1.0, 0.0001, -0.077, *ACES_WHITE)
REC709: Chromaticities = (0.64, 0.33, 0.30, 0.60, 0.15, 0.06, *D65)

STANDARD: dict[str, Chromaticities] = {
    "lin_ap0_scene": AP0,
    "lin_ap1_scene": (0.713, 0.293, 0.165, 0.830, 0.128, 0.044, *ACES_WHITE),
    "lin_rec709_scene": REC709,
    "lin_rec2020_scene": (0.708, 0.292, 0.170, 0.797, 0.131, 0.046, *D65),
    "lin_p3d65_scene": (0.680, 0.320, 0.265, 0.690, 0.150, 0.060, *D65),
}
"""Primaries by the Color Interop Forum's identifier of the linear space with these primaries."""

CLOSE = 0.001
"""Maximum difference of x or y between equal chromaticities."""

BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
CAT02 = np.array([[0.7328, 0.4296, -0.1624], [-0.7036, 1.6975, 0.0061], [0.0030, 0.0136, 0.9834]])
"""XYZ to the cone responses in which a white point is adapted."""


def to_aces(chromaticities: Chromaticities, cones: Matrix = BRADFORD) -> Matrix:
    """Return the ``(3, 3)`` matrix from linear RGB in these primaries to ACES2065-1; white stays white.

    ``cones`` is the matrix for the adaptation of the white point. Raises ColorError if the primaries span no gamut.
    """
    xyz = rgb_to_xyz(chromaticities)
    adapted = adaptation(chromaticities[6:], ACES_WHITE, cones) @ xyz
    return np.asarray(np.linalg.solve(rgb_to_xyz(AP0), adapted))


def from_matrix(to_ap0: Matrix) -> Chromaticities:
    """Return the primaries of linear RGB, given its ``(3, 3)`` matrix to ACES2065-1.

    The matrix does not determine the white point: that of ACES is used for AP0 and AP1, and D65 otherwise, to which
    primaries other than those of STANDARD are adapted (Bradford).
    """
    xyz = rgb_to_xyz(AP0) @ to_ap0
    for white in (ACES_WHITE, D65):
        found = _xy(adaptation(ACES_WHITE, white) @ xyz, white)
        for known in STANDARD.values():
            if are_close(found, known):
                return known
    return tuple(round(value, 5) for value in found)


def are_close(first: Chromaticities, second: Chromaticities) -> bool:
    """Return whether two sets of primaries are equal up to the rounding of header values."""
    return bool(np.allclose(first, second, rtol=0, atol=CLOSE))


def interop_id(chromaticities: Chromaticities) -> str:
    """Return the identifier of the linear space with these primaries, or an empty text."""
    return next((name for name, known in STANDARD.items() if are_close(known, chromaticities)), "")


def rgb_to_xyz(chromaticities: Chromaticities) -> Matrix:
    """Return the ``(3, 3)`` matrix from linear RGB to XYZ with Y of white 1 (RP 177). Raises ColorError."""
    shares = [float(value) for value in chromaticities]
    red_green_blue = np.array([(x, y, 1 - x - y) for x, y in zip(shares[:6:2], shares[1:6:2], strict=True)]).T
    white = _xyz(chromaticities[6:])
    is_finite = np.isfinite(red_green_blue).all() and np.isfinite(white).all()
    if not is_finite or abs(np.linalg.det(red_green_blue)) < 1e-6:
        raise ColorError(
            f"The chromaticities {_words(chromaticities)} span no gamut.",
            hint="Correct the file's header, or set its color space with --input-space.",
            chromaticities=chromaticities,
        )
    return np.asarray(red_green_blue * np.linalg.solve(red_green_blue, white))


def _xyz(xy: Any) -> Matrix:
    x, y = (float(value) for value in xy)
    if y == 0:
        return np.array([np.nan] * 3)
    return np.array([x / y, 1.0, (1 - x - y) / y])


def _xy(xyz: Matrix, white: tuple[float, float]) -> Chromaticities:
    shares = xyz[:2] / xyz.sum(axis=0)
    return (*shares.T.ravel().tolist(), *white)


def adaptation(source: Any, target: Any, cones: Matrix = BRADFORD) -> Matrix:
    """Return the ``(3, 3)`` matrix that adapts XYZ from one white (x, y) to another."""
    gains = (cones @ _xyz(target)) / (cones @ _xyz(source))
    return np.asarray(np.linalg.solve(cones, gains[:, None] * cones))


def _words(chromaticities: Chromaticities) -> str:
    return ", ".join(f"{value:g}" for value in chromaticities)
