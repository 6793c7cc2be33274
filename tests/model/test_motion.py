"""Otsu's threshold counts the same on every device."""

from __future__ import annotations

import pytest
import torch

from f2hdr_backend.model import motion


@pytest.mark.parametrize("power", [1, 4])
def test_both_ways_to_count_give_the_same_counts(power):
    values = torch.rand(2, 5000, generator=torch.Generator().manual_seed(3)) ** power
    values[:, 0], values[:, 1] = 0.0, 1.0
    counts = motion._counted(values)
    assert torch.equal(motion._counted_by_histc(values).long(), counts)
    assert counts.sum(1).tolist() == [5000, 5000]


def test_the_threshold_parts_two_heaps():
    heaps = torch.cat((torch.full((1, 1, 8, 16), 0.2), torch.full((1, 1, 8, 16), 0.7)), 2)
    assert 0.19 < float(motion.otsu(heaps)) < 0.7
