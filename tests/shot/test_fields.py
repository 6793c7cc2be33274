"""Dataclasses to JSON and back: what is refused, and that nothing is lost on the way."""

import dataclasses
import math
from typing import Optional

import pytest

from f2hdr_backend.shot.errors import DocumentError
from f2hdr_backend.shot.fields import decode, decode_text, encode
from f2hdr_backend.shot.frames import FrameRange
from f2hdr_backend.shot.setting import setting


@dataclasses.dataclass(frozen=True)
class Inner:
    """A part."""

    speed: float = setting("Speed.", default=1.0)


@dataclasses.dataclass(frozen=True)
class Outer:
    """A document with a field of every kind."""

    name: str = setting("Name of it.")
    count: int = setting("Count.", default=0)
    on: bool = setting("Whether it is on.", default=False)
    pair: tuple[str, int] = setting("Pair.", default=("a", 1))
    steps: Optional[tuple[float, ...]] = setting("Steps.", default=None)  # noqa: UP045
    frames: Optional[FrameRange] = setting("Frames.", default=None)  # noqa: UP045
    inner: Inner = setting("Part.", factory=Inner)


FULL = Outer("x", 3, True, ("b", 2), (0.0, 2.5), FrameRange((1, 2, 3, 7)), Inner(0.5))


def test_a_document_is_unchanged_after_writing_and_reading():
    document = encode(FULL)
    assert document == {
        "name": "x", "count": 3, "on": True, "pair": ["b", 2], "steps": [0.0, 2.5], "frames": "1-3,7",
        "inner": {"speed": 0.5},
    }  # fmt: skip
    assert decode(Outer, document, "it") == FULL
    assert decode(Outer, {"name": "x"}, "it") == Outer("x")


def test_whole_numbers_may_be_written_as_floats_and_floats_as_whole_numbers():
    read = decode(Outer, {"name": "x", "count": 2.0, "steps": [1]}, "it")
    assert (type(read.count), read.count) == (int, 2)
    assert (type(read.steps[0]), read.steps) == (float, (1.0,))


@pytest.mark.parametrize(
    ("document", "facts"),
    [
        ([], ["it", "[]"]),
        ({}, ["it", "name", "Name of it"]),
        ({"name": "x", "cuont": 1}, ["it", "cuont", "count"]),
        ({"name": 1}, ["it.name", "1"]),
        ({"name": "x", "count": True}, ["it.count", "True"]),
        ({"name": "x", "count": 1.5}, ["it.count", "1.5"]),
        ({"name": "x", "on": 1}, ["it.on", "1"]),
        ({"name": "x", "pair": ["b"]}, ["it.pair", "2"]),
        ({"name": "x", "pair": "b2"}, ["it.pair", "b2"]),
        ({"name": "x", "steps": [1, "2"]}, ["it.steps[1]", "'2'"]),
        ({"name": "x", "steps": [math.nan]}, ["it.steps[0]", "nan"]),
        ({"name": "x", "steps": [10**400]}, ["it.steps[0]"]),
        ({"name": "x", "frames": "3-1"}, ["it.frames", "3-1", "1-3"]),
        ({"name": "x", "frames": 3}, ["it.frames", "3"]),
        ({"name": "x", "inner": {"sped": 1}}, ["it.inner", "sped", "speed"]),
    ],
)
def test_a_wrong_value_is_named_with_its_place_and_value(document, facts):
    with pytest.raises(DocumentError) as caught:
        decode(Outer, document, "it")
    for fact in facts:
        assert fact in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (str, "a,b", "a,b"),
        (int, "12", 12),
        (float, "2.5", 2.5),
        (tuple[float, ...], "0,2.5", (0.0, 2.5)),
        (tuple[str, ...] | None, "a,b,", ("a", "b")),
        (FrameRange, "1-5:2", FrameRange((1, 3, 5))),
    ],
)
def test_an_option_is_parsed_by_the_type_of_its_field(kind, text, value):
    assert decode_text(kind, text, "--it") == value


@pytest.mark.parametrize(
    ("kind", "text"), [(int, "1.5"), (float, "two"), (tuple[float, ...], "1,x"), (FrameRange, "x")]
)
def test_an_option_of_the_wrong_type_is_refused_and_named(kind, text):
    with pytest.raises(DocumentError) as caught:
        decode_text(kind, text, "--it")
    assert "--it" in caught.value.message and text[-1] in caught.value.message
