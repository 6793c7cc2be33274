"""A window with a separate real backend, and a demo plate; skipped if Qt is missing."""

from __future__ import annotations

import contextlib
import time

import psutil
import pytest

pytest.importorskip("qtpy.QtWidgets", reason="Qt, or a system library of it, is not installed", exc_type=ImportError)

from qtpy import QtCore  # noqa: E402

from f2hdr_backend.demo.demo import Demo  # noqa: E402
from tests.server.running import LONG_S, Served  # noqa: E402


@pytest.fixture(autouse=True)
def settings_of_the_user(tmp_path):
    """Settings are read from and written to a folder of the test."""
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
        """Let the window work until something holds."""
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
