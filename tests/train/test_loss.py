"""The loss against its terms computed here."""

from dataclasses import replace

import pytest
import torch

from f2hdr_backend.model.f2hdr import Reconstruction
from f2hdr_backend.train.batches import Batch
from f2hdr_backend.train.loss import FLOW_ERROR_LIMIT_PX, RECIPES, Recipe, flow_error, loss

MU = 5001.0


def curve(light):
    return torch.log1p((MU - 1) * light) / torch.log(torch.tensor(MU))


@pytest.fixture
def batch():
    torch.manual_seed(1)
    truth = torch.rand(1, 1, 3, 8, 8).expand(1, 3, 3, 8, 8)
    zero = torch.zeros(1, 2, 2, 8, 8)
    dark = torch.full((1, 3, 3, 8, 8), 0.1)
    return Batch(dark, torch.tensor([[1.0, 8.0, 1.0]]), zero, truth, zero, torch.ones(1, 2, 1, 8, 8))


def result(batch, *, hdr=0.0, coarse=0.0, flow_px=0.0):
    truth = batch.radiance[:, 1]
    flows = torch.full((1, 2, 2, 8, 8), 0.0)
    flows[:, :, 0] = flow_px
    return Reconstruction((truth + hdr).clamp(0, 1), (truth + coarse).clamp(0, 1), flows, torch.ones(1, 2, 1, 8, 8))


def test_a_perfect_result_has_zero_loss(batch):
    assert loss(result(batch), batch, Recipe()).item() == pytest.approx(0, abs=1e-4)


def test_the_loss_of_stage_one_has_its_weight(batch):
    truth = batch.radiance[:, 1]
    expected = (curve((truth + 0.1).clamp(0, 1)) - curve(truth)).abs().mean().item()
    without = Recipe(alignment=0.0, coarse=0.0, flow=0.0)
    assert loss(result(batch, hdr=0.1), batch, without).item() == pytest.approx(expected, rel=1e-4)
    assert loss(result(batch, coarse=0.1), batch, without).item() == pytest.approx(0, abs=1e-6)
    half = replace(without, coarse=0.5)
    assert loss(result(batch, coarse=0.1), batch, half).item() == pytest.approx(expected / 2, rel=1e-4)


def test_alignment_counts_only_where_the_reference_is_badly_exposed(batch):
    shifted = result(batch, flow_px=2.0)
    only = Recipe(alignment=1.0, coarse=0.0, flow=0.0)
    assert loss(shifted, batch, only).item() > 0.05
    well = replace(batch, frames=torch.full_like(batch.frames, 0.5))
    assert loss(shifted, well, only).item() == pytest.approx(0, abs=1e-6)


def test_flow_error_is_the_distance_where_visible_and_limited(batch):
    assert flow_error(torch.full((1, 2, 2, 8, 8), 3.0), batch).item() == pytest.approx(18**0.5, rel=1e-4)
    assert flow_error(torch.full((1, 2, 2, 8, 8), 300.0), batch).item() == FLOW_ERROR_LIMIT_PX
    unseen = replace(batch, visible=torch.zeros_like(batch.visible))
    assert flow_error(torch.full((1, 2, 2, 8, 8), 3.0), unseen).item() == 0


def test_the_recipe_of_the_paper_has_only_its_own_terms():
    paper = RECIPES["paper"]
    assert paper.coarse == paper.flow == 0 < paper.alignment
