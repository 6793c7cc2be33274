"""A window of frames, and its reconstruction on the host."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from f2hdr_backend.engine.method.features import NetworkFrame
from f2hdr_backend.image.arrays import FloatArray

EVERY_LAYER = ("flow", "mask", "coarse")
"""The layers of a window besides its radiance; ``occlusion`` may need further flows."""
NOTHING: FloatArray = np.empty(0, np.float32)
"""A layer that was not requested."""


@dataclass(frozen=True)
class HdrFrame:
    """The result of a window. Layers that were not requested are NOTHING."""

    radiance: FloatArray
    """``(H, W, 3)``; 1 is the clip of the shortest exposure. See also :attr:`finished`."""
    coarse: FloatArray = field(default_factory=lambda: NOTHING)
    """``(H, W, 3)`` stage I's result, in the same unit."""
    flows: FloatArray = field(default_factory=lambda: NOTHING)
    """``(2, H, W, 2)`` pixels, reference to previous and to next, y down."""
    masks: FloatArray = field(default_factory=lambda: NOTHING)
    """``(2, H, W)`` motion masks 0-1."""
    occlusions: FloatArray = field(default_factory=lambda: NOTHING)
    """``(2, H, W)`` 1 where a neighbor does not show the pixel."""
    matched: tuple[float, float] = (1.0, 1.0)
    """Factors that scale the radiance of previous and next to the reference's level; 1 until they are measured."""
    trusted: bool = False
    """Whether soft trust was applied already, so that it is not applied again."""
    finished: bool = False
    """Whether a device has applied reference trust, and radiance and coarse are the values of the file: scaled to the
    anchor, in the output space, the radiance in half precision if the file is."""
    beyond_half: int = 0
    """Number of pixels of a finished frame that were clipped to the range of half precision."""
    redone: bool = False
    """Whether half precision overflowed and the frame was computed again in float32."""


WindowFrames = tuple[NetworkFrame, NetworkFrame, NetworkFrame]
"""Previous, reference and next."""
