"""Simulates a plate of alternating exposures and its ground truth from scene radiance, for tests and training."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np

from f2hdr_backend.image.metadata import ANCHOR_GAIN
from f2hdr_backend.image.write import write_exr, write_image
from f2hdr_backend.shot.atomic import write_file
from f2hdr_backend.shot.document import Output, Shot
from f2hdr_backend.shot.errors import ShotError
from f2hdr_backend.shot.exposure import ExposurePattern
from f2hdr_backend.shot.frames import FrameRange, Sequence
from f2hdr_backend.simulation.sensor import SensorModel, capture
from f2hdr_backend.simulation.source import RadianceSource, SourceOptions, open_source

PLATE, TRUTH, RESULT = "plate.####.tif", "truth/truth.####.exr", "hdr/hdr.####.exr"
CLIPPED_PERCENT = 0.1
"""Percentage of pixels that clip in the short exposure, if the long exposure stays usable."""
DARKEST_MEDIAN, BRIGHTEST_MEDIAN = 0.025, 0.7
"""Range of the scene's median in the long exposure, relative to its clip level."""
_SAMPLED_FRAMES = 16
_SAMPLED_ROWS = 4


@dataclass(frozen=True)
class Camera:
    """The exposure of each frame, the sensor, and the seed of its noise."""

    exposures: ExposurePattern
    sensor: SensorModel
    seed: int = 0


def simulate(source: RadianceSource, camera: Camera, folder: str) -> Iterator[int]:
    """Write plate, truth and shot.json to ``folder``; yield each frame's number when its files are written.

    The plate is 16-bit TIFF with codes of ``camera.sensor.bits`` bits, to the power 1/2.2. The truth is float EXR,
    scene-linear, 1.0 = clip of the long exposure as in the result of a render, which its header states, and clipped
    where the short exposure clips, because no method can recover more. Each frame's noise depends only on seed and
    number. Raises ShotError if the folder has frames of another plate, UnwritableFrame, and the errors of the source.
    """
    folder = os.path.abspath(folder)
    plate, truth = (Sequence.parse(os.path.join(folder, name)) for name in (PLATE, TRUTH))
    _refuse_other_frames(plate, source.frames)
    clip = short_clip(source, camera.exposures.ratio_stops)
    highest_gain = np.float32(2.0**camera.exposures.ratio_stops)
    scale = {ANCHOR_GAIN: float(highest_gain)}
    for frame in source.frames:
        radiance = source.radiance(frame) / np.float32(clip)
        rng = np.random.default_rng((camera.seed, frame % 2**32))
        codes = capture(radiance, camera.exposures.gain(frame), camera.sensor, rng)
        write_image(plate.path(frame), codes, 16)
        pixels = np.minimum(radiance, 1) * highest_gain
        write_exr(truth.path(frame), {"RGB": pixels}, scale, pixel_type="float", compression="zip")
        yield frame
    _write_shot(folder, camera.exposures, source.frames)


@contextmanager
def simulation(
    source: str,
    folder: str,
    *,
    exposures: tuple[float, ...],
    first_exposure: str,
    noise: str,
    bits: int,
    seed: int,
    frames: FrameRange | None,
    size: tuple[int, int] | None,
) -> Iterator[tuple[int, Iterator[int]]]:
    """Open a source; yield the number of frames and an iterator that writes them (see :func:`simulate`).

    Args:
        source: scene-linear EXR frames, a movie, or one image or panorama.
        folder: output folder for plate, truth and Shot document.
        exposures: stops of each frame of the repeating cycle; highlights of integer sources are expanded by their
            difference.
        first_exposure: exposure of the first frame, ``short`` or ``long``.
        noise, bits: of the sensor, see :func:`sensor_of`.
        seed: seed of the noise, and of the camera motion over a single image.
        frames, size: None for those of the source.

    Raises:
        ShotError, ImageError: an invalid setting, or a source that cannot be read.
    """
    sensor = sensor_of(noise, bits)
    asked = SourceOptions(frames=frames, size=size, seed=seed, highlight_stops=max(exposures) - min(exposures))
    with open_source(source, asked) as radiance:
        pattern = ExposurePattern.beginning(exposures, radiance.frames.first, first_exposure)
        yield len(radiance.frames), simulate(radiance, Camera(pattern, sensor, seed), folder)


def short_clip(source: RadianceSource, ratio_stops: float) -> float:
    """Return the radiance at which the short exposure clips, one value for the whole shot.

    0.1 % of the pixels clip, as when exposing for highlights, but the scene's median stays between 2.5 % and 70 % of
    the long exposure's clip level, as when exposing for the subject. Raises ShotError for a black source.
    """
    frames = source.frames.frames
    every = -(-len(frames) // _SAMPLED_FRAMES)
    sampled = (source.radiance(frame)[::_SAMPLED_ROWS] for frame in frames[::every])
    luminance = np.concatenate([light.mean(axis=2).ravel() for light in sampled])
    protecting = float(np.percentile(luminance, 100 - CLIPPED_PERCENT))
    if not protecting > 0:
        raise ShotError("The source is black, so no exposure can be chosen.")
    subject = float(np.median(luminance)) * 2.0**ratio_stops
    if subject == 0:
        return protecting
    return float(np.clip(protecting, subject / BRIGHTEST_MEDIAN, subject / DARKEST_MEDIAN))


def sensor_of(noise: str, bits: int) -> SensorModel:
    """Return the sensor of a noise level with the given number of bits. Raises ShotError for invalid values."""
    return replace(SensorModel.named(noise), bits=bits)


def _refuse_other_frames(plate: Sequence, frames: FrameRange) -> None:
    others = FrameRange(tuple(set(plate.on_disk()).difference(frames)))
    if others:
        raise ShotError(
            f'"{plate}" already has other frames: {others}.', hint="Choose an empty folder.", frames=others.frames
        )


def _write_shot(folder: str, exposures: ExposurePattern, frames: FrameRange) -> None:
    plate, result = os.path.join(folder, PLATE), os.path.join(folder, RESULT)
    shot = Shot(plate=plate, exposures=exposures, frames=frames, output=Output(pattern=result))
    write_file(os.path.join(folder, "shot.json"), json.dumps(shot.to_json(), indent=2) + "\n")
