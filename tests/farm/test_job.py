"""Chunks, and Shots that a farm refuses."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from f2hdr_backend.farm.job import FarmJob, chunks, span
from f2hdr_backend.shot.errors import DocumentError
from f2hdr_backend.shot.frames import FrameRange
from tests.farm.jobs import SHOT


@given(st.sets(st.integers(-50, 400), min_size=1, max_size=80), st.integers(1, 20))
def test_chunks_contain_every_frame_once_and_are_consecutive(numbers, size):
    parts = chunks(FrameRange(tuple(numbers)), size)
    assert [frame for part in parts for frame in part] == sorted(numbers)
    for part in parts:
        assert 1 <= len(part) <= size and part.last - part.first == len(part) - 1
        assert FrameRange.parse(span(part)) == part


@settings(deadline=None)
@given(st.integers(1, 120), st.integers(1, 30))
def test_chunks_equal_those_of_openjd(total, size):
    model = pytest.importorskip("openjd.model")
    frame = {
        "name": "F", "type": "CHUNK[INT]", "range": f"1-{total}",
        "chunks": {"defaultTaskCount": size, "targetRuntimeSeconds": 0, "rangeConstraint": "CONTIGUOUS"},
    }  # fmt: skip
    step = {
        "name": "S",
        "parameterSpace": {"taskParameterDefinitions": [frame]},
        "script": {"actions": {"onRun": {"command": "x"}}},
    }
    document = {
        "specificationVersion": "jobtemplate-2023-09", "extensions": ["TASK_CHUNKING"], "name": "J", "steps": [step],
    }  # fmt: skip
    template = model.decode_job_template(template=document, supported_extensions=["TASK_CHUNKING"])
    job = model.create_job(job_template=template, job_parameter_values={})
    theirs = [task["F"].value for task in model.StepParameterSpaceIterator(space=job.steps[0].parameterSpace)]
    assert theirs == [span(part) for part in chunks(FrameRange(tuple(range(1, total + 1))), size)]


@pytest.mark.parametrize(
    "shot",
    [
        replace(SHOT, frames=None),
        replace(SHOT, exposures=None),
        replace(SHOT, output=replace(SHOT.output, pattern="")),
    ],
)
def test_an_incomplete_shot_is_refused_with_the_command_to_prepare_it(shot):
    with pytest.raises(DocumentError, match="f2hdr prepare"):
        FarmJob(shot, "sh010")


def test_a_chunk_of_less_than_one_frame_is_refused():
    with pytest.raises(DocumentError, match="0 frames"):
        FarmJob(SHOT, "sh010", chunk=0)


@pytest.mark.parametrize(
    "hostile", ["a\nPreJobScript=evil.py", "a\r", "a\x1b[2J", "a\x00", "a\x85b", "a\u2028b", "caf\udce9"]
)
@pytest.mark.parametrize("field", ["name", "command", "convert_to", "display", "plate", "pattern", "config"])
def test_characters_that_would_add_lines_to_job_files_are_refused(hostile, field):
    shot, texts = SHOT, {"name": "sh010"}
    if field == "plate":
        shot = replace(SHOT, plate=f"/shots/{hostile}.####.tif".replace("\0", "\1"))
    elif field == "pattern":
        shot = replace(SHOT, output=replace(SHOT.output, pattern=f"/{hostile}/h.####.exr".replace("\0", "\1")))
    elif field == "config":
        shot = replace(SHOT, color=replace(SHOT.color, config=f"/{hostile}".replace("\0", "\1")))
    else:
        texts[field] = hostile
    with pytest.raises(DocumentError):
        FarmJob(shot, **texts)
