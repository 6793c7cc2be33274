"""The tone map: black stays black, the white point becomes white, order and hue are kept."""

from __future__ import annotations

import numpy as np
import pytest

from f2hdr_backend.evaluate.pictures.tone_map import tone_map


def test_tone_mapping_keeps_black_white_and_order() -> None:
    ramp = np.linspace(-1, 8, 400, dtype=np.float32)[None, :, None] * np.ones(3, np.float32)
    shown = tone_map(ramp, 8.0)
    assert shown.dtype == np.uint8 and shown.shape == ramp.shape
    assert shown[0, 0].tolist() == [0, 0, 0] and shown[0, -1].tolist() == [255, 255, 255]
    assert (np.diff(shown[0, :, 0].astype(int)) >= 0).all()


def test_hue_is_kept() -> None:
    color = np.array([4.0, 2.0, 1.0], np.float32)
    shown = tone_map(color[None, None], 8.0)[0, 0].astype(float) / 255
    assert shown**2.2 / (shown[0] ** 2.2) == pytest.approx(color / color[0], abs=0.02)
