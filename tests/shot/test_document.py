"""The Shot is unchanged by JSON, and unknown fields are refused."""

from __future__ import annotations

import dataclasses
import inspect
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from f2hdr_backend.shot.document import Color, Engine, Output, Shot
from f2hdr_backend.shot.errors import DocumentError, ExposureError
from f2hdr_backend.shot.exposure import ExposurePattern
from f2hdr_backend.shot.frames import FrameRange
from f2hdr_backend.shot.setting import setting

FRAME = st.integers(-10, 12_000)
EV = st.floats(-8, 8)
TEXT = st.text(max_size=12)
PATHS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)

EXPOSURES = st.builds(
    ExposurePattern,
    cycle=st.lists(EV, min_size=1, max_size=4).map(tuple),
    start=FRAME,
    exceptions=st.dictionaries(FRAME, EV, max_size=3).map(lambda evs: tuple(evs.items())),
)
LEVELS = st.floats(0.01, 100)
COLORS = st.builds(
    Color,
    input_space=TEXT,
    output_space=TEXT,
    config=PATHS,
    clip_level=st.tuples(LEVELS) | st.tuples(LEVELS, LEVELS, LEVELS),
)
ENGINES = st.builds(
    Engine,
    method=st.sampled_from(["f2hdr", "merge"]),
    weights=TEXT,
    flow=TEXT,
    reference_trust=st.sampled_from(["soft", "hard", "off"]),
    precision=st.sampled_from(["auto", "fp32", "bf16", "fp16"]),
    device=TEXT,
    memory=st.sampled_from(["", "8G", "512M", "1.5T", "1000000"]),
    tile=st.sampled_from(["auto", "off", "512"]),
)
OUTPUTS = st.builds(
    Output,
    pattern=st.sampled_from(["", "hdr/sh.####.exr", "hdr/sh.%04d.exr"]),
    anchor=st.sampled_from(["long", "short", "-1.5", "2"]),
    layers=st.lists(st.sampled_from(["flow", "mask", "coarse", "occlusion"]), unique=True).map(tuple),
    pixel_type=st.sampled_from(["half", "float"]),
    compression=st.sampled_from(["zip", "piz", "dwaa", "none"]),
)
SHOTS = st.builds(
    Shot,
    plate=PATHS.filter(bool),
    exposures=st.none() | EXPOSURES,
    frames=st.none() | st.sets(FRAME, min_size=1, max_size=12).map(lambda frames: FrameRange(tuple(frames))),
    handles=st.integers(0, 100),
    cuts=st.lists(FRAME, max_size=4).map(tuple),
    color=COLORS,
    engine=ENGINES,
    output=OUTPUTS,
)


@given(SHOTS)
def test_a_shot_converts_to_json_and_back(shot: Shot) -> None:
    text = json.dumps(shot.to_json(), allow_nan=False)
    assert Shot.from_json(text) == shot
    assert Shot.from_json(json.loads(text)) == shot
    assert json.dumps(Shot.from_json(text).to_json()) == text


def test_the_json_layout_written_by_hosts_is_read() -> None:
    shot = Shot.from_json(
        """{"version": 1, "plate": "sh010.####.tif", "frames": "1001-1010x3", "cuts": [1006, 1004],
            "exposures": {"cycle": [0, 3], "start": 1001, "exceptions": [[1005, 3]]},
            "color": {"clip_level": [0.9, 1, 1.1]}, "output": {"pattern": "hdr/sh010.####.exr"}}"""
    )
    assert shot.frames is not None and list(shot.frames) == [1001, 1004, 1007, 1010]
    assert shot.exposures == ExposurePattern((0.0, 3.0), 1001, ((1005, 3.0),))
    assert shot.cuts == (1004, 1006)
    assert shot.color == Color(clip_level=(0.9, 1.0, 1.1))
    assert shot.engine == Engine()
    assert shot.to_json()["frames"] == "1001-1010x3"


