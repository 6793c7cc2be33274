"""A look at a model in training: scores and pictures of the same few windows every time."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import default_collate

from f2hdr_backend.image.write import write_image
from f2hdr_backend.model.descriptor import Descriptor
from f2hdr_backend.model.f2hdr import F2HDR, Reconstruction
from f2hdr_backend.model.radiance import tonemap
from f2hdr_backend.train.batches import Batch, BatchPlan, Windows
from f2hdr_backend.train.sheet import FloatArray, sheet, shown
from f2hdr_backend.train.sources import Source

SEED = 20260102
WINDOWS = 6
SIDE_PX = 160


class Validation:
    """Fixed windows, and a model to try weights on them."""

    def __init__(self, sources: Sequence[Source], descriptor: Descriptor) -> None:
        plan = BatchPlan(WINDOWS, SIDE_PX, SEED, descriptor)
        windows = Windows(sources, plan)
        self._batch = Batch(*default_collate([windows[index] for index in range(WINDOWS)]))
        self._model = F2HDR(descriptor).eval()

    @torch.no_grad()
    def __call__(self, tensors: Mapping[str, Tensor], picture: Path) -> float:
        """Score weights, and write a sheet: reference, stage I, result, truth and ten times the error of each window.

        Args:
            tensors: a state dict, on any device.
            picture: the PNG to write.

        Returns:
            Mean PSNR_T in dB (mu-law, mu = 5000, peak 1) of the windows.
        """
        self._model.load_state_dict({name: tensor.cpu() for name, tensor in tensors.items()})
        batch = self._batch
        result = self._model(batch.frames, batch.exposures, batch.coarse_flows)
        truth = batch.radiance[:, 1]
        squares = (tonemap(result.hdr) - tonemap(truth)).square().flatten(1).mean(1)
        write_image(picture, sheet(self._rows(result, truth)), 8)
        return float(np.mean([10 * math.log10(1 / float(square)) for square in squares]))

    def _rows(self, result: Reconstruction, truth: Tensor) -> list[list[FloatArray]]:
        error = (10 * (tonemap(result.hdr) - tonemap(truth)).abs()).clamp(0, 1)
        codes = self._batch.frames[:, 1]
        rows = []
        for index in range(len(truth)):
            light = [shown(_picture(part[index])) for part in (result.coarse, result.hdr, truth)]
            rows.append([_picture(codes[index]), *light, _picture(error[index])])
        return rows


def _picture(planes: Tensor) -> FloatArray:
    return np.asarray(planes.permute(1, 2, 0).float().numpy(), np.float32)
