"""Suite ``synthetic``: windows from panoramas not used for training, made by the generator of the training data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from f2hdr_backend.evaluate.suite import suite
from f2hdr_backend.evaluate.suite.suite import Case, cycle
from f2hdr_backend.train.sampling_ranges import CameraStyle, SceneStyle, Style
from f2hdr_backend.train.sources import Source, load_sources
from f2hdr_backend.train.synthesis import SyntheticWindow, synthesize

SEED = 20260101
SIZE = (384, 256)
RATIOS_EV = (2.0, 3.0, 4.0)

_CAMERA = CameraStyle(ratio_error=0.0, flicker=0.0)
_NIGHT = replace(_CAMERA, full_well=(300.0, 1500.0), read_noise=(4.0, 10.0), row_noise=(1.0, 3.0), bits=(10, 12))
_SCENE = SceneStyle(lit=0.2)

STYLES = {
    "static": Style(replace(_SCENE, still=1.0, pieces=(0,)), _CAMERA),
    "camera": Style(replace(_SCENE, still=0.0, pieces=(0,), camera_px=(2.0, 25.0)), _CAMERA),
    "small motion": Style(replace(_SCENE, pieces=(2, 3), piece_px=(0.5, 8.0), camera_px=(0.0, 4.0)), _CAMERA),
    "large motion": Style(replace(_SCENE, pieces=(2, 3), piece_px=(12.0, 60.0)), _CAMERA),
    "occlusion": Style(replace(_SCENE, pieces=(5,), piece_px=(6.0, 30.0), piece_scale=(0.4, 1.0)), _CAMERA),
    "night": Style(replace(_SCENE, lit=1.0, pieces=(1, 2), piece_px=(0.0, 20.0)), _NIGHT),
    "lights": Style(replace(_SCENE, lit=1.0, defocused=0.5, pieces=(1, 2), piece_px=(0.0, 30.0)), _CAMERA),
}
"""Parameters of each kind of scene."""


class Suite(suite.Suite):
    """Seven kinds of scene, each at 2, 3 and 4 stops with either reference."""

    size = SIZE
    count = len(STYLES) * len(RATIOS_EV) * 2
    about = f"panoramas that no training used, seed {SEED}"

    def __init__(self, folder: Path) -> None:
        """See :class:`f2hdr_backend.evaluate.suite.suite.Suite`."""
        self._sources: Sequence[Source] = load_sources(folder, held_out=True)

    @classmethod
    def of(cls, sources: Sequence[Source]) -> Suite:
        """Return the suite for images in memory."""
        suite = cls.__new__(cls)
        suite._sources = sources
        return suite

    def case(self, index: int) -> Case:
        """See :class:`f2hdr_backend.evaluate.suite.suite.Suite`."""
        return cycle(index, tuple(STYLES), RATIOS_EV)

    def window(self, case: Case, *, other_phase: bool = False) -> SyntheticWindow:
        """See :class:`f2hdr_backend.evaluate.suite.suite.Suite`."""
        style = STYLES[case.kind]
        scene = replace(style.scene, ratios_ev=(case.ratio_stops,))
        style = replace(style, scene=scene, long_reference=case.long_reference != other_phase)
        return synthesize(self._sources, SIZE, np.random.default_rng((SEED, case.index)), style)
