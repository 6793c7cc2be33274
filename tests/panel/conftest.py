"""A window with a separate real backend, and a demo plate; all modules are skipped if Qt is missing."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

import psutil
import pytest

from f2hdr_backend.demo.demo import Demo
from tests.server.running import LONG_S, Served


def pytest_pycollect_makemodule(module_path: Path, parent: pytest.Collector) -> pytest.Module | None:
    """Skip a module before it is imported if there is no Qt: a conftest itself cannot skip."""
    try:
        import qtpy.QtWidgets  # noqa: F401
    except ImportError as error:
        return _WithoutQt.from_parent(parent, path=module_path, reason=f"Qt cannot be loaded: {error}")
    return None


class _WithoutQt(pytest.Module):
    """A module that is skipped with the reason if it is the first, and otherwise is without tests."""

    _is_reported = pytest.StashKey[bool]()

    def __init__(self, *, reason: str, **facts: object) -> None:
        super().__init__(**facts)
        self._reason = reason

    def collect(self) -> list[pytest.Item]:
        if self.config.stash.get(self._is_reported, False):
            return []
        self.config.stash[self._is_reported] = True
        pytest.skip(self._reason, allow_module_level=True)


@pytest.fixture(autouse=True)
def settings_of_the_user(tmp_path):
    """Settings are read from and written to a folder of the test."""
    from qtpy import QtCore

    kind = QtCore.QSettings
    kind.setPath(kind.Format.IniFormat, kind.Scope.UserScope, str(tmp_path / "settings"))


@pytest.fixture(scope="session")
def demo(tmp_path_factory):
    """The demo's plate, 8 frames from 1001, short first, 3 stops apart."""
    made = Demo(tmp_path_factory.mktemp("demo"), size=(320, 180), frames=8)
    assert len(list(made.shoot())) == 8
    return made


@pytest.fixture(scope="session")
def plate(demo):
    return str(demo.folder / "plate")


@pytest.fixture
def served(tmp_path, monkeypatch):
    """Where a backend would run; the window starts it."""
    made = Served(tmp_path)
    for name in ("F2HDR_RUNTIME", "F2HDR_BACKEND", "F2HDR_CACHE", "OMP_NUM_THREADS"):
        monkeypatch.setenv(name, made.environment[name])
    yield made
    stop_server(made)


def stop_server(served):
    """End the servers that the window started; one that is still starting has no connection file yet."""
    for process in psutil.process_iter(["cmdline"]):
        if served.environment["F2HDR_BACKEND"] in (process.info["cmdline"] or ()):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()


class Window:
    """A workspace and how a test waits for it."""

    def __init__(self, qtbot, settings=None):
        from f2hdr_backend.panel.workspace import Workspace

        self.bot = qtbot
        self.it = Workspace(settings)
        self.reported = []
        self.it.session.reported.connect(lambda words, kind: self.reported.append((kind, words)))
        self.it.resize(1200, 800)
        self.it.show()

    def until(self, holds, what=""):
        """Let the window work until a condition is true."""
        end = time.monotonic() + LONG_S
        while time.monotonic() < end:
            if holds():
                return
            self.bot.wait(10)
        raise AssertionError(f"{what or 'the condition'} did not come about; reported: {self.reported}")

    def open(self, path, frames=8):
        """Open a plate and wait for its first picture."""
        self.it.open_paths([path])
        self.until(lambda: len(self.it.timeline.strip.frames) == frames, "the plate")
        self.settle()

    def settle(self):
        """Wait for the picture on screen."""
        self.until(lambda: not self.it.viewer.is_waiting, "the picture")

    def set_engine(self, **changes):
        """Change fields of the Shot's engine."""
        from dataclasses import replace

        shot = self.it.model.shot
        self.it.model.put(replace(shot, engine=replace(shot.engine, **changes)))

    def set_output(self, pattern):
        """Write results there."""
        from dataclasses import replace

        shot = self.it.model.shot
        self.it.model.put(replace(shot, output=replace(shot.output, pattern=str(pattern))))

    def picture(self):
        """The displayed picture: a QImage."""
        return self.it.viewer.canvas._image


@pytest.fixture
def window(qtbot, served):
    made = Window(qtbot)
    yield made
    made.it.shut_down()
    made.it.deleteLater()
