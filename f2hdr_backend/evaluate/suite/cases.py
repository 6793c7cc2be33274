"""The windows of the synthetic suite: seven kinds of scene, each at 2, 3 and 4 stops with either reference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from f2hdr_backend.train.sources import Source
from f2hdr_backend.train.style import CameraStyle, SceneStyle, Style
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
"""What is drawn for each kind of scene."""


@dataclass(frozen=True)
class Case:
    """One window of the suite; 42 in a row hold every kind of scene at every ratio with either reference once."""

    index: int

    @property
    def kind(self) -> str:
        """A key of :data:`STYLES`."""
        return tuple(STYLES)[self.index % len(STYLES)]

    @property
    def ratio_stops(self) -> float:
        """Stops between the exposures."""
        return RATIOS_EV[self.index % len(RATIOS_EV)]

    @property
    def long_reference(self) -> bool:
        """Whether the middle frame has the long exposure."""
        return self.index % 2 == 0

    def window(self, sources: Sequence[Source], *, other_phase: bool = False) -> SyntheticWindow:
        """The window; with ``other_phase`` the same scene seen by the other exposure of the middle frame."""
        style = STYLES[self.kind]
        scene = replace(style.scene, ratios_ev=(self.ratio_stops,))
        style = replace(style, scene=scene, long_reference=self.long_reference != other_phase)
        return synthesize(sources, SIZE, np.random.default_rng((SEED, self.index)), style)
