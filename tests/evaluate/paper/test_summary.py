import pytest

from f2hdr_backend.evaluate.metrics.score import Score
from f2hdr_backend.evaluate.paper.results import FrameRow, Rows, SceneRow
from f2hdr_backend.evaluate.paper.summary import summarize


def row(scene, frame, value, exposure=1.0):
    return FrameRow(scene, frame, exposure, 1.0, "", {"PSNR_T": Score("PSNR_T", value, "dB")})


def test_means_are_over_frames_and_flicker_is_averaged_over_scenes():
    frames = (*(row("long", n, 30.0) for n in range(3)), row("short", 0, 50.0, exposure=8.0))
    scenes = tuple(SceneRow(name, "", {"flicker": Score("flicker", n)}) for name, n in (("long", 1), ("short", 2)))
    summary = summarize(Rows(frames, scenes))
    assert summary.all["PSNR_T"].score.value == 35.0
    assert summary.all["flicker"].score.value == 1.5
    assert (summary.low["PSNR_T"].score.value, summary.high["PSNR_T"].score.value) == (30.0, 50.0)
    assert summary.scenes["short"]["PSNR_T"].score.value == 50.0
    assert summary.scenes["long"]["flicker"].score.value == 1


def test_identical_frames_are_named_and_left_out():
    summary = summarize(Rows((row("a", 1, 40.0), row("a", 2, float("inf")))))
    assert summary.all["PSNR_T"].score.value == pytest.approx(40)
    assert summary.to_json()["identical"] == {"PSNR_T": ["a/0002"]}
