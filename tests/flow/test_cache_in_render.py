"""The flow cache from outside: a render has the same pixels with it, without it, and from it."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import OpenEXR
import pytest

from f2hdr_backend.engine.method import base as method
from f2hdr_backend.engine.renderer import Renderer
from f2hdr_backend.flow.estimators import dis
from f2hdr_backend.image.write import write_image
from f2hdr_backend.shot.document import Color, Engine, Output, Shot
from f2hdr_backend.shot.events import RenderFinished, Warned
from f2hdr_backend.shot.exposure import ExposurePattern

MERGE = Engine(method="merge", device="cpu")
FRAMES = range(1, 6)
SIZE = (48, 64)
GAIN = 8.0


@pytest.fixture
def calls(monkeypatch):
    """The number of pairs whose flow was estimated, one entry a call."""
    counted = []
    estimate = dis.Estimator.estimate

    def counting(self, reference, neighbor):
        counted.append(len(reference))
        return estimate(self, reference, neighbor)

    monkeypatch.setattr(dis.Estimator, "estimate", counting)
    return counted


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("F2HDR_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("F2HDR_CACHE_SIZE", raising=False)
    return tmp_path / "cache"


@pytest.fixture
def plate(tmp_path):
    return make_plate(tmp_path / "plate")


def make_plate(folder):
    """A texture that moves 2 px a frame, odd frames short; 16-bit TIFF."""
    folder.mkdir()
    height, width = SIZE
    texture = np.random.default_rng(1).uniform(0.02, 1, (height // 4, width // 2, 1))
    light = np.kron(texture, np.ones((4, 4, 1))) * np.ones(3)
    for number in FRAMES:
        exposed = np.clip(light[:, 2 * number : 2 * number + width] * (1 if number % 2 else GAIN), 0, 1)
        write_image(folder / f"p.{number:04d}.tif", exposed ** (1 / 2.2), bits=16)
    return folder / "p.####.tif"


def shot_of(plate, out, *, engine=MERGE, color=None, **output):
    return Shot(
        plate=str(plate),
        exposures=ExposurePattern((0.0, 3.0), 1),
        cuts=(),
        engine=engine,
        color=color or Color(),
        output=Output(**{"pattern": str(out / "o.####.exr"), "pixel_type": "float", **output}),
    )


def render(shot):
    events = list(Renderer(shot.engine).render(shot))
    assert isinstance(events[-1], RenderFinished) and events[-1].rendered == len(FRAMES)
    return [event for event in events if isinstance(event, Warned) and event.code.startswith("flow_cache")]


def pictures(shot):
    """Every channel of every frame."""
    found = {}
    for number in FRAMES:
        path = shot.output.pattern.replace("####", f"{number:04d}")
        with OpenEXR.File(path, separate_channels=True) as file:
            found |= {(number, name): channel.pixels for name, channel in file.channels().items()}
    return found


def same(one, other):
    assert one.keys() == other.keys()
    assert all(np.array_equal(one[name], other[name]) for name in one)


def flows(folder):
    return sorted(folder.rglob("*.flow"))


CHANGES = {
    "another anchor": {"anchor": "short"},
    "an anchor between": {"anchor": "1.5"},
    "another layer set": {"layers": ("flow", "mask", "coarse", "occlusion")},
    "another output space": {"color": Color(output_space="ACEScg")},
    "half floats": {"pixel_type": "half", "compression": "none"},
    "another trust": {"engine": replace(MERGE, reference_trust="off")},
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_second_render_estimates_no_flow_and_gives_the_same_pixels(plate, tmp_path, monkeypatch, calls, change):
    render(shot_of(plate, tmp_path / "first"))
    assert sum(calls) > 0
    calls.clear()
    second = shot_of(plate, tmp_path / "second", **change)
    assert render(second) == [] and calls == []
    monkeypatch.setenv("F2HDR_CACHE_SIZE", "0")
    alone = shot_of(plate, tmp_path / "alone", **change)
    render(alone)
    assert sum(calls) > 0
    same(pictures(second), pictures(alone))


def test_an_empty_a_full_and_no_cache_give_the_same_pixels(plate, tmp_path, monkeypatch, calls):
    cold, warm, off = (shot_of(plate, tmp_path / name, layers=("flow",)) for name in ("cold", "warm", "off"))
    render(cold)
    estimated = sum(calls)
    render(warm)
    monkeypatch.setenv("F2HDR_CACHE_SIZE", "0")
    render(off)
    assert sum(calls) == 2 * estimated
    same(pictures(cold), pictures(warm))
    same(pictures(cold), pictures(off))


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_networks_give_the_same_pixels_with_the_cache(plate, tmp_path, calls, precision):
    engine = Engine(method="f2hdr", device="cpu", precision=precision)
    cold, warm = (shot_of(plate, tmp_path / name, engine=engine, anchor=name) for name in ("long", "short"))
    render(cold)
    assert sum(calls) > 0
    calls.clear()
    render(warm)
    assert calls == []
    bright, dark = pictures(cold), pictures(warm)
    for name, values in bright.items():
        assert np.array_equal(values, dark[name] * np.float32(GAIN))


def test_flows_of_a_moved_plate_are_found_by_its_pixels(plate, tmp_path, calls):
    render(shot_of(plate, tmp_path / "a"))
    calls.clear()
    plate.parent.rename(tmp_path / "elsewhere")
    for path in (tmp_path / "elsewhere").iterdir():
        os.utime(path, (1, 1))
    render(shot_of(tmp_path / "elsewhere" / plate.name, tmp_path / "b"))
    assert calls == []


def test_a_changed_frame_changes_only_its_own_flows(plate, tmp_path, folder, calls):
    render(shot_of(plate, tmp_path / "a"))
    kept = len(flows(folder))
    calls.clear()
    path = plate.with_name("p.0005.tif")
    write_image(path, np.full((*SIZE, 3), 0.25), bits=16)
    render(shot_of(plate, tmp_path / "b"))
    assert 0 < sum(calls) < kept
    assert len(flows(folder)) == kept + 2, "frame 4 to 5 and back"


def test_damaged_flows_are_reported_once_and_estimated_again(plate, tmp_path, folder):
    shot = shot_of(plate, tmp_path / "a")
    render(shot)
    rng = np.random.default_rng(0)
    for path in flows(folder):
        content = bytearray(path.read_bytes())
        content[rng.integers(len(content))] ^= 1 << rng.integers(8)
        path.write_bytes(content)
    again = shot_of(plate, tmp_path / "b")
    (notice,) = render(again)
    assert notice.code == "flow_cache_damaged"
    same(pictures(shot), pictures(again))
    assert render(shot_of(plate, tmp_path / "c")) == []


def test_an_unusable_cache_is_reported_once(plate, tmp_path, folder):
    folder.write_text("no folder")
    shot = shot_of(plate, tmp_path / "a")
    (notice,) = render(shot)
    assert notice.code == "flow_cache" and str(folder) in notice.message
    folder.unlink()
    again = shot_of(plate, tmp_path / "b")
    assert render(again) == []
    same(pictures(shot), pictures(again))


def f2hdr(*words):
    command = [sys.executable, "-c", "from f2hdr_backend.cli.main import main; main()", *map(str, words)]
    environment = {**os.environ, "PYTHONPATH": str(Path(method.__file__).parents[3]), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)


def test_two_simultaneous_renders_share_a_cache_and_a_third_estimates_nothing(plate, tmp_path, folder):
    words = ["render", plate, "--method", "merge", "--exposures", "0,3", "--first-exposure", "short", "--json"]
    running = [f2hdr(*words, "-o", tmp_path / name / "o.####.exr") for name in "ab"]
    for process in running:
        reported = [json.loads(line) for line in process.communicate()[0].splitlines()]
        assert process.returncode == 0 and not [event for event in reported if event["event"] == "warned"]
    kept = {path: path.stat().st_ino for path in flows(folder)}
    assert len(kept) == len([path for path in folder.rglob("*") if path.is_file()]) == 2 * (len(FRAMES) - 1)
    third = f2hdr(*words, "-o", tmp_path / "c" / "o.####.exr", "--anchor", "short", "--layers", "occlusion")
    third.communicate()
    assert third.returncode == 0
    assert {path: path.stat().st_ino for path in flows(folder)} == kept, "nothing was written again"
    for number in FRAMES:
        a, b = ((tmp_path / name / f"o.{number:04d}.exr") for name in "ab")
        one, other = (OpenEXR.File(str(path)).channels()["RGB"].pixels for path in (a, b))
        assert np.array_equal(one, other)
