"""Engine ``openjd``: the Open Job Description bundle of the job, run by sessions on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from f2hdr_backend.farm.engines import Setup
from f2hdr_backend.farm.job import FarmJob, write_files
from f2hdr_backend.farm.schedulers import exporter
from f2hdr_backend.shot.events import Event

HELP = "sessions on this machine"


def run(job: FarmJob, setup: Setup) -> Iterator[Event]:
    """See :class:`f2hdr_backend.farm.engines.RunEngine`. The bundle itself checks all frames in its last step."""
    from f2hdr_backend.farm.openjd_run import Sessions
    from f2hdr_backend.farm.openjd_run import run as rendered

    folder = Path(setup.site.folder)
    write_files(folder, exporter("openjd")(job, setup.site))
    yield from rendered(Sessions(job, folder, setup.rules), setup.workers)
