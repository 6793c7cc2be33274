"""``detect`` and ``simulate`` as Python functions."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from f2hdr_backend import Shot, detect, simulate
from f2hdr_backend.image.write import write_exr
from f2hdr_backend.shot.errors import F2HDRError

ROOT = Path(__file__).parents[2]
NOTEBOOK = ROOT / "docs" / "python.ipynb"


@pytest.fixture(scope="module")
def picture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("scene") / "scene.exr"
    rng = np.random.default_rng(4)
    coarse = rng.uniform(0.01, 1, (12, 24, 3)).repeat(16, 0).repeat(16, 1) ** 3
    write_exr(str(path), {"RGB": (coarse * 8).astype(np.float32)}, {}, pixel_type="float")
    return path


def test_a_simulated_plate_is_detected(tmp_path: Path, picture: Path) -> None:
    seen: list[tuple[int, int]] = []
    document = simulate(
        picture, tmp_path / "sim", size=(96, 64), progress=lambda done, total: seen.append((done, total))
    )
    assert seen[0] == (1, 40) and seen[-1] == (40, 40)
    shot = Shot.from_json(json.loads(Path(document).read_text(encoding="utf-8")))
    found = detect(tmp_path / "sim" / "plate.####.tif")
    assert found.pattern is not None and shot.exposures is not None
    assert found.pattern.ratio_stops == pytest.approx(3.0, abs=0.1)
    assert [found.pattern.ev(frame) > 1 for frame in (1, 2)] == [shot.exposures.ev(frame) > 1 for frame in (1, 2)]


def test_a_missing_plate_is_named(tmp_path: Path) -> None:
    with pytest.raises(F2HDRError, match="gone"):
        detect(tmp_path / "gone.####.tif")


def test_the_module_runs_as_the_command() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "f2hdr_backend", "--version"], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert ran.stdout.strip()


def test_the_notebook_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    cells = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    names: dict[str, object] = {}
    for number, source in enumerate(code):
        exec(compile(source, f"cell {number}", "exec"), names)
    assert names["hdr"].shape == names["middle"].shape  # type: ignore[attr-defined]
    assert names["decibels"] > 30  # type: ignore[operator]
