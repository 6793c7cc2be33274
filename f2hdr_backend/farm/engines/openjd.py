"""Engine ``openjd``: the Open Job Description bundle of the job, run by sessions on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from f2hdr_backend.farm import schedulers
from f2hdr_backend.farm.engines import Setup
from f2hdr_backend.farm.job import FarmJob, write_files
from f2hdr_backend.shot.events import Event

HELP = "sessions on this machine"


def run(job: FarmJob, setup: Setup) -> Iterator[Event]:
    """See :class:`f2hdr_backend.farm.engines.RunEngine`. The bundle itself checks all frames in its last step."""
    from f2hdr_backend.farm import openjd_run

    folder = Path(setup.site.folder)
    write_files(folder, schedulers.exporter("openjd")(job, setup.site))
    yield from openjd_run.run(openjd_run.Sessions(job, folder, setup.rules), setup.workers)
