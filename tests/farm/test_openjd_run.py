"""Sessions of ``openjd run`` that are stopped on the way."""

import threading
from dataclasses import replace

from f2hdr_backend.farm.openjd_run import Sessions, run
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
