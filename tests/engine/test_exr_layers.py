"""Channels of a rendered EXR, from a frame whose every value is known."""

import numpy as np

from f2hdr_backend.engine.exr_layers import compose, needed_layers
from f2hdr_backend.engine.method.frame import HdrFrame
from f2hdr_backend.shot.document import Engine, Output, Shot

SHAPE = (4, 5)
FRAME = HdrFrame(
    radiance=np.full((*SHAPE, 3), 0.5, np.float32),
    coarse=np.full((*SHAPE, 3), 0.25, np.float32),
    flows=np.stack([np.full((*SHAPE, 2), (1, 2), np.float32), np.full((*SHAPE, 2), (3, 4), np.float32)]),
    masks=np.stack([np.full(SHAPE, 0.1, np.float32), np.full(SHAPE, 0.2, np.float32)]),
    occlusions=np.stack([np.zeros(SHAPE, np.float32), np.ones(SHAPE, np.float32)]),
)


def values(layers):
    return {name: float(plane.flat[0]) for name, plane in layers.items()}


def test_flow_has_the_convention_of_nuke_and_only_colors_are_scaled():
    layers = compose(FRAME, 8.0, ("flow", "mask", "coarse", "occlusion"), lambda light: light + 1)
    assert {name: round(value, 6) for name, value in values(layers).items()} == {
        "RGB": 5.0, "coarse": 3.0,
        "backward.u": 1.0, "backward.v": -2.0, "forward.u": 3.0, "forward.v": -4.0,
        "motion_mask.backward": 0.1, "motion_mask.forward": 0.2,
        "occlusion.backward": 0.0, "occlusion.forward": 1.0,
    }  # fmt: skip


def test_only_requested_layers_are_written():
    assert set(compose(FRAME, 1.0, (), lambda light: light)) == {"RGB"}


def test_soft_trust_requires_layers_that_are_not_written():
    shot = Shot("p.#.exr", output=Output(layers=("mask",)))
    assert needed_layers(shot) > {"mask"}
    plain = Shot("p.#.exr", engine=Engine(reference_trust="off"), output=Output(layers=("mask",)))
    assert needed_layers(plain) == {"mask"}
