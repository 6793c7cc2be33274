"""Synthetic shots: radiance, true flow and occlusion of a few frames around a reference frame, from one seed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from f2hdr_backend.image.panorama import look
from f2hdr_backend.image.sensor import SensorModel, capture
from f2hdr_backend.train.layers import CameraPath, CutOut, Layer
from f2hdr_backend.train.sources import Source

FloatArray = NDArray[np.float32]
Random = np.random.Generator

RATIOS_EV = (2.0, 2.0, 3.0, 3.0, 3.0, 4.0)
"""Stops between the exposures, drawn evenly from this."""
PIECE_PX = 160


@dataclass(frozen=True)
class SyntheticWindow:
    """Three frames of a synthetic shot, the middle one the reference. Radiance 1 is the clip of the short exposure."""

    radiance: FloatArray
    """``(3, h, w, 3)`` scene-linear, not clipped."""
    ldr: FloatArray
    """``(3, h, w, 3)`` gamma-2.2 codes 0-1 as the camera recorded them."""
    exposures: FloatArray
    """``(3,)`` relative exposures; the shortest is 1."""
    flows: FloatArray
    """``(2, h, w, 2)`` true flow in pixels (x, y), reference to previous and to next."""
    visible: NDArray[np.bool_]
    """``(2, h, w)`` whether the reference's pixel can be seen in that neighbor."""
    moving: NDArray[np.bool_]
    """``(h, w)`` whether the reference shows something that moves by itself, in front of the background."""


def synthesize(sources: Sequence[Source], size: tuple[int, int], random: Random) -> SyntheticWindow:
    """Draw a window of ``size`` (width, height) pixels; the same generator state gives the same one."""
    layers = random_layers(sources, size, random)
    times = (-1.0, 0.0, 1.0)
    level = max(float(np.median(layers[0].picture(0.0)[0])), 1e-6)
    stacks = [_composite(layers, level, time) for time in times]
    gain = 2.0 ** float(random.choice(RATIOS_EV))
    radiance = _exposed(np.stack([picture for picture, _ in stacks]), gain, random)
    long_reference = bool(random.integers(2))
    exposures = np.array([1, gain, 1] if long_reference else [gain, 1, gain], np.float32)
    sensor = random_sensor(random)
    ldr = np.stack([capture(radiance[i], float(exposures[i]), sensor, random) for i in range(3)])
    tops = [top for _, top in stacks]
    pairs = [_true_flow(layers, tops, neighbor) for neighbor in (0, 2)]
    return SyntheticWindow(
        radiance,
        ldr,
        exposures,
        flows=np.stack([flow for flow, _ in pairs]),
        visible=np.stack([seen for _, seen in pairs]),
        moving=tops[1] > 0,
    )


def random_layers(sources: Sequence[Source], size: tuple[int, int], random: Random) -> list[Layer]:
    """A camera path through a panorama and, mostly, up to three cut-outs moving in front of it."""
    panoramas = [source for source in sources if source.panorama]
    layers: list[Layer] = [_random_camera(panoramas[int(random.integers(len(panoramas)))], size, random)]
    for _ in range(int(random.choice((0, 1, 1, 2, 2, 3)))):
        layers.append(_random_cut_out(sources[int(random.integers(len(sources)))], size, random))
    return layers


def random_sensor(random: Random) -> SensorModel:
    """A camera between a clean and a noisy one, of 8, 10 or 12 bits."""
    return SensorModel(
        full_well_electrons=float(np.exp(random.uniform(math.log(2000), math.log(40000)))),
        read_noise_electrons=float(random.uniform(0.5, 6)),
        bits=int(random.choice((8, 8, 10, 12))),
    )


def _random_camera(source: Source, size: tuple[int, int], random: Random) -> CameraPath:
    hfov = math.radians(random.uniform(40, 100))
    pixel = hfov / size[0]
    speed = pixel * _random_speed(random, 20)
    heading = random.uniform(0, 2 * math.pi)
    still = random.random() < 0.15
    turn = (speed * math.cos(heading), speed * math.sin(heading), random.normal(0, 0.01))
    return CameraPath(
        source,
        size,
        angles=(random.uniform(-math.pi, math.pi), random.normal(0, 0.35), random.normal(0, 0.1)),
        turn=(0.0, 0.0, 0.0) if still else turn,
        hfov=hfov,
        zoom=0.0 if still else float(random.normal(0, 0.01)),
    )


