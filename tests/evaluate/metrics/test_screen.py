from __future__ import annotations

import pytest
import torch

from f2hdr_backend.evaluate.metrics.screen import Display, luminance
from f2hdr_backend.shot.errors import ImageError


@pytest.mark.parametrize(
    ("width", "height", "paper", "deep_hdr_video"),
    [
        (1920, 1080, 30.703843, 32.452952),
        (1280, 720, 20.469229, 21.635301),
        (512, 512, 10.419730, 10.978375),
        (1536, 813, 24.155544, 25.538928),
    ],
)
def test_pixels_per_degree_of_the_two_published_displays(width, height, paper, deep_hdr_video):
    assert Display().pixels_per_degree(width, height) == pytest.approx(paper, abs=1e-6)
    assert Display(24.0, 0.5).pixels_per_degree(width, height) == pytest.approx(deep_hdr_video, abs=1e-6)


def _frame(*values: float) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64).view(-1, 1, 1)


def test_srgb_display_spans_one_to_a_hundred_and_is_not_clipped():
    light = luminance(_frame(0.0, 1.0, 0.5), "sRGB-display").flatten().tolist()
    assert light == pytest.approx([1.0, 100.0, 99 * 0.21404114048223255 + 1], abs=1e-12)
    beyond = luminance(_frame(1.2, 0.04, -0.01), "sRGB-display").flatten().tolist()
    assert beyond[0] > 100.0
    assert beyond[1:] == pytest.approx([99 * 0.04 / 12.92 + 1, 1 - 99 * 0.01 / 12.92])


def test_other_display_encodings_have_their_published_values():
    assert luminance(_frame(0.5), "luma-display").item() == pytest.approx(99 * 0.5**2.2 + 1)
    assert luminance(_frame(3.0), "luminance").item() == 3.0
    assert luminance(_frame(1.0, 2.0, 3.0), "rgb-bt.709").flatten().tolist() == [1.0, 2.0, 3.0]
    white = luminance(_frame(0.950456, 1.0, 1.089058), "XYZ").flatten().tolist()
    assert white == pytest.approx([1.0, 1.0, 1.0], abs=1e-4)


def test_channels_that_do_not_fit_and_negative_luma_are_refused():
    with pytest.raises(ImageError, match=r"\b1\b.*3"):
        luminance(_frame(0.5), "sRGB-display")
    with pytest.raises(ImageError, match="negative"):
        luminance(_frame(-0.1), "luma-display")
