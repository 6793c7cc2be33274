"""Bodies of requests, from bytes."""

import json

import pytest

from f2hdr_backend.server.requests import LONGEST_NAME, DetectRequest, FrameRequest, JobRequest, read_request
from f2hdr_backend.shot.document import Shot
from f2hdr_backend.shot.errors import DocumentError
from f2hdr_backend.shot.frames import FrameRange

SHOT = {"plate": "/a/p.mov"}


def read(kind, **fields):
    return read_request(kind, json.dumps(fields).encode())


def test_request_bodies_are_parsed():
    assert read(JobRequest, shot=SHOT) == JobRequest(Shot("/a/p.mov"))
    job = read(JobRequest, shot=SHOT, frames="1-3", force=True, client="me", priority="interactive", keep=False)
    assert job == JobRequest(Shot("/a/p.mov"), FrameRange((1, 2, 3)), True, "me", "interactive", False)
    frame = read(FrameRequest, shot=SHOT, buffers=["/a", "/b", "/c"], output="/o")
    assert frame == FrameRequest(Shot("/a/p.mov"), ("/a", "/b", "/c"), "/o")
    assert read(DetectRequest, plate="/a/p.mov") == DetectRequest("/a/p.mov", "auto", "")


@pytest.mark.parametrize(
    ("kind", "fields", "facts"),
    [
        (JobRequest, {"shot": SHOT, "client": "x" * (LONGEST_NAME + 1)}, ["client", str(LONGEST_NAME)]),
        (JobRequest, {"shot": SHOT, "priority": "urgent"}, ["priority", "urgent", "interactive"]),
        (JobRequest, {"shot": SHOT, "frames": 7}, ["request.frames", "7", "text"]),
        (JobRequest, {"shot": {**SHOT, "frames": ""}}, ["frames"]),
        (JobRequest, {}, ["request.shot", "missing"]),
        (
            FrameRequest,
            {"shot": SHOT, "buffers": ["/a", "/b"], "output": "/o"},
            ["request.buffers", "['/a', '/b']", "list of 3"],
        ),
        (FrameRequest, {"shot": SHOT, "buffers": ["/a"] * 4, "output": "/o"}, ["request.buffers", "list of 3"]),
        (FrameRequest, {"shot": SHOT, "buffers": ["/a"] * 3, "output": 1}, ["request.output", "1", "text"]),
        (DetectRequest, {"plate": ""}, ["plate", "absolute path"]),
    ],
)
def test_an_error_names_the_field_and_the_expected_value(kind, fields, facts):
    with pytest.raises(DocumentError) as caught:
        read(kind, **fields)
    for fact in facts:
        assert fact in str(caught.value)


@pytest.mark.parametrize("depth", range(20, 1000, 7))
def test_a_deep_value_is_refused_with_an_error_that_is_written_to_json(depth):
    with pytest.raises(DocumentError) as caught:
        read_request(DetectRequest, b'{"plate": ' + b"[" * depth + b"]" * depth + b"}")
    assert len(json.dumps(caught.value.to_json())) < 3000


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 100_000, b'{"shot": ' + b"9" * 5000 + b"}"])
def test_invalid_json_is_refused(body):
    with pytest.raises(DocumentError) as caught:
        read_request(JobRequest, body)
    assert "The body" in caught.value.message
