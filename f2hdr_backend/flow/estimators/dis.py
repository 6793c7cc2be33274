"""Dense inverse search (Kroeger et al., ECCV 2016), OpenCV's implementation: no weights, runs on the CPU."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from f2hdr_backend.flow.estimator import SizeRequirement
from f2hdr_backend.model.transfer import upload
from f2hdr_backend.shot.cancellation import abandonable
from f2hdr_backend.shot.equations import LUMA


class Estimator:
    """DIS, preset medium, on 8-bit luma of the code values."""

    size = SizeRequirement(minimum=32)
    bytes_per_pixel = 60
    on_host = True
    caution = ""

    def __init__(self, device: torch.device) -> None:
        self._device = device

    @property
    def digest(self) -> str:
        """Hash of algorithm, preset and library version."""
        return f"dis-medium/opencv-{cv2.__version__}"

    def encode(self, frames: Tensor) -> list[NDArray[np.uint8]]:
        """Return B luma images of ``(B, 3, H, W)`` code values 0-1."""
        luma = upload(torch.tensor(LUMA), frames.device).view(1, 3, 1, 1)
        gray = (frames.float() * luma).sum(1).mul(255).round().clamp(0, 255).to(torch.uint8)
        return list(gray.cpu().numpy())

    def batch(self, encoded: Sequence[list[NDArray[np.uint8]]]) -> list[NDArray[np.uint8]]:
        """Return the images of all batches in one list."""
        return [picture for pictures in encoded for picture in pictures]

    def estimate(self, reference: list[Any], neighbor: list[Any]) -> Tensor:
        """Return the flow from reference to neighbor, ``(B, 2, H, W)`` float32 in pixels."""
        flows = [abandonable(partial(_searched, one, other)) for one, other in zip(reference, neighbor, strict=True)]
        return torch.from_numpy(np.stack(flows)).permute(0, 3, 1, 2).contiguous().to(self._device)


def _searched(reference: NDArray[np.uint8], neighbor: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the flow ``(H, W, 2)`` of two luma images. Raises MemoryError if there is not enough memory."""
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    try:
        flow: NDArray[np.float32] = search.calc(reference, neighbor, None)  # type: ignore[call-overload]
    except cv2.error as error:
        if error.code == cv2.Error.StsNoMem:
            raise MemoryError(str(error)) from error
        raise
    return flow
