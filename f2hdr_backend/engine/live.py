"""Reconstruct one window from pixels in memory, for hosts that need one frame at a time."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import torch

from f2hdr_backend.color.plate import open_color
from f2hdr_backend.engine.method.apply_trust import use_reference
from f2hdr_backend.engine.method.attempts import fitted
from f2hdr_backend.engine.method.features import NetworkFrame
from f2hdr_backend.engine.renderer import Renderer
from f2hdr_backend.engine.window import settled_exposures
from f2hdr_backend.image.arrays import FloatArray
from f2hdr_backend.image.frame import Encoding, PlateImage, require_frames
from f2hdr_backend.machine.device import pick_device
from f2hdr_backend.shot.document import Shot
from f2hdr_backend.shot.errors import ExposureError, ImageError
from f2hdr_backend.shot.exposure import SMALLEST_STEP_EV
from f2hdr_backend.shot.frames import FrameRange
from f2hdr_backend.trust.blend import layers_followed

_log = logging.getLogger("f2hdr")


@dataclass(frozen=True)
class HeldWindow:
    """The three frames of a window, in memory."""

    frames: tuple[int, int, int]
    """Frame numbers of previous, reference and next; they determine the exposures."""
    pixels: tuple[FloatArray, FloatArray, FloatArray]
    """``(H, W, 3)`` each, in the input space of the Shot."""


def reconstruct_window(renderer: Renderer, shot: Shot, window: HeldWindow) -> FloatArray:
    """Reconstruct the reference frame with the same result as ``Renderer.render`` from float files of these pixels.

    If memory runs out, this window and all later ones are computed with a plan that needs less. Warnings are logged.

    Args:
        renderer: created with the Shot's engine settings.
        shot: a Shot with exposures. Color settings that it leaves open are not measured: the input space is then
            linear, and the clip level 1.0.
        window: the pixels; NaN is replaced by 0.

    Returns:
        ``(H, W, 3)`` radiance in the output space, 1.0 at the clip level of the anchor exposure.

    Raises:
        ImageError: the frames differ in size.
        ExposureError: the Shot has no exposures, or the neighbors have the exposure of the reference.
        ColorError, DeviceError: as in ``Renderer.render``.
    """
    pattern = settled_exposures(shot)
    gain = pattern.anchor_gain(shot.output.anchor)
    _check(window, [pattern.ev(frame) for frame in window.frames])
    space = "linear" if shot.color.input_space == "auto" else shot.color.input_space
    opened = open_color(
        replace(shot.color, input_space=space, clip_level=shot.color.clip_level or (1.0,)), _HeldPlate(window)
    )
    plate = opened.in_light(_HeldPlate(window))
    codes = np.stack([opened.response.to_network(plate.read(place).pixels) for place in range(3)])
    previous, reference, following = (pattern.gain(frame) for frame in window.frames)
    exposures = previous, reference, following
    before, middle, behind = (NetworkFrame(place, codes[place], exposures[place]) for place in range(3))
    layers = layers_followed(shot.engine.reference_trust)
    attempts = renderer.methods[0].fit((before, middle, behind), layers)
    frame = fitted(attempts, lambda warned: _log.warning(warned.message))
    frame = use_reference(frame, list(codes), exposures, shot.engine.reference_trust)
    return opened.finish(frame.radiance * np.float32(gain))


def device_names() -> list[str]:
    """Return the devices that can work in parallel: every CUDA device and the CPU, or the only device there is."""
    cards = [f"cuda:{index}" for index in range(torch.cuda.device_count())]
    return [*cards, "cpu"] if cards else [str(pick_device("auto"))]


def _check(window: HeldWindow, evs: list[float]) -> None:
    if len({picture.shape for picture in window.pixels}) != 1:
        sizes = ", ".join(f"{picture.shape[1]} x {picture.shape[0]}" for picture in window.pixels)
        raise ImageError(f"The frames of the window differ in size: {sizes}.", hint="Give frames of the same size.")
    if any(abs(evs[1] - evs[side]) < SMALLEST_STEP_EV for side in (0, 2)):
        raise ExposureError(
            f"Frames {', '.join(map(str, window.frames))} do not alternate in exposure.",
            hint="Give neighbors of the other exposure; at the ends of a shot, give the only neighbor twice.",
            frames=window.frames,
        )


class _HeldPlate:
    """A window as a plate with the frames 0, 1 and 2; see the protocol ``Plate``."""

    name = "window in memory"
    frames = FrameRange((0, 1, 2))
    missing = ()
    default_encoding: Encoding = "linear"

    def __init__(self, window: HeldWindow) -> None:
        self._window = window
        height, width = window.pixels[1].shape[:2]
        self.size = (width, height)

    def require(self, frames: Iterable[int]) -> None:
        """Raise MissingFrames for frames other than 0, 1 and 2."""
        require_frames(self.name, self.frames, frames)

    def read(self, number: int) -> PlateImage:
        """Return one of the frames; NaN is replaced by 0, infinity by the frame's largest value."""
        pixels = self._window.pixels[number]
        if not np.isfinite(pixels).all():
            largest = pixels.max(initial=0.0, where=np.isfinite(pixels))
            pixels = np.nan_to_num(pixels, nan=0.0, posinf=largest, neginf=0.0)
        return PlateImage(self._window.frames[number], self.name, pixels, "float")

    def identity(self, number: int) -> str:
        """Return the frame's index; the pixels do not change."""
        return str(number)

    def exposure_metadata(self) -> dict[int, float] | None:
        """Return None: pixels in memory have no header."""
        return None

    def close(self) -> None:
        """Do nothing."""
