"""Engine ``dask``: Dask workers, here or at a scheduler, which keep the model loaded between chunks."""

from __future__ import annotations

from collections.abc import Iterator

from f2hdr_backend.farm.engines import Setup
from f2hdr_backend.farm.job import FarmJob
from f2hdr_backend.farm.report import ChunkFailed, failures_in
from f2hdr_backend.shot.events import Event

HELP = "Dask workers"


def run(job: FarmJob, setup: Setup) -> Iterator[Event]:
    """See :class:`f2hdr_backend.farm.engines.RunEngine`."""
    from f2hdr_backend.farm.dask import cluster
    from f2hdr_backend.farm.dask import run as rendered

    failures: list[ChunkFailed] = []
    with cluster(setup.scheduler, setup.workers) as client:
        yield from failures_in(rendered(job, client, setup.open_renderer), failures)
    if not failures:
        yield from setup.verify(job.shot)
