"""Validation during training: scores and pictures of the same few windows every time."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import default_collate

from f2hdr_backend.image.arrays import FloatArray
from f2hdr_backend.image.write import write_image
from f2hdr_backend.model.descriptor import AnyDescriptor
from f2hdr_backend.model.radiance import tonemap
from f2hdr_backend.train.batches import BatchPlan
from f2hdr_backend.train.contact_sheet import sheet, shown
from f2hdr_backend.train.sources import Source
from f2hdr_backend.train.training_setup import Shown, TrainingSetup

SEED = 20260102
WINDOWS = 6
SIDE_PX = 160


class Validation:
    """Fixed windows, and a model to try weights on them."""

    def __init__(self, sources: Sequence[Source], descriptor: AnyDescriptor, setup: TrainingSetup[Any]) -> None:
        windows = setup.windows(sources, BatchPlan(WINDOWS, SIDE_PX, SEED, descriptor, style=setup.style))
        self._batch = setup.batch(*default_collate([windows[index] for index in range(WINDOWS)]))
        self._setup = setup
        self._model = setup.model().eval()

    @torch.no_grad()
    def __call__(self, tensors: Mapping[str, Tensor], picture: Path) -> float:
        """Score weights, and write a sheet: reference, start, result, truth and ten times the error of each window.

        Args:
            tensors: a state dict, on any device.
            picture: the PNG to write.

        Returns:
            Mean PSNR_T in dB (mu-law, mu = 5000, peak 1) of the windows.
        """
        self._model.load_state_dict({name: tensor.cpu() for name, tensor in tensors.items()})
        found = self._setup.shown(self._model, self._batch)
        squares = (tonemap(found.result) - tonemap(found.truth)).square().flatten(1).mean(1)
        write_image(picture, sheet(self._rows(found)), 8)
        return float(np.mean([10 * math.log10(1 / float(square)) for square in squares]))

    def _rows(self, found: Shown) -> list[list[FloatArray]]:
        error = (10 * (tonemap(found.result) - tonemap(found.truth)).abs()).clamp(0, 1)
        codes = self._batch.frames[:, 1]
        rows = []
        for index in range(len(found.truth)):
            light = [shown(_picture(part[index])) for part in (found.first, found.result, found.truth)]
            rows.append([_picture(codes[index]), *light, _picture(error[index])])
        return rows


def _picture(planes: Tensor) -> FloatArray:
    return np.asarray(planes.permute(1, 2, 0).float().numpy(), np.float32)
