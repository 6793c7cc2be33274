"""Building blocks of the networks: a convolution with what follows it, and a coarser grid to run it on."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from f2hdr_backend.kernels.fused import kernels_for

CONVOLUTIONS = (nn.Conv2d, nn.ConvTranspose2d)
ACTIVATIONS = (nn.PReLU, nn.LeakyReLU, nn.ReLU)


def convolved(
    layer: nn.Module,
    features: Tensor,
    activation: Callable[[Tensor], Tensor],
    *,
    before: Tensor | None = None,
    after: Tensor | None = None,
) -> Tensor:
    """``after + activation(before + layer(features))``.

    On a GPU with fused kernels, everything after the convolution is one operation: bias, activation and sum.

    Args:
        layer: a convolution with a bias.
        features: its input.
        activation: one of :data:`ACTIVATIONS`, ``F.silu``, or :func:`unchanged`.
        before: added before the activation, in the shape of the result; at most one of ``before`` and ``after``.
        after: added after it.
    """
    kernels = kernels_for(features)
    if kernels is not None and isinstance(layer, CONVOLUTIONS) and layer.bias is not None:
        name, slopes = _described(activation)
        values = _without_bias(layer, features)
        found: Tensor = kernels.finish_convolution(values, layer.bias, name, slopes, before=before, after=after)
        return found
    values = layer(features)
    values = activation(values if before is None else before + values)
    return values if after is None else after + values


def unchanged(features: Tensor) -> Tensor:
    """No activation."""
    return features


def _described(activation: Callable[[Tensor], Tensor]) -> tuple[str, Tensor | float]:
    """An activation in the form that the fused kernels accept: its name, and the factors of negative values."""
    if isinstance(activation, nn.PReLU):
        return "slopes", activation.weight
    if isinstance(activation, nn.LeakyReLU):
        return "slopes", activation.negative_slope
    if isinstance(activation, nn.ReLU):
        return "slopes", 0.0
    return {F.silu: "silu", unchanged: "none"}[activation], 0.0


def _without_bias(layer: nn.Conv2d | nn.ConvTranspose2d, features: Tensor) -> Tensor:
    weight, stride, padding = layer.weight, layer.stride, layer.padding
    assert not isinstance(padding, str)  # all layers here state it in pixels
    if isinstance(layer, nn.ConvTranspose2d):
        extra, groups, dilation = layer.output_padding, layer.groups, layer.dilation
        return F.conv_transpose2d(features, weight, None, stride, padding, extra, groups, dilation)
    return F.conv2d(features, weight, None, stride, padding, layer.dilation, layer.groups)


class Layers(nn.Sequential):
    """Layers in a row; each convolution is computed together with the activation that follows it."""

    def forward(self, features: Tensor, after: Tensor | None = None) -> Tensor:
        """``(B, C, H, W)`` through all layers; ``after`` is added to the result."""
        layers = [layer for layer in self if not isinstance(layer, nn.Identity)]
        while layers:
            layer = layers.pop(0)
            if layers and isinstance(layer, CONVOLUTIONS) and isinstance(layers[0], ACTIVATIONS):
                activation = layers.pop(0)
                features = convolved(layer, features, activation, after=None if layers else after)
            else:
                features = layer(features) if layers or after is None else after + layer(features)
        return features


def conv_prelu(inputs: int, outputs: int, *, dilation: int = 1) -> Layers:
    """A 3 x 3 convolution that keeps the size, and a PReLU with one slope a channel."""
    return Layers(
        nn.Conv2d(inputs, outputs, 3, padding=dilation, dilation=dilation),
        nn.PReLU(outputs),
    )


def infinities_as_nan(values: Tensor) -> Tensor:
    """Replace infinities by NaN: a clamp or a sigmoid would hide an overflow of half precision, NaN passes through."""
    nan = float("nan")
    return torch.nan_to_num(values, nan=nan, posinf=nan, neginf=nan)


def to_cells(picture: Tensor, cell_px: int) -> Tensor:
    """``(B, C, H, W)`` with every square of ``cell_px`` pixels as the channels of one cell: ``(B, C n, H/., W/.)``."""
    return picture if cell_px == 1 else F.pixel_unshuffle(picture, cell_px)


def from_cells(cells: Tensor, cell_px: int) -> Tensor:
    """Undo :func:`to_cells`."""
    return cells if cell_px == 1 else F.pixel_shuffle(cells, cell_px)


def cell_mean(field: Tensor, cell_px: int) -> Tensor:
    """``(B, C, H, W)`` averaged over each cell: what a smooth field is on the cells' grid."""
    return field if cell_px == 1 else F.avg_pool2d(field, cell_px)


def between_cells(field: Tensor, cell_px: int) -> Tensor:
    """``(B, C, h, w)`` on the cells' grid, bilinear on the pixels': the way back from :func:`cell_mean`."""
    return field if cell_px == 1 else F.interpolate(field, scale_factor=cell_px, mode="bilinear")
