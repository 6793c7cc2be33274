"""From a plate's values to the network's range and back, and where a plate clips."""

import numpy as np
import pytest

from f2hdr_backend.color.config import load_config
from f2hdr_backend.color.linear_plate import LightPlate, find_clip, looks_log, sample
from f2hdr_backend.color.response import Response
from f2hdr_backend.shot.errors import ColorError
from tests.engine.alternating import MemoryPlate, Scene

RATIO = 8.0


def back(response, codes):
    """Return the light of codes, as a perfect network would."""
    return response.to_light(codes.astype(np.float64) ** 2.2)


@pytest.mark.parametrize("encoding", ["gamma22", "linear"])
@pytest.mark.parametrize("clip", [(1.0,), (5.25,), (2.1, 1.0, 1.6)])
def test_radiance_up_to_the_clip_is_returned_in_the_units_of_the_plate(encoding, clip):
    light = np.linspace(0, 1, 601)[:, None, None] * np.asarray(clip) * np.ones((1, 1, 3))
    pixels = (light if encoding == "linear" else light ** (1 / 2.2)).astype(np.float32)
    response = Response(encoding, clip)
    codes = response.to_network(pixels)
    assert codes.dtype == np.float32 and codes.min() >= 0 and codes.max() == 1
    assert np.unique(codes[..., 0]).size == 601
    np.testing.assert_allclose(back(response, codes), light, rtol=1e-5, atol=1e-6)
    assert response.above_clip(pixels) == 0
    assert response.above_clip(pixels * 1.0002) == 0  # as an ICC profile's matrix rounds
    assert response.above_clip(pixels * 1.5) > 0


def test_a_clip_level_that_is_too_high_does_not_change_the_light():
    light = np.random.default_rng(0).uniform(0.05, 0.9, (8, 8, 3)).astype(np.float32)
    for clip in ((1.0,), (1.3, 1.0, 2.0)):
        response = Response("linear", clip)
        np.testing.assert_allclose(back(response, response.to_network(light)), light, rtol=1e-5)


def test_full_scale_codes_are_unchanged():
    codes = np.random.default_rng(1).uniform(0, 1, (5, 7, 3)).astype(np.float32)
    np.testing.assert_array_equal(Response("gamma22").to_network(codes), codes)
    np.testing.assert_array_equal(Response("gamma22").to_light(codes), codes)


def test_other_encodings_are_refused():
    with pytest.raises(ColorError, match="sLog9"):
        Response("sLog9")


def shots(clip=1.0, noise=0.0, seed=3):
    """Light of six frames of alternating exposures that clip at ``clip``, one number or three."""
    rng = np.random.default_rng(seed)
    for index in range(6):
        light = Scene(seed).radiance(index) * (RATIO if index % 2 else 1.0)
        light = light + noise * rng.standard_normal(light.shape)
        yield (np.clip(light, 0, 1) * np.asarray(clip)).astype(np.float32)


def samples(frames):
    return [frame.reshape(-1, 3) for frame in frames]


@pytest.mark.parametrize("noise", [0.0, 0.004])
@pytest.mark.parametrize("clip", [1.0, 0.25, 5.2, 55.0])
def test_the_clip_level_is_measured_on_the_pixels(clip, noise):
    found = find_clip(samples(shots(clip, noise)))
    assert found.seen and found.level == (pytest.approx(clip, rel=1e-4),)


def test_each_channel_has_its_own_clip_level():
    found = find_clip(samples(shots((2.1, 1.0, 1.6))))
    assert found.seen and found.level == pytest.approx((2.1, 1.0, 1.6), rel=1e-4)


def test_the_clip_level_of_log_footage_is_measured_in_linear_values():
    config = load_config("f2hdr")
    encode = config.transform("Linear S-Gamut3.Cine", "S-Log3 S-Gamut3.Cine")
    decode = config.linear("S-Log3 S-Gamut3.Cine").decode
    codes = (np.rint(encode.apply(light) * 1023) / 1023 for light in shots(6.0))
    found = find_clip(samples(decode.apply(frame) for frame in codes))
    assert found.seen and found.level == (pytest.approx(6.0, rel=0.01),)


@pytest.mark.parametrize(("brightest", "level"), [(0.6, 1.0), (4.0, 4.0)])
def test_without_clipping_the_clip_level_is_1_or_the_brightest_value(brightest, level):
    ramp = np.linspace(0, brightest, 9999, dtype=np.float32).reshape(-1, 3)
    found = find_clip([ramp, ramp / 8])
    assert not found.seen and found.level == (pytest.approx(level),)


def test_a_few_hot_pixels_are_not_clipping():
    frames = samples(shots())
    frames[1][:4] = 7.0
    assert find_clip(frames).level == (1.0,)


@pytest.mark.parametrize("clip", [0.5, 1.0, 5.0])
def test_linear_footage_is_never_reported_as_log(clip):
    assert not looks_log(samples(shots(clip)))


@pytest.mark.parametrize(
    "log",
    [
        "S-Log3 S-Gamut3", "ARRI LogC3 (EI800)", "ARRI LogC4", "V-Log V-Gamut", "CanonLog2 CinemaGamut D55",
        "CanonLog3 CinemaGamut D55", "Log3G10 REDWideGamutRGB", "BMDFilm WideGamut Gen5", "Apple Log",
    ],
)  # fmt: skip
def test_log_footage_is_reported(log):
    encode = load_config("f2hdr").transform("ACES2065-1", log)
    assert looks_log(samples(np.rint(encode.apply(light) * 1023) / 1023 for light in shots(4.0)))


def test_a_linear_plate_returns_the_decoded_frames():
    config = load_config("f2hdr")
    decode = config.linear("sRGB - Texture").decode
    codes = np.random.default_rng(4).uniform(0, 1, (6, 8, 3)).astype(np.float32)
    plate = MemoryPlate({1001: codes, 1002: codes / 2, 1003: codes})
    seen = LightPlate(plate, decode)
    np.testing.assert_array_equal(seen.read(1002).pixels, decode.apply(codes / 2))
    assert (seen.frames, seen.size, seen.name, seen.missing) == (plate.frames, plate.size, plate.name, ())
    assert seen.identity(1003) == plate.identity(1003) and seen.default_encoding == "linear"


def test_samples_are_adjacent_frames_spread_over_the_plate():
    plate = MemoryPlate({number: np.zeros((4, 4, 3), np.float32) for number in range(1, 101)})
    assert len(sample(plate)) == 10
    assert plate.reads[:2] == [1, 2] and plate.reads[-2:] == [99, 100]
    assert len(sample(MemoryPlate({7: np.zeros((4, 4, 3), np.float32)}))) == 1
