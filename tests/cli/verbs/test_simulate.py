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


def test_a_panorama_becomes_a_plate_that_detect_understands(panorama: str, tmp_path: Path) -> None:
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


def test_simulate_render_compare_and_evaluate_have_one_scale(tmp_path: Path) -> None:
    """A scene that does not move and has no noise is reconstructed without error, by every command's own measure."""
    light = np.exp2(np.random.default_rng(4).normal(0, 1.5, (12, 16, 1))).repeat(4, 0).repeat(4, 1) * [1, 0.9, 0.7]
    for number in range(1, 8):
        write_exr(tmp_path / f"scene/s.{number:04d}.exr", {"RGB": light.astype(np.float32)}, {}, pixel_type="float")
    folder = tmp_path / "sim"
    ran = _f2hdr("simulate", str(tmp_path / "scene"), "-o", str(folder), "--noise", "none", "--bits", "16")
    assert ran.returncode == 0, ran.stderr
    ran = _f2hdr("render", str(folder / "shot.json"), "--method", "merge")
    assert ran.returncode == 0, ran.stderr
    hdr, truth = str(folder / "hdr"), str(folder / "truth" / "truth.0001.exr")
    ran = _f2hdr("compare", hdr, hdr, "--truth", truth, "-o", str(tmp_path / "p.html"), "--json")
    assert ran.returncode == 0 and "warning" not in ran.stderr, ran.stderr
    rows = [row for row in json.loads(ran.stdout)["scores"] if row["metric"].startswith("PSNR")]
    assert rows and min(score["value"] for row in rows for score in row["frames"].values()) > 60
    (folder / "plate").mkdir()
    for path in folder.glob("plate.*.tif"):
        path.rename(folder / "plate" / path.name)
    (folder / "Exposures.txt").write_text("0 3")
    options = ("--method", "merge", "--metrics", "psnr", "--reference-trust", "soft", "--json")
    ran = _f2hdr("evaluate", "dataset", "exr-pairs", str(folder), *options)
    assert ran.returncode == 0, ran.stderr
    finished = json.loads(ran.stdout.splitlines()[-1])
    assert min(finished[exposure][metric] for exposure in ("low", "high") for metric in ("PSNR_T", "PSNR_L")) > 60
