"""``f2hdr prepare``: everything settled once, in the document."""

import json
import os
import shutil

import pytest

from f2hdr_backend.color.config import SHIPPED_FILE
from f2hdr_backend.shot.document import Shot
from f2hdr_backend.shot.errors import DocumentError, MissingFrames, ShotError
from tests.farm.plates import document, f2hdr, make_plate, prepared


def test_a_prepared_document_is_complete_and_its_paths_are_absolute(tmp_path, monkeypatch):
    make_plate(tmp_path / "plate", 8)
    monkeypatch.chdir(tmp_path)
    answer = f2hdr("prepare", "plate/p.####.tif", "-o", "out/shot.json", "--render-to", "hdr/o.####.exr")
    assert answer.exit_code == 0, answer.output
    shot = Shot.from_json(document(tmp_path / "out" / "shot.json"))
    assert shot.plate == str(tmp_path / "plate" / "p.####.tif")
    assert shot.output.pattern == str(tmp_path / "hdr" / "o.####.exr")
    assert str(shot.frames) == "1001-1008" and shot.cuts == () and shot.color.input_space == "gamma22"
    assert shot.exposures.cycle == (0.0, 3.0) and shot.exposures.ev(1001) == 0
    assert os.listdir(tmp_path / "out") == ["shot.json"]


def test_a_prepared_shot_is_prepared_again_without_a_change(tmp_path):
    shot = prepared(tmp_path, 4, "--anchor", "short", "--layers", "flow", "--frames", "1002-1003")
    first = document(shot)
    assert f2hdr("prepare", shot, "-o", tmp_path / "again.json").exit_code == 0
    assert document(tmp_path / "again.json") == first
    assert first["frames"] == "1002-1003" and first["output"]["anchor"] == "short"


def test_path_mapping_is_used_to_read_the_plate_and_not_written_to_the_document(tmp_path):
    shot = prepared(tmp_path / "here", 4)
    elsewhere = shot.read_text().replace(str(tmp_path / "here"), "/submitting/machine")
    (tmp_path / "elsewhere.json").write_text(elsewhere)
    (tmp_path / "rules.json").write_text(
        '{"version": "pathmapping-1.0", "path_mapping_rules": [{"source_path_format": "POSIX",'
        f' "source_path": "/submitting/machine", "destination_path": "{tmp_path / "here"}"}}]}}'
    )
    words = ("--path-mapping", tmp_path / "rules.json")
    answer = f2hdr("prepare", tmp_path / "elsewhere.json", "-o", tmp_path / "there.json", *words)
    assert answer.exit_code == 0, answer.output
    assert document(tmp_path / "there.json") == Shot.from_json(elsewhere).to_json()
    assert f2hdr("render", tmp_path / "there.json", *words, "--json").exit_code == 0
    assert len(list((tmp_path / "here" / "hdr").glob("*.exr"))) == 4
    assert f2hdr("check", tmp_path / "there.json", *words).exit_code == 0
    assert f2hdr("check", shot).exit_code == 0


@pytest.mark.parametrize(
    ("options", "error"),
    [
        (("--frames", "1003-1009"), ShotError),
        (("--render-to", "hdr/o.####.png"), DocumentError),
        (("--anchor", "7"), ShotError),
    ],
)
def test_a_shot_that_cannot_be_rendered_is_refused(tmp_path, options, error):
    plate = make_plate(tmp_path / "plate", 4)
    words = ("--exposures", "0,3", "--first-exposure", "short", "--method", "merge")
    defaults = () if "--render-to" in options else ("--render-to", tmp_path / "o.####.exr")
    answer = f2hdr("prepare", plate, "-o", tmp_path / "shot.json", *words, *defaults, *options)
    assert isinstance(answer.exception, error) and not (tmp_path / "shot.json").exists()


def test_a_missing_frame_is_named_before_any_work(tmp_path):
    plate = make_plate(tmp_path / "plate", 6)
    (tmp_path / "plate" / "p.1003.tif").unlink()
    words = ("--exposures", "0,3", "--first-exposure", "short")
    answer = f2hdr("prepare", plate, "-o", tmp_path / "shot.json", "--render-to", tmp_path / "o.####.exr", *words)
    assert isinstance(answer.exception, MissingFrames) and answer.exception.frames == (1003,)


@pytest.fixture
def rules(tmp_path):
    """Path mapping rules that have nothing to do with the plate."""
    path = tmp_path / "rules.json"
    rule = {"source_path_format": "POSIX", "source_path": "/elsewhere", "destination_path": "/here"}
    path.write_text(json.dumps({"version": "pathmapping-1.0", "path_mapping_rules": [rule]}))
    return path


def test_a_plate_with_path_mapping_gives_absolute_paths(tmp_path, rules, monkeypatch):
    make_plate(tmp_path / "plate", 4)
    monkeypatch.chdir(tmp_path)
    words = ("--exposures", "0,3", "--first-exposure", "short", "--path-mapping", rules)
    answer = f2hdr("prepare", "plate/p.####.tif", "-o", "shot.json", "--render-to", "hdr/o.####.exr", *words)
    assert answer.exit_code == 0, answer.output
    shot = Shot.from_json(document(tmp_path / "shot.json"))
    assert shot.plate == str(tmp_path / "plate" / "p.####.tif")
    assert shot.output.pattern == str(tmp_path / "hdr" / "o.####.exr")


def test_options_override_a_document_with_path_mapping(tmp_path, rules):
    spaces = ("--input-space", "ACEScct", "--output-space", "ACEScg")
    shot = prepared(tmp_path, 4, *spaces, "--config", "f2hdr", "--clip-level", "1")
    shutil.copy(SHIPPED_FILE, tmp_path / "studio.ocio")
    words = ("--config", tmp_path / "studio.ocio", "--render-to", tmp_path / "new" / "o.####.exr")
    answer = f2hdr("prepare", shot, "-o", tmp_path / "again.json", "--path-mapping", rules, *words)
    assert answer.exit_code == 0, answer.output
    again = Shot.from_json(document(tmp_path / "again.json"))
    assert again.color.config == str(tmp_path / "studio.ocio")
    assert again.output.pattern == str(tmp_path / "new" / "o.####.exr")
