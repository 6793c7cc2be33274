"""The contract of every engine of ``farm run``, and a new one as one file; test_run.py renders with each."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from f2hdr_backend.farm import engines
from tests.farm.jobs import GOLDEN

DUMMY = """
from f2hdr_backend.farm.report import ChunkDone

HELP = "nothing at all"

def run(job, setup):
    yield ChunkDone(f"{job.name} on {setup.workers} at {setup.scheduler}", 0.0, str(setup.site.folder), 1, 1)
"""


@pytest.mark.parametrize("name", engines.names())
def test_every_engine_has_a_help_text_and_starts_only_when_iterated(name):
    engine = engines.engine(name)
    assert engine.HELP and not engine.HELP.endswith(".")
    assert iter(engine.run(None, None)) is not None


def farm(*words, package=None):
    code = (
        "import sys\n"
        "from f2hdr_backend.farm import engines\n"
        "engines.__path__.append(sys.argv.pop())\n"
        "from f2hdr_backend.cli.main import main\n"
        "main()\n"
    )
    words = [sys.executable, "-c", code, "farm", *map(str, words), str(package)]
    return subprocess.run(words, cwd=Path(__file__).parents[2], capture_output=True, text=True)


def test_a_new_engine_is_one_file(tmp_path):
    package = tmp_path / "engines"
    package.mkdir()
    (package / "my_dummy.py").write_text(DUMMY)
    options = ("--engine", "my-dummy", "--workers", 3, "--scheduler", "here", "--folder", tmp_path / "job", "--json")
    ran = farm("run", GOLDEN / "shot.json", *options, package=package)
    assert ran.returncode == 0, ran.stderr
    (event,) = map(json.loads, ran.stdout.splitlines())
    assert event["frames"].endswith("on 3 at here") and event["worker"] == str(tmp_path / "job")
    many = farm("run", GOLDEN / "shot.json", *options, "--workers", 300, package=package)
    assert json.loads(many.stdout)["frames"].endswith("on 5 at here"), "more workers than chunks"
    shown = farm("run", "--help", package=package).stdout
    assert "nothing at all" in " ".join(shown.replace("│", "").split())
    refused = farm("run", GOLDEN / "shot.json", "--engine", "other", package=package)
    assert refused.returncode == 2
    for name in ("my-dummy", "dask", "openjd"):
        assert name in refused.stderr
