"""Soft trust on a device gives what it gives on the CPU, and waits for nothing."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch

from f2hdr_backend.image.arrays import codes_of
from f2hdr_backend.trust import deghost
from f2hdr_backend.trust.blend import blend
from f2hdr_backend.trust.device import blend_softly
from tests.pretend_gpu import DEVICE, pretend_gpu

EXPOSURES = {"short": (8.0, 1.0, 8.0), "long": (1.0, 8.0, 1.0), "uneven": (1.0, 5.0, 2.0)}


def window(size, exposures, level=1.0):
    """A result, flows and codes of (width, height): a textured pan with highlights, a piece that only the reference
    shows, noise, a result that is wrong in a corner, and a next frame of another brightness than its exposure's."""
    random, (width, height) = np.random.default_rng(3), size
    texture = random.random((height // 6, width // 6, 3), np.float32)
    light = cv2.resize(texture, (width + 16, height + 8)) ** 3 * np.float32(1.3)
    moved = [light[4 - dy : 4 - dy + height, 8 - dx : 8 - dx + width].copy() for dx, dy in ((-3, -1), (0, 0), (3, 1))]
    moved[1][10:30, 20:44] = (0.3, 0.05, 0.1)
    moved[2] *= np.float32(level)
    noisy = [each + 1e-3 * random.normal(size=each.shape).astype(np.float32) for each in moved]
    codes = [codes_of(each, gain) for each, gain in zip(noisy, exposures, strict=True)]
    flows = np.broadcast_to(np.float32([[[[3.3, 1.2]]], [[[-3.2, -0.9]]]]), (2, height, width, 2)).copy()
    result = np.maximum(moved[1] * random.normal(1, 0.02, moved[1].shape), 0).astype(np.float32)
    result[-20:, -30:] *= 0.5
    return result, flows, codes


def on_device(result, flows, codes, exposures, device="cpu"):
    light, along, seen = (torch.from_numpy(np.ascontiguousarray(each)).to(device) for each in (result, flows, codes))
    found, matched = blend_softly(light.movedim(-1, 0), along.movedim(-1, 1), seen.movedim(-1, 1), exposures)
    return found.movedim(0, -1), matched


@pytest.mark.parametrize("level", [1.0, 1.2])
@pytest.mark.parametrize("size", [(128, 96), (101, 75)], ids=["whole cells", "parts of cells"])
@pytest.mark.parametrize("exposures", EXPOSURES.values(), ids=EXPOSURES)
def test_soft_trust_on_a_device_equals_that_of_the_cpu(monkeypatch, exposures, size, level):
    monkeypatch.setattr(deghost, "_box", lambda wrong: (slice(None), slice(None)))
    result, flows, codes = window(size, exposures, level)
    expected, levels = blend(result, flows, codes, exposures, "soft")
    found, matched = on_device(result, flows, codes, exposures)
    assert np.abs(expected - result).max() > 0.05  # there was something to do
    np.testing.assert_allclose(matched, levels, rtol=1e-4)
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_the_bounding_box_used_on_the_cpu_changes_few_pixels():
    result, flows, codes = window((128, 96), EXPOSURES["long"])
    expected, _ = blend(result, flows, codes, EXPOSURES["long"], "soft")
    found, _ = on_device(result, flows, codes, EXPOSURES["long"])
    assert (np.abs(found.numpy() - expected) > 1e-4).mean() < 0.02


@pytest.mark.parametrize("half", [torch.bfloat16, torch.float16])
def test_soft_trust_is_computed_in_float32_also_where_a_network_computes_in_half_precision(half):
    """Of a size whose cells are not whole, because their means are then matrix products."""
    given = window((101, 75), EXPOSURES["long"])
    expected, levels = on_device(*given, EXPOSURES["long"])
    with torch.autocast("cpu", half):
        found, matched = on_device(*given, EXPOSURES["long"])
    assert torch.equal(found, expected) and torch.equal(matched, levels)


def test_soft_trust_never_synchronizes_with_the_device():
    result, flows, codes = window((101, 75), EXPOSURES["short"])
    expected, _ = on_device(result, flows, codes, EXPOSURES["short"])
    with pretend_gpu() as counted:
        put = [torch.from_numpy(np.ascontiguousarray(each)).pin_memory() for each in (result, flows, codes)]
        light, along, seen = (each.to(DEVICE, non_blocking=True) for each in put)
        found, _ = blend_softly(light.movedim(-1, 0), along.movedim(-1, 1), seen.movedim(-1, 1), EXPOSURES["short"])
        assert counted.waits == []
        assert sum(counted.launches.values()) < 600
        torch.testing.assert_close(found.movedim(0, -1).cpu(), expected)
