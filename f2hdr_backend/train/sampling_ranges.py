"""Ranges that synthetic windows are drawn from: scenes, motion, light and cameras."""

from __future__ import annotations

from dataclasses import dataclass

Range = tuple[float, float]


@dataclass(frozen=True)
class SceneStyle:
    """Distribution of scene motion and content. Shares are of windows, speeds in pixels per frame."""

    still: float = 0.15
    """Share whose camera does not move."""
    camera_px: Range = (0.0, 30.0)
    """Slowest and fastest turn of the camera; half the windows stay in the lowest eighth."""
    shaken: float = 0.4
    """Share whose camera also shakes."""
    pieces: tuple[int, ...] = (0, 1, 1, 2, 2, 3, 4, 5)
    """Range of the number of moving foreground pieces, uniformly distributed."""
    piece_px: Range = (0.0, 100.0)
    """Slowest and fastest piece, distributed as the camera's."""
    piece_scale: Range = (0.25, 1.0)
    """Side of a piece's picture as a share of the window's width."""
    patchwork: float = 0.0
    """Share of pieces that show flat patches of saturated colors."""
    bent: float = 0.3
    """Share of pieces that bend as they move."""
    planes: float = 0.3
    """Share of pieces that a moving camera passes: they shift and turn as planes in depth."""
    lit: float = 0.35
    """Share of windows with light sources; pieces have glints as often."""
    defocused: float = 0.25
    """Share of layers that are out of focus."""
    blurred: float = 0.5
    """Share of windows whose shutter stays open long enough to blur motion."""
    vivid: float = 0.0
    """Share of windows whose colors are made more saturated."""
    saturation: Range = (1.0, 5.0)
    """Factor on the distance of each channel from the luma in those windows; results stop at 0."""
    ratios_ev: tuple[float, ...] = (1.0, 2.0, 2.0, 3.0, 3.0, 3.0, 4.0, 4.0, 5.0)
    """Stops between the exposures, drawn evenly from this."""


@dataclass(frozen=True)
class CameraStyle:
    """Cameras that record the scenes. Radiance is in units of the clip."""

    full_well: Range = (2000.0, 40000.0)
    """Electrons at the clip, even on a logarithmic scale; fewer is noisier."""
    read_noise: Range = (0.5, 6.0)
    """Electrons."""
    row_noise: Range = (0.0, 1.0)
    """Electrons."""
    bits: tuple[int, ...] = (8, 8, 10, 12, 16)
    """Of the stored codes, drawn evenly from this."""
    curves: tuple[str, ...] = ("gamma22", "gamma22", "srgb", "log")
    """Curves of the stored codes (:data:`~f2hdr_backend.train.camera.CURVES`), drawn evenly from this."""
    black_error: float = 3e-4
    """Standard deviation of the residual black level of each channel."""
    uneven_clip: float = 0.15
    """Share of cameras whose channels clip at different levels, down to :attr:`lowest_clip`."""
    lowest_clip: float = 0.92
    compressed: float = 0.2
    """Share of 8-bit cameras that compress their frames."""
    quality: tuple[int, int] = (85, 98)
    """JPEG quality of those that do."""
    ratio_error: float = 0.03
    """Standard deviation of the relative error of the reported exposures; in a fifth of the windows."""
    flicker: float = 0.02
    """Standard deviation of the relative change of radiance between frames; in a tenth of the windows."""
    demosaiced: float = 0.0
    """Share of cameras whose noise is correlated between neighboring pixels, as demosaicing leaves it."""
    grain_px: Range = (0.4, 1.0)
    """Standard deviation of the Gaussian filter that correlates it."""
    bent: float = 0.0
    """Share of cameras whose response bends before it clips."""
    knee: Range = (0.5, 0.9)
    """Share of the clip at which the bend begins."""
    bend: Range = (0.05, 0.4)
    """Half of the slope lost between knee and clip; above 0.25 the camera saturates below its clip level."""
    misplaced: float = 0.0
    """Share of windows whose clip level is misreported."""
    clip_level: Range = (0.94, 1.04)
    """Factor on the recorded radiance in those windows."""
    curved: float = 0.0
    """Share of windows whose response curve is misreported."""
    exponent_error: float = 0.02
    """Standard deviation of the logarithm of the exponent that remains in those windows."""


WIDE_CAMERA = CameraStyle(
    full_well=(300.0, 200000.0), read_noise=(0.0, 10.0), row_noise=(0.0, 3.0), ratio_error=0.05,
    demosaiced=0.4, bent=0.3, misplaced=0.25, curved=0.15,
)  # fmt: skip
"""From nearly noiseless to night, exposures misreported by up to 10 %, responses that bend, wrong clip levels."""


@dataclass(frozen=True)
class Style:
    """Everything that :func:`~f2hdr_backend.train.synthesis.synthesize` draws from."""

    scene: SceneStyle = SceneStyle()
    camera: CameraStyle = CameraStyle()
    long_reference: bool | None = None
    """Phase of the window; drawn evenly if None."""
