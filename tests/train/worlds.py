"""A made-up world to synthesize from, and a way to follow a flow that shares no code with the network's."""

import cv2
import numpy as np

from f2hdr_backend.image.write import write_exr
from f2hdr_backend.train.sources import Source


def world(seed=1, height=256):
    """A smooth random panorama with a few bright spots."""
    random = np.random.default_rng(seed)
    coarse = random.uniform(0.05, 1.0, (height // 8, height // 4, 3)).astype(np.float32)
    radiance = cv2.resize(coarse, (2 * height, height), interpolation=cv2.INTER_CUBIC).clip(0.01)
    radiance[random.integers(0, height, 40), random.integers(0, 2 * height, 40)] *= 50
    return Source("world", radiance)


def world_folder(parent):
    """A folder of images to train on: one, ``meadow.exr``."""
    folder = parent / "images"
    folder.mkdir()
    write_exr(folder / "meadow.exr", {"RGB": world().radiance}, {})
    return folder


def smooth_world():
    """The same without anything sharp: it can be resampled without loss."""
    wrapped = np.pad(world().radiance.clip(0, 1), ((0, 0), (32, 32), (0, 0)), mode="wrap")
    return Source("smooth", cv2.GaussianBlur(wrapped, (0, 0), 4)[:, 32:-32])


def follow(picture, flow):
    """The neighbor at p + flow(p)."""
    x, y = np.meshgrid(np.arange(flow.shape[1]), np.arange(flow.shape[0]))
    return cv2.remap(
        picture, (x + flow[..., 0]).astype(np.float32), (y + flow[..., 1]).astype(np.float32), cv2.INTER_LINEAR
    )
