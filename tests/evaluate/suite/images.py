"""Folders that suites can be opened on."""

import cv2
import numpy as np

from f2hdr_backend.image.write import write_exr
from tests.train.worlds import world


def image_folder(folder):
    """A made-up panorama under the name of one that no training uses."""
    folder.mkdir(exist_ok=True)
    write_exr(str(folder / "quarry_02_1k.exr"), {"RGB": world().radiance}, {}, pixel_type="float", compression="zip")
    return folder


def movie_folder(folder, names=("one", "two"), frames=12, speed_px=2):
    """Movies of a texture that moves to the left, 96 x 54 pixels."""
    folder.mkdir(exist_ok=True)
    random = np.random.default_rng(3)
    wide = cv2.resize(random.integers(60, 256, (7, 40, 3)).astype(np.uint8), (320, 54), interpolation=cv2.INTER_CUBIC)
    for name in names:
        writer = cv2.VideoWriter(str(folder / f"{name}.avi"), cv2.VideoWriter.fourcc(*"MJPG"), 25, (96, 54))
        for number in range(frames):
            writer.write(np.ascontiguousarray(wide[:, number * speed_px : number * speed_px + 96]))
        writer.release()
    return folder
