"""Radiance images that shots are synthesized from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from f2hdr_backend.image.read import read_image
from f2hdr_backend.shot.errors import DocumentError

HELD_OUT = frozenset(
    {
        "dancing_hall_1k", "outdoor_umbrellas_1k", "potsdamer_platz_1k", "quarry_02_1k", "small_hangar_01_1k",
        "snowy_forest_path_01_1k", "spree_bank_1k", "st_peters_square_night_1k", "thatch_chapel_1k", "vestibule_1k",
    }
)  # fmt: skip
"""Panoramas that no shipped weights were trained on; scores are computed on these."""


@dataclass(frozen=True)
class Source:
    """One radiance image, scene-linear, in any unit."""

    name: str
    radiance: NDArray[np.float32]
    """``(H, W, 3)``, never negative."""

    @property
    def panorama(self) -> bool:
        """Whether it is a lat-long panorama (twice as wide as high)."""
        height, width = self.radiance.shape[:2]
        return width == 2 * height


def load_sources(folder: Path, *, held_out: bool = False) -> list[Source]:
    """All ``.exr`` images of a folder, by name: those to train on, or those held out.

    Raises:
        DocumentError: the folder contains none, or no panorama, which every background is taken from.
    """
    paths = [path for path in sorted(folder.glob("*.exr")) if (path.stem in HELD_OUT) == held_out]
    if not paths:
        raise DocumentError(
            f"There is no EXR image to synthesize shots from in {folder}.",
            hint="Give a folder of scene-linear EXR images.",
        )
    sources = [Source(path.stem, np.maximum(read_image(str(path)).pixels, 0)) for path in paths]
    if not any(source.panorama for source in sources):
        raise DocumentError(
            f"None of the EXR images in {folder} is a panorama, twice as wide as high ({len(paths)} images read).",
            hint="Add at least one lat-long panorama: backgrounds of shots are taken from them.",
        )
    return sources
