"""SEA-RAFT organized as in its authors' code: a stored all-pairs volume, and flow upsampled at every iteration.

Layers, weights and results are those of :class:`SeaRaft`; only the order of the operations differs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from f2hdr_backend.flow.estimator import SizeRequirement
from f2hdr_backend.model.sea_raft import SIZE_MINIMUM, SIZE_MULTIPLE, SeaRaft
from f2hdr_backend.model.sea_raft.network import DIM, ITERATIONS, LEVELS, RADIUS, STRIDE, convex_upsample
from f2hdr_backend.model.warp import pixel_grid

Encoded = tuple[Tensor, Tensor]
"""A frame scaled to -1..1, ``(B, 3, H, W)``, and its matching features ``(B, 256, H / 8, W / 8)``."""


class VolumeEstimator:
    """A float32 flow estimator that reads its correlation from a stored all-pairs volume."""

    size = SizeRequirement(multiple_of=SIZE_MULTIPLE, minimum=SIZE_MINIMUM)
    bytes_per_pixel = 600
    """Without the volume; see :func:`volume_bytes`."""
    on_host = False
    caution = ""
    digest = "sea_raft with a stored volume"

    def __init__(self, tensors: Mapping[str, Tensor], device: torch.device) -> None:
        """Load SEA-RAFT's published ``tensors`` to ``device``."""
        with torch.device("meta"):
            network = SeaRaft()
        network.load_state_dict(dict(tensors), assign=True)
        self._network = network.eval().requires_grad_(False).to(device)

    def encode(self, frames: Tensor) -> Encoded:
        """Return the scaled frame and its features for ``(B, 3, H, W)`` code values 0-1."""
        image = 2 * frames - 1
        return image, self._network.fnet(image)

    def batch(self, encoded: Sequence[Encoded]) -> Encoded:
        """Concatenate several frames to one batch."""
        images, features = zip(*encoded, strict=True)
        return torch.cat(images), torch.cat(features)

    def estimate(self, reference: Encoded, neighbor: Encoded) -> Tensor:
        """Return the flow from reference to neighbor, ``(B, 2, H, W)`` float32 in pixels."""
        network = self._network
        context = network.init_conv(network.cnet(torch.cat((reference[0], neighbor[0]), 1)))
        state, context = context.split(DIM, dim=1)
        flow = network.flow_head(state)[:, :2]
        full = self._upsampled(flow, state)
        volume = all_pairs(reference[1], neighbor[1])
        grid = pixel_grid(flow)
        for _ in range(ITERATIONS):
            state = network.update_block(state, context, look_up(volume, grid + flow), flow)
            flow = flow + network.flow_head(state)[:, :2]
            full = self._upsampled(flow, state)
        return full

    def _upsampled(self, flow: Tensor, state: Tensor) -> Tensor:
        return convex_upsample(flow, 0.25 * self._network.upsample_weight(state))


def all_pairs(reference: Tensor, neighbor: Tensor) -> list[Tensor]:
    """Return the correlation of all pairs of pixels, also with the neighbor downsampled by 2, 4 and 8.

    Args:
        reference: ``(B, C, h, w)`` features.
        neighbor: ``(B, C, h, w)`` features.

    Returns:
        Four levels ``(B h w, 1, h / 2^l, w / 2^l)``.
    """
    pixels = reference.flatten(2).transpose(1, 2)
    levels = []
    for level in range(LEVELS):
        if level:
            neighbor = F.interpolate(neighbor, scale_factor=0.5, mode="bilinear")
        correlation = (pixels @ neighbor.flatten(2)).div_(reference.shape[1] ** 0.5)
        levels.append(correlation.view(-1, 1, *neighbor.shape[-2:]))
    return levels


def look_up(volume: Sequence[Tensor], coords: Tensor) -> Tensor:
    """Sample a window around one position per pixel, bilinear, zero outside.

    Args:
        volume: the result of :func:`all_pairs`.
        coords: ``(B, 2, h, w)`` x and y in pixels of the finest level.

    Returns:
        ``(B, 4 * 81, h, w)``, ordered by level, then offset in x, then offset in y.
    """
    batch, _, height, width = coords.shape
    steps = torch.arange(-RADIUS, RADIUS + 1, device=coords.device, dtype=coords.dtype)
    beside, below = torch.meshgrid(steps, steps, indexing="ij")
    x, y = coords.flatten(2).movedim(1, 0).reshape(2, -1, 1, 1)
    found = []
    for level, correlation in enumerate(volume):
        last_y, last_x = (max(side - 1, 1) for side in correlation.shape[-2:])
        across, down = (x / 2**level + beside) * 2 / last_x - 1, (y / 2**level + below) * 2 / last_y - 1
        grid = torch.stack((across, down), -1)
        found.append(F.grid_sample(correlation, grid, align_corners=True).view(batch, height, width, -1))
    return torch.cat(found, -1).permute(0, 3, 1, 2).contiguous()


def volume_bytes(width: int, height: int) -> int:
    """Return the bytes of the float32 volume of one pair of frames with all its levels; sides in pixels."""
    pixels = (width // STRIDE) * (height // STRIDE)
    return sum(4 * pixels * (pixels >> 2 * level) for level in range(LEVELS))
