"""The command that is copied, read back by the real command line's parser of options."""

import shlex
from dataclasses import replace

import pytest

from f2hdr_backend.cli.shot_options import ShotOptions
from f2hdr_backend.panel.command_line import command_of
from f2hdr_backend.shot.document import Color, Engine, Output, Shot
from f2hdr_backend.shot.errors import DocumentError
from f2hdr_backend.shot.exposure import ExposurePattern
from f2hdr_backend.shot.frames import FrameRange


def test_a_shot_and_its_command_mean_the_same():
    shot = Shot(
        "/a b/plate.####.tif",
        exposures=ExposurePattern((0.0, 3.0), 1001),
        frames=FrameRange.parse("1003-1008"),
        color=Color(input_space="linear", clip_level=(8.0, 7.5, 8.0)),
        engine=Engine(method="merge", memory="8G"),
        output=Output("/out/h.####.exr", anchor="short", layers=("flow", "mask")),
    )
    words = shlex.split(command_of(shot, 1001))
    assert words[:5] == ["f2hdr", "render", "/a b/plate.####.tif", "-o", "/out/h.####.exr"]
    given = dict(zip(words[5::2], words[6::2], strict=True))
    assert given.pop("--exposures") == "0,3" and given.pop("--first-exposure") == "short"
    options = ShotOptions({name[2:].replace("-", "_"): value for name, value in given.items()})
    made, _ = options.shot(shot.plate, shot.output.pattern)
    assert replace(made, exposures=shot.exposures) == shot


@pytest.mark.parametrize(
    "changes",
    [
        {"exposures": ExposurePattern((0.0, 3.0), 1, ((4, 0.0),))},
        {"cuts": (5,)},
        {"handles": 2},
        {"exposures": ExposurePattern((0.0, 1.0, 3.0), 0)},
    ],
)
def test_a_shot_that_a_command_cannot_express_is_refused(changes):
    with pytest.raises(DocumentError, match=r"f2hdr render SHOT\.json"):
        command_of(replace(Shot("p.####.tif"), **changes), 1)
