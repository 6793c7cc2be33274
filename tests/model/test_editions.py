"""Widths and cell sizes of a network: their cost, and the results that they do not change."""

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from f2hdr_backend.model.blocks import between_cells, cell_mean, from_cells, to_cells
from f2hdr_backend.model.descriptor import Descriptor
from f2hdr_backend.model.f2hdr import F2HDR


def work(descriptor):
    """FLOP of one window of 64 x 64 pixels."""
    network = F2HDR(descriptor).eval()
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        network(torch.rand(1, 3, 3, 64, 64), torch.tensor([[8.0, 1.0, 8.0]]), torch.zeros(1, 2, 2, 64, 64))
    return counter.get_total_flops()


def test_lite_takes_at_most_a_quarter_of_the_flops_of_standard():
    assert work(Descriptor()) > 4 * work(Descriptor.lite())


def test_defaults_are_the_published_widths():
    standard, published = F2HDR(Descriptor()).state_dict(), F2HDR(Descriptor.published()).state_dict()
    assert {name: value.shape for name, value in standard.items()} == {n: v.shape for n, v in published.items()}
    assert standard["flow_adapter.head.0.weight"].shape == (64, 13, 3, 3)
    assert standard["refine_net.adapt_in.weight"].shape == (48, 144, 1, 1)


@pytest.mark.parametrize("cell_px", [1, 2, 4])
def test_cells_do_not_change_a_static_scene(cell_px):
    """With a refinement that adds nothing and equal frames, any weights of the candidates return the candidates."""
    torch.manual_seed(1)
    network = F2HDR(Descriptor(cell_px=cell_px, adapter_channels=8, fusion_channels=16, refine_channels=8)).eval()
    for parameter in network.refine_net.head[-1].parameters():
        torch.nn.init.zeros_(parameter)
    frame = torch.rand(1, 1, 3, 32, 48)
    with torch.no_grad():
        result = network(frame.expand(1, 3, 3, 32, 48), torch.ones(1, 3), torch.zeros(1, 2, 2, 32, 48))
    assert result.flows.shape == (1, 2, 2, 32, 48) and result.masks.shape == (1, 2, 1, 32, 48)
    torch.testing.assert_close(result.hdr, frame[:, 0] ** 2.2, atol=1e-4, rtol=1e-4)


def test_pixels_are_unchanged_after_conversion_to_cells_and_back():
    picture = torch.rand(2, 3, 8, 12)
    cells = to_cells(picture, 4)
    assert cells.shape == (2, 48, 2, 3)
    torch.testing.assert_close(from_cells(cells, 4), picture)
    assert to_cells(picture, 1) is picture


def test_a_smooth_field_is_preserved_on_the_grid_of_cells():
    field = (torch.arange(32.0)[None, :] + 2 * torch.arange(16.0)[:, None]).view(1, 1, 16, 32)
    back = between_cells(cell_mean(field, 2), 2)
    torch.testing.assert_close(back[..., 1:-1, 1:-1], field[..., 1:-1, 1:-1])


def test_descriptors_keep_their_widths_and_refuse_impossible_ones():
    lite = Descriptor.lite()
    assert Descriptor.from_json(lite.to_json()) == lite
    old = {
        name: value for name, value in Descriptor().to_json().items() if "channels" not in name and name != "cell_px"
    }
    assert Descriptor.from_json(old) == Descriptor()
    for wrong in ({"cell_px": 3}, {"fusion_channels": 30}, {"refine_channels": 0}, {"refine_blocks": 1.5}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            Descriptor.from_json(wrong)
