from __future__ import annotations

import cv2
import numpy as np
import pytest

from f2hdr_backend.evaluate.hdrvdp.rgbe import round_trip
from f2hdr_backend.shot.errors import ImageError


@pytest.fixture
def noise():
    return np.random.default_rng(0).random((64, 64, 3)).astype(np.float32)


def _official_file(radiance) -> bytes:
    """The bytes of a flat .hdr file whose mantissas are scaled by 255 and rounded."""
    brightest = radiance.max(axis=-1, keepdims=True)
    mantissa, exponent = np.frexp(brightest)
    rgb = np.around(radiance * (mantissa * 255 / brightest))
    rgbe = np.concatenate([rgb, exponent + 128], axis=-1).astype(np.uint8)
    height, width = radiance.shape[:2]
    return b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n" + f"-Y {height} +X {width}\n".encode() + rgbe.tobytes()


def test_values_written_by_the_official_writer_are_reproduced(noise):
    read = cv2.imdecode(np.frombuffer(_official_file(noise), np.uint8), cv2.IMREAD_UNCHANGED)[..., ::-1]
    np.testing.assert_allclose(round_trip(noise, "official"), read, rtol=1e-6)


def test_values_written_by_opencv_are_reproduced(noise):
    written, data = cv2.imencode(".hdr", noise[..., ::-1])
    assert written
    read = cv2.imdecode(data, cv2.IMREAD_UNCHANGED)[..., ::-1]
    np.testing.assert_allclose(round_trip(noise, "opencv"), read, rtol=1e-6)


@pytest.mark.parametrize(("writer", "mean_ratio"), [("official", 0.9961), ("opencv", 0.9963), ("unbiased", 1.0)])
def test_each_writer_loses_the_known_share_of_radiance(writer, mean_ratio, noise):
    assert round_trip(noise, writer).mean() / noise.mean() == pytest.approx(mean_ratio, abs=2e-4)


def test_black_stays_black_and_negative_becomes_black():
    frame = np.array([[[0.0, 0.0, 0.0], [-1.0, 0.5, 0.25]]])
    assert round_trip(frame, "unbiased").tolist() == [[[0.0, 0.0, 0.0], [0.0, 0.5, 0.25]]]


def test_a_frame_of_one_channel_is_refused():
    with pytest.raises(ImageError, match=r"\(4, 4\)"):
        round_trip(np.zeros((4, 4)), "official")
