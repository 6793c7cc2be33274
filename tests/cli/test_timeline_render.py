"""``f2hdr render CUT``: timelines rendered as a user starts it."""

import importlib.util
import json
import os
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import OpenEXR
import pytest

from f2hdr_backend.cli.main import build_app, run
from f2hdr_backend.image.write import write_image

otio = pytest.importorskip("opentimelineio")
pytest.importorskip("av")

HEIGHT, WIDTH = 48, 64


def f2hdr(*words):
    code = "from f2hdr_backend.cli.main import main; main()"
    command = [sys.executable, "-c", code, *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300)


def exposed(number, gain=8.0):
    """Light of a static textured ramp, as an exposure sees it; odd frames are short."""
    texture = np.random.default_rng(1).uniform(0.8, 1.0, (HEIGHT, WIDTH, 1))
    light = np.linspace(0.01, 1.0, WIDTH)[None, :, None] * texture * np.ones(3)
    return np.clip(light * (1.0 if number % 2 else gain), 0, 1).astype(np.float32)


def make_sequence(folder, numbers):
    for number in numbers:
        write_image(folder / f"sh010.{number}.tif", exposed(number) ** (1 / 2.2), 16)


def make_movie(path, count):
    from f2hdr_backend.image.display_tags import SIGNALS
    from f2hdr_backend.image.movie.writer import MovieFormat, movie_writer

    with movie_writer(str(path), MovieFormat("prores", (WIDTH, HEIGHT), Fraction(24), SIGNALS["gamma22"])) as movie:
        for number in range(1, count + 1):
            movie.add(exposed(number) ** np.float32(1 / 2.2))


def span(start, count):
    return otio.opentime.TimeRange(otio.opentime.RationalTime(start, 24), otio.opentime.RationalTime(count, 24))


def clip(name, media, start, count):
    return otio.schema.Clip(name, media_reference=media, source_range=span(start, count))


def sequence(prefix="sh010.", suffix=".tif", first=1001, count=24):
    fields = {"start_frame": first, "frame_step": 1, "rate": 24, "frame_zero_padding": 4}
    return otio.schema.ImageSequenceReference("", prefix, suffix, **fields, available_range=span(first, count))


def external(name, count):
    return otio.schema.ExternalReference(name, available_range=span(0, count))


def write_cut(path, *clips):
    timeline, track = otio.schema.Timeline("cut"), otio.schema.Track("V1", kind="Video")
    track.extend(clips)
    timeline.tracks.append(track)
    otio.adapters.write_to_file(timeline, str(path))
    return path


def frames_in(folder):
    return sorted(name for name in os.listdir(folder) if name.endswith(".exr"))


def test_two_clips_are_rendered_with_handles_and_the_frame_numbers_of_their_plates(tmp_path):
    make_sequence(tmp_path, range(1001, 1025))
    make_movie(tmp_path / "sh020.mov", 20)
    cut = write_cut(
        tmp_path / "cut.otio", clip("sh010", sequence(), 1010, 4), clip("sh020", external("sh020.mov", 20), 4, 3)
    )
    ran = f2hdr("render", cut, "-o", tmp_path / "hdr", "--handles", "2", "--method", "merge", "--json")
    assert ran.returncode == 0, ran.stderr
    assert frames_in(tmp_path / "hdr" / "sh010") == [f"sh010.{n}.exr" for n in range(1008, 1016)]
    assert frames_in(tmp_path / "hdr" / "sh020") == [f"sh020.{n:04d}.exr" for n in range(3, 10)]
    events = [json.loads(line) for line in ran.stdout.splitlines()]
    begun = [event for event in events if event["event"] == "clip_started"]
    assert [(event["clip"], event["used"], event["frames"]) for event in begun] == [
        ("sh010", "1010-1013", "1008-1015"),
        ("sh020", "5-7", "3-9"),
    ]
    assert [event["event"] for event in events].count("frame_done") == 15
    with OpenEXR.File(str(tmp_path / "hdr" / "sh010" / "sh010.1009.exr")) as file:
        shot = json.loads(file.header()["f2hdr/shot"])
        light = file.channels()["RGB"].pixels.astype(np.float32)
    assert shot["handles"] == 2 and shot["exposures"]["cycle"] == [0, 3]
    assert np.median(np.abs(light / (8 * exposed(1)) - 1)) < 0.02
    again = f2hdr("render", cut, "-o", tmp_path / "hdr", "--handles", "2", "--method", "merge", "--json")
    assert again.stdout.count('"frame_skipped"') == 15 and '"frame_done"' not in again.stdout


def test_an_edl_is_rendered(tmp_path):
    pytest.importorskip("otio_cmx3600_adapter")
    make_movie(tmp_path / "sh020.mov", 20)
    (tmp_path / "cut.edl").write_text(
        "TITLE: cut\nFCM: NON-DROP FRAME\n\n"
        "001  AX       V     C        00:00:00:04 00:00:00:07 00:00:00:00 00:00:00:03\n"
        "* FROM CLIP NAME: sh020\n* FROM CLIP: sh020.mov\n"
    )
    ran = f2hdr("render", tmp_path / "cut.edl", "-o", tmp_path / "hdr", "--handles", "0", "--method", "merge")
    assert ran.returncode == 0, ran.stderr
    assert frames_in(tmp_path / "hdr" / "sh020") == [f"sh020.{n:04d}.exr" for n in (5, 6, 7)]


