"""``f2hdr simulate`` as a command, and ``detect`` on its result."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from f2hdr_backend.image.write import write_exr

COMMAND = "from f2hdr_backend.cli.main import main; main()"


def _f2hdr(*args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", COMMAND, *args], capture_output=True, text=True, timeout=180)


@pytest.fixture
def panorama(tmp_path: Path) -> str:
    light = np.exp2(np.random.default_rng(3).normal(0, 1.5, (64, 128, 1))) * np.ones(3)
    write_exr(tmp_path / "panorama.exr", {"RGB": light.astype(np.float32)}, {})
    return str(tmp_path / "panorama.exr")


def test_a_plate_from_a_panorama_is_detected(panorama: str, tmp_path: Path) -> None:
    folder = tmp_path / "plate"
    options = ("--exposures", "0,2.5", "--first-exposure", "long", "--noise", "low", "--bits", "12")
    ran = _f2hdr("simulate", panorama, "-o", str(folder), *options, "--frames", "1001-1010", "--size", "160x90")
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout == f"{folder}/shot.json\n"
    found = _f2hdr("detect", str(folder / "plate.####.tif"), "--json")
    cycle = json.loads(found.stdout)["pattern"]["cycle"]
    assert cycle == pytest.approx([0, 2.5], abs=0.1)
    truth = json.loads((folder / "shot.json").read_text())["exposures"]
    assert (truth["start"] - json.loads(found.stdout)["pattern"]["start"]) % 2 == 0
    assert len(list((folder / "truth").glob("truth.*.exr"))) == 10


@pytest.mark.parametrize(
    ("option", "words"),
    [
        (("--size", "big"), "640x360"),
        (("--noise", "awful"), "low, medium"),
        (("--exposures", "3,3"), "alternate"),
        (("--first-exposure", "last"), "short or long"),
        (("--bits", "99"), "1 to 16 bits"),
    ],
)
def test_a_wrong_option_is_reported_and_nothing_is_written(
    panorama: str, tmp_path: Path, option: tuple[str, str], words: str
) -> None:
    ran = _f2hdr("simulate", panorama, "-o", str(tmp_path / "plate"), *option)
    assert ran.returncode == 2
    assert words in ran.stderr
    assert not (tmp_path / "plate").exists()
