"""HDR-VDP-2.2: the visibility of the difference of two radiance frames on a display, as the quality Q.

A native implementation of everything that Q depends on, after Mantiuk et al., "HDR-VDP-2" (SIGGRAPH 2011), and Narwaria
et al., "HDR-VDP-2.2" (Journal of Electronic Imaging, 2015); detection maps do not affect Q and are not computed. Q
depends on pixels per degree, on the frame's size and on the absolute scale of radiance: never crop, tile or resize
first.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from f2hdr_backend.evaluate.hdrvdp import contrast, steerable
from f2hdr_backend.evaluate.hdrvdp.bicubic import resize
from f2hdr_backend.evaluate.hdrvdp.eye import Seen, frequency_grid, modulation_transfer, see
from f2hdr_backend.evaluate.hdrvdp.rgbe import Writer, round_trip
from f2hdr_backend.evaluate.metrics.finite import require_finite
from f2hdr_backend.evaluate.metrics.score import Parameters, Score
from f2hdr_backend.evaluate.metrics.screen import CHANNELS, Display, Encoding, luminance
from f2hdr_backend.shot.errors import ImageError, ShotError

QUALITY_WEIGHTS = (
    (0.1172, 0.0), (0.2344, 0.0), (0.4688, 0.0003), (0.9375, 0.0003), (1.875, 0.0398), (3.75, 0.2690),
    (7.5, 0.2142), (15.0, 0.2832), (30.0, 0.2832), (60.0, 0.0),
)  # fmt: skip
"""Band frequency (cycles per degree) and its weight in Q."""
ERROR_FLOOR = 1e-12
CHANGED = 0.001
"""Relative change of display light from which a pixel counts as different."""


@dataclass(frozen=True)
class HdrVdpSettings:
    """All parameters of Q besides the frames; the defaults are those of the F2HDR paper."""

    encoding: Encoding = "sRGB-display"
    """Encoding of the frames' values. The literature passes linear radiance as ``sRGB-display``, for all methods
    alike.
    """
    display: Display = field(default_factory=Display)
    """A screen that the frame fills; determines the pixels per degree unless they are given."""
    pixels_per_degree: float | None = None
    """Pixels per degree; None to compute them from the display and the frame's size."""
    surround: float = 1e-5
    """Luminance around the frame in cd/m2."""
    scale: float = 1.0
    """Factor for both frames before the encoding, such as the peak in cd/m2 for ``rgb-bt.709``."""
    round_trip: Writer | None = None
    """The ``.hdr`` writer whose quantization is applied to the prediction first; None for no quantization."""
    precision: Literal["float64", "float32"] = "float64"
    """Floating-point precision; results in float32 are within 1e-3 of float64."""

    def __post_init__(self) -> None:
        """Check the settings.

        Raises:
            ShotError: a size or factor is not positive and finite, or the encoding is unknown; names setting and value.
        """
        lengths = {"diagonal_in": self.display.diagonal_in, "distance_m": self.display.distance_m}
        factors = {"pixels_per_degree": self.pixels_per_degree, "surround": self.surround, "scale": self.scale}
        for name, value in (lengths | factors).items():
            if value is not None and not 0.0 < value < math.inf:
                raise ShotError(f"The HDR-VDP setting {name} is {value}.", hint="It must be positive and finite.")
        if self.encoding not in CHANNELS:
            raise ShotError(
                f"There is no display encoding {self.encoding!r}.", hint=f"Choose one of {', '.join(CHANNELS)}."
            )


@dataclass(frozen=True)
class BandError:
    """The visible error of one band of the pyramid."""

    frequency: float
    """Frequency of the band in cycles per degree."""
    errors: tuple[float, ...]
    """Square root of the sum of squares, divided by the number of samples; one per orientation."""

    @property
    def weight(self) -> float:
        """The band's weight in Q, interpolated linearly in frequency and constant beyond the nodes."""
        frequencies, weights = zip(*QUALITY_WEIGHTS, strict=True)
        return float(np.interp(self.frequency, frequencies, weights))


def hdrvdp2(
    prediction: ArrayLike, reference: ArrayLike, settings: HdrVdpSettings | None = None, *, device: str = "cpu"
) -> Score:
    """Return the quality Q of HDR-VDP-2.2: 100 for identical frames, lower is worse, not bounded below.

    Args:
        prediction: ``(H, W, 3)``, or ``(H, W)`` for encodings of one channel; in the unit of the encoding.
        reference: the same shape, at least 17 px a side.
        settings: parameters; None for the defaults.
        device: torch device that computes it.

    Raises:
        ImageError: shapes differ or are too small, a value is not finite, or the channels do not match the encoding.
    """
    chosen = settings or HdrVdpSettings()
    bands = band_errors(prediction, reference, chosen, device=device)
    height, width = np.shape(reference)[:2]
    return Score("HDR-VDP-2.2 Q", quality(bands), "", _parameters(chosen, width, height))


def quality(bands: list[BandError]) -> float:
    """Return Q from the errors of all bands."""
    floor = math.log(ERROR_FLOOR)
    losses = (band.weight * (math.log(error + ERROR_FLOOR) - floor) for band in bands for error in band.errors)
    return 100.0 - math.fsum(losses)


