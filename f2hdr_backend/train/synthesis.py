"""Synthetic shots: radiance, true flow and occlusion of a few frames around a reference frame, from one seed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from f2hdr_backend.image.arrays import FloatArray, luma_of
from f2hdr_backend.train.camera import random_camera
from f2hdr_backend.train.sampling_ranges import CameraStyle, SceneStyle, Style
from f2hdr_backend.train.scene import random_layers
from f2hdr_backend.train.scene_layers import Layer
from f2hdr_backend.train.shutter import expose, moments
from f2hdr_backend.train.sources import Source

Random = np.random.Generator

TIMES = (-1.0, 0.0, 1.0)
"""Of the three frames; the middle one is the reference."""
OPEN_FRAMES = (0.1, 0.9)
"""Shutter time of the long exposure in windows with motion blur, as a fraction of the frame interval."""
MISREPORTED, FLICKERING = 1 / 5, 1 / 10
"""Shares of windows whose exposures are misreported, and whose light flickers."""


@dataclass(frozen=True)
class SyntheticWindow:
    """Three frames of a synthetic shot, the middle one the reference. Radiance 1 is the clip of the short exposure."""

    radiance: FloatArray
    """``(3, h, w, 3)`` scene-linear, averaged over each frame's shutter time, not clipped."""
    ldr: FloatArray
    """``(3, h, w, 3)`` gamma-2.2 codes 0-1 as the camera recorded them."""
    exposures: FloatArray
    """``(3,)`` relative exposures as reported to the network; the shortest is 1."""
    flows: FloatArray
    """``(2, h, w, 2)`` true flow in pixels (x, y), reference to previous and to next, at the middle of the shutter."""
    visible: NDArray[np.bool_]
    """``(2, h, w)`` whether the reference's pixel can be seen in that neighbor."""
    moving: NDArray[np.bool_]
    """``(h, w)`` whether the reference shows something that moves by itself, in front of the background."""


def synthesize(
    sources: Sequence[Source], size: tuple[int, int], random: Random, style: Style | None = None
) -> SyntheticWindow:
    """Draw a window of ``size`` (width, height) pixels; the same generator state gives the same window."""
    style = style or Style()
    layers = random_layers(sources, size, style.scene, random)
    motions = [[layer.motion(0.0, time) for layer in layers] for time in (-1.0, 1.0)]
    gain = 2.0 ** float(random.choice(style.scene.ratios_ev))
    long_reference = bool(random.integers(2)) if style.long_reference is None else style.long_reference
    exposures = np.array([1, gain, 1] if long_reference else [gain, 1, gain], np.float32)
    openings = _openings(exposures, style.scene, random)
    radiance = _exposed(vivid(_frames(layers, openings, _fastest(motions)), style.scene, random), gain, random)
    camera = random_camera(style.camera, random)
    actual = exposures * exposure_errors(style.camera, random)
    ldr = np.stack([camera.record(radiance[i], float(actual[i]), random) for i in range(3)])
    tops = [_top(layers, time) for time in TIMES]
    pairs = [_true_flow(motions[side], tops[1], tops[neighbor]) for side, neighbor in enumerate((0, 2))]
    return SyntheticWindow(
        radiance,
        ldr,
        exposures,
        flows=np.stack([flow for flow, _ in pairs]),
        visible=np.stack([seen for _, seen in pairs]),
        moving=tops[1] > 0,
    )


def vivid(radiance: FloatArray, style: SceneStyle, random: Random) -> FloatArray:
    """``(..., 3)`` radiance with more saturated colors in the share :attr:`SceneStyle.vivid` of windows."""
    if not style.vivid or random.random() >= style.vivid:
        return radiance
    luma = luma_of(radiance)[..., None]
    return np.asarray((luma + np.float32(random.uniform(*style.saturation)) * (radiance - luma)).clip(0), np.float32)


def _openings(exposures: FloatArray, style: SceneStyle, random: Random) -> FloatArray:
    """``(3,)`` how long each frame's shutter is open, in frames; in proportion to the exposures."""
    longest = random.uniform(*OPEN_FRAMES) if random.random() < style.blurred else 0.0
    return np.asarray(longest * exposures / exposures.max(), np.float32)


def _fastest(motions: Sequence[Sequence[FloatArray]]) -> float:
    """Pixels a frame of the layer that moves fastest."""
    return max(float(np.hypot(motion[..., 0], motion[..., 1]).mean()) for side in motions for motion in side)


def _frames(layers: Sequence[Layer], openings: FloatArray, speed_px: float) -> FloatArray:
    """``(3, h, w, 3)`` radiance of the frames, blurred by what moves while their shutters are open."""
    exposed = [
        expose(lambda moment: _composite(layers, moment), moments(time, float(opening), speed_px))
        for time, opening in zip(TIMES, openings, strict=True)
    ]
    return np.stack(exposed)


def _composite(layers: Sequence[Layer], time: float) -> FloatArray:
    """Radiance ``(h, w, 3)`` at a time, back to front."""
    radiance, _ = layers[0].picture(time)
    for layer in layers[1:]:
        picture, coverage = layer.picture(time)
        radiance = radiance + coverage[..., None] * (picture - radiance)
    return radiance


def _top(layers: Sequence[Layer], time: float) -> NDArray[np.int64]:
    """``(h, w)`` index of the layer on top at a time."""
    top = np.zeros(layers[0].picture(time)[1].shape, np.int64)
    for index, layer in enumerate(layers[1:], 1):
        top[layer.picture(time)[1] > 0.5] = index
    return top


def _exposed(radiance: FloatArray, gain: float, random: Random) -> FloatArray:
    """Radiance in units of the short clip, scaled so that the long exposure's median is at a usual level."""
    middle = math.exp(random.uniform(math.log(0.02), math.log(0.9)))
    return np.asarray(radiance * np.float32(middle / gain / max(float(np.median(radiance)), 1e-6)), np.float32)


def exposure_errors(style: CameraStyle, random: Random) -> FloatArray:
    """``(3,)`` the factor between each frame's real and reported exposure; 1 for the reference, which has the truth."""
    errors = np.ones(3, np.float32)
    if random.random() < MISREPORTED:
        errors[::2] *= np.float32(math.exp(random.normal(0, style.ratio_error)))
    if random.random() < FLICKERING:
        errors[::2] *= np.exp(random.normal(0, style.flicker, 2)).astype(np.float32)
    return errors


def _true_flow(
    motions: Sequence[FloatArray], top: NDArray[np.int64], other: NDArray[np.int64]
) -> tuple[FloatArray, NDArray[np.bool_]]:
    """True flow of the topmost layers, reference to neighbor, and where its end is the same layer and inside."""
    flow = np.zeros((*top.shape, 2), np.float32)
    for index, motion in enumerate(motions):
        flow[top == index] = motion[top == index]
    height, width = top.shape
    x = np.rint(np.arange(width) + flow[..., 0]).astype(np.int64)
    y = np.rint(np.arange(height)[:, None] + flow[..., 1]).astype(np.int64)
    inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    return flow, inside & (other[y.clip(0, height - 1), x.clip(0, width - 1)] == top)
