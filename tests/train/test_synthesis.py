"""Synthetic windows: their light, their exposures and their flow agree with each other."""

import cv2
import numpy as np
import pytest

from f2hdr_backend.image.write import write_exr
from f2hdr_backend.shot.errors import DocumentError
from f2hdr_backend.train.layers import CameraPath, CutOut
from f2hdr_backend.train.sources import Source, load_sources
from f2hdr_backend.train.synthesis import silhouette, synthesize


def world(seed=1, height=256):
    """A smooth random panorama with a few bright spots."""
    random = np.random.default_rng(seed)
    coarse = random.uniform(0.05, 1.0, (height // 8, height // 4, 3)).astype(np.float32)
    radiance = cv2.resize(coarse, (2 * height, height), interpolation=cv2.INTER_CUBIC).clip(0.01)
    radiance[random.integers(0, height, 40), random.integers(0, 2 * height, 40)] *= 50
    return Source("world", radiance)


def follow(picture, flow):
    x, y = np.meshgrid(np.arange(flow.shape[1]), np.arange(flow.shape[0]))
    return cv2.remap(
        picture, (x + flow[..., 0]).astype(np.float32), (y + flow[..., 1]).astype(np.float32), cv2.INTER_LINEAR
    )


@pytest.mark.parametrize("other", [-1.0, 1.0])
def test_a_turning_zooming_rolling_camera_has_exact_flow(other):
    wrapped = np.pad(world().radiance.clip(0, 1), ((0, 0), (32, 32), (0, 0)), mode="wrap")
    smooth = Source("smooth", cv2.GaussianBlur(wrapped, (0, 0), 4)[:, 32:-32])
    camera = CameraPath(smooth, (120, 80), (3.0, 0.3, 0.1), (0.02, -0.015, 0.02), 1.2, 0.02)
    warped = follow(camera.picture(other)[0], camera.motion(0.0, other))[12:-12, 12:-12]
    np.testing.assert_allclose(warped, camera.picture(0.0)[0][12:-12, 12:-12], atol=0.01)


def test_a_cut_out_that_shifts_turns_and_grows_has_exact_flow():
    random = np.random.default_rng(5)
    texture = cv2.GaussianBlur(random.random((64, 64, 3)).astype(np.float32), (0, 0), 3)
    piece = CutOut(texture, silhouette(64, random), (96, 96), (48, 48), (5, -3), 0.1, 0.05, 1.0)
    inside = cv2.erode((piece.picture(0.0)[1] > 0.99).astype(np.uint8), np.ones((5, 5))) > 0
    warped = follow(piece.picture(1.0)[0], piece.motion(0.0, 1.0))
    assert inside.sum() > 200
    np.testing.assert_allclose(warped[inside], piece.picture(0.0)[0][inside], atol=0.01)


def test_true_flow_leads_to_the_same_light_wherever_it_is_visible():
    errors, shares = [], []
    for seed in range(6):
        window = synthesize([world()], (128, 96), np.random.default_rng(seed))
        for side, neighbor in enumerate((0, 2)):
            there = np.minimum(follow(window.radiance[neighbor], window.flows[side]), 1)
            here, seen = np.minimum(window.radiance[1], 1), window.visible[side]
            errors.append(np.median(np.abs(there - here)[seen]))
            shares.append(seen.mean())
    assert max(errors) < 0.02 and 0.5 < np.mean(shares) < 1


def test_exposures_alternate_and_codes_are_exposed_light():
    phases = set()
    for seed in range(8):
        window = synthesize([world()], (64, 64), np.random.default_rng(seed))
        previous, reference, following = window.exposures
        assert previous == following != reference and min(window.exposures) == 1
        assert np.log2(max(window.exposures)) in (2, 3, 4)
        phases.add(bool(reference > 1))
        for i in range(3):
            exposed = np.clip(window.radiance[i] * window.exposures[i], 0, 1)
            light = window.ldr[i] ** 2.2
            assert np.abs(np.median(light) - np.median(exposed)) < 0.03
            assert (window.ldr[i] >= 0).all() and (window.ldr[i] <= 1).all()
    assert phases == {True, False}


def test_the_same_seed_is_the_same_window():
    one, other, third = (synthesize([world()], (64, 48), np.random.default_rng(seed)) for seed in (7, 7, 8))
    assert all(np.array_equal(a, b) for a, b in zip(vars(one).values(), vars(other).values(), strict=True))
    assert not np.array_equal(one.ldr, third.ldr)


def test_sources_keep_the_held_out_apart(tmp_path):
    for name in ("quarry_02_1k", "meadow"):
        write_exr(tmp_path / f"{name}.exr", {"RGB": np.full((8, 16, 3), 2.0, np.float32)}, {})
    assert [source.name for source in load_sources(tmp_path)] == ["meadow"]
    (held,) = load_sources(tmp_path, held_out=True)
    assert held.name == "quarry_02_1k" and held.panorama and (held.radiance == 2).all()


def test_an_empty_folder_is_named(tmp_path):
    with pytest.raises(DocumentError, match="no EXR image"):
        load_sources(tmp_path)
