"""The early visual system of HDR-VDP-2.2: optics of the eye, photoreceptors and their response.

Source: Mantiuk, Kim, Rempel and Heidrich, "HDR-VDP-2" (SIGGRAPH 2011), with the constants of release 2.2.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

LOG_RANGE = (-5.0, 5.0)
"""log10 of the luminance (cd/m2) at both ends of the response tables."""
RESPONSE_STEPS = 2048
C = 0.9972737002377707
G = 0.061466549455263
MTF_TERMS = ((0.426 * C, 0.028), (0.574 * C, 0.37), ((1 - C) * G, 37.0), ((1 - C) * (1 - G), 360.0))
"""Amplitude and decay (degrees per cycle) of the terms of the eye's modulation transfer function."""
CONE_L = (0.19899612033792896, 0.4047626070381254, 0.05439061925532119)
CONE_M = (0.04100586040758894, 0.25492330644134537, 0.0500122489593007)
ROD = (0.014377368621119192, 0.48092084108413197, 0.45427589566935994)
"""Integrals of CCFL-LCD emission (red, green, blue) times each receptor's sensitivity."""
ACHROMATIC = (0.6018471522446989, 0.31670829557916963, 0.9046706545995032)
"""The same for D65 and L cone, M cone and rod; used for frames with one channel."""
RESPONSE_SCALE = 0.006894596 / 10**-2.4
ROD_PEAK: float = 10**1.1414


@dataclass(frozen=True)
class Seen:
    """Output of the early visual system for one frame."""

    response: Tensor
    """``(H, W)`` achromatic response, roughly in just noticeable differences, mean 0."""
    adaptation: Tensor
    """``(H, W)`` adaptation luminance, cd/m2."""


def frequency_grid(height: int, width: int, rate: float, like: Tensor) -> Tensor:
    """``(height, width // 2 + 1)`` radial frequency of each term of a real DFT, in the unit of ``rate`` (samples)."""
    rows = torch.fft.fftfreq(height, 1.0 / rate, dtype=like.dtype, device=like.device)
    columns = torch.fft.rfftfreq(width, 1.0 / rate, dtype=like.dtype, device=like.device)
    return torch.hypot(rows[:, None], columns[None, :])


def filter_padded(picture: Tensor, transfer: Tensor, pad: Tensor | float) -> Tensor:
    """Filter ``(H, W)`` in the frequency domain, in the corner of a frame of twice its size filled with ``pad``.

    Args:
        picture: ``(H, W)``.
        transfer: ``(2H, W + 1)`` real factors on the grid of `frequency_grid` for 2H x 2W.
        pad: value of the pixels outside the picture.
    """
    height, width = picture.shape
    # Subtracting the constant pad and filtering only its mean makes half of the row transforms those of zeros.
    rows = torch.fft.rfft(picture - pad, n=2 * width, dim=1)
    spectrum = torch.fft.fft(rows, n=2 * height, dim=0)
    spectrum *= transfer
    rows = torch.fft.ifft(spectrum, dim=0)[:height]
    filtered: Tensor = torch.fft.irfft(rows, n=2 * width, dim=1)[:, :width]
    return filtered.add(pad * transfer[0, 0])


def modulation_transfer(frequency: Tensor) -> Tensor:
    """The eye's modulation transfer function at ``frequency`` in cycles per degree; 1 at 0."""
    total = torch.zeros_like(frequency)
    for amplitude, decay in MTF_TERMS:
        total += amplitude * torch.exp(-decay * frequency)
    return total


def see(light: Tensor, transfer: Tensor, surround: float) -> Seen:
    """Apply optics, photoreceptors and response to one frame.

    Args:
        light: ``(3, H, W)`` BT.709 or ``(1, H, W)`` luminance, cd/m2.
        transfer: `modulation_transfer` on the grid of twice the frame's size.
        surround: luminance around the frame, cd/m2.
    """
    spectra = tuple(zip(CONE_L, CONE_M, ROD, strict=True)) if light.shape[0] == 3 else (ACHROMATIC,)
    cone_l, cone_m, rod = (torch.zeros_like(light[0]) for _ in range(3))
    for channel, (weight_l, weight_m, weight_rod) in zip(light, spectra, strict=True):
        retina = filter_padded(channel, transfer, surround).clamp_(1e-5, 1e10)
        cone_l.add_(retina, alpha=weight_l)
        cone_m.add_(retina, alpha=weight_m)
        rod.add_(retina, alpha=weight_rod)
    cone_table, rod_table = (table.to(light) for table in response_tables())
    response = read_log_table(cone_table, cone_l.log10()) + read_log_table(cone_table, cone_m.log10())
    response += read_log_table(rod_table, rod.log10())
    return Seen(response - response.mean(), cone_l + cone_m)


def read_log_table(table: Tensor, log_luminance: Tensor) -> Tensor:
    """Linear lookup in a table of N values equally spaced over log10 luminance -5 to 5, clamped to its ends."""
    low, high = LOG_RANGE
    steps = len(table) - 1
    position = ((log_luminance - low) * (steps / (high - low))).clamp_(0, steps)
    index = position.floor().clamp_max_(steps - 1)
    fraction = position.sub_(index)
    below = index.long()
    start = table[below]
    return start + fraction * (table[below + 1] - start)


def response_tables() -> tuple[Tensor, Tensor]:
    """Cumulative response of a cone and of the rods on 2048 log-spaced luminances, ``(2048,)`` float64 each."""
    log_luminance = torch.linspace(*LOG_RANGE, RESPONSE_STEPS, dtype=torch.float64)
    light = 10.0**log_luminance
    rods = rod_sensitivity(light)
    cones = (joint_sensitivity(light) - rods).clamp_min(1e-3)
    # The two kinds of cone share the joint sensitivity, so each is evaluated at twice the luminance with weight 0.5.
    doubled = (2.0 * light).clamp_max(10.0 ** LOG_RANGE[1])
    above = torch.searchsorted(light, doubled).clamp(1, RESPONSE_STEPS - 1)
    fraction = (doubled - light[above - 1]) / (light[above] - light[above - 1])
    cone = 0.5 * torch.lerp(cones[above - 1], cones[above], fraction)
    return _cumulative(cone, log_luminance), _cumulative(rods, log_luminance)


def joint_sensitivity(light: Tensor) -> Tensor:
    """Sensitivity of rods and cones together at ``light`` cd/m2."""
    return 30.162 * ((4.0627 / light) ** 1.6596 + 1.0) ** -0.2712


def rod_sensitivity(light: Tensor) -> Tensor:
    """Sensitivity of the rods alone at ``light`` cd/m2."""
    distance = torch.log10(light / 1.1732).abs()
    falloff = torch.where(light > 1.1732, distance**2.9899 / 0.5547, distance**1.2167 / 1.1478)
    return ROD_PEAK * torch.exp(-falloff)


def _cumulative(sensitivity: Tensor, log_luminance: Tensor) -> Tensor:
    area: Tensor = torch.cumulative_trapezoid(sensitivity * math.log(10.0), log_luminance)
    return torch.cat([area.new_zeros(1), area]).mul_(RESPONSE_SCALE)
