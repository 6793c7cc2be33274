"""The server's OpenAPI description compared with its behavior, for valid and invalid requests."""

import os

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode

from f2hdr_backend.shot.frames import FrameRange

FRAMES = st.lists(st.integers(-9999, 99999), min_size=1, max_size=20).map(lambda frames: str(FrameRange(tuple(frames))))
NAMES = st.text("abcXYZ 09_-äß漢", min_size=1, max_size=12)
schemathesis.openapi.format("frame-range", FRAMES)
schemathesis.openapi.format("path", NAMES.map(lambda name: f"/nowhere/{name}.####.exr"))
schemathesis.openapi.format("output-pattern", NAMES.map(lambda name: f"/nowhere/{name}.####.exr"))


@pytest.fixture(scope="session")
def api(server):
    config = schemathesis.Config.from_dict({"checks": {"positive_data_acceptance": {"expected-statuses": FITTING}}})
    headers = {"Authorization": f"Bearer {server.facts['token']}"}
    return schemathesis.openapi.from_url(f"{server.facts['address']}/openapi.json", headers=headers, config=config)


FITTING = [200, 201, 403, 404, 409, 422, 429]
"""A request that matches the description may be impossible to execute: the answer is then 422, not 400."""
OPERATIONS = [
    ("/v1/jobs", "POST"),
    ("/v1/jobs", "GET"),
    ("/v1/jobs/{job}", "GET"),
    ("/v1/jobs/{job}", "DELETE"),
    ("/v1/jobs/{job}/events", "GET"),
    ("/v1/frames", "POST"),
    ("/v1/detect", "POST"),
    ("/v1/info", "GET"),
    ("/v1/spaces", "GET"),
    ("/v1/cache", "GET"),
    ("/v1/cache", "DELETE"),
]


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=lambda mode: mode.value)
@pytest.mark.parametrize("operation", OPERATIONS, ids=" ".join)
def test_every_response_matches_the_openapi_description(api, server, operation, mode):
    path, method = operation
    headers = {"Authorization": f"Bearer {server.facts['token']}"}

    @settings(max_examples=25, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(api[path][method].as_strategy(generation_mode=mode))
    def ask(case):
        case.call_and_validate(headers=headers, timeout=60)

    try:
        ask()
    except Unsatisfiable:
        assert mode == GenerationMode.NEGATIVE
    assert server.process.poll() is None
    assert not os.path.exists("/nowhere")


def test_every_route_is_tested(api):
    described = {(result.ok().path, result.ok().method.upper()) for result in api.get_all_operations()}
    assert described == set(OPERATIONS)
