"""What a GPU does with a reconstructed window before it leaves the GPU: reference trust, and the values of the file."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from f2hdr_backend.color.primaries import Matrix
from f2hdr_backend.image.write import LARGEST_HALF
from f2hdr_backend.model.transfer import upload
from f2hdr_backend.trust.device import blend_hard, blend_softly


@dataclass(frozen=True)
class Finishing:
    """How the pixels of a file are made from radiance."""

    trust: str
    """Mode of reference trust: ``soft``, ``hard`` or ``off``."""
    matrix: Matrix | None
    """``(3, 3)`` from radiance to the values of the file: the anchor's gain, the clip level and the output space. None
    if this conversion is more than a matrix; then the host converts."""
    half: bool
    """Whether the file stores half floats."""

    def blended(
        self, radiance: Tensor, flows: Tensor, codes: Tensor, exposures: tuple[float, float, float]
    ) -> tuple[Tensor, Tensor | None]:
        """Apply reference trust, as :func:`f2hdr_backend.trust.blend.blend` on the host.

        Args:
            radiance: ``(3, H, W)`` a method's result; 1 is the clip of the shortest exposure.
            flows: ``(2, 2, H, W)`` pixels, reference to previous and to next.
            codes: ``(3, 3, H, W)`` gamma-2.2 codes 0-1 of previous, reference and next.
            exposures: of previous, reference and next; 1 is the shortest.

        Returns:
            ``(3, H, W)`` radiance, and ``(2,)`` factors that bring previous and next to the reference's level; None
            unless the mode is ``soft``, which measures them.
        """
        if self.trust == "soft":
            return blend_softly(radiance, flows, codes, exposures)
        return (blend_hard(radiance, codes[1], exposures[1]) if self.trust == "hard" else radiance), None

    def converted(self, radiance: Tensor) -> Tensor:
        """``(H, W, 3)`` radiance times :attr:`matrix`, as float32."""
        assert self.matrix is not None
        columns = torch.from_numpy(np.ascontiguousarray(self.matrix.T, np.float32))
        if not np.count_nonzero(self.matrix - np.diag(np.diag(self.matrix))):
            return radiance * upload(columns.diagonal().contiguous(), radiance.device)
        return radiance.contiguous() @ upload(columns, radiance.device)

    def stored(self, values: Tensor) -> tuple[Tensor, Tensor]:
        """``(H, W, 3)`` values in the type of the file, and ``(1,)`` the number of pixels that were clipped to it."""
        if not self.half:
            return values, torch.zeros(1, dtype=torch.int64, device=values.device)
        beyond = (values.abs() > LARGEST_HALF).any(-1).sum().view(1)
        return values.clamp(-LARGEST_HALF, LARGEST_HALF).half(), beyond
