import re

import cv2
import pytest
import typer
from typer.testing import CliRunner

from f2hdr_backend.cli.verbs import demo as verb
from f2hdr_backend.demo.demo import TAKES, Demo

MERGE = TAKES[1]


def test_a_demo_writes_frames_and_a_contact_sheet(tmp_path, capsys):
    scores = verb.run_demo(Demo(tmp_path, (160, 96), 3, (MERGE,)))
    sheet = cv2.imread(str(tmp_path / "contact_sheet.png"))
    assert sheet.shape[1] == 1920
    for pattern in ("plate/plate.*.tif", "truth/truth.*.exr", "merge/demo.*.exr"):
        assert len(list(tmp_path.glob(pattern))) == 3
    answer = capsys.readouterr()
    assert answer.out == ""
    assert "scene and plate" in answer.err
    assert "3 frames rendered" in answer.err
    assert [score.name for score in scores] == ["classical merge", "reference frame alone"]


def test_the_table_has_a_line_for_every_method(tmp_path):
    demo = Demo(tmp_path, (160, 96), 2, ())
    list(demo.shoot())
    scores = demo.scores()
    header, line = verb.table(scores).splitlines()
    assert header.split() == ["PSNR_T", "dB", "PSNR_L", "dB"]
    numbers = re.fullmatch(r"reference frame alone +(\d+\.\d\d) +(\d+\.\d\d)", line)
    assert [float(number) for number in numbers.groups()] == pytest.approx(scores[0].means(), abs=0.005)


def test_the_help_names_the_folder_and_the_contact_sheet():
    app = typer.Typer()
    app.callback()(lambda: None)
    verb.register(app)
    answer = CliRunner().invoke(app, ["demo", "--help"], env={"COLUMNS": "200"})
    assert answer.exit_code == 0
    assert "DIR" in answer.stdout
    assert "contact_sheet.png" in answer.stdout
