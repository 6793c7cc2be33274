"""Paths in documents: every field that contains one is declared, and treated like every other one."""

import dataclasses
from typing import get_args, get_type_hints

import pytest

from f2hdr_backend.color.config import SHIPPED
from f2hdr_backend.color.curve import PREFIX
from f2hdr_backend.farm.job import FarmJob
from f2hdr_backend.farm.path_mapping import PathMapping, PathRule
from f2hdr_backend.server.requests import DetectRequest, FrameRequest, JobRequest
from f2hdr_backend.shot.document import Color, Engine, Output, Shot
from f2hdr_backend.shot.errors import DocumentError
from f2hdr_backend.shot.exposure import ExposurePattern
from f2hdr_backend.shot.frames import FrameRange
from f2hdr_backend.shot.paths import NamedPath, absolute, paths_in, with_paths

WORDS = {
    "layer", "color.input_space", "color.output_space", "color.context", "engine.weights", "engine.flow",
    "engine.device", "engine.memory", "engine.tile", "output.anchor", "client", "input_space",
}  # fmt: skip
"""Free texts that name no file: names of layers, color spaces, installed weights, estimators and devices, and numbers.
Weights and estimators are looked up in lists of what is installed."""
SHOT = Shot(
    "/in/p.####.tif",
    exposures=ExposurePattern((0.0, 3.0), 1),
    frames=FrameRange.parse("1-4"),
    color=Color(response="/in/response.json", config="/in/studio.ocio"),
    output=Output("/out/o.####.exr"),
)
ALL = [
    NamedPath("plate", "/in/p.####.tif", False),
    NamedPath("color.response", "/in/response.json", False),
    NamedPath("color.config", "/in/studio.ocio", False),
    NamedPath("output.pattern", "/out/o.####.exr", True),
]


def texts(kind, parent=""):
    """Every field with text of a dataclass and of those in its fields, by its name with its parents."""
    hints = get_type_hints(kind)
    for field in dataclasses.fields(kind):
        hint = hints[field.name]
        parts = {hint, *get_args(hint), *(inner for part in get_args(hint) for inner in get_args(part))}
        below = next((part for part in parts if dataclasses.is_dataclass(part)), None)
        if below is not None and below not in (FrameRange, ExposurePattern):
            yield from texts(below, f"{parent}{field.name}.")
        elif str in parts:
            yield parent + field.name, field


@pytest.mark.parametrize("kind", [Shot, JobRequest, FrameRequest, DetectRequest])
def test_every_text_is_declared_as_a_path_or_known_to_be_none(kind):
    """A new text field fails here until it has ``path`` in its metadata, has choices, or is listed above."""
    for name, field in texts(kind):
        is_word = "choices" in field.metadata or name.removeprefix("shot.") in WORDS
        assert ("path" in field.metadata) != is_word, name


def test_all_paths_of_a_shot_are_found_and_no_words():
    assert paths_in(SHOT) == ALL
    for word in ("auto", "off", PREFIX + "[[0, 1]]"):
        assert paths_in(Color(response=word)) == []
    for word in ("", SHIPPED, "ocio://studio-config-v2.1.0_aces-v1.3_ocio-v2.3"):
        assert paths_in(Color(config=word)) == []
    assert [found.path for found in paths_in(Color(response="off.json", config="f2hdr.ocio"))] == [
        "off.json",
        "f2hdr.ocio",
    ]


def test_a_frame_request_has_the_paths_of_its_shot_and_of_its_buffers():
    request = FrameRequest(SHOT, ("/b/1", "/b/2", "/b/3"), "/b/out")
    found = [(named.field, named.path, named.written) for named in paths_in(request)]
    assert found == [
        *((f"shot.{named.field}", named.path, named.written) for named in ALL),
        *(("buffers", f"/b/{place}", False) for place in (1, 2, 3)),
        ("output", "/b/out", True),
    ]


def test_relative_paths_become_absolute_and_nothing_else_changes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    relative = with_paths(SHOT, lambda path: path.rpartition("/")[2])
    assert paths_in(absolute(relative)) == [
        NamedPath(named.field, str(tmp_path / named.path.rpartition("/")[2]), named.written) for named in ALL
    ]
    plain = Shot("/p.####.tif", engine=Engine(weights="x"), color=Color(response="off", config=SHIPPED))
    assert absolute(plain) == plain


def test_a_farm_maps_all_paths_and_refuses_line_breaks_in_each():
    rule = {"source_path_format": "POSIX", "source_path": "/in", "destination_path": "/mnt/in"}
    mapped = PathMapping((PathRule.from_json(rule),)).shot(SHOT)
    assert [named.path for named in paths_in(mapped)] == [
        "/mnt/in/p.####.tif", "/mnt/in/response.json", "/mnt/in/studio.ocio", "/out/o.####.exr",
    ]  # fmt: skip
    for named in ALL:

        def broken(path, named=named):
            return path + "\nPreJobScript=x" if path == named.path else path

        with pytest.raises(DocumentError, match="PreJobScript"):
            FarmJob(with_paths(SHOT, broken), "job")


@pytest.mark.parametrize("name", ["plate", "color.response", "color.config", "output.pattern"])
@pytest.mark.parametrize("text", ["/a\0b", "/\ud800", "/" + "x" * 5000])
def test_text_that_no_file_system_stores_is_refused_in_each_path(name, text):
    document = SHOT.to_json()
    *parents, last = name.split(".")
    place = document
    for parent in parents:
        place = place[parent]
    place[last] = text
    with pytest.raises(DocumentError, match=last):
        Shot.from_json(document)
