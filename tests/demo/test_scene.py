import cv2
import numpy as np
import pytest

from f2hdr_backend.demo.scene import FRAMES, SIZE, DemoScene

SMALL = (320, 180)
LONG_GAIN = 8


@pytest.fixture(scope="module")
def scene():
    return DemoScene(SMALL)


@pytest.fixture(scope="module")
def crossing(scene):
    """Two successive frames in the middle of the shot."""
    return scene.frame(8), scene.frame(9)


def codes(radiance):
    return np.rint(np.clip(radiance * LONG_GAIN / (1 + radiance * LONG_GAIN), 0, 1) ** (1 / 2.2) * 255).astype(np.uint8)


def flow(first, second):
    gray = [cv2.cvtColor(codes(picture), cv2.COLOR_RGB2GRAY) for picture in (first, second)]
    return cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM).calc(*gray, None)


def test_a_frame_is_radiance_of_the_requested_size(crossing):
    frame, _ = crossing
    assert frame.shape == (180, 320, 3)
    assert frame.dtype == np.float32
    assert np.isfinite(frame).all()
    assert frame.min() > 0


def test_a_shot_is_640_by_360_and_16_frames():
    assert (SIZE, FRAMES) == ((640, 360), 16)


def test_the_same_number_gives_the_same_frame(crossing):
    assert np.array_equal(DemoScene(SMALL).frame(8), crossing[0])


def test_every_size_shows_the_same_picture(crossing):
    smaller = DemoScene((160, 90)).frame(8)
    shrunk = cv2.resize(crossing[0], (160, 90), interpolation=cv2.INTER_AREA)
    stops = np.abs(np.log2(smaller / shrunk))
    assert np.median(stops) < 0.03
    assert np.mean(stops > 0.5) < 0.06


def test_the_scene_needs_both_exposures(crossing):
    brightest = crossing[0].max(-1)
    assert brightest.max() > 200, "a light far above the short exposure's clip"
    assert 0.005 < np.mean(brightest > 1) < 0.05, "the short exposure keeps nearly everything"
    assert np.mean(brightest > 1 / LONG_GAIN) > 0.3, "the long one clips a large part"
    assert np.mean(brightest < 0.03) > 0.05, "and shadows are left that only it sees well"


def test_the_scene_has_a_smooth_sky_and_a_textured_floor(crossing):
    frame = crossing[0].mean(-1)
    sky, floor = frame[4:40, 90:150], frame[130:170, 90:150]
    assert np.abs(np.diff(sky, axis=1)).mean() / sky.mean() < 0.01
    assert np.diff(sky.mean(1)).min() > 0, "a ramp that brightens toward the horizon"
    assert np.abs(np.diff(floor, axis=1)).mean() / floor.mean() > 0.02


def test_the_camera_moves_slowly_and_a_ball_flies_to_the_right(crossing):
    moved = flow(*crossing)
    speed = np.linalg.norm(moved, axis=-1)
    assert 0.2 < np.median(speed) < 3
    fast = speed > 8
    assert 200 < fast.sum() < 3000
    assert np.median(moved[fast][:, 0]) > 8


def test_the_red_truck_drives_to_the_left(scene):
    places = []
    for number in (4, 12):
        frame = scene.frame(number)[85:115]
        red = (frame[..., 0] > 3 * frame[..., 1]) & (frame[..., 0] > 0.006)
        places.append(np.median(np.nonzero(red)[1]))
    assert -40 < places[1] - places[0] < -5
