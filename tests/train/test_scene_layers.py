"""Layers move by their flow: following it leads to the same light."""

import cv2
import numpy as np
import pytest

from f2hdr_backend.train.motion_paths import Bend, PiecePath
from f2hdr_backend.train.scene import silhouette
from f2hdr_backend.train.scene_layers import CutOut, Lamp, PanoramaCamera, defocus
from tests.train.worlds import follow, smooth_world

SIZE = (120, 80)


FLAT = Bend()


def cut_out(path, bend=FLAT, size=(96, 96)):
    random = np.random.default_rng(5)
    texture = cv2.GaussianBlur(random.random((64, 64, 3)).astype(np.float32), (0, 0), 3)
    return CutOut(np.dstack((texture, silhouette(64, random))), size, path, bend)


@pytest.mark.parametrize("other", [-1.0, 1.0])
@pytest.mark.parametrize("shake", [(0.0, 0.0, 0.0), (0.03, 0.02, 0.02)])
def test_a_turning_zooming_rolling_shaking_camera_has_exact_flow(other, shake):
    camera = PanoramaCamera(smooth_world(), SIZE, (3.0, 0.3, 0.1), (0.02, -0.015, 0.02), 1.2, 0.02, shake, 0.7)
    warped = follow(camera.picture(other)[0], camera.motion(0.0, other))[12:-12, 12:-12]
    np.testing.assert_allclose(warped, camera.picture(0.0)[0][12:-12, 12:-12], atol=0.01)


def test_a_camera_that_only_zooms_moves_pixels_by_the_ratio_of_the_tangents():
    camera = PanoramaCamera(smooth_world(), SIZE, (0.4, 0.1, 0.0), (0.0, 0.0, 0.0), 1.0, 0.05)
    ratio = np.tan(0.5) / np.tan(0.525)
    x = np.arange(120) - 59.5
    np.testing.assert_allclose(camera.motion(0.0, 1.0)[40, :, 0], x * (ratio - 1), atol=0.02)


def test_a_light_source_adds_radiance_and_moves_with_the_background():
    angles, turn = (0.2, 0.0, 0.0), (0.05, 0.02, 0.0)
    bare = PanoramaCamera(smooth_world(), SIZE, angles, turn, 1.2, 0.0)
    longitude, latitude = bare.direction(0.0)
    lamp = Lamp(float(longitude[30, 70]), float(latitude[30, 70]), 2.0, (100.0, 80.0, 50.0))
    lit = PanoramaCamera(smooth_world(), SIZE, angles, turn, 1.2, 0.0, lamps=(lamp,))
    added = lit.picture(0.0)[0] - bare.picture(0.0)[0]
    assert np.unravel_index(added[..., 0].argmax(), (80, 120)) == (30, 70)
    np.testing.assert_allclose(added[30, 70], (100, 80, 50), rtol=0.01)
    there = lit.picture(1.0)[0] - bare.picture(1.0)[0]
    y, x = np.unravel_index(there[..., 0].argmax(), (80, 120))
    np.testing.assert_allclose((x - 70, y - 30), bare.motion(0.0, 1.0)[30, 70], atol=0.6)


def test_a_light_source_behind_the_camera_is_not_visible():
    behind = Lamp(0.2 + np.pi, 0.0, 3.0, (100.0, 100.0, 100.0))
    dark, lit = (
        PanoramaCamera(smooth_world(), SIZE, (0.2, 0.0, 0.0), (0.0, 0.0, 0.0), 1.2, 0.0, lamps=lamps).picture(0.0)[0]
        for lamps in ((), (behind,))
    )
    np.testing.assert_array_equal(dark, lit)


@pytest.mark.parametrize("other", [-1.0, 1.0])
@pytest.mark.parametrize(
    ("path", "bend"),
    [
        (PiecePath((48, 48), (5, -3), spin=0.1, growth=0.05), Bend()),
        (PiecePath((48, 48), (5, -3), (2, 4), shear=0.1, scale=1.2), Bend()),
        (PiecePath((48, 48), camera=(0.05, -0.03, 0.1), normal=(1.0, 0.5, 1.0)), Bend()),
        (PiecePath((48, 48), (3, 2), spin=0.05), Bend(3.0, 40.0, 0.6, 0.2, 0.5)),
    ],
    ids=["affine", "curved", "plane", "bending"],
)
def test_a_moving_object_has_exact_flow(path, bend, other):
    piece = cut_out(path, bend)
    inside = cv2.erode((piece.picture(0.0)[1] > 0.99).astype(np.uint8), np.ones((5, 5))) > 0
    warped = follow(piece.picture(other)[0], piece.motion(0.0, other))
    assert inside.sum() > 200
    assert np.abs(piece.motion(0.0, other)[inside]).max() > 0.5
    np.testing.assert_allclose(warped[inside], piece.picture(0.0)[0][inside], atol=0.01)


def test_an_accelerated_shift_equals_its_closed_form():
    motion = cut_out(PiecePath((40, 40), (5, -3), (2, 4))).motion(0.0, 1.0)
    np.testing.assert_allclose(motion, np.broadcast_to((5 + 1, -3 + 2), motion.shape), atol=1e-4)


def test_a_facing_plane_grows_as_the_camera_comes_nearer():
    motion = cut_out(PiecePath((48, 48), camera=(0.0, 0.0, 0.2))).motion(0.0, 1.0)
    x = np.arange(96) - 47.5
    np.testing.assert_allclose(motion[10, :, 0], x * (1 / 0.8 - 1), atol=1e-4)


def test_defocus_spreads_a_point_over_a_disk_of_the_same_energy():
    point = np.zeros((31, 31, 3), np.float32)
    point[15, 15] = 100
    blurred = defocus(point, 4.0)
    assert blurred.sum() == pytest.approx(300, rel=1e-4)
    assert (blurred[15, 12:19] == blurred[15, 15]).all() and blurred[15, 21].max() == 0
    assert blurred[15, 15, 0] == pytest.approx(100 / (np.pi * 16), rel=0.1)
    assert defocus(point, 0.0) is point
