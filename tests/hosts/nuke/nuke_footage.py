"""A shot of alternating exposures as real EXR files, and the radiance that it was made from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import OpenEXR
from numpy.typing import NDArray

WIDTH, HEIGHT = 64, 48
FIRST, LAST = 1001, 1006
RATIO = 3.0
"""Stops between the exposures; even frames are short."""


def scene(frame: int) -> NDArray[np.float32]:
    """Radiance ``(H, W, 3)``, 1.0 = clip of the long exposure: detail everywhere, highlights to 7, a moving square."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    waves = 0.3 + 0.2 * np.sin(x / 3) * np.cos(y / 4) + 0.08 * np.sin(x * 1.7 + y * 2.3)
    light = 6.0 * np.exp(-((x - 45) ** 2 + (y - 12) ** 2) / 60)
    picture = np.stack([waves + light, 0.8 * waves + 0.9 * light, 0.5 * waves + 0.7 * light], axis=-1)
    left = 8 + 2 * (frame - FIRST)
    picture[30:40, left : left + 8] = (0.9, 0.2, 0.1)
    return picture.astype(np.float32)


def exposed(frame: int) -> NDArray[np.float32]:
    """Pixels recorded by the camera: linear, clipped at 1; even frames are ``RATIO`` stops darker."""
    gain = 2.0**-RATIO if frame % 2 == 0 else 1.0
    return np.clip(scene(frame) * gain, 0, 1).astype(np.float32)


def write_plate(folder: Path, name: str = "plate", overscan: int = 0) -> str:
    """Write the shot with alpha, depth and timecode; returns its pattern as Nuke writes it."""
    folder.mkdir(parents=True, exist_ok=True)
    for frame in range(FIRST, LAST + 1):
        write_exr(folder / f"{name}.{frame}.exr", exposed(frame), frame, overscan)
    return f"{folder}/{name}.%04d.exr"


def write_exr(path: Path, pixels: NDArray[np.float32], frame: int, overscan: int = 0) -> None:
    """One frame with ``overscan`` pixels on every side outside the display window."""
    pad = ((overscan, overscan), (overscan, overscan), (0, 0))
    whole = np.pad(pixels, pad, constant_values=0.25)
    height, width, _ = whole.shape
    alpha = np.linspace(0.5, 1, width, dtype=np.float32) * np.ones((height, 1), np.float32)
    header: dict[str, Any] = {
        "compression": OpenEXR.ZIP_COMPRESSION,
        "type": OpenEXR.scanlineimage,
        "displayWindow": (np.array([0, 0], np.int32), np.array([WIDTH - 1, HEIGHT - 1], np.int32)),
        "dataWindow": (
            np.array([-overscan, -overscan], np.int32),
            np.array([WIDTH + overscan - 1, HEIGHT + overscan - 1], np.int32),
        ),
        "pixelAspectRatio": 2.0,
        "timeCode": OpenEXR.TimeCode(1, 0, 0, frame - FIRST, 0, *[0] * 13),
        "expTime": 0.01 if frame % 2 else 0.01 * 2**-RATIO,
    }
    planes = {
        "R": whole[..., 0], "G": whole[..., 1], "B": whole[..., 2], "A": alpha, "depth.Z": whole[..., 0] * 10,
    }  # fmt: skip
    OpenEXR.File(header, {name: np.ascontiguousarray(plane) for name, plane in planes.items()}).write(str(path))
