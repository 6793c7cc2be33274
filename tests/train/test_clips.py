"""Real clips: the layouts that are read, and what becomes of their light."""

import re

import numpy as np
import pytest

from f2hdr_backend.image.write import write_image
from f2hdr_backend.model.descriptor import Descriptor
from f2hdr_backend.shot.errors import DocumentError
from f2hdr_backend.train.batches import CLIP_SHARE, BatchPlan, Windows
from f2hdr_backend.train.clips import clip_window, open_clips, without_shoulder
from f2hdr_backend.train.sampling_ranges import CameraStyle, Style
from tests.train.worlds import world

QUIET = CameraStyle(
    full_well=(1e6, 1e6), read_noise=(0, 0), row_noise=(0, 0), bits=(16,), curves=("gamma22",), black_error=0.0,
    uneven_clip=0.0,
)  # fmt: skip


@pytest.fixture(params=["sep", "tri"])
def vimeo(request, tmp_path):
    """A made-up Vimeo-90K: two clips of seven or three frames, one of which is not in the training list."""
    count = 7 if request.param == "sep" else 3
    y, x = np.mgrid[:48, :64]
    for clip, level in (("00001/0001", 0.2), ("00001/0002", 0.6)):
        (tmp_path / "sequences" / clip).mkdir(parents=True)
        for number in range(1, count + 1):
            picture = (level + 0.2 * np.sin((x + number) / 6) + 0 * y)[..., None] * np.ones(3)
            write_image(tmp_path / "sequences" / clip / f"im{number}.png", picture.clip(0, 1), 8)
    (tmp_path / f"{request.param}_trainlist.txt").write_text("00001/0002\n")
    return tmp_path


def test_vimeo_90k_reads_the_clips_of_its_list(vimeo):
    (clip,) = open_clips(vimeo)
    frames = clip.frames(np.random.default_rng(1))
    assert clip.name == "00001/0002" and frames.shape == (3, 48, 64, 3)
    assert frames.mean() == pytest.approx(0.6, abs=0.1)
    x = np.arange(64)
    shift = [
        np.argmax([np.corrcoef(np.sin((x + n) / 6), row)[0, 1] for n in range(1, 8)]) for row in frames[:, 10, :, 0]
    ]
    assert np.diff(shift).tolist() == [1, 1]


def test_a_window_of_a_clip_has_radiance_and_no_true_flow(vimeo):
    style = Style(camera=QUIET, long_reference=True)
    window = clip_window(open_clips(vimeo), (32, 32), np.random.default_rng(4), style)
    assert window.radiance.shape == (3, 32, 32, 3) and not window.visible.any() and (window.flows == 0).all()
    assert window.exposures[1] == window.exposures.max() > 1 == window.exposures[0]
    for index in range(3):
        exposed = np.clip(window.radiance[index] * window.exposures[index], 0, 1)
        np.testing.assert_allclose(window.ldr[index] ** 2.2, exposed, atol=0.01)


def test_a_clip_smaller_than_the_window_is_mirrored(vimeo):
    window = clip_window(open_clips(vimeo), (96, 80), np.random.default_rng(4), Style())
    assert window.ldr.shape == (3, 80, 96, 3)


def test_expansion_keeps_dark_values_and_raises_white():
    codes = np.array([0, 0.05, 0.5, 1], np.float32)
    light = without_shoulder(codes, 8.0)
    np.testing.assert_allclose(light[[0, 3]], (0, 8), rtol=1e-5)
    assert light[1] == pytest.approx(0.05**2.2, rel=0.01)
    assert (np.diff(light) > 0).all()
    np.testing.assert_allclose(without_shoulder(codes, 1.0), codes**2.2, rtol=1e-5)


def test_clips_are_the_given_share_of_the_windows(vimeo):
    windows = Windows([world()], BatchPlan(1, 32, 1, Descriptor(), open_clips(vimeo)))
    blind = [not windows[index][-1].any() for index in range(40)]
    assert 0 < np.mean(blind) < 3 * CLIP_SHARE


def test_missing_clips_are_named(tmp_path):
    with pytest.raises(DocumentError, match=re.escape(str(tmp_path))):
        open_clips(tmp_path)
    (tmp_path / "tri_trainlist.txt").write_text("00001/0007\n")
    with pytest.raises(DocumentError, match="0007"):
        open_clips(tmp_path)
