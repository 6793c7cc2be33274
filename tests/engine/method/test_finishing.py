"""What a GPU does with a result before it leaves it: the steps of the host, in one place."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from f2hdr_backend.color.plate import open_color
from f2hdr_backend.engine.method.finishing import Finishing
from f2hdr_backend.shot.document import Color
from f2hdr_backend.trust.blend import blend

RANDOM = np.random.default_rng(1)
RADIANCE = RANDOM.random((24, 32, 3), np.float32)
CODES = RANDOM.random((3, 24, 32, 3), np.float32)
ACES = Color(input_space="gamma22", output_space="ACEScg", clip_level=(1.0, 0.9, 1.1), config="f2hdr", response="off")
PLAIN = Color(input_space="linear", output_space="linear", clip_level=(0.8,), response="off")


class NoPlate:
    """A plate that states nothing about its color."""

    name = "none"


@pytest.mark.parametrize("color", [ACES, PLAIN], ids=["matrix", "scale"])
def test_values_are_those_of_the_host(monkeypatch, color):
    monkeypatch.setattr("f2hdr_backend.color.plate.read_tags", lambda plate: type("Tags", (), {"chromaticities": None}))
    opened = open_color(color, NoPlate())
    gain = 2.5
    finishing = Finishing("off", opened.matrix() * gain, half=False)
    found = finishing.converted(torch.from_numpy(RADIANCE)).numpy()
    np.testing.assert_allclose(found, opened.finish(RADIANCE * np.float32(gain)), rtol=2e-6, atol=1e-6)


@pytest.mark.parametrize("exposures", [(8.0, 1.0, 8.0), (1.0, 8.0, 1.0)])
def test_hard_trust_is_that_of_the_host(exposures):
    flows = np.zeros((2, 24, 32, 2), np.float32)
    expected, _ = blend(RADIANCE, flows, list(CODES), exposures, "hard")
    codes = torch.from_numpy(CODES).movedim(-1, 1)
    light = torch.from_numpy(RADIANCE).movedim(-1, 0)
    found, levels = Finishing("hard", None, half=False).blended(light, torch.zeros(2, 2, 24, 32), codes, exposures)
    assert levels is None and not np.array_equal(expected, RADIANCE)
    np.testing.assert_allclose(found.movedim(0, -1), expected, atol=1e-6)


def test_half_floats_end_at_their_range_and_clipped_pixels_are_counted():
    values = torch.tensor([[[1.0, 2.0, 3.0], [1e5, 1.0, -1e6], [float("inf"), 0.0, 0.0], [float("nan"), 0.0, 0.0]]])
    stored, beyond = Finishing("off", np.eye(3), half=True).stored(values)
    assert stored.dtype == torch.float16 and beyond.tolist() == [2]
    assert stored[0, 1].tolist() == [65504, 1, -65504] and stored[0, 2, 0] == 65504 and stored[0, 3, 0].isnan()
    kept, none = Finishing("off", np.eye(3), half=False).stored(values)
    assert kept is values and none.tolist() == [0]