def test_refused_clips_are_reported_and_the_others_rendered(tmp_path):
    make_movie(tmp_path / "sh020.mov", 20)
    flat = np.full((HEIGHT, WIDTH, 3), 0.5, np.float32)
    for number in range(1, 9):
        write_image(tmp_path / f"flat.{number:04d}.tif", flat, 16)
    slow = clip("slow", external("sh020.mov", 20), 4, 3)
    slow.effects.append(otio.schema.LinearTimeWarp(time_scalar=0.5))
    cut = write_cut(
        tmp_path / "cut.otio",
        slow,
        clip("flat", sequence("flat.", first=1, count=8), 2, 3),
        clip("gone", external("gone.mov", 20), 4, 3),
        clip("good", external("sh020.mov", 20), 4, 3),
    )
    ran = f2hdr("render", cut, "-o", tmp_path / "hdr", "--handles", "0", "--method", "merge")
    assert ran.returncode == 2 and "3 of 4 clips were not rendered: slow, gone, flat" in ran.stderr
    words = " ".join(ran.stderr.split())
    assert '"slow" is not rendered: it is retimed' in words and "gone.mov" in "".join(ran.stderr.split())
    assert '"flat" is not rendered' in words and "Traceback" not in words
    assert frames_in(tmp_path / "hdr" / "good") == [f"good.{n:04d}.exr" for n in (5, 6, 7)]
    assert sorted(os.listdir(tmp_path / "hdr")) == ["good"]


def test_alternating_raw_frames_are_rendered(tmp_path):
    """Sensitivity alternates; so does the white that the camera claims, which must not show."""
    pytest.importorskip("rawpy")
    place = Path(__file__).parent.parent / "image" / "dng.py"
    spec = importlib.util.spec_from_file_location("dng", place)
    dng = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(dng)
    truth = np.random.default_rng(1).permutation(np.geomspace(0.02, 0.9, 24)).reshape(4, 6, 1) * np.ones(3)
    sensor = np.array([0.5, 1, 0.8])
    for number in range(1, 9):
        claimed = (0.5, 1, 0.8) if number % 2 else (0.6, 1, 0.7)
        light = np.clip(truth * (1 if number % 2 else 8), 0, 1)
        seen = light.repeat(16, 0).repeat(16, 1) * sensor / np.array(claimed)
        dng.write_dng(tmp_path / f"raw.{number:04d}.dng", seen, neutral=claimed, iso=100 if number % 2 else 800)
    cut = write_cut(tmp_path / "cut.otio", clip("raw", sequence("raw.", ".dng", 1, 8), 3, 3))
    ran = f2hdr("render", cut, "-o", tmp_path / "hdr", "--handles", "1", "--method", "merge", "--json")
    assert ran.returncode == 0, ran.stderr
    assert frames_in(tmp_path / "hdr" / "raw") == [f"raw.{n:04d}.exr" for n in range(2, 7)]
    for number in range(2, 7):
        with OpenEXR.File(str(tmp_path / "hdr" / "raw" / f"raw.{number:04d}.exr")) as file:
            pixels = file.channels()["RGB"].pixels.astype(np.float32)
            assert file.header()["f2hdr/plate_white_balance"] == pytest.approx([2, 1, 1.25, 1], rel=1e-4)
        np.testing.assert_allclose(pixels[8::16, 8::16], 8 * truth, rtol=0.01)


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        (("-o", "hdr/a.####.exr"), "folder"),
        ((), "folder"),
        (("-o", "hdr", "--frames", "1-3"), "--handles"),
        (("-o", "hdr", "--handles", "-1"), "handles"),
    ],
)
def test_a_wrong_request_is_refused(tmp_path, monkeypatch, capsys, words, answer):
    make_movie(tmp_path / "sh020.mov", 8)
    cut = write_cut(tmp_path / "cut.otio", clip("good", external("sh020.mov", 8), 4, 3))
    assert_refused(monkeypatch, capsys, answer, cut, *words)


def test_handles_are_refused_without_a_timeline(tmp_path, monkeypatch, capsys):
    assert_refused(monkeypatch, capsys, "timeline", "a.####.tif", "-o", "hdr.####.exr", "--handles", "3")


def assert_refused(monkeypatch, capsys, answer, *words):
    """Run the command line in this process: no seconds for starting another."""
    monkeypatch.setattr(sys, "argv", ["f2hdr", "render", *map(str, words), "--method", "merge"])
    with pytest.raises(SystemExit) as ended:
        run(build_app())
    assert ended.value.code == 2 and answer in capsys.readouterr().err


def test_options_that_do_not_apply_to_a_timeline_are_refused(tmp_path):
    (tmp_path / "cut.otio").write_text("{}")
    for option, value in (("--frames", "1-3"), ("--path-mapping", tmp_path / "rules.json")):
        ran = f2hdr("render", tmp_path / "cut.otio", "-o", tmp_path / "hdr", option, value)
        assert ran.returncode == 2 and option in ran.stderr and "Traceback" not in ran.stderr
    assert os.listdir(tmp_path) == ["cut.otio"]
