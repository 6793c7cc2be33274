"""A render whose output folder is moved or deleted meanwhile ends with an error."""

import shutil

import numpy as np
import pytest

from f2hdr_backend.engine.renderer import Renderer
from f2hdr_backend.image.write import write_image
from f2hdr_backend.shot.document import Engine, Output, Shot
from f2hdr_backend.shot.errors import UnwritableFrame
from f2hdr_backend.shot.events import FrameDone, RenderFinished
from f2hdr_backend.shot.exposure import ExposurePattern

FRAMES = 12


@pytest.fixture
def shot(tmp_path):
    rgb = np.random.default_rng(1).random((48, 64, 3)).astype(np.float32)
    for number in range(1, FRAMES + 1):
        write_image(tmp_path / f"p.{number:04d}.tif", rgb * (0.125 if number % 2 else 1.0), 16)
    return Shot(
        plate=str(tmp_path / "p.####.tif"), exposures=ExposurePattern((0, 3), 1), cuts=(),
        engine=Engine(method="merge", device="cpu"), output=Output(pattern=str(tmp_path / "hdr" / "o.####.exr")),
    )  # fmt: skip


def _moved(folder):
    folder.rename(folder.with_name("moved"))


def _deleted(folder):
    while folder.exists():  # a frame may be written while files are removed: the folder is not empty then
        shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.parametrize("loss", [_moved, _deleted])
def test_a_folder_lost_during_a_render_is_an_error_and_its_frames_are_rendered_next_time(shot, tmp_path, loss):
    renderer = Renderer(shot.engine)
    done, finished = 0, False
    with pytest.raises(UnwritableFrame) as caught:
        for event in renderer.render(shot):
            finished |= isinstance(event, RenderFinished)
            done += isinstance(event, FrameDone)
            if done == 3 and isinstance(event, FrameDone):
                loss(tmp_path / "hdr")
    assert not finished
    assert str(tmp_path / "hdr") in caught.value.message
    assert any(isinstance(event, RenderFinished) for event in renderer.render(shot))
    assert len(list((tmp_path / "hdr").glob("o.*.exr"))) == FRAMES
    assert list((tmp_path / "hdr").glob(".*.part")) == []
