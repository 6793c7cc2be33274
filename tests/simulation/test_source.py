"""Radiance of sources whose pixels are known."""

import cv2
import numpy as np
import pytest

from f2hdr_backend.image.write import write_exr, write_image
from f2hdr_backend.shot.errors import MissingFrames, ShotError
from f2hdr_backend.shot.frames import FrameRange
from f2hdr_backend.simulation.source import STILL_FRAMES, SourceOptions, open_source, stretched_highlights


def options(**changed):
    return SourceOptions(**{"frames": None, "size": None, "seed": 1, "highlight_stops": 0.0, **changed})


def test_values_above_0_6_are_expanded_and_hues_are_kept():
    codes = np.array([[[0.6, 0.3, 0.1], [1.0, 0.5, 0.25], [0.8, 0.8, 0.8]]], np.float32)
    plain, stretched = codes**2.2, stretched_highlights(codes, 4.0)
    assert np.allclose(stretched[0, 0], plain[0, 0], rtol=1e-5)
    assert np.allclose(stretched[0, 1] / plain[0, 1], 2**4, rtol=1e-5)
    assert np.allclose(stretched[0, 2] / plain[0, 2], 2 ** (4 * 0.25), rtol=1e-4)


def test_float_frames_are_linear_and_negative_values_are_0(tmp_path):
    light = np.random.default_rng(1).normal(1, 2, (6, 8, 3)).astype(np.float32)
    for number in (1, 2):
        write_exr(str(tmp_path / f"a.{number}.exr"), {"RGB": light * number}, {}, pixel_type="float")
    with open_source(str(tmp_path / "a.#.exr"), options()) as source:
        assert source.frames == FrameRange((1, 2))
        assert np.array_equal(source.radiance(2), np.maximum(light * 2, 0))
    with pytest.raises(MissingFrames), open_source(str(tmp_path / "a.#.exr"), options(frames=FrameRange((3,)))):
        pass


def test_integer_frames_are_decoded_and_scaled_to_cover_the_size(tmp_path):
    codes = np.full((40, 80, 3), 0.5, np.float32)
    codes[:, 40:] = 0.25
    write_image(str(tmp_path / "a.1.tif"), codes, 16)
    with open_source(str(tmp_path / "a.#.tif"), options(size=(20, 20))) as source:
        seen = source.radiance(1)
    assert seen.shape == (20, 20, 3)
    assert np.allclose(seen[:, :9], 0.5**2.2, atol=1e-3) and np.allclose(seen[:, 11:], 0.25**2.2, atol=1e-3)


@pytest.mark.parametrize("size", [(64, 48), (96, 48)], ids=["flat", "panorama"])
def test_the_camera_path_over_a_single_image_depends_on_the_seed_only(tmp_path, size):
    light = cv2.resize(np.random.default_rng(1).random((6, 8, 3), np.float32), size)
    path = str(tmp_path / "a.exr")
    write_exr(path, {"RGB": light}, {}, pixel_type="float")
    with open_source(path, options(size=(32, 18))) as source:
        assert source.frames == STILL_FRAMES
        first, later = source.radiance(1), source.radiance(30)
    assert first.shape == (18, 32, 3) and not np.array_equal(first, later)
    assert first.min() >= 0 and first.max() <= light.max() + 1e-3
    with open_source(path, options(size=(32, 18))) as source:
        assert np.array_equal(source.radiance(1), first)
    with open_source(path, options(size=(32, 18), seed=2)) as source:
        assert not np.array_equal(source.radiance(30), later)


def test_an_image_of_one_row_is_too_small_for_a_camera(tmp_path):
    write_exr(str(tmp_path / "a.exr"), {"RGB": np.ones((1, 9, 3), np.float32)}, {}, pixel_type="float")
    with pytest.raises(ShotError) as caught, open_source(str(tmp_path / "a.exr"), options()):
        pass
    assert "9 x 1" in caught.value.message
