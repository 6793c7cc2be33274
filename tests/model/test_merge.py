"""The weights of the classical merge, on flat frames that do not move."""

import pytest
import torch

from f2hdr_backend.model.merge import merge

EXPOSURES = torch.tensor([[1.0, 8.0, 1.0]])
"""A long reference between short frames, 3 stops apart."""


def merged(previous, reference, following):
    """The merge's radiance in red, green and blue; each frame has one radiance everywhere, 1 the clip of exposure 1."""
    radiance = torch.tensor([previous, reference, following]).view(1, 3, -1, 1, 1).expand(1, 3, 3, 6, 8)
    codes = (radiance * EXPOSURES.view(1, 3, 1, 1, 1)).clamp(0, 1) ** (1 / 2.2)
    still, seen = torch.zeros(1, 2, 2, 6, 8), torch.zeros(1, 2, 1, 6, 8)
    return merge(codes, EXPOSURES, still, seen).radiance[0, :, 3, 4]


@pytest.mark.parametrize("radiance", [0.01, 0.1, 0.124, 0.3, 0.95])
def test_frames_of_one_radiance_merge_to_it(radiance):
    torch.testing.assert_close(
        merged([radiance], [radiance], [radiance]), torch.full((3,), radiance), rtol=0.01, atol=0
    )


def test_a_neighbor_darker_than_the_clip_of_the_reference_shows_another_surface():
    """The reference is clipped from 1/8 on, so a neighbor of 0.03 cannot show the same."""
    assert merged([0.4], [0.4], [0.03]).tolist() == pytest.approx([0.4] * 3, rel=0.02)
    assert merged([0.03], [0.4], [0.4]).tolist() == pytest.approx([0.4] * 3, rel=0.02)


def test_neighbors_that_are_both_above_the_clip_count_alike():
    assert merged([0.4], [0.9], [0.2]).tolist() == pytest.approx([0.3] * 3, rel=0.02)


def test_one_channel_is_enough_to_disagree():
    """Red is clipped in the reference, green and blue are not: a neighbor of another green is another surface."""
    assert merged([0.5, 0.1, 0.1], [0.5, 0.1, 0.1], [0.5, 0.02, 0.1]).tolist() == pytest.approx(
        [0.5, 0.1, 0.1], rel=0.02
    )
