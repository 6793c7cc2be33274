"""A fake Nuke, plates as real EXR files, and the real backend as another process."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
for folder in (ROOT / "nuke_plugin", ROOT / "tests" / "hosts" / "nuke"):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

from nuke_comp import Comp  # noqa: E402
from nuke_footage import write_plate  # noqa: E402


@pytest.fixture(scope="session")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The runtime folder of the backend of these tests; the backend ends with the tests."""
    folder = tmp_path_factory.mktemp("runtime")
    environment = {
        "F2HDR_RUNTIME": str(folder), "F2HDR_BACKEND": str(backend()), "F2HDR_CACHE": str(folder / "flow"),
        "OMP_NUM_THREADS": "1",
    }  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        yield folder
        subprocess.run([backend(), "serve", "--stop"], check=False, capture_output=True)


def backend() -> Path:
    """The ``f2hdr`` command next to this interpreter."""
    return Path(sys.executable).parent / ("f2hdr.exe" if os.name == "nt" else "f2hdr")


@pytest.fixture
def plate(tmp_path: Path) -> str:
    """A shot of alternating exposures, frames 1001-1006."""
    return write_plate(tmp_path / "footage")


@pytest.fixture(params=["window", "terminal"])
def comp(request: pytest.FixtureRequest, plate: str, tmp_path: Path, runtime: Path) -> Comp:
    """A script with the shot and an F2HDR node: in a Nuke with a window, and in one without."""
    return Comp(plate, tmp_path / "shot.nk", gui=request.param == "window")


@pytest.fixture
def window(plate: str, tmp_path: Path, runtime: Path) -> Comp:
    """The same in a Nuke with a window only."""
    return Comp(plate, tmp_path / "shot.nk", gui=True)