@torch.no_grad()
def band_errors(
    prediction: ArrayLike, reference: ArrayLike, settings: HdrVdpSettings, *, device: str = "cpu"
) -> list[BandError]:
    """Return the visible error of every band, fine to coarse; arguments and errors as for `hdrvdp2`."""
    test_light, reference_light = (
        luminance(_tensor(frame, settings, device), settings.encoding)
        for frame in _checked(prediction, reference, settings)
    )
    height, width = reference_light.shape[-2:]
    rate = _pixels_per_degree(settings, width, height)
    transfer = modulation_transfer(frequency_grid(2 * height, 2 * width, rate, reference_light))
    test = see(test_light, transfer, settings.surround)
    seen = see(reference_light, transfer, settings.surround)
    changed = ((test_light - reference_light).abs() / reference_light > CHANGED).any(dim=0).to(transfer)
    del test_light, reference_light, transfer
    references, differences = _pyramids(test, seen, rate)
    maskers = [
        contrast.mutual_masker(band + difference, band)
        for band, difference in zip(references, differences, strict=True)
    ]
    del references
    adaptation = ((test.adaptation + seen.adaptation) / 2).log10()
    return [
        _band_error(maskers, differences[band], (adaptation, changed), (band, frequency))
        for band, frequency in enumerate(band_frequencies(rate, len(maskers)))
    ]


def band_frequencies(rate: float, count: int) -> list[float]:
    """Return the frequencies in cycles per degree of ``count`` bands, fine to coarse, at ``rate`` pixels per degree."""
    return [rate / 2 ** (band + 1) for band in range(count)]


def _pyramids(test: Seen, reference: Seen, rate: float) -> tuple[list[Tensor], list[Tensor]]:
    """Bands of the reference and of test minus reference, ``(O, h, w)`` each, the base bands contrast-filtered.

    The difference itself is decomposed: subtracting two decompositions in float32 would leave mostly rounding errors.
    """
    bands = steerable.build(torch.stack([reference.response, test.response - reference.response]))
    base, base_difference = bands[-1][:, 0]
    grid_rate = 2 * math.sqrt(2) * band_frequencies(rate, len(bands))[-1]
    filtered, filtered_test = (
        contrast.filter_base(picture, base.mean(), adaptation.mean(), grid_rate)
        for picture, adaptation in ((base, reference.adaptation), (base + base_difference, test.adaptation))
    )
    bands[-1] = torch.stack([filtered, filtered_test - filtered]).unsqueeze(1)
    return [band[0] for band in bands], [band[1] for band in bands]


def _band_error(
    maskers: list[Tensor], difference: Tensor, frame: tuple[Tensor, Tensor], place: tuple[int, float]
) -> BandError:
    (adaptation, changed), (band, frequency) = frame, place
    size = difference.shape[-2], difference.shape[-1]
    base = band == len(maskers) - 1
    noise = adaptation.new_ones(()) if base else contrast.noise(frequency, resize(adaptation, size))
    counted = resize(changed, size)
    visible = contrast.masked_differences(maskers, band, difference, noise)
    return BandError(frequency, tuple(float(torch.linalg.norm(d * counted)) / counted.numel() for d in visible))


def _pixels_per_degree(settings: HdrVdpSettings, width: int, height: int) -> float:
    named = settings.pixels_per_degree
    return settings.display.pixels_per_degree(width, height) if named is None else named


def _checked(prediction: ArrayLike, reference: ArrayLike, settings: HdrVdpSettings) -> tuple[ArrayLike, ArrayLike]:
    shape = np.shape(reference)
    if np.shape(prediction) != shape or len(shape) not in (2, 3) or min(shape[:2]) < steerable.SMALLEST:
        raise ImageError(
            f"The prediction is {np.shape(prediction)} and the reference is {shape}.",
            hint=f"Both must be (H, W, 3) or (H, W), of one size and at least {steerable.SMALLEST} px a side.",
        )
    require_finite(prediction, "prediction")
    require_finite(reference, "reference")
    return prediction if settings.round_trip is None else round_trip(prediction, settings.round_trip), reference


def _tensor(frame: ArrayLike, settings: HdrVdpSettings, device: str) -> Tensor:
    values = np.asarray(frame, dtype=settings.precision)
    planes = values[None] if values.ndim == 2 else np.moveaxis(values, -1, 0)
    return torch.tensor(np.ascontiguousarray(planes), device=device) * settings.scale


def _parameters(settings: HdrVdpSettings, width: int, height: int) -> Parameters:
    screen = settings.display
    named = settings.pixels_per_degree is not None
    return (
        ("encoding", settings.encoding),
        ("display", "pixels per degree given" if named else f"{screen.diagonal_in:g} in at {screen.distance_m:g} m"),
        ("pixels_per_degree", _pixels_per_degree(settings, width, height)),
        ("size", f"{width}x{height}"),
        ("surround", settings.surround),
        ("scale", settings.scale),
        ("round_trip", settings.round_trip or "none"),
        ("precision", settings.precision),
    )
