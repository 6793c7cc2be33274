"""The jobs that the golden folders were written from."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path, PurePosixPath

from f2hdr_backend.farm.job import FarmJob, Site
from f2hdr_backend.farm.schedulers import exporter
from f2hdr_backend.shot.document import Shot
from f2hdr_backend.shot.frames import FrameRange

GOLDEN = Path(__file__).parent / "golden"
FOLDER = PurePosixPath("/jobs/sh010")
SHOT = Shot.from_json((GOLDEN / "shot.json").read_text(encoding="utf-8"))
PLAIN = FarmJob(SHOT, "sh010", chunk=8)
ONE_RUN = replace(PLAIN, shot=replace(SHOT, frames=FrameRange.parse("1001-1020")))
FULL = FarmJob(
    SHOT, "sh010", chunk=4, needs_gpu=True, warm=True, convert_to="/shots/sh010/sh010.mov", display="Rec.2100-PQ",
    priority=70, retries=1,
)  # fmt: skip
SITE = Site(FOLDER, show="testing", user="artist", uid=1000)

JOBS = {
    "openjd": lambda: exporter("openjd")(PLAIN, SITE),
    "openjd-warm-gpu-convert": lambda: exporter("openjd")(FULL, SITE),
    "deadline-cloud": lambda: exporter("deadline-cloud")(FULL, SITE),
    "opencue": lambda: exporter("opencue")(FULL, SITE),
    "deadline10": lambda: exporter("deadline10")(ONE_RUN, SITE),
}
