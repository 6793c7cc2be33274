"""What a render would do, against what it then does."""

import os
from dataclasses import replace

import numpy as np
import pytest

from f2hdr_backend.cli import dry_run
from f2hdr_backend.cli.dry_run import forecast, sentences
from f2hdr_backend.engine.renderer import Renderer
from f2hdr_backend.image.write import write_image
from f2hdr_backend.shot.document import Color, Engine, Output, Shot
from f2hdr_backend.shot.events import ColorSettled, Warned
from f2hdr_backend.shot.exposure import ExposurePattern
from f2hdr_backend.shot.frames import FrameRange


@pytest.fixture
def shot(tmp_path):
    light = np.random.default_rng(1).random((32, 48, 3)) * 0.9
    for number in range(1, 6):
        codes = np.clip(light * (8 if number % 2 else 1), 0, 1) ** (1 / 2.2)
        write_image(tmp_path / f"p.{number}.tif", codes, 16)
    return Shot(
        str(tmp_path / "p.#.tif"), exposures=ExposurePattern((3.0, 0.0), 1), cuts=(),
        engine=Engine(method="merge", device="cpu", precision="fp32"),
        output=Output(str(tmp_path / "new" / "hdr" / "o.#.exr")),
    )  # fmt: skip


def forecast_of(shot, *, force=False):
    *_, found = forecast(shot, force=force)
    return found


def test_a_dry_run_counts_the_remaining_frames_and_writes_nothing(shot, tmp_path):
    found = forecast_of(shot)
    assert not (tmp_path / "new").exists()
    assert (found.frames, found.done_before, found.size) == (5, 0, (48, 32))
    assert (found.device, found.precision, found.weights) == ("cpu", "fp32", "merge")
    done = [event for event in Renderer(shot.engine).render(shot, FrameRange((1, 2))) if hasattr(event, "path")]
    sizes = [os.path.getsize(event.path) for event in done]
    assert min(sizes) / 2 < found.bytes / 5 < 2 * max(sizes)
    assert found.seconds > 0 and found.free_bytes > 0
    later = forecast_of(shot)
    assert (later.frames, later.done_before) == (3, 2)
    assert forecast_of(shot, force=True).frames == 5


def test_a_dry_run_prints_numbers_with_units(shot):
    found = forecast_of(shot)
    lines = list(sentences(found))
    assert "5 frames" in lines[0] and "48 x 32" in lines[0] and shot.output.pattern in lines[1]
    assert len(lines) == 5
    finished = dry_run.RenderForecast(**vars(found) | {"frames": 0, "done_before": 5})
    assert "5" in next(iter(sentences(finished))) and len(list(sentences(finished))) == 3


def test_a_dry_run_reports_the_warnings_and_values_of_the_render(shot, capsys):
    untagged = replace(shot, color=Color(output_space="ACEScg"))
    events = list(forecast(untagged, force=False))
    assert any(isinstance(event, ColorSettled) for event in events)
    (doubt,) = [event for event in events if isinstance(event, Warned)]
    assert "Rec.709" in doubt.message and "p.#.tif" in doubt.message
    dry_run.show_forecast(events)
    shown = capsys.readouterr()
    assert "Rec.709" in shown.err and "5 frames" in shown.out
