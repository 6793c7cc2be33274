"""``detect`` and ``simulate``: commands of the command line as functions on paths."""

from __future__ import annotations

import os
from collections.abc import Callable

from f2hdr_backend.detection.detect import Detection
from f2hdr_backend.engine.settle import detect_light
from f2hdr_backend.image.read import open_plate
from f2hdr_backend.shot.document import Color
from f2hdr_backend.shot.frames import FrameRange
from f2hdr_backend.shot.naming import plate_named, source_named
from f2hdr_backend.simulation.simulate import simulation

Progress = Callable[[int, int], None]
"""Called with the number of finished frames and of all frames."""


def detect(
    plate: str | os.PathLike[str], *, input_space: str = "auto", config: str = "", progress: Progress | None = None
) -> Detection:
    """Measure the exposure pattern of a plate from its metadata and pixels.

    Args:
        plate: numbered frames such as ``plate.####.tif``, a folder with them, one of them, a glob, or a movie.
        input_space: color space of the plate, as in a render.
        config: OCIO config, as in a render.
        progress: called after each frame.

    Returns:
        The detection: ``pattern`` (None if the exposures could not be determined), ``confidence`` from 0 to 1,
        ``cuts``, ``dropped`` and ``notes``.

    Raises:
        ShotError: the path matches several plates.
        ImageError, ColorError: the plate or its color cannot be read.
    """
    named = plate_named([os.fspath(plate)])
    opened = open_plate(named.plate)
    try:
        return detect_light(Color(input_space=input_space, config=config), opened, named.frames, progress=progress)
    finally:
        opened.close()


def simulate(
    source: str | os.PathLike[str],
    folder: str | os.PathLike[str],
    *,
    exposures: tuple[float, ...] = (0.0, 3.0),
    first_exposure: str = "short",
    noise: str = "medium",
    bits: int = 10,
    seed: int = 0,
    frames: FrameRange | None = None,
    size: tuple[int, int] | None = None,
    progress: Progress | None = None,
) -> str:
    """Simulate a plate with alternating exposures and sensor noise, and write it with its ground truth.

    Args:
        source: scene-linear EXR frames (a pattern, a folder or a glob), a movie, or one image or panorama.
        folder: output folder for ``plate.####.tif``, ``truth/`` and ``shot.json``.
        exposures: stops of each frame of the repeating cycle.
        first_exposure: exposure of the first frame, ``short`` or ``long``.
        noise: ``none``, ``low``, ``medium`` or ``high``.
        bits: bits of the camera's code values, 8, 10, 12 or 16.
        seed: seed of the noise, and of the camera motion over a single image.
        frames: all by default; 1-40 for a single image.
        size: width and height in pixels; the source's own by default.
        progress: called after each frame.

    Returns:
        Path of the Shot document.

    Raises:
        ShotError, ImageError: the source cannot be read, a setting is invalid, or the folder contains frames of another
            plate.
    """
    named = source_named([os.fspath(source)])
    with simulation(
        named.plate,
        os.fspath(folder),
        exposures=exposures,
        first_exposure=first_exposure,
        noise=noise,
        bits=bits,
        seed=seed,
        frames=frames or named.frames,
        size=size,
    ) as (total, written):
        for done, _ in enumerate(written, start=1):
            if progress is not None:
                progress(done, total)
    return os.path.join(os.fspath(folder), "shot.json")
