"""Windows and loss of ``mergenet``: pairs of phases, mirrored batches, and the values of the terms."""

import math
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
import torch
from torch.utils.data import default_collate

from f2hdr_backend.model.descriptor import MergeNetDescriptor
from f2hdr_backend.model.merge import merge
from f2hdr_backend.model.mergenet import Correction
from f2hdr_backend.model.radiance import tonemap
from f2hdr_backend.train.batches import BatchPlan
from f2hdr_backend.train.mergenet_setup import MergeBatch, MergeNetSetup
from tests.train.worlds import world

DESCRIPTOR = MergeNetDescriptor(channels=(8, 8, 16), blocks=(1, 1, 1))
SETUP = MergeNetSetup(DESCRIPTOR)


@pytest.fixture(scope="module")
def batch():
    windows = SETUP.windows([world()], BatchPlan(4, 32, 5, DESCRIPTOR, style=SETUP.style))
    return MergeBatch(*default_collate([windows[index] for index in range(4)]))


class Given(torch.nn.Module):
    """Stand-in for a network with a given error on the mu-law curve, one number per window."""

    def __init__(self, batch, errors):
        super().__init__()
        self.errors = torch.tensor(errors).view(-1, 1, 1, 1) + (tonemap(batch.radiance) - tonemap(batch.start))

    def forward(self, merged, _):
        return Correction(merged.radiance, self.errors)


def off(batch, error):
    """The batch with a start whose error on the mu-law curve is a constant."""
    return replace(batch, start=radiance_of_tone(tonemap(batch.radiance) + error))


def radiance_of_tone(tone):
    return torch.expm1(tone * math.log1p(5000)) / 5000


def test_two_of_four_windows_are_the_phases_of_one_scene(batch):
    assert batch.scene[0] == batch.scene[1] and len(set(batch.scene.tolist())) == 3
    short, long = batch.exposures[0], batch.exposures[1]
    assert short[1] == 1 < short[0] and long[1] == short[0] and long[0] == 1


@pytest.mark.parametrize(("flip", "axis"), [(MergeBatch.mirrored, -1), (MergeBatch.upside_down, -2)])
def test_a_flipped_batch_has_flipped_frames_and_flows(batch, flip, axis):
    other = flip(batch)
    one = merge(batch.frames, batch.exposures, batch.flows, batch.occlusions).radiance
    two = merge(other.frames, other.exposures, other.flows, other.occlusions).radiance
    torch.testing.assert_close(two, one.flip(axis).roll(1, 1), rtol=1e-3, atol=1e-4)
    assert torch.equal(other.radiance, batch.radiance.flip(axis).roll(1, 1))


def test_each_turn_shows_the_batch_differently(batch):
    turns = [SETUP.turn(batch, number) for number in range(SETUP.turns_count)]
    assert not any(torch.equal(one.frames, two.frames) for one, two in combinations(turns, 2))


def test_small_errors_count_less_at_the_start_of_a_run(batch):
    """Halving an error of 0.002 gains little at first and 6 dB at the end; halving one of 0.2 always gains 6 dB."""
    gains = {}
    for error in (0.002, 0.2):
        given = replace(off(batch, error), scene=torch.arange(4))
        for progress in (0.0, 0.25, 1.0):
            gains[error, progress] = -float(SETUP.loss(Given(given, [error / 2] * 4), given, progress)[0])
    assert gains[0.002, 0.0] < gains[0.002, 0.25] < gains[0.002, 1.0]
    assert gains[0.002, 0.0] < 0.1 * gains[0.2, 0.0] and gains[0.2, 0.0] > 0.8 * gains[0.2, 1.0]


def test_equal_errors_in_both_phases_add_no_phase_term(batch):
    given = off(batch, 0.1)
    alike, (psnr, _, phase) = SETUP.loss(Given(given, [0.1, 0.1, 0.1, 0.1]), given, 1.0)
    assert phase == pytest.approx(0, abs=1e-5) and psnr == pytest.approx(20, abs=0.01)
    opposed, (_, _, phase) = SETUP.loss(Given(given, [0.1, -0.1, 0.1, 0.1]), given, 1.0)
    assert phase == pytest.approx(0.2 / 0.101, rel=1e-3) and opposed > alike


def test_the_phase_term_compares_windows_of_one_scene_only(batch):
    apart = replace(off(batch, 0.1), scene=torch.arange(4))
    _, (_, _, phase) = SETUP.loss(Given(apart, [0.1, -0.1, 0.3, -0.3]), apart, 1.0)
    assert phase == 0


def test_the_loss_is_the_psnr_gain_over_the_merge(batch):
    """A tenth of the start's error gains 20 dB in every window, whatever its error was: of L2, and half for L1."""
    given = replace(off(batch, torch.tensor([0.1, 0.1, 0.02, 0.4]).view(-1, 1, 1, 1)), scene=torch.arange(4))
    loss, (psnr, before, _) = SETUP.loss(Given(given, [0.01, 0.01, 0.002, 0.04]), given, 1.0)
    assert psnr - before == pytest.approx(20, abs=0.05)
    assert float(loss) == pytest.approx(-1.5 * math.log(10), rel=0.05)


def test_a_loss_of_psnr_costs_more_than_an_equal_gain_saves(batch):
    given = replace(off(batch, 0.1), scene=torch.arange(4))
    same, better, worse = (float(SETUP.loss(Given(given, [each] * 4), given, 1.0)[0]) for each in (0.1, 0.05, 0.2))
    assert same == pytest.approx(0, abs=1e-3) and worse - same > 1.5 * (same - better) > 0


def test_the_initial_network_returns_the_merge(batch):
    model = SETUP.model()
    with torch.no_grad():
        _, (psnr, before, _) = SETUP.loss(model, batch, 0.0)
    assert psnr == before
    shown = SETUP.shown(model, batch)
    assert torch.equal(shown.first, shown.result) and np.isfinite(shown.result.detach().numpy()).all()
