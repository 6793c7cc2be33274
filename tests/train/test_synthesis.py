"""Synthetic windows: their light, their exposures and their flow agree with each other."""

import re
from dataclasses import replace

import cv2
import numpy as np
import pytest

from f2hdr_backend.image.write import write_exr
from f2hdr_backend.shot.errors import DocumentError
from f2hdr_backend.train.sampling_ranges import CameraStyle, SceneStyle, Style
from f2hdr_backend.train.sources import load_sources
from f2hdr_backend.train.synthesis import synthesize
from tests.train.worlds import follow, smooth_world, world

QUIET = CameraStyle(
    full_well=(1e6, 1e6), read_noise=(0, 0), row_noise=(0, 0), bits=(16,), curves=("gamma22",), black_error=0.0,
    uneven_clip=0.0, ratio_error=0.0, flicker=0.0,
)  # fmt: skip
STILL = SceneStyle(still=1.0, pieces=(0,), lit=0.0, defocused=0.0)


def window(seed, size=(64, 64), style=None):
    return synthesize([world()], size, np.random.default_rng(seed), style)


def test_true_flow_leads_to_equal_radiance_where_visible():
    style = Style(SceneStyle(blurred=0.0, lit=0.0))
    errors, shares = [], []
    for seed in range(6):
        drawn = window(seed, (128, 96), style)
        for side, neighbor in enumerate((0, 2)):
            there = np.minimum(follow(drawn.radiance[neighbor], drawn.flows[side]), 1)
            here, seen = np.minimum(drawn.radiance[1], 1), drawn.visible[side]
            if seen.any():
                errors.append(np.median(np.abs(there - here)[seen]))
            shares.append(seen.mean())
    assert max(errors) < 0.02 and 0.4 < np.mean(shares) < 1


def test_exposures_alternate_and_codes_are_the_exposed_radiance():
    phases = set()
    for seed in range(8):
        drawn = window(seed, style=Style(camera=QUIET))
        previous, reference, following = drawn.exposures
        assert previous == following != reference and min(drawn.exposures) == 1
        assert np.log2(max(drawn.exposures)) in (1, 2, 3, 4, 5)
        phases.add(bool(reference > 1))
        for i in range(3):
            exposed = np.clip(drawn.radiance[i] * drawn.exposures[i], 0, 1)
            np.testing.assert_allclose(drawn.ldr[i] ** 2.2, exposed, atol=0.01)
    assert phases == {True, False}


def test_the_longer_exposure_has_the_longer_blur():
    """A camera turning to the right, four stops: only the long frames lose their fine detail."""
    scene = SceneStyle(
        still=0.0, camera_px=(20.0, 20.0), shaken=0.0, pieces=(0,), lit=0.0, defocused=0.0, blurred=1.0,
        ratios_ev=(4.0,),
    )  # fmt: skip
    sharpness = []
    for seed in range(4):
        drawn = window(seed, (96, 96), Style(scene, long_reference=True))
        sharpness.append([np.abs(np.diff(np.log(frame + 1e-3), axis=1)).mean() for frame in drawn.radiance])
    previous, reference, following = np.mean(sharpness, 0)
    assert reference < 0.9 * min(previous, following)


def test_a_still_scene_is_equal_in_all_frames_for_every_shutter():
    drawn = window(3, style=Style(replace(STILL, blurred=1.0)))
    assert np.abs(drawn.flows).max() < 1e-3 and drawn.visible.all() and not drawn.moving.any()
    for neighbor in (0, 2):
        np.testing.assert_allclose(drawn.radiance[neighbor], drawn.radiance[1], rtol=1e-5)


def test_exposures_may_be_misreported_and_light_may_flicker():
    def ratios(camera):
        drawn = [window(seed, style=Style(STILL, camera)) for seed in range(24)]
        found = []
        for one in drawn:
            light = one.ldr.astype(np.float64) ** 2.2 / one.exposures[:, None, None, None]
            good = ((one.ldr > 0.15) & (one.ldr < 0.9)).all(0)
            found += [] if good.sum() < 50 else [light[side][good].sum() / light[1][good].sum() for side in (0, 2)]
        return np.array(found)

    np.testing.assert_allclose(ratios(QUIET), 1, atol=0.01)
    assert np.ptp(ratios(replace(QUIET, ratio_error=0.2))) > 0.05
    assert np.ptp(ratios(replace(QUIET, flicker=0.2))) > 0.05


def test_windows_are_within_the_sampling_ranges():
    style = Style(SceneStyle(ratios_ev=(3.0,), pieces=(2,), piece_px=(10.0, 10.0), still=1.0), long_reference=False)
    for seed in range(4):
        drawn = window(seed, (96, 96), style)
        assert drawn.exposures.tolist() == [8, 1, 8]
        assert np.abs(drawn.flows[:, ~drawn.moving]).max() < 1e-3
    smooth = synthesize([smooth_world()], (96, 96), np.random.default_rng(1), Style(replace(STILL, lit=1.0)))
    assert cv2.minMaxLoc(smooth.radiance[1][..., 0])[1] > 5 * np.median(smooth.radiance[1][..., 0])


def test_the_same_seed_gives_the_same_window():
    one, other, third = (window(seed) for seed in (7, 7, 8))
    assert all(np.array_equal(a, b) for a, b in zip(vars(one).values(), vars(other).values(), strict=True))
    assert not np.array_equal(one.ldr, third.ldr)


def test_sources_separate_held_out_images(tmp_path):
    for name in ("quarry_02_1k", "meadow"):
        write_exr(tmp_path / f"{name}.exr", {"RGB": np.full((8, 16, 3), 2.0, np.float32)}, {})
    assert [source.name for source in load_sources(tmp_path)] == ["meadow"]
    (held,) = load_sources(tmp_path, held_out=True)
    assert held.name == "quarry_02_1k" and held.panorama and (held.radiance == 2).all()


def test_an_empty_folder_is_named(tmp_path):
    with pytest.raises(DocumentError, match=re.escape(str(tmp_path))):
        load_sources(tmp_path)
