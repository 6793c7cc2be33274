"""The error family: codes, exit codes, sentences, facts and JSON."""

from __future__ import annotations

import copy
import json
import pickle
from pathlib import Path

import pytest

from f2hdr_backend.shot import errors
from f2hdr_backend.shot.errors import DocumentError, F2HDRError, MissingFrames, UnreadableFrame

FAMILY = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, F2HDRError)]


@pytest.mark.parametrize(
    ("parent", "children", "exit_code"),
    [
        ("ShotError", ["MissingFrames", "ExposureError", "ColorError", "DocumentError"], 2),
        ("ImageError", ["UnreadableFrame", "UnwritableFrame"], 3),
        ("WeightsError", ["WeightsMissing", "WeightsMismatch", "WeightsUntrusted"], 4),
        ("DeviceError", ["DeviceUnavailable", "OutOfMemory"], 5),
        ("ServerError", ["ServerUnreachable", "VersionMismatch"], 6),
        ("Canceled", [], 130),
    ],
)
def test_each_error_family_has_its_exit_code(parent: str, children: list[str], exit_code: int) -> None:
    family = getattr(errors, parent)
    for name in [parent, *children]:
        assert issubclass(getattr(errors, name), family)
        assert getattr(errors, name).exit_code == exit_code


def test_codes_are_unique() -> None:
    assert len({kind.code for kind in FAMILY}) == len(FAMILY)


def test_the_text_of_an_error_is_its_message_and_hint() -> None:
    assert str(F2HDRError("It broke.", hint="Fix it.")) == "It broke. Fix it."
    assert str(F2HDRError("It broke.")) == "It broke."


def test_the_facts_of_an_error_are_attributes() -> None:
    error = MissingFrames("Two are gone.", frames=(3, 4))
    assert error.frames == (3, 4)
    assert error.facts == {"frames": (3, 4)}
    with pytest.raises(AttributeError, match="'path'"):
        _ = error.path


def test_facts_of_any_type_are_written_to_json() -> None:
    error = UnreadableFrame("No.", hint="h", path=Path("a/b"), frames=range(2), names={"b", "a"}, by={1: (2, None)})
    assert json.loads(json.dumps(error.to_json())) == {
        "code": "unreadable_frame",
        "message": "No.",
        "hint": "h",
        "facts": {"path": "a/b", "frames": [0, 1], "names": ["a", "b"], "by": {"1": [2, None]}},
        "exit_code": 3,
    }


def test_a_deep_fact_is_written_to_json_as_short_text() -> None:
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    written = json.dumps(DocumentError("No.", value=deep, named={"a": deep}).to_json())
    assert len(written) < 1000


@pytest.mark.parametrize("again", [copy.copy, lambda error: pickle.loads(pickle.dumps(error))])
def test_errors_can_be_pickled_between_processes(again: object) -> None:
    error = MissingFrames("Two are gone.", hint="Find them.", frames=(3, 4))
    twin = again(error)  # type: ignore[operator]
    assert type(twin) is MissingFrames
    assert (twin.to_json(), str(twin), twin.frames) == (error.to_json(), str(error), (3, 4))
