"""``f2hdr detect`` as a shell sees it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from f2hdr_backend.image.read import read_image
from f2hdr_backend.image.write import write_image
from tests.engine.alternating import Scene, plate_of

COMMAND = "from f2hdr_backend.cli.main import main; main()"


def _detect(*args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", COMMAND, "detect", *args], capture_output=True, text=True, timeout=120)


def _written(folder: Path, exposures: list[float]) -> str:
    """Write a plate that begins on frame 1001; return its pattern."""
    plate = plate_of(Scene(31), exposures, first=1001, noise=0.002)
    for number, picture in plate.pictures.items():
        write_image(folder / f"sh.{number}.tif", picture, 16)
    return str(folder / "sh.####.tif")


@pytest.fixture
def plate(tmp_path: Path) -> str:
    return _written(tmp_path, [3.0, 0.0] * 5)


def test_the_report_is_readable_text(plate: str, tmp_path: Path) -> None:
    ran = _detect(plate, "--plot", str(tmp_path / "plot.png"))
    assert ran.returncode == 0, ran.stderr
    assert "short       +0.00 EV on frames 1002, 1004, 1006" in ran.stdout
    assert "long        +3.00 EV on frames 1001, 1003, 1005" in ran.stdout
    assert "cuts        none" in ran.stdout
    assert "--exposures 0,3 --first-exposure long" in ran.stdout
    drawn = read_image(str(tmp_path / "plot.png")).pixels
    assert drawn.shape == (560, 1280, 3)
    assert drawn.std() > 0.02


def test_json_is_one_line(plate: str) -> None:
    ran = _detect(plate, "--json", "--frames", "1002-1009")
    assert ran.returncode == 0, ran.stderr
    assert ran.stderr == ""
    [line] = ran.stdout.splitlines()
    answer = json.loads(line)
    assert answer["event"] == "detection"
    assert answer["pattern"] == {"cycle": [0.0, 3.0], "start": 1002, "exceptions": []}
    assert answer["frames"] == list(range(1002, 1010))
    assert answer["confidence"] > 0.9


def test_a_plate_with_constant_exposure_is_refused_and_its_plot_written(tmp_path: Path) -> None:
    ran = _detect(_written(tmp_path, [1.0] * 6), "--plot", str(tmp_path / "plot.png"))
    assert ran.returncode == 2
    assert ran.stdout == ""
    assert "do not alternate" in ran.stderr
    assert "--exposures 0,3" in ran.stderr
    assert (tmp_path / "plot.png").exists()


def test_missing_frames_are_named(plate: str) -> None:
    Path(plate.replace("####", "1004")).unlink()
    ran = _detect(plate)
    assert ran.returncode == 2
    assert "1004" in ran.stderr
