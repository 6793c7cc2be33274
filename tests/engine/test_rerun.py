"""Recognizing a request that is finished, without torch."""

import json
import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from f2hdr_backend.engine.renderer import Renderer
from f2hdr_backend.engine.rerun import finished_before, record_path
from f2hdr_backend.image.write import write_image
from f2hdr_backend.shot.document import Color, Engine, Output, Shot
from f2hdr_backend.shot.events import FrameSkipped, RenderFinished
from f2hdr_backend.shot.frames import FrameRange

FRAMES = FrameRange((1, 2, 3, 4))


@pytest.fixture
def rendered(tmp_path):
    """A Shot whose exposures were measured, and the events of its first render."""
    light = np.linspace(0.01, 1, 64)[None, :, None] * np.random.default_rng(1).uniform(0.8, 1, (48, 64, 1)) * np.ones(3)
    for number in FRAMES:
        write_image(tmp_path / f"p.{number}.tif", np.clip(light * (1 if number % 2 else 8), 0, 1) ** (1 / 2.2), bits=16)
    output = Output(pattern=str(tmp_path / "hdr" / "o.#.exr"))
    shot = Shot(plate=str(tmp_path / "p.#.tif"), engine=Engine(method="merge"), output=output)
    return shot, list(Renderer(shot.engine).render(shot))


def test_a_finished_request_reports_the_same_events_as_a_render(rendered):
    shot, _ = rendered
    fast, full = finished_before(shot), list(Renderer(shot.engine).render(shot))
    strip = lambda event: replace(event, seconds=0.0) if isinstance(event, RenderFinished) else event  # noqa: E731
    names = [type(event).__name__ for event in full]
    assert [type(event).__name__ for event in fast] == names
    assert [strip(event) for event in fast if "Started" not in type(event).__name__] == [
        strip(event) for event in full if "Started" not in type(event).__name__
    ]
    assert [event.frame for event in fast if isinstance(event, FrameSkipped)] == list(FRAMES)


def _touch_plate(shot):
    os.utime(shot.plate.replace("#", "4"), ns=(1, 1))
    return shot


def _lose_a_frame(shot):
    os.remove(shot.output.pattern.replace("#", "2"))
    return shot


def _swap_two_frames(shot):
    os.replace(shot.output.pattern.replace("#", "2"), shot.output.pattern.replace("#", "3"))
    return _restored(shot)


def _restored(shot):
    os.link(shot.output.pattern.replace("#", "3"), shot.output.pattern.replace("#", "2"))
    return shot


def _damage_the_record(shot):
    with open(record_path(shot.output.pattern, FRAMES), "w") as file:
        file.write("[1]")
    return shot


def _record_of_an_older_version(shot):
    path = record_path(shot.output.pattern, FRAMES)
    with open(path) as file:
        record = json.load(file)
    del record["request"]
    with open(path, "w") as file:
        json.dump(record, file)
    return shot


def _other_setting(shot):
    return replace(shot, output=replace(shot.output, anchor="short"))


def _other_frames(shot):
    return replace(shot, frames=FrameRange((1, 2)))


def _config(shot):
    return replace(shot, color=Color(config="ocio://default"))


@pytest.mark.parametrize(
    "change",
    [
        _touch_plate,
        _lose_a_frame,
        _swap_two_frames,
        _damage_the_record,
        _record_of_an_older_version,
        _other_setting,
        _other_frames,
        _config,
    ],
)
def test_an_unfinished_request_is_passed_to_the_render(rendered, change):
    shot, _ = rendered
    assert finished_before(change(shot)) == []


def test_a_finished_render_is_repeated_without_loading_torch(rendered):
    shot, _ = rendered
    code = "import sys; sys.modules['torch'] = None; from f2hdr_backend.cli.main import main; main()"
    words = ["render", shot.plate, "-o", shot.output.pattern, "--method", "merge", "--json"]
    found = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, timeout=300)
    assert found.returncode == 0, found.stderr
    last = json.loads(found.stdout.splitlines()[-1])
    assert (last["event"], last["rendered"], last["skipped"]) == ("render_finished", 0, 4)
