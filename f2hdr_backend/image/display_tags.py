"""Color tags and HDR light levels of display encodings.

Sources: ITU-T H.273 (numbers of primaries, transfer functions and matrices), SMPTE ST 2084 (PQ), SMPTE ST 2086
(mastering display), CTA-861.3 annex P (MaxCLL, MaxFALL).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

import numpy as np

from f2hdr_backend.image.arrays import FloatArray
from f2hdr_backend.shot.errors import ColorError

PQ, HLG = 16, 18
"""Numbers of transfer functions in H.273."""

LUMINANCE_STEPS = 10_000
"""Steps per cd/m2 of the luminances of a mastering display in files."""

CHROMATICITY_STEPS = 50_000
"""Steps per 1 of its chromaticities in files."""


@dataclass(frozen=True)
class Signal:
    """A display encoding: its name, and its primaries, transfer function and matrix as numbers of H.273."""

    name: str
    primaries: int
    transfer: int
    matrix: int


SIGNALS = {
    signal.name: signal
    for signal in (
        Signal("pq", 9, PQ, 9),
        Signal("hlg", 9, HLG, 9),
        Signal("p3-pq", 12, PQ, 9),
        Signal("display-p3", 12, 13, 1),
        Signal("rec2020", 9, 14, 9),
        Signal("srgb", 1, 13, 1),
        Signal("gamma22", 1, 4, 1),
        Signal("rec709", 1, 1, 1),
    )
}

_DISPLAYS = (
    ("p3.*(pq|2084)|(pq|2084).*p3", "p3-pq"),
    ("pq|2084", "pq"),
    ("hlg", "hlg"),
    ("displayp3", "display-p3"),
    ("(rec|bt)2020", "rec2020"),
    ("srgb", "srgb"),
    ("p3|dci|xyz|2100", ""),
    ("gamma22", "gamma22"),
    ("rec709|bt709|1886", "rec709"),
)
"""Pattern of a display's name in letters and digits, and its signal; the first match is used."""


def signal_named(name: str) -> Signal:
    """Return a signal by its name. Raises ColorError, which lists the names."""
    if name not in SIGNALS:
        raise ColorError(f'There are no color tags "{name}".', hint=f"Use {', '.join(SIGNALS)}.", tags=name)
    return SIGNALS[name]


def signal_of(display: str, view: str) -> Signal:
    """Return the signal of an OCIO display by its name.

    Raises ColorError if the name is unknown, or if the view is raw, whose values are not those of the display.
    """
    letters = re.sub(r"[^a-z0-9]", "", display.lower())
    found = next((name for words, name in _DISPLAYS if re.search(words, letters)), "")
    if found and view.lower() not in ("raw", "data"):
        return SIGNALS[found]
    what = f'the view "{view}"' if found else f'the display "{display}"'
    raise ColorError(
        f"The color tags of {what} are unknown.",
        hint=f"Set them with --tags: {', '.join(SIGNALS)}.",
        display=display,
        view=view,
    )


@dataclass(frozen=True)
class LightLevel:
    """HDR light level of a movie in cd/m2.

    ``peak`` is that of the mastering display, whose primaries are P3 with a D65 white and whose black is 0.0001;
    ``brightest`` is the content's brightest channel (MaxCLL), ``average`` the highest frame average of the pixels'
    brightest channels (MaxFALL).
    """

    peak: int
    brightest: int
    average: int

    primaries = ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060))
    """Red, green and blue as CIE x and y."""
    white = (0.3127, 0.3290)
    black = 0.0001


class LightMeter:
    """Measures MaxCLL and MaxFALL over the frames of a PQ movie."""

    def __init__(self) -> None:
        self._brightest = 0.0
        self._average = 0.0

    def add(self, rgb: FloatArray) -> None:
        """Add one frame: ``(H, W, 3)`` PQ code values, clipped to 0-1."""
        codes = np.rint(np.clip(rgb.max(axis=-1), 0, 1) * 65535).astype(np.uint16)
        nits = _nits_of_codes()[codes]
        self._brightest = max(self._brightest, float(nits.max()))
        self._average = max(self._average, float(nits.mean(dtype=np.float64)))

    def level(self, peak: int) -> LightLevel:
        """Return the measured levels, rounded to cd/m2, for a mastering display with this peak."""
        return LightLevel(peak, round(self._brightest), round(self._average))


def pq_to_nits(codes: FloatArray) -> FloatArray:
    """Return the luminance in cd/m2 of PQ code values 0-1 (SMPTE ST 2084, equation 4.1)."""
    root = codes.astype(np.float64) ** (32 / 2523)
    linear = np.maximum(root - 107 / 128, 0) / (2413 / 128 - 2392 / 128 * root)
    return (10_000 * linear ** (8192 / 1305)).astype(np.float32)


@cache
def _nits_of_codes() -> FloatArray:
    """Return the luminance in cd/m2 of all 16-bit PQ codes, as a lookup table."""
    return pq_to_nits(np.linspace(0, 1, 65536, dtype=np.float32))
