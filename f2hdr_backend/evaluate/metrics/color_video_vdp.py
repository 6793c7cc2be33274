"""ColorVideoVDP (Mantiuk et al. 2024) of a whole scene, by its authors' package: needs the extra ``f2hdr[cvvdp]``.

It includes color, contrast and time, and thus detects flicker, unlike metrics of single frames. The unit is JOD: 10 is
identical, and 1 less means that three of four viewers prefer the reference.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import chain
from types import ModuleType
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from f2hdr_backend.evaluate.metrics.score import Parameters, Score
from f2hdr_backend.evaluate.metrics.screen import Display
from f2hdr_backend.shot.errors import DocumentError

AnyFloatArray = NDArray[np.floating[Any]]

DISPLAY = "standard_hdr_linear"
"""The package's name of the display model: BT.709 primaries, linear values in cd/m2."""
WHITE_NITS = 1000.0
"""Display luminance of radiance 1, in cd/m2."""
FRAMES_PER_SECOND = 30.0
"""An assumption: benchmarks do not state their frame rate."""
OPERATORS = ("nms", "qnms")
"""Operators to declare before torchvision is imported, if its compiled part does not match torch's version."""


def parameters() -> Parameters:
    """Return all parameters of the score besides the frames and their size.

    Raises:
        DocumentError: the extra is not installed.
    """
    light = _program().vvdp_display_photometry.load(DISPLAY, [])
    screen = Display()
    return (
        ("display", DISPLAY),
        ("peak_cd/m2", float(light.Y_peak)),
        ("contrast", float(light.contrast)),
        ("ambient_lux", float(light.E_ambient)),
        ("reflectivity", float(light.k_refl)),
        ("radiance_1_cd/m2", WHITE_NITS),
        ("screen", f"{screen.diagonal_in:g} in at {screen.distance_m:g} m"),
        ("frames_per_second", FRAMES_PER_SECOND),
        ("before_the_first_frame", "replicate"),
        ("version", _opened((2, 2), torch.device("cpu")).version),
    )


def color_video_vdp(frames: Iterator[tuple[AnyFloatArray, AnyFloatArray]], count: int, device: torch.device) -> Score:
    """Return the quality of a scene, which is read once, one frame at a time.

    Args:
        frames: prediction and truth, ``(H, W, 3)`` linear radiance each, of which 1 is shown at 1000 cd/m2; at least
            one frame, all of one size.
        count: number of frames.
        device: torch device that computes it.

    Raises:
        DocumentError: the extra is not installed.
    """
    first = next(frames)
    height, width = first[1].shape[:2]
    metric = _opened((width, height), device)
    scene = _Scene(chain([first], frames), (height, width, count), metric.display_photometry)
    with torch.no_grad():
        quality, _ = metric.predict_video_source(scene)
    facts = (("pixels_per_degree", float(metric.pix_per_deg)), ("size", f"{width}x{height}"), ("frames", count))
    return Score("ColorVideoVDP", float(quality), "JOD", parameters(), facts)


class _Scene:
    """The frames in the order in which the package reads them: ascending, the test before the reference."""

    def __init__(
        self, frames: Iterator[tuple[AnyFloatArray, AnyFloatArray]], extent: tuple[int, int, int], light: Any
    ) -> None:
        """``extent`` is height, width and number of frames; ``light`` is the package's display model."""
        self._frames, self._extent, self._light = frames, extent, light
        self._truth: AnyFloatArray = np.empty(0)

    def get_video_size(self) -> tuple[int, int, int]:
        return self._extent

    def get_batch_size(self) -> int:
        return 1

    def get_frames_per_second(self) -> float:
        return FRAMES_PER_SECOND

    def get_test_frame(self, frame: int, device: torch.device, colorspace: str) -> Tensor:
        prediction, self._truth = next(self._frames)
        return self._shown(prediction, device, colorspace)

    def get_reference_frame(self, frame: int, device: torch.device, colorspace: str) -> Tensor:
        return self._shown(self._truth, device, colorspace)

    def _shown(self, radiance: AnyFloatArray, device: torch.device, colorspace: str) -> Tensor:
        """Return ``(1, 3, 1, H, W)`` in the color space that the package requests."""
        planes = torch.from_numpy(np.ascontiguousarray(np.moveaxis(radiance, -1, 0), np.float32)).to(device)
        light = planes[None, :, None] * WHITE_NITS
        shown: Tensor = self._light.source_2_target_colorspace(light, colorspace)
        return shown


def _opened(size: tuple[int, int], device: torch.device) -> Any:
    program, screen = _program(), Display()
    light = program.vvdp_display_photometry.load(DISPLAY, [])
    geometry = program.vvdp_display_geometry(
        size, distance_m=screen.distance_m, diagonal_size_inches=screen.diagonal_in
    )
    return program.cvvdp(display_photometry=light, display_geometry=geometry, quiet=True, device=device)


@cache
def _program() -> ModuleType:
    try:
        _fit_torchvision()
        import pycvvdp
    except ModuleNotFoundError as error:
        raise DocumentError(
            f"The metric 'cvvdp' is not installed: there is no module {error.name}.",
            hint='Run: pip install "f2hdr[cvvdp]"',
        ) from error
    module: ModuleType = pycvvdp
    return module


@cache
def _fit_torchvision() -> torch.library.Library | None:
    """Make torchvision importable if its compiled part was built for another torch, such as a CPU build.

    ColorVideoVDP only uses its Gaussian blur, which is plain torch.
    """
    try:
        import torchvision  # noqa: F401
    except RuntimeError:
        library = torch.library.Library("torchvision", "FRAGMENT")
        for name in OPERATORS:
            library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        return library
    return None
