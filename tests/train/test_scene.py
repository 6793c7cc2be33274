"""Random scenes contain what their style asks for."""

import numpy as np
import pytest

from f2hdr_backend.train.sampling_ranges import SceneStyle
from f2hdr_backend.train.scene import random_layers
from tests.train.worlds import world


def pieces(style, seed):
    return random_layers([world()], (64, 64), style, np.random.default_rng(seed))[1:]


@pytest.mark.parametrize("seed", range(4))
def test_patchwork_pieces_are_flat_patches_of_saturated_colors(seed):
    style = SceneStyle(pieces=(1,), patchwork=1.0, lit=0.0, defocused=0.0)
    (piece,) = pieces(style, seed)
    colors = np.unique(piece.piece[..., :3].reshape(-1, 3), axis=0)
    assert 4 <= len(colors) <= 144
    assert np.median(colors.min(-1) / colors.max(-1)) < 0.5


def test_pieces_show_pictures_unless_the_style_has_patchwork():
    (piece,) = pieces(SceneStyle(pieces=(1,), lit=0.0, defocused=0.0), 1)
    assert len(np.unique(piece.piece[..., :3].reshape(-1, 3), axis=0)) > 1000


def test_the_number_of_pieces_is_one_of_the_styles():
    assert {len(pieces(SceneStyle(pieces=(0, 3)), seed)) for seed in range(8)} == {0, 3}
