"""The effect, built once for all workers; a fresh copy of it for every test; and a real backend."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.ofx_plugin.fake_backend import FakeBackend
from tests.ofx_plugin.host import Host
from tests.server.running import Served

HERE = Path(__file__).parent
SOURCE = HERE.parents[1] / "ofx_plugin"

if os.environ.get("F2HDR_TEST_OFX"):
    os.environ.pop("LD_PRELOAD", None)  # the sanitizer of that library: loaded here, but not needed in the backend


def build(folder: Path, *options: str) -> Path:
    """Build the effect and return the path of its library."""
    words = ["cmake", "-S", str(SOURCE), "-B", str(folder), "-D", "CMAKE_UNITY_BUILD=ON", *options]
    for command in (words, ["cmake", "--build", str(folder), "--parallel", "2"]):
        ran = subprocess.run(command, capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stdout + ran.stderr
    return next((folder / "F2HDR.ofx.bundle" / "Contents").glob("*/F2HDR.ofx"))


def can_build() -> bool:
    return os.name == "posix" and bool(shutil.which("cmake") and (shutil.which("c++") or os.environ.get("CXX")))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that need the library need what builds it."""
    missing = not os.environ.get("F2HDR_TEST_OFX") and not can_build()
    for item in items:
        if item.path.is_relative_to(HERE) and "library" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.skipif(missing, reason="the OpenFX effect needs CMake and a C++ compiler"))


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built effect, or the one that F2HDR_TEST_OFX names."""
    named = os.environ.get("F2HDR_TEST_OFX")
    if named:
        return Path(named)
    return shared_build(tmp_path_factory.getbasetemp())


def shared_build(folder: Path) -> Path:
    """Build the effect once for all workers of a parallel run, which have their own folders in one folder."""
    import fcntl

    folder = folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder
    with open(folder / "ofx.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        built = [*folder.glob("ofx/F2HDR.ofx.bundle/Contents/*/F2HDR.ofx")]
        return built[0] if built else build(folder / "ofx", "-D", "CMAKE_BUILD_TYPE=Release")


@pytest.fixture(scope="session")
def backend(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A real backend that runs."""
    served = Served(tmp_path_factory.mktemp("backend")).start()
    yield served
    served.stop()


@pytest.fixture
def load(library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Host]]:
    """Load a copy of the effect that shares no state with those of other tests; its runtime folder is empty."""
    monkeypatch.setenv("F2HDR_RUNTIME", str(tmp_path / "run"))
    monkeypatch.setenv("F2HDR_BACKEND", str(tmp_path / "no-backend"))
    monkeypatch.setenv("F2HDR_BUFFERS", str(tmp_path))
    hosts: list[Host] = []

    def loaded(**switches: Any) -> Host:
        copy = tmp_path / f"copy{len(hosts)}.ofx"
        shutil.copy(library, copy)
        hosts.append(Host(copy, **switches))
        return hosts[-1]

    yield loaded
    for host in hosts:
        host.unload()
        assert host.open_images == 0
    assert not list(tmp_path.glob("f2hdr-ofx-*"))


@pytest.fixture
def served(backend: Served, monkeypatch: pytest.MonkeyPatch, load: Callable[..., Host]) -> Callable[..., Host]:
    """Load a copy of the effect that finds the real backend, and passes pixels in the way that the system has."""
    for name, value in backend.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("F2HDR_BUFFERS")
    return load


@pytest.fixture(params=["files", "memory"] if hasattr(os, "memfd_create") else ["files"])
def fake(
    request: pytest.FixtureRequest, load: Callable[..., Host], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[FakeBackend]:
    """A backend that answers with twice the reference's pixels, which it gets in files or in memory files."""
    in_memory = request.param == "memory"
    if in_memory:
        monkeypatch.delenv("F2HDR_BUFFERS")
    backend = FakeBackend(tmp_path / "run", in_memory=in_memory)
    yield backend
    backend.stop()
