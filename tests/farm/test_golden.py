"""Exact job files for a Shot, which the schedulers' own readers accept."""

import json
import os
import shutil
import subprocess
from xml.etree import ElementTree

import pytest

from f2hdr_backend.farm.job import SHOT_FILE, chunks, span
from f2hdr_backend.farm.schedulers import exporter
from f2hdr_backend.shot.document import Shot
from f2hdr_backend.shot.errors import ShotError
from f2hdr_backend.shot.frames import FrameRange
from tests.farm.jobs import FULL, GOLDEN, JOBS, PLAIN, SHOT, SITE

DEADLINE = os.environ.get("F2HDR_TEST_DEADLINE", "")
"""The ``deadline`` command of a separate environment with the package deadline."""
OUTLINE = os.environ.get("F2HDR_TEST_OUTLINE", "")
"""The Python of a separate environment with opencue_pyoutline and packaging."""


@pytest.mark.parametrize("name", JOBS)
def test_a_job_gives_exactly_the_golden_files(name):
    golden = {path.name: path.read_text(encoding="utf-8") for path in (GOLDEN / name).iterdir()}
    found = JOBS[name]()
    assert Shot.from_json(found.pop(SHOT_FILE)) == Shot.from_json(golden.pop(SHOT_FILE))
    assert found == golden


def test_deadline_10_refuses_a_frame_range_with_gaps():
    with pytest.raises(ShotError, match="1001-1020,1031-1040"):
        exporter("deadline10")(PLAIN, SITE)


@pytest.mark.parametrize("name", ["openjd", "openjd-warm-gpu-convert", "deadline-cloud"])
def test_openjd_accepts_the_template_and_makes_chunks_of_consecutive_frames(name):
    model = pytest.importorskip("openjd.model")
    values = json.loads((GOLDEN / name / "parameter_values.json").read_text())["parameterValues"]
    template = model.decode_job_template(
        template=json.loads((GOLDEN / name / "template.json").read_text()), supported_extensions=["TASK_CHUNKING"]
    )
    given = {item["name"]: str(item["value"]) for item in values if ":" not in item["name"]}
    parameters = model.preprocess_job_parameters(
        job_template=template, job_parameter_values=given,
        job_template_dir=GOLDEN / name, current_working_dir=GOLDEN, allow_job_template_dir_walk_up=False,
    )  # fmt: skip
    job = model.create_job(job_template=template, job_parameter_values=parameters)
    steps = {step.name: step for step in job.steps}
    names = ["Prepare", "Reconstruct", "Check"] + ["Convert"] * (name != "openjd")
    assert list(steps) == names
    space = model.StepParameterSpaceIterator(space=steps["Reconstruct"].parameterSpace)
    found = [parameters["Frame"].value for parameters in space]
    assert found == [span(chunk) for chunk in chunks(SHOT.frames, int(given["ChunkSize"]))]
    assert not any(FrameRange.parse("1021-1030").frames[0] in FrameRange.parse(text) for text in found)


@pytest.mark.skipif(not DEADLINE, reason="F2HDR_TEST_DEADLINE names no deadline command")
@pytest.mark.parametrize("name", ["openjd", "deadline-cloud"])
def test_the_deadline_client_reads_the_bundle(name, tmp_path):
    bundle = shutil.copytree(GOLDEN / name, tmp_path / "bundle")
    command = [DEADLINE, "bundle", "info", str(bundle), "--output", "json"]
    environment = {**os.environ, "HOME": str(tmp_path)}
    result = subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment)
    assert result.returncode == 0, result.stderr
    assert "ChunkSize" in result.stdout and "/shots/sh010/hdr" in result.stdout


@pytest.mark.skipif(not OUTLINE, reason="F2HDR_TEST_OUTLINE names no Python with pyoutline")
def test_the_opencue_job_equals_that_of_pyoutline(tmp_path):
    script = tmp_path / "job.py"
    script.write_text(PYOUTLINE)
    commands = [layer.findtext("cmd") for layer in ElementTree.parse(GOLDEN / "opencue" / "job.xml").iter("layer")]
    environment = {**os.environ, "HOME": str(tmp_path), "USER": "artist", "SHOW": "testing", "SHOT": "sh010"}
    result = subprocess.run(
        [OUTLINE, str(script), *commands, str(FULL.frames), str(FULL.chunk)],
        capture_output=True, text=True, timeout=120, env=environment,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    theirs = _tree(ElementTree.fromstring(result.stdout[result.stdout.index("<?xml") :]))
    ours = _tree(ElementTree.parse(GOLDEN / "opencue" / "job.xml").getroot())
    assert ours == theirs


def _tree(element):
    """Tags, attributes, texts and children, without what names the submitting machine and its user."""
    skipped = {"email", "uid", "facility"}
    children = [_tree(child) for child in element if child.tag not in skipped]
    return element.tag, dict(element.attrib), (element.text or "").strip(), children


PYOUTLINE = """
import sys
import outline
from outline.backend.cue import serialize_simple
from outline.cuerun import OutlineLauncher
from outline.modules.shell import Shell

render, check, frames, chunk = sys.argv[1:5]
job = outline.Outline("sh010", frame_range="1-2000", shot="sh010", show="testing", user="artist", serialize=False)
first = Shell("reconstruct", command=render, chunk=int(chunk), range=frames, gpus=1, gpu_memory="1g")
last = Shell("check", command=check, range="1")
last.depend_all(first)
job.add_layer(first)
job.add_layer(last)
launcher = OutlineLauncher(job, user="artist", priority=70, maxretries=1, pause=False, show="testing", shot="sh010")
print(serialize_simple(launcher))
"""
