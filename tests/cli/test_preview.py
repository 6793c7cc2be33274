"""The sheet of ``render --preview``: a frame of the plate beside its result."""

import numpy as np
import pytest

from f2hdr_backend.cli.preview import write_preview
from f2hdr_backend.engine.renderer import Renderer
from f2hdr_backend.image.read import read_image
from f2hdr_backend.image.write import write_image
from f2hdr_backend.shot.document import Color, Engine, Output, Shot
from f2hdr_backend.shot.exposure import ExposurePattern

COLOR = np.array([0.06, 0.03, 0.09])


@pytest.mark.parametrize("clip_level", [None, (1.0, 0.7, 1.0)])
def test_a_preview_shows_both_exposures_and_the_result(tmp_path, capsys, clip_level):
    for number in range(1, 4):
        codes = np.clip(COLOR * (8 if number % 2 else 1), 0, 1) ** (1 / 2.2)
        write_image(tmp_path / f"p.{number}.tif", np.broadcast_to(codes, (40, 60, 3)).astype(np.float32), 16)
    shot = Shot(
        str(tmp_path / "p.#.tif"), exposures=ExposurePattern((3.0, 0.0), 1), cuts=(),
        color=Color(clip_level=clip_level), engine=Engine(method="merge", device="cpu", precision="fp32"),
        output=Output(str(tmp_path / "o.#.exr")),
    )  # fmt: skip
    list(Renderer(shot.engine).render(shot))
    write_preview(shot, tmp_path / "preview.png")
    sheet = read_image(str(tmp_path / "preview.png")).pixels
    for gain in (1, 8):  # both exposures of the plate, as they were recorded
        near = np.abs(sheet - (COLOR * gain) ** (1 / 2.2)).max(-1) < 0.01
        assert near.sum() >= 40 * 60 * 0.9
    assert str(tmp_path / "preview.png") in capsys.readouterr().err
