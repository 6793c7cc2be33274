"""What goes into a rendered EXR: color anchored in stops, and the layers asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from f2hdr_backend.engine.method.base import HdrFrame
from f2hdr_backend.image.arrays import FloatArray
from f2hdr_backend.shot.document import Shot
from f2hdr_backend.trust.blend import layers_followed

SIDES = ("backward", "forward")
"""Layer names of the previous and the next neighbor, as Nuke calls them."""


def needed_layers(shot: Shot) -> frozenset[str]:
    """What a render takes from a window beside its light: the layers it writes, and those that the blend follows."""
    return layers_followed(shot.engine.reference_trust).union(shot.output.layers)


def compose(
    frame: HdrFrame, gain: float, names: tuple[str, ...], finish: Callable[[FloatArray], FloatArray]
) -> dict[str, NDArray[Any]]:
    """Channels of the EXR by name: ``RGB``, then the layers asked for.

    ``gain`` anchors light, and ``finish`` brings it to the output space.
    Flow layers follow Nuke: ``forward`` leads to the next frame and ``backward`` to the previous, in pixels, u to the
    right and v up. ``motion_mask`` has the motion masks, ``occlusion`` what the neighbors do not show, ``coarse`` the
    result of stage I.
    """
    layers: dict[str, NDArray[Any]] = {"RGB": finish(frame.radiance * np.float32(gain))}
    for side, name in enumerate(SIDES):
        if "flow" in names:
            layers[f"{name}.u"] = frame.flows[side, ..., 0]
            layers[f"{name}.v"] = -frame.flows[side, ..., 1]
        if "mask" in names:
            layers[f"motion_mask.{name}"] = frame.masks[side]
        if "occlusion" in names:
            layers[f"occlusion.{name}"] = frame.occlusions[side]
    if "coarse" in names:
        layers["coarse"] = finish(frame.coarse * np.float32(gain))
    return layers
