"""The jobs that the golden folders were written from."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path, PurePosixPath

from f2hdr_backend.farm import deadline10, deadline_cloud, opencue, openjd
from f2hdr_backend.farm.job import FarmJob
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
ARTIST = opencue.Submitter(show="testing", user="artist", uid=1000)

JOBS = {
    "openjd": lambda: openjd.files(PLAIN),
    "openjd-warm-gpu-convert": lambda: openjd.files(FULL),
    "deadline-cloud": lambda: deadline_cloud.files(FULL),
    "opencue": lambda: opencue.files(FULL, FOLDER, ARTIST),
    "deadline10": lambda: deadline10.files(ONE_RUN, FOLDER),
}
