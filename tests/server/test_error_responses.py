"""Errors as responses: every class has a status that is described, and every document is JSON."""

import json
import math

import pytest

from f2hdr_backend.server.error_responses import STATUSES, Answer, error_document, status_of
from f2hdr_backend.shot import errors


def kinds(kind=errors.F2HDRError):
    yield kind
    for below in kind.__subclasses__():
        yield from kinds(below)


KINDS = [kind for kind in kinds() if kind.__module__ == errors.__name__ and kind is not errors.F2HDRError]


@pytest.mark.parametrize("kind", KINDS)
def test_every_error_has_a_described_status(kind):
    assert status_of(kind("x")) in STATUSES


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.DocumentError("x"), 400),
        (errors.MissingFrames("x"), 404),
        (errors.ShotError("x"), 422),
        (errors.OutOfMemory("x"), 507),
        (errors.ServerError("x", status=429), 429),
        (errors.ServerError("x"), 503),
        (errors.F2HDRError("x"), 500),
    ],
)
def test_the_status_is_that_of_the_closest_class(error, status):
    assert status_of(error) == status


def test_nonfinite_numbers_are_written_as_text():
    document = error_document(errors.ImageError("x", values=[1.0, math.nan, {"a": -math.inf}]))
    assert document["facts"]["values"] == [1.0, "nan", {"a": "-inf"}]
    assert json.loads(Answer(document).body) == document


def test_names_with_lone_surrogates_are_escaped():
    body = Answer({"path": "/caf\udce9"}).body
    assert body.isascii() and json.loads(body) == {"path": "/caf\udce9"}
