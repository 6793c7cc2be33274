"""Sessions of ``openjd run``: those that are stopped on the way, and their logs."""

import sys
import threading
from dataclasses import replace

import pytest

from f2hdr_backend.farm.openjd_run import LOGS, Sessions, run
from f2hdr_backend.farm.report import ChunkDone
from tests.farm.jobs import PLAIN


class _Slow(Sessions):
    """Sessions whose first two steps are quick; the others last until they are stopped."""

    def __post_init__(self):
        self.begun = []
        self.stopping = threading.Event()

    def step(self, name, frames=""):
        self.begun.append(name)
        if len(self.begun) > 2:
            self.stopping.wait(60)
        return ""

    def __exit__(self, *error):
        self.stopping.set()
        super().__exit__(*error)


def test_after_a_stop_no_further_chunk_is_started(tmp_path):
    sessions = _Slow(replace(PLAIN, chunk=1), tmp_path)
    events = run(sessions, 1)
    assert isinstance(next(events), ChunkDone)
    events.close()
    assert sessions.begun in (["Prepare", "Reconstruct"], ["Prepare", "Reconstruct", "Reconstruct"])


class _Quick(Sessions):
    """Sessions whose steps print one line."""

    def __post_init__(self):
        (self.folder / LOGS).mkdir(exist_ok=True)

    def _command(self, name, frames):
        return [sys.executable, "-P", "-c", "print('done')"]


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights on Windows")
def test_a_link_in_the_place_of_a_log_is_replaced_and_not_followed(tmp_path):
    (tmp_path / "precious").write_text("precious")
    (tmp_path / LOGS).mkdir()
    log = tmp_path / LOGS / "prepare.log"
    log.symlink_to(tmp_path / "precious")
    assert _Quick(PLAIN, tmp_path).step("Prepare") == ""
    assert (tmp_path / "precious").read_text() == "precious"
    assert log.read_text().split() == ["done"] and not log.is_symlink()
