"""Borders: the size that a network accepts, and the frame again after cropping."""

import pytest
import torch

from f2hdr_backend.engine.method.padding import Padding
from f2hdr_backend.flow.estimator import SizeRequirement

EIGHT, SIXTEEN = SizeRequirement(multiple_of=8), SizeRequirement(multiple_of=16)


@pytest.mark.parametrize("size", [(64, 48), (65, 48), (63, 31), (1, 1)])
def test_padding_is_minimal_and_removed_again(size):
    padding = Padding.around(size, (EIGHT, SIXTEEN))
    height, width = padding.padded(size)
    assert height % 16 == width % 16 == 0
    assert 0 <= height - size[1] < 16 and 0 <= width - size[0] < 16
    assert abs(padding.left - padding.right) <= 1 and abs(padding.top - padding.bottom) <= 1
    frame = torch.rand(1, 3, size[1], size[0])
    padded = padding.pad(frame)
    assert padded.shape[-2:] == (height, width)
    assert torch.equal(padding.crop(padded), frame)
    assert torch.equal(padded[..., 0, 0], frame[..., 0, 0]) and torch.equal(padded[..., -1, -1], frame[..., -1, -1])
