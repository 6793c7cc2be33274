"""``f2hdr render`` as a user starts it."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import OpenEXR
import pytest

from f2hdr_backend.image.write import write_image

SIZE = (48, 64)


def f2hdr(*words, **options):
    code = "from f2hdr_backend.cli.main import main; main()"
    command = [sys.executable, "-c", code, *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, **options)


def frames_in(folder):
    return sorted(path.name for path in folder.glob("*.exr"))


def make_plate(folder, numbers, gain=8.0, size=SIZE):
    """A static textured ramp, odd frames short; 16-bit TIFF."""
    height, width = size
    texture = np.random.default_rng(1).uniform(0.8, 1.0, (height, width, 1))
    light = np.linspace(0.01, 1.0, width)[None, :, None] * texture * np.ones(3)
    for number in numbers:
        exposed = np.clip(light * (1.0 if number % 2 else gain), 0, 1)
        write_image(folder / f"p.{number:04d}.tif", exposed ** (1 / 2.2), bits=16)
    return folder / "p.####.tif"


@pytest.fixture
def plate(tmp_path):
    return make_plate(tmp_path, range(1, 7))


def test_one_command_detects_exposures_and_writes_one_frame_per_plate_frame(plate, tmp_path):
    result = f2hdr("render", plate, "-o", tmp_path / "hdr" / "o.####.exr", "--method", "merge", "--json")
    assert result.returncode == 0, result.stderr
    events = [json.loads(line) for line in result.stdout.splitlines()]
    names = [event["event"] for event in events]
    assert names[:2] == ["color_settled", "plate_measured"] and names[-1] == "render_finished"
    assert [event["frame"] for event in events if event["event"] == "frame_done"] == [1, 2, 3, 4, 5, 6]
    assert frames_in(tmp_path / "hdr") == [f"o.{n:04d}.exr" for n in range(1, 7)]
    with OpenEXR.File(str(tmp_path / "hdr" / "o.0001.exr")) as file:
        assert file.channels()["RGB"].pixels.max() == pytest.approx(8, rel=0.03)
        shot = json.loads(file.header()["f2hdr/shot"])
    assert shot["exposures"]["cycle"] == [0.0, 3.0]


def test_the_default_output_folder_is_next_to_the_plate_and_named_in_the_last_line(plate, tmp_path):
    result = f2hdr("render", tmp_path, "--method", "merge")
    assert result.returncode == 0, result.stderr
    assert frames_in(tmp_path / "p_hdr") == [f"p.{n:04d}.exr" for n in range(1, 7)]
    assert os.path.join("p_hdr", "p.0006.exr") in result.stderr.strip().splitlines()[-1]


def test_only_the_frames_of_a_glob_are_rendered(plate, tmp_path):
    chosen = [tmp_path / f"p.{number:04d}.tif" for number in (2, 3)]
    result = f2hdr("render", *chosen, "--method", "merge", "-o", tmp_path / "hdr" / "o.####.exr")
    assert result.returncode == 0, result.stderr
    assert frames_in(tmp_path / "hdr") == ["o.0002.exr", "o.0003.exr"]


def test_a_shot_document_renders_the_same_pixels(plate, tmp_path):
    options = ("--method", "merge", "--exposures", "0,3", "--first-exposure", "short", "--frames", "2-3")
    first = f2hdr("render", plate, "-o", tmp_path / "a" / "o.####.exr", *options)
    assert first.returncode == 0, first.stderr
    shot = {
        "plate": str(plate),
        "exposures": {"cycle": [0, 3], "start": 1},
        "frames": "2-3",
        "engine": {"method": "merge"},
        "output": {"pattern": str(tmp_path / "b" / "o.####.exr")},
    }
    (tmp_path / "shot.json").write_text(json.dumps(shot))
    second = f2hdr("render", tmp_path / "shot.json")
    assert second.returncode == 0, second.stderr
    for name in ("o.0002.exr", "o.0003.exr"):
        one, other = (OpenEXR.File(str(tmp_path / folder / name)).channels()["RGB"].pixels for folder in "ab")
        assert np.array_equal(one, other)
    assert frames_in(tmp_path / "a") == ["o.0002.exr", "o.0003.exr"]


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (("--frames", "5-9"), 2, "7-9"),
        (("--exposures", "1,1"), 2, "1,1"),
        (("--exposures", "0,3", "--first-exposure", "middle"), 2, '"middle"'),
        (("--weights", "nosuch", "--method", "f2hdr"), 4, "'nosuch'"),
        (("--device", "cuda:7"), 5, "cuda:7"),
        (("--anchor", "bright"), 2, "anchor"),
        (("--layers", "flow,beauty"), 2, "beauty"),
    ],
)
def test_a_wrong_request_gives_one_sentence_and_an_exit_code(plate, tmp_path, options, code, words):
    defaults = () if "--method" in options else ("--method", "merge")
    result = f2hdr("render", plate, "-o", tmp_path / "hdr" / "o.####.exr", *defaults, *options)
    assert result.returncode == code, result.stderr
    assert words in result.stderr and "Traceback" not in result.stderr
    assert not (tmp_path / "hdr").exists()


def test_a_plate_with_constant_exposure_is_refused_with_an_action(tmp_path):
    plate = make_plate(tmp_path, range(1, 7), gain=1.0)
    result = f2hdr("render", plate, "-o", tmp_path / "hdr" / "o.####.exr", "--method", "merge")
    assert result.returncode == 2 and "--exposures 0,3" in result.stderr
    assert not (tmp_path / "hdr").exists()


def test_ctrl_c_leaves_no_partial_file_and_a_second_run_finishes(tmp_path):
    plate = make_plate(tmp_path, range(1, 41), size=(270, 480))
    code = "from f2hdr_backend.cli.main import main; main()"
    words = ("render", plate, "-o", tmp_path / "hdr" / "o.####.exr", "--method", "merge", "--exposures", "0,3")
    command = [sys.executable, "-c", code, *map(str, words), "--first-exposure", "short", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            if json.loads(line)["event"] == "frame_done":
                break
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=120)
    assert process.returncode == 130
    names = os.listdir(tmp_path / "hdr")
    assert 1 <= len(names) < 40 and all(name.startswith("o.") and name.endswith(".exr") for name in names)
    for name in names:
        assert OpenEXR.File(str(tmp_path / "hdr" / name)).channels()["RGB"].pixels.shape == (270, 480, 3)
    before = {name: (tmp_path / "hdr" / name).stat().st_mtime_ns for name in names}
    time.sleep(0.01)
    result = f2hdr(*words, "--first-exposure", "short")
    assert result.returncode == 0, result.stderr
    assert len(frames_in(tmp_path / "hdr")) == 40
    assert {name: (tmp_path / "hdr" / name).stat().st_mtime_ns for name in names} == before
