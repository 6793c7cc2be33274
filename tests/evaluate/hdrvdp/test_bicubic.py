from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from f2hdr_backend.evaluate.hdrvdp.bicubic import cubic, resize, resize_weights


@pytest.mark.parametrize(("source", "target"), [((41, 60), (83, 121)), ((83, 121), (42, 61)), ((64, 64), (16, 100))])
def test_the_interior_of_a_resized_picture_agrees_with_pillow(source, target):
    picture = np.random.default_rng(0).random(source).astype(np.float32)
    expected = np.asarray(Image.fromarray(picture).resize(target[::-1], Image.Resampling.BICUBIC))
    found = resize(torch.from_numpy(picture).double(), target).numpy()
    rows, columns = (3 + int(np.ceil(2 * max(t / s, 1))) for s, t in zip(source, target, strict=True))
    inner = np.s_[rows:-rows, columns:-columns]
    np.testing.assert_allclose(found[inner], expected[inner], atol=1e-5)


@pytest.mark.parametrize("target", [7, 33])
def test_edges_extend_symmetrically(target):
    line = torch.rand(1, 20, dtype=torch.float64)
    extended = torch.cat([line.flip(1), line, line.flip(1)], dim=1)
    expected = resize(extended, (1, 3 * target))[:, target : 2 * target]
    np.testing.assert_allclose(resize(line, (1, target)).numpy(), expected.numpy(), atol=1e-14)


@pytest.mark.parametrize(("source", "target"), [(20, 7), (7, 20), (17, 9), (5, 5)])
def test_weights_sum_to_one(source, target):
    weights = resize_weights(source, target)
    assert weights.shape == (target, source)
    np.testing.assert_allclose(weights.sum(1).numpy(), 1.0, atol=1e-14)


def test_a_picture_of_the_target_size_is_returned_unchanged():
    picture = torch.rand(4, 9, 8)
    assert resize(picture, (9, 8)) is picture


def test_the_kernel_interpolates():
    assert cubic(torch.tensor([0.0, 1.0, -1.0, 2.0, 3.0])).tolist() == [1.0, 0.0, 0.0, 0.0, 0.0]
    assert cubic(torch.tensor([0.5, 1.5])).tolist() == [0.5625, -0.0625]
