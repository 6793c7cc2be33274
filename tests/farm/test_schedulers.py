"""The contract of every scheduler, and a new one as one file."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from f2hdr_backend.farm import schedulers
from f2hdr_backend.farm.job import SHOT_FILE
from f2hdr_backend.shot.document import Shot
from f2hdr_backend.shot.frames import FrameRange
from tests.farm.jobs import FULL, GOLDEN, SITE

ONE_RUN = replace(FULL, shot=replace(FULL.shot, frames=FrameRange.parse("1001-1020")), priority=71, retries=3)
DUMMY = """
from f2hdr_backend.farm.job import SHOT_FILE

def export(job, site):
    return {SHOT_FILE: job.shot_text(), "dummy.txt": f"{job.name} for {site.show}"}
"""


@pytest.mark.parametrize("name", schedulers.names())
def test_every_scheduler_writes_the_shot_and_files_with_plain_names(name):
    files = schedulers.exporter(name)(ONE_RUN, SITE)
    assert Shot.from_json(files[SHOT_FILE]) == ONE_RUN.shot
    assert len(files) > 1
    for file, text in files.items():
        assert os.path.basename(file) == file and text.endswith("\n")


@pytest.mark.parametrize("name", schedulers.names())
def test_every_scheduler_has_the_command_the_chunks_and_the_check(name):
    job = replace(ONE_RUN, command="/opt/f2hdr-of-the-studio", chunk=7)
    text = "".join(schedulers.exporter(name)(job, SITE).values())
    assert "/opt/f2hdr-of-the-studio" in text and "7" in text
    assert "render" in text or "task" in text
    assert "check" in text


def test_a_new_scheduler_is_one_file(tmp_path):
    package = tmp_path / "schedulers"
    package.mkdir()
    (package / "my_dummy.py").write_text(DUMMY)
    code = (
        "import sys\n"
        "from f2hdr_backend.farm import schedulers\n"
        "schedulers.__path__.append(sys.argv.pop())\n"
        "from f2hdr_backend.cli.main import main\n"
        "main()\n"
    )
    words = [
        "farm",
        "export",
        str(GOLDEN / "shot.json"),
        "--engine",
        "my-dummy",
        "-o",
        str(tmp_path / "job"),
        "--show",
        "s",
    ]
    ran = subprocess.run(
        [sys.executable, "-c", code, *words, str(package)],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr
    assert (tmp_path / "job" / "dummy.txt").read_text().endswith("for s")