def test_only_the_plate_is_required() -> None:
    assert Shot.from_json({"plate": "p.####.tif"}) == Shot("p.####.tif")
    with pytest.raises(DocumentError, match='"plate"'):
        Shot.from_json({})


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"plat": "p"}, r'shot .*"plat".*\bplate\b'),
        (
            {"plate": "p", "engine": {"wieghts": "x"}},
            r'shot\.engine.*"wieghts".*\bweights\b',
        ),
        ({"plate": "p", "output": {"layer": []}}, r"\blayers\b"),
        ({"plate": "p", "exposures": {"cycles": [0, 3]}}, r"\bcycle\b"),
        ({"plate": "p", "color": {"zzz": 1}}, r"zzz.*input_space"),
    ],
)
def test_unknown_fields_are_refused_with_similar_names(document: dict[str, Any], words: str) -> None:
    with pytest.raises(DocumentError, match=words):
        Shot.from_json(document)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"plate": 3}, r"shot\.plate.* 3"),
        ({"handles": "8"}, r"shot\.handles.*'8'"),
        ({"handles": True}, r"shot\.handles.*True"),
        ({"handles": 1.5}, r"shot\.handles.*1\.5"),
        ({"handles": -1}, "handles.*-1"),
        ({"frames": [1, 2]}, r"shot\.frames.*1001-1010"),
        ({"frames": "10-1"}, "10-1"),
        ({"cuts": 5}, r"shot\.cuts.*5"),
        ({"cuts": [5, None]}, r"shot\.cuts\[1\]"),
        ({"color": None}, r"shot\.color"),
        ({"color": {"clip_level": []}}, "clip_level"),
        ({"color": {"clip_level": [1, 1]}}, "clip_level"),
        ({"color": {"clip_level": [0]}}, "clip_level"),
        ({"exposures": {"cycle": [0, 10**400], "start": 1}}, r"cycle\[1\]"),
        ({"exposures": {"cycle": [0, 3]}}, r'shot\.exposures.*"start"'),
        ({"exposures": {"cycle": [0, 3], "start": 1, "exceptions": [[1]]}}, r"exceptions.*\b2\b"),
        ({"engine": {"method": "mrege"}}, r'method.*"mrege".*\bmerge\b'),
        ({"engine": {"precision": "int4"}}, "int4.*fp16|int4.*bf16"),
        ({"engine": {"memory": "lots"}}, "memory.*lots"),
        ({"engine": {"tile": "0"}}, "tile.*0"),
        ({"output": {"pattern": "hdr.exr"}}, r"hdr\.exr.*####"),
        ({"output": {"anchor": "longest"}}, "longest.*long, short"),
        ({"output": {"anchor": "nan"}}, "anchor.*nan"),
        ({"output": {"layers": ["flow", "masks"]}}, r'layers.*"masks".*\bmask\b'),
        ({"output": {"layers": ["flow", "flow"]}}, "layers"),
        ({"plate": ""}, "plate"),
        ({"version": 2}, "version 2.*version 1"),
    ],
)
def test_a_wrong_value_is_refused_and_its_field_named(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(DocumentError, match=words):
        Shot.from_json({"plate": "p.####.tif", **changes})


@pytest.mark.parametrize("text", ["", "{", "[]", "3", '"plate"', "null", '{"plate": "p", "handles": NaN}'])
def test_json_that_is_not_a_shot_is_refused(text: str) -> None:
    with pytest.raises(DocumentError):
        Shot.from_json(text)


def test_an_empty_exposure_cycle_is_an_exposure_error() -> None:
    with pytest.raises(ExposureError, match="empty"):
        Shot.from_json({"plate": "p", "exposures": {"cycle": [], "start": 1}})


@pytest.mark.parametrize("kind", [Shot, Color, Engine, Output, ExposurePattern])
def test_every_field_is_described_for_interfaces(kind: type) -> None:
    for field in dataclasses.fields(kind):
        assert field.metadata["help"].endswith("."), field.name
        assert set(field.metadata) <= set(inspect.signature(setting).parameters) - {"default", "factory"}


SHOT = Shot("p.####.tif", exposures=ExposurePattern((0, 3), 1))


@pytest.mark.parametrize(
    ("changed", "matters"),
    [
        (dataclasses.replace(SHOT, plate="/mnt/p.####.tif"), False),
        (dataclasses.replace(SHOT, exposures=ExposurePattern((0, 2), 1)), True),
        (dataclasses.replace(SHOT, cuts=(5,)), True),
        (dataclasses.replace(SHOT, color=Color(clip_level=(0.9,))), True),
        (dataclasses.replace(SHOT, color=Color(config="/mnt/c.ocio")), False),
        (dataclasses.replace(SHOT, engine=Engine(method="merge")), True),
        (dataclasses.replace(SHOT, engine=Engine(weights="mine")), True),
        (dataclasses.replace(SHOT, engine=Engine(flow="dis")), True),
        (dataclasses.replace(SHOT, engine=Engine(reference_trust="off")), True),
        (dataclasses.replace(SHOT, engine=Engine(precision="fp32")), True),
        (dataclasses.replace(SHOT, output=Output(anchor="short")), True),
        (dataclasses.replace(SHOT, output=Output(layers=("flow",))), True),
        (dataclasses.replace(SHOT, output=Output(pixel_type="float")), True),
        (dataclasses.replace(SHOT, output=Output(compression="dwaa")), True),
        (dataclasses.replace(SHOT, frames=FrameRange((1, 2))), False),
        (dataclasses.replace(SHOT, handles=8), False),
        (dataclasses.replace(SHOT, engine=Engine(device="cpu", memory="8G", tile="512")), False),
        (dataclasses.replace(SHOT, output=Output(pattern="hdr.####.exr")), False),
    ],
)
def test_the_digest_depends_on_the_fields_that_change_pixels_only(changed: Shot, matters: bool) -> None:
    assert (changed.pixel_digest_fields() != SHOT.pixel_digest_fields()) is matters
    json.dumps(changed.pixel_digest_fields())


def test_a_whole_number_may_be_written_with_a_decimal_point() -> None:
    assert Shot.from_json({"plate": "p", "handles": 8.0}).handles == 8
    with pytest.raises(DocumentError, match=r"8\.5"):
        Shot.from_json({"plate": "p", "handles": 8.5})
