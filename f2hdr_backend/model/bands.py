"""Run a layer over a frame in bands of rows: the same values in a fraction of the memory.

The input of a band has ``reach`` rows more on each side than its output, as many as the layers depend on. The result
equals that of the whole frame, so nothing is blended. Whole-frame values (means, minima, maxima, histograms) must be
computed between two such passes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from f2hdr_backend.shot.cancellation import check_stop

ROWS_MULTIPLE = 16
"""Bands have a multiple of this many rows, so that strided layers start on their own grid."""


class Over(Protocol):
    """A way to run a layer over frames."""

    def __call__(self, layer: Callable[..., Tensor], reach: int, *inputs: Tensor, into: Tensor | None = None) -> Tensor:
        """Run ``layer`` on ``inputs``.

        Args:
            layer: accepts ``inputs`` with fewer rows and returns as many rows, or a whole fraction or multiple of them.
            reach: rows above and below that the layer depends on, counted on the coarsest grid among the inputs.
            inputs: ``(..., H, W)`` each; heights are whole multiples of the smallest.
            into: an input of the result's shape that is no longer needed; the result may be written into it. Each row
                of the result may depend on the same row of this input only.
        """
        ...


def whole(layer: Callable[..., Tensor], reach: int, *inputs: Tensor, into: Tensor | None = None) -> Tensor:
    """Run the layer on the whole frame: see :class:`Over`."""
    return layer(*inputs)


@dataclass(frozen=True)
class Bands:
    """Run layers over bands of ``rows`` rows of the finest grid among a layer's inputs: see :class:`Over`."""

    rows: int
    """A multiple of :data:`ROWS_MULTIPLE`."""

    def __call__(self, layer: Callable[..., Tensor], reach: int, *inputs: Tensor, into: Tensor | None = None) -> Tensor:
        """See :class:`Over`."""
        heights = [picture.shape[-2] for picture in inputs]
        height = min(heights)
        step = max(1, self.rows * height // max(heights))
        if step >= height:
            return layer(*inputs)
        result = into
        for top in range(0, height, step):
            check_stop()
            bottom = min(top + step, height)
            low, high = max(0, top - reach), min(height, bottom + reach)
            band = layer(*(_rows(picture, low, high, height) for picture in inputs))
            first, last, start, total = (
                row * band.shape[-2] // (high - low) for row in (top, bottom, top - low, height)
            )
            if result is None:
                result = _like(band, total)
            result[..., first:last, :] = band[..., start : start + last - first, :]
        assert result is not None  # a frame has at least one row
        return result


def _rows(picture: Tensor, low: int, high: int, height: int) -> Tensor:
    """Rows ``low`` to ``high`` of a grid of ``height`` rows, from a picture whose own grid may be finer."""
    scale = picture.shape[-2] // height
    return picture[..., low * scale : high * scale, :]


def _like(band: Tensor, height: int) -> Tensor:
    """An empty tensor as the band, but ``height`` rows high, in the band's memory layout."""
    shape = (*band.shape[:-2], height, band.shape[-1])
    channels_last = band.dim() == 4 and band.is_contiguous(memory_format=torch.channels_last)
    return torch.empty(
        shape, dtype=band.dtype, device=band.device,
        memory_format=torch.channels_last if channels_last else torch.contiguous_format,
    )  # fmt: skip
