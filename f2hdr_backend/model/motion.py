"""Physical motion modeling: where motion makes the fusion unreliable (Eq. 8-15)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from f2hdr_backend.model.adapter import FLOW_SCALE
from f2hdr_backend.model.bands import Over, whole
from f2hdr_backend.model.blocks import Layers, conv_prelu
from f2hdr_backend.model.precision import exact_float32

EPSILON = 1e-6
CONTRAST_SCALES = (1, 2, 4)
OTSU_BINS = 64
LARGEST_COUNT = 2**24
"""Largest number up to which float32 can count in steps of 1."""
SHARPNESS = 8.0
ENERGY_REACH = 2
"""Pixels that energy, or the learned mask, depends on either way."""


class PhysicalMotionMask(nn.Module):
    """A soft mask in 0-1 from the translation, divergence, curl and shear of a flow."""

    sobel_x: Tensor
    sobel_y: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.weight_net = Layers(*conv_prelu(2, 32), *conv_prelu(32, 32), nn.Conv2d(32, 4, 1))
        sobel = torch.tensor([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]]) / 8
        self.register_buffer("sobel_x", sobel.view(1, 1, 3, 3))
        self.register_buffer("sobel_y", sobel.t().reshape(1, 1, 3, 3))

    def forward(self, flow: Tensor, over: Over = whole) -> Tensor:
        """``(B, 2, H, W)`` float32 flow in pixels to a ``(B, 1, H, W)`` mask (Eq. 15).

        Minimum, maximum and Otsu's threshold are taken over the whole frame: a part of a frame alone
        has another mask.
        """
        energy = over(self.energy, ENERGY_REACH, flow)
        salient = min_max(energy * (1 + 2 * contrast(energy)))
        return 0.5 * (1 + torch.tanh(SHARPNESS * (salient - otsu(salient))))

    def energy(self, flow: Tensor) -> Tensor:
        """Motion energy ``(B, 1, H, W)``: the components of Eq. 9-12 averaged by learned weights, Eq. 13."""
        components = self.components(flow)
        weights = F.softplus(self.weight_net(flow / FLOW_SCALE)).float() + 1e-3
        return (weights * components).sum(1, keepdim=True) / (weights.sum(1, keepdim=True) + EPSILON)

    def components(self, flow: Tensor) -> Tensor:
        """``(B, 4, H, W)``: translation, |divergence|, |curl| and |shear|, from Sobel derivatives (Eq. 8-12)."""
        u, v = flow[:, :1], flow[:, 1:]
        u_x, u_y = self._derivatives(u)
        v_x, v_y = self._derivatives(v)
        translation = torch.sqrt(u * u + v * v + EPSILON)
        return torch.cat((translation, (u_x + v_y).abs(), (v_x - u_y).abs(), (0.5 * (u_y + v_x)).abs()), dim=1)

    def _derivatives(self, component: Tensor) -> tuple[Tensor, Tensor]:
        """In float32 regardless of the network's precision: half precision has steps of 1/4 px at 64 px."""
        with torch.autocast(component.device.type, enabled=False), exact_float32(component.device):
            return F.conv2d(component, self.sobel_x, padding=1), F.conv2d(component, self.sobel_y, padding=1)


class LearnedMotionMask(nn.Module):
    """The ablation of Table 5: the same kind of mask, learned by a plain CNN from the flow."""

    def __init__(self) -> None:
        super().__init__()
        self.net = Layers(*conv_prelu(2, 32), *conv_prelu(32, 32), nn.Conv2d(32, 1, 1), nn.Sigmoid())

    def forward(self, flow: Tensor, over: Over = whole) -> Tensor:
        """``(B, 2, H, W)`` flow in pixels to a ``(B, 1, H, W)`` mask in 0-1."""
        return over(lambda band: self.net(band / FLOW_SCALE), ENERGY_REACH, flow)


def contrast(energy: Tensor) -> Tensor:
    """Center-surround contrast over scales 1, 2 and 4, min-max normalized over the frame (S_multi of Eq. 14)."""
    total = torch.zeros_like(energy)
    for scale in CONTRAST_SCALES:
        total = total + (_box_mean(energy, scale) - _box_mean(energy, 2 * scale)).abs()
    return min_max(total / len(CONTRAST_SCALES))


def _box_mean(values: Tensor, radius: int) -> Tensor:
    """Mean over squares of 2 radius + 1 pixels, zeros outside the frame; rows then columns, which costs far less."""
    side = 2 * radius + 1
    rows = F.avg_pool2d(values, (side, 1), stride=1, padding=(radius, 0))
    return F.avg_pool2d(rows, (1, side), stride=1, padding=(0, radius))


def min_max(values: Tensor) -> Tensor:
    """``(B, ...)`` scaled to 0-1 by each image's own minimum and maximum."""
    flat = values.flatten(1)
    shape = (-1,) + (1,) * (values.dim() - 1)
    low, high = flat.amin(1).view(shape), flat.amax(1).view(shape)
    return ((values - low) / (high - low + EPSILON)).clamp(0, 1)


@torch.no_grad()
def otsu(values: Tensor) -> Tensor:
    """Otsu's threshold ``(B, 1, 1, 1)`` of values in 0-1, over 64 bins of each whole frame; carries no gradient."""
    batch = values.shape[0]
    flat = values.flatten(1)
    counts = (_counted_by_histc if values.is_cuda and flat.shape[1] <= LARGEST_COUNT else _counted)(flat)
    share = counts / counts.sum(1, keepdim=True)
    centers = (torch.arange(OTSU_BINS, device=values.device) + 0.5) / OTSU_BINS
    below = share.cumsum(1)
    mean_below = (share * centers).cumsum(1)
    between = (mean_below[:, -1:] * below - mean_below) ** 2 / (below * (1 - below)).clamp_min(1e-6)
    return centers[between.argmax(1)].view(batch, 1, 1, 1)


def _counted(values: Tensor) -> Tensor:
    """``(B, OTSU_BINS)`` the number of values in each bin, for ``(B, N)`` values in 0-1."""
    bins = (values * OTSU_BINS).long().clamp(0, OTSU_BINS - 1)
    counts = torch.zeros(len(values), OTSU_BINS, dtype=torch.int64, device=values.device)
    return counts.scatter_add_(1, bins, torch.ones_like(bins))


def _counted_by_histc(values: Tensor) -> Tensor:
    """See :func:`_counted`; on a GPU its atomic additions to few addresses wait for each other."""
    return torch.stack([torch.histc(each.float(), OTSU_BINS, 0, 1) for each in values])
