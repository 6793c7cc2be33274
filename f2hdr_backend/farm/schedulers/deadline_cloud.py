"""The OpenJD bundle with additional values for AWS Deadline Cloud: priority and retries.

Source: the bundle format of ``deadline bundle submit`` (package deadline 0.60).
"""

from __future__ import annotations

from f2hdr_backend.farm.job import FarmJob, Site, document
from f2hdr_backend.farm.schedulers import openjd
from f2hdr_backend.shot.read_text import json_value

VALUES_FILE = "parameter_values.json"


def export(job: FarmJob, site: Site) -> dict[str, str]:
    """Return the bundle's file names and texts."""
    bundle = openjd.export(job, site)
    values = json_value(bundle[VALUES_FILE])["parameterValues"]
    queue = {
        "deadline:priority": job.priority,
        "deadline:maxRetriesPerTask": job.retries,
        "deadline:targetTaskRunStatus": "READY",
    }
    values += [{"name": name, "value": value} for name, value in queue.items()]
    return {**bundle, VALUES_FILE: document({"parameterValues": values})}
