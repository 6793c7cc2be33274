"""Bands have the same results as the whole frame, at every seam and at the frame's edges."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from f2hdr_backend.model.bands import Bands
from f2hdr_backend.model.descriptor import Descriptor
from f2hdr_backend.model.f2hdr import F2HDR

READINGS = {
    "ours": Descriptor(),
    "released": Descriptor.published(),
    "the paper's text": Descriptor(warp="exact", exposure_alignment="eq2", adapter_input="raw", gate_scale="max"),
    "lite": Descriptor.lite(),
    "learned mask": Descriptor(mask="cnn"),
    "stage I alone": Descriptor(refine=False),
}


def _network(descriptor: Descriptor) -> F2HDR:
    """A network whose every layer, also those that start at zero, does something."""
    torch.manual_seed(7)
    network = F2HDR(descriptor).eval().requires_grad_(False)
    for name, parameter in network.named_parameters():
        if name.endswith(("tail.weight", "head.1.weight")):
            nn.init.normal_(parameter, std=0.02)
    return network


def _window(height: int, width: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    torch.manual_seed(3)
    frames = torch.rand(1, 3, 3, height, width)
    flows = 40 * (torch.rand(1, 2, 2, height, width) - 0.5)
    return frames, torch.tensor([[8.0, 1.0, 8.0]]), flows


@pytest.mark.parametrize("name", READINGS)
def test_bands_equal_the_whole_frame(name: str) -> None:
    network = _network(READINGS[name])
    window = _window(208, 48)
    with torch.inference_mode():
        whole = network(*window)
        banded = network(*window, over=Bands(32))
    for part in ("hdr", "coarse", "flows", "masks"):
        difference = (getattr(whole, part) - getattr(banded, part)).abs().max()
        assert difference <= 2e-5, part


def test_a_smooth_ramp_has_no_seams() -> None:
    network = _network(Descriptor())
    ramp = torch.linspace(0.2, 0.9, 208)[:, None].expand(208, 48)
    frames = (
        torch.stack([ramp * factor for factor in (0.6, 1.0, 0.6)]).clamp(0, 1)[None, :, None].expand(1, 3, 3, 208, 48)
    )
    flows = torch.zeros(1, 2, 2, 208, 48)
    with torch.inference_mode():
        whole = network(frames, torch.tensor([[1.0, 8.0, 1.0]]), flows).hdr
        banded = network(frames, torch.tensor([[1.0, 8.0, 1.0]]), flows, over=Bands(16)).hdr
    assert (whole - banded).abs().max() <= 1e-5


def test_features_encoded_in_advance_do_not_change_the_result() -> None:
    network = _network(Descriptor())
    frames, exposures, flows = _window(64, 64)
    with torch.inference_mode():
        encoded = [network.encode(frames[:, index], exposures[:, index]) for index in range(3)]
        torch.testing.assert_close(
            network(frames, exposures, flows, encoded=encoded).hdr,
            network(frames, exposures, flows).hdr,
            rtol=0,
            atol=0,
        )


def test_a_band_keeps_the_memory_layout() -> None:
    conv = nn.Conv2d(3, 8, 3, padding=1).requires_grad_(False)
    picture = torch.rand(1, 3, 64, 32).contiguous(memory_format=torch.channels_last)
    banded = Bands(16)(conv, 1, picture)
    assert banded.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(banded, conv(picture))


def test_too_small_a_border_changes_the_result() -> None:
    """Bands with one row less than the convolution needs differ from the whole frame."""
    conv = nn.Conv2d(1, 1, 5, padding=2).requires_grad_(False)
    picture = torch.rand(1, 1, 64, 32)
    assert (Bands(16)(conv, 1, picture) - conv(picture)).abs().max() > 1e-3
    assert (Bands(16)(conv, 2, picture) - conv(picture)).abs().max() < 1e-6
