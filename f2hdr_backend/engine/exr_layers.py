"""The channels of a rendered EXR: anchored radiance and the requested layers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from f2hdr_backend.engine.method.frame import HdrFrame
from f2hdr_backend.image.arrays import FloatArray
from f2hdr_backend.shot.document import Shot
from f2hdr_backend.trust.blend import layers_followed

SIDES = ("backward", "forward")
"""Names of the flow layers to the previous and the next frame, as in Nuke."""


def needed_layers(shot: Shot) -> frozenset[str]:
    """Return the layers that a render needs from a window: those that it writes, and those that reference trust
    uses.
    """
    return layers_followed(shot.engine.reference_trust).union(shot.output.layers)


def compose(
    frame: HdrFrame, gain: float, names: tuple[str, ...], finish: Callable[[FloatArray], FloatArray]
) -> dict[str, NDArray[Any]]:
    """Return the channels of the EXR by name: ``RGB``, then the requested layers.

    ``gain`` scales radiance to the anchor, and ``finish`` converts it to the output space, unless a GPU has
    done both.

    Flow layers follow Nuke's convention: ``forward`` is the motion to the next frame and ``backward`` that to the
    previous, in pixels, u to the right and v up. ``motion_mask`` contains the motion masks, ``occlusion`` the pixels
    that the neighbors do not show, ``coarse`` the result of stage I.
    """

    def values(radiance: FloatArray) -> FloatArray:
        return radiance if frame.finished else finish(radiance * np.float32(gain))

    layers: dict[str, NDArray[Any]] = {"RGB": values(frame.radiance)}
    for side, name in enumerate(SIDES):
        if "flow" in names:
            layers[f"{name}.u"] = frame.flows[side, ..., 0]
            layers[f"{name}.v"] = -frame.flows[side, ..., 1]
        if "mask" in names:
            layers[f"motion_mask.{name}"] = frame.masks[side]
        if "occlusion" in names:
            layers[f"occlusion.{name}"] = frame.occlusions[side]
    if "coarse" in names:
        layers["coarse"] = values(frame.coarse)
    return layers
