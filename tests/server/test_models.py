"""Documents parsed by pydantic compared with those parsed by a Shot, and the schemas with another validator."""

import copy
import dataclasses
import json
import math

import jsonschema_rs
import pytest

from f2hdr_backend.client.jobs import JobStatus
from f2hdr_backend.server.models import LONGEST_FRAMES, read_document, reference, schemas_of
from f2hdr_backend.shot.document import Color, Engine, Output, Shot
from f2hdr_backend.shot.errors import F2HDRError
from f2hdr_backend.shot.exposure import ExposurePattern
from f2hdr_backend.shot.frames import FrameRange

FULL = Shot(
    "/a/p.####.tif",
    layer="left",
    exposures=ExposurePattern((3.0, 0.0), 1001, ((1005, 1.5),)),
    frames=FrameRange((1001, 1002, 1005)),
    handles=4,
    cuts=(1003,),
    color=Color(clip_level=(8.0, 7.5, 8.25)),
    engine=Engine(memory="8G", tile="512"),
    output=Output("/a/o.####.exr", anchor="-1.5", layers=("flow", "mask")),
).to_json()
ODD = [
    None, True, 0, 1, -1, 1.0, 1.5, 10**400, math.inf, math.nan, "", "1", "auto", "abc", "1-5", "\udcff",
    [], [1], [1.0], ["flow"], [[1, 2]], [[1, 2, 3]], [1, 2, 3], {}, {"cycle": [0, 3], "start": 1},
]  # fmt: skip


def places(document, path=()):
    """Every field of a document, and every item of its lists."""
    pairs = document.items() if isinstance(document, dict) else enumerate(document)
    for key, value in pairs:
        yield (*path, key)
        if isinstance(value, (dict, list)):
            yield from places(value, (*path, key))


def changed(path, value):
    document = copy.deepcopy(FULL)
    place = document
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return document


def outcome(read, document):
    try:
        return read(document), None
    except F2HDRError as error:
        return None, error


def test_the_model_reads_a_shot_as_its_class_does():
    assert read_document(Shot, FULL, "request") == Shot.from_json(FULL)
    minimal = {"plate": "/a/p.mov"}
    assert read_document(Shot, minimal, "request") == Shot("/a/p.mov")


@pytest.mark.parametrize("path", list(places(FULL)), ids=lambda path: ".".join(map(str, path)))
def test_the_model_accepts_and_refuses_the_same_values_as_the_class(path):
    for value in ODD:
        document = changed(path, value)
        shot, error = outcome(lambda each: read_document(Shot, each, "request"), document)
        expected, refusal = outcome(Shot.from_json, document)
        assert shot == expected, value
        assert (error and type(error)) == (refusal and type(refusal)), (value, error, refusal)
        assert error is None or error.message.count("\n") == 0


def test_whole_numbers_may_have_a_decimal_point():
    shot = read_document(Shot, changed(("handles",), 2.0), "request")
    assert shot.handles == 2
    assert type(shot.handles) is int


@pytest.mark.parametrize(
    ("path", "value", "facts"),
    [
        (("engine", "mehtod"), 1, ['request.engine has no field "mehtod"', "method"]),
        (("plat",), 1, ['request has no field "plat"', "plate"]),
        (("exposures", "cycle", 1), "3", ["request.exposures.cycle[1]", "'3'", "number"]),
        (("exposures", "exceptions", 0), [4], ["request.exposures.exceptions[0]", "[4]", "list of 2"]),
        (("exposures", "exceptions", 0), [4, 1, 1], ["request.exposures.exceptions[0]", "[4, 1, 1]", "list of 2"]),
        (("exposures",), {"cycle": [0]}, ["request.exposures.start is missing", "first exposure"]),
        (("color", "clip_level"), "8", ["request.color.clip_level", "'8'", "a list"]),
        (("color",), [], ["request.color", "[]", "an object"]),
        (("trust_given",), 1, ["request.trust_given", "1", "true or false"]),
        (("frames",), "5-1", ["frames", "5-1", "1-5"]),
        (("frames",), "1," * LONGEST_FRAMES, ["frames", str(LONGEST_FRAMES)]),
        (("engine", "quality"), "goood", ["quality", "goood", "Did you mean good?"]),
    ],
)
def test_an_error_names_the_field_the_value_and_the_expected_one(path, value, facts):
    _, error = outcome(lambda each: read_document(Shot, each, "request"), changed(path, value))
    for fact in facts:
        assert fact in str(error)
    assert error.exit_code == 2


def test_an_unknown_field_is_reported_before_the_missing_one():
    _, error = outcome(lambda each: read_document(Shot, each, "request"), {"plaet": "/a/p.mov"})
    assert "plaet" in error.message
    assert "plate" in error.hint


def test_the_schema_describes_what_is_read():
    schemas = schemas_of(Shot)
    validator = jsonschema_rs.Draft202012Validator({"components": {"schemas": schemas}, **reference(Shot)})
    validator.validate(FULL)
    for path, value in [
        (("handles",), -1), (("color", "clip_level"), [1, 2]), (("output", "layers"), ["flow", "flow"]),
        (("output", "layers"), ["depth"]), (("engine", "tile"), "0"), (("exposures", "cycle"), [99, 0]),
        (("version",), 2), (("engine", "speed"), 1), (("plate",), ""),
    ]:  # fmt: skip
        document = changed(path, value)
        assert not validator.is_valid(document), path
        assert outcome(Shot.from_json, document)[1] is not None, path


def test_the_schema_shows_titles_help_units_and_defaults_of_the_fields():
    fields = schemas_of(Shot)["Color"]["properties"]["clip_level"]
    metadata = {field.name: field.metadata for field in dataclasses.fields(Color)}["clip_level"]
    assert fields["title"] == metadata["label"]
    assert metadata["help"] in fields["description"] and metadata["unit"] in fields["description"]
    assert fields["default"] is None


def test_documents_without_metadata_have_schemas_too():
    status = JobStatus("a", "done", 1, 1, None, "", None, ("careful",))
    schema = schemas_of(JobStatus)["JobStatus"]
    validator = jsonschema_rs.Draft202012Validator(schema)
    validator.validate(json.loads(json.dumps(dataclasses.asdict(status))))
    assert not validator.is_valid({"id": "a"})