def _random_cut_out(source: Source, size: tuple[int, int], random: Random) -> CutOut:
    speed, heading = _random_speed(random, 40), random.uniform(0, 2 * math.pi)
    piece = _piece(source, random) * np.float32(2 ** random.uniform(-2.5, 2))
    return CutOut(
        piece,
        silhouette(piece.shape[0], random),
        size,
        center=(random.uniform(0, size[0]), random.uniform(0, size[1])),
        velocity=(speed * math.cos(heading), speed * math.sin(heading)),
        spin=float(random.normal(0, 0.05)),
        growth=float(random.normal(0, 0.02)),
        scale=float(random.uniform(0.25, 1.0)) * size[0] / PIECE_PX,
    )


def _random_speed(random: Random, fastest: float) -> float:
    """Pixels a frame, half of them below an eighth of the fastest."""
    return float(fastest * random.uniform(0, 1) ** 3)


def _piece(source: Source, random: Random) -> FloatArray:
    """A square crop of a picture, or a view into a panorama, its median brought to 1."""
    if source.panorama:
        view = look(
            source.radiance, random.uniform(-3, 3), random.normal(0, 0.4), 0.0, math.radians(70), (PIECE_PX, PIECE_PX)
        )
    else:
        height, width = source.radiance.shape[:2]
        top, left = random.integers(height - PIECE_PX + 1), random.integers(width - PIECE_PX + 1)
        view = source.radiance[top : top + PIECE_PX, left : left + PIECE_PX]
    return np.ascontiguousarray(view / max(float(np.median(view)), 1e-4), np.float32)


def silhouette(side: int, random: Random) -> FloatArray:
    """``(side, side)`` coverage of a soft-edged random shape that keeps clear of the border."""
    angle = np.linspace(0, 2 * math.pi, 64, endpoint=False)
    radius = np.full(64, 0.3)
    for harmonic in range(1, int(random.integers(2, 8))):
        radius += 0.12 / harmonic * random.normal() * np.cos(harmonic * angle + random.uniform(0, 2 * math.pi))
    radius = np.clip(radius, 0.08, 0.45) * side
    stretch = random.uniform(0.4, 1)
    points = np.stack((radius * np.cos(angle), stretch * radius * np.sin(angle)), -1) + side / 2
    shape = np.zeros((side, side), np.float32)
    cv2.fillPoly(shape, [np.round(points * 8).astype(np.int32)], 1.0, cv2.LINE_AA, 3)
    return np.asarray(cv2.GaussianBlur(shape, (0, 0), float(random.uniform(0.5, 1.5))), np.float32)


def _composite(layers: Sequence[Layer], level: float, time: float) -> tuple[FloatArray, NDArray[np.int64]]:
    """Radiance ``(h, w, 3)`` at a time, back to front, and the index ``(h, w)`` of the layer on top.

    The background is divided by ``level``, its median at the reference frame: cut-outs have median 1.
    """
    radiance, coverage = layers[0].picture(time)
    radiance = radiance / np.float32(level)
    top = np.zeros(coverage.shape, np.int64)
    for index, layer in enumerate(layers[1:], 1):
        picture, coverage = layer.picture(time)
        radiance = radiance + coverage[..., None] * (picture - radiance)
        top[coverage > 0.5] = index
    return radiance, top


def _exposed(radiance: FloatArray, gain: float, random: Random) -> FloatArray:
    """Radiance scaled so that the long exposure's median lies where cameras put it, in units of the short clip."""
    middle = math.exp(random.uniform(math.log(0.02), math.log(0.9)))
    return np.asarray(radiance * np.float32(middle / gain / max(float(np.median(radiance)), 1e-6)), np.float32)


def _true_flow(
    layers: Sequence[Layer], tops: Sequence[NDArray[np.int64]], neighbor: int
) -> tuple[FloatArray, NDArray[np.bool_]]:
    """True flow of the topmost layers, reference to neighbor, and where its end is the same layer and inside."""
    top, other = tops[1], tops[neighbor]
    flow = np.zeros((*top.shape, 2), np.float32)
    for index, layer in enumerate(layers):
        flow[top == index] = layer.motion(0.0, neighbor - 1.0)[top == index]
    height, width = top.shape
    x = np.rint(np.arange(width) + flow[..., 0]).astype(np.int64)
    y = np.rint(np.arange(height)[:, None] + flow[..., 1]).astype(np.int64)
    inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    return flow, inside & (other[y.clip(0, height - 1), x.clip(0, width - 1)] == top)
