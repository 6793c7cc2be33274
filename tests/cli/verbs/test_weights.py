import json

import pytest
import torch
import typer
from typer.testing import CliRunner

from f2hdr_backend.cli.verbs import weights
from f2hdr_backend.model.descriptor import Descriptor
from f2hdr_backend.shot.errors import ShotError, WeightsMismatch, WeightsMissing
from f2hdr_backend.weights import store
from tests.golden import published


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("F2HDR_WEIGHTS", str(tmp_path / "weights"))
    monkeypatch.setenv("COLUMNS", "200")
    return tmp_path / "weights"


@pytest.fixture
def checkpoint(tmp_path):
    path = tmp_path / "checkpoint.pth"
    torch.save({"state_dict": published.f2hdr_state()}, path)
    return path


def f2hdr(*arguments):
    app = typer.Typer()
    app.callback()(lambda: None)
    weights.register(app)
    return CliRunner().invoke(app, ["weights", *map(str, arguments)])


def tiny(name, **card):
    card = {"source": "tests", "license": "CC0"} | card
    return store.save(store.Weights(name, Descriptor(), card, {"weight": torch.zeros(3)}))


def test_imported_weights_are_listed_and_verified(folder, checkpoint):
    imported = f2hdr("import", checkpoint, "--name", "authors")
    assert imported.exit_code == 0, imported.exception
    entry = store.find("authors")
    assert str(entry.path) in imported.stdout
    listed = f2hdr("list")
    row = next(line for line in listed.stdout.splitlines() if line.startswith("authors"))
    assert all(part in row for part in ("f2hdr", "sea_raft", "MIT", entry.sha256[:12]))
    assert f2hdr("verify", "authors").stdout == f"authors: ok {entry.sha256}\n"


def test_list_shows_scores_and_folder(folder):
    tiny("mine", scores={"PSNR_T": 41.25, "PSNR_L": 44.0})
    result = f2hdr("list")
    assert "PSNR_T 41.25" in result.stdout
    assert "PSNR_L 44.0" in result.stdout
    assert str(folder) in result.stderr
    assert str(folder) not in result.stdout


def test_list_as_json_is_one_object_a_line(folder):
    entry = tiny("mine")
    objects = [json.loads(line) for line in f2hdr("list", "--json").stdout.splitlines()]
    found = next(item for item in objects if item["name"] == "mine")
    assert found["sha256"] == entry.sha256
    assert found["descriptor"]["flow"] == "dis"
    assert found["card"]["license"] == "CC0"


def test_verify_names_changed_files_and_checks_all(folder):
    bad, good = tiny("bad"), tiny("good")
    bad.path.write_bytes(b"other")
    result = f2hdr("verify")
    assert "bad: FAILED" in result.stdout
    assert f"good: ok {good.sha256}" in result.stdout
    assert isinstance(result.exception, WeightsMismatch)
    assert str(bad.path) in result.exception.message


def test_verify_of_several_bad_files_names_each(folder):
    first, second = tiny("first"), tiny("second")
    first.path.write_bytes(b"other")
    second.path.unlink()
    error = f2hdr("verify").exception
    assert isinstance(error, WeightsMismatch)
    assert str(first.path) in error.message
    assert str(second.path) in error.message


def test_verify_refuses_unknown_weights(folder):
    assert isinstance(f2hdr("verify", "nobody").exception, WeightsMissing)


@pytest.mark.parametrize("name", ["../evil", "Evil"])
def test_import_refuses_invalid_names(folder, checkpoint, tmp_path, name):
    result = f2hdr("import", checkpoint, "--name", name)
    assert isinstance(result.exception, ShotError)
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint.pth"]


def test_import_replaces_only_with_force(folder, checkpoint):
    assert f2hdr("import", checkpoint, "--name", "authors").exit_code == 0
    assert isinstance(f2hdr("import", checkpoint, "--name", "authors").exception, ShotError)
    assert f2hdr("import", checkpoint, "--name", "authors", "--force").exit_code == 0
