"""``f2hdr train`` as a shell sees it: a tiny run from images to installed weights, and the preview sheet."""

import csv
import sys

import pytest
import typer
from typer.testing import CliRunner

from f2hdr_backend.cli.verbs import train
from f2hdr_backend.evaluate.suite import candidate
from f2hdr_backend.image.read import read_image
from f2hdr_backend.image.write import write_exr
from f2hdr_backend.shot.errors import DocumentError
from f2hdr_backend.weights import store
from f2hdr_backend.weights.manifest import entries_in
from tests.train.worlds import world, world_folder


@pytest.fixture
def images(tmp_path):
    return world_folder(tmp_path)


def call(*words):
    app = typer.Typer()
    app.callback()(lambda: None)
    train.register(app)
    result = CliRunner().invoke(app, ["train", *map(str, words)])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def test_training_lite_writes_weights_with_a_card_logs_and_curves(images, tmp_path, monkeypatch):
    monkeypatch.setattr(candidate, "WINDOWS", 1)
    write_exr(images / "quarry_02_1k.exr", {"RGB": world(2).radiance}, {})
    words = ("-o", tmp_path / "run", "--edition", "lite", "--into", tmp_path / "weights", "--license", "CC0")
    small = ("--steps", 2, "--windows", 2, "--accumulate", 2, "--crop", 32, "--validate-every", 1)
    result = call(*words, images, "--name", "small", *small)
    assert result.exit_code == 0 and "small.safetensors" in result.output
    assert "1/1" in result.stderr
    (entry,) = entries_in(tmp_path / "weights")
    assert entry.name == "small" and entry.card["license"] == "CC0" and entry.descriptor.cell_px == 2
    assert entry.card["steps"] == 2 and entry.card["images"] == ["meadow"] and entry.card["scores"]["f2hdr PSNR_T"] > 0
    rows = list(csv.reader((tmp_path / "run" / "train.csv").open()))
    assert rows[0][:2] == ["step", "loss"] and [row[0] for row in rows[1:]] == ["1", "2"]
    assert len(list(csv.reader((tmp_path / "run" / "validation.csv").open()))) == 3
    assert (tmp_path / "run" / "curves.png").exists() and (tmp_path / "run" / "validation.000002.png").exists()


def test_mergenet_is_trained_and_continued_from_its_own_weights(images, tmp_path, monkeypatch):
    monkeypatch.setenv("F2HDR_WEIGHTS", str(tmp_path / "weights"))
    small = ("--edition", "mergenet", "--windows", 2, "--crop", 32, "--validate-every", 0)
    call(images, "-o", tmp_path / "one", *small, "--name", "one", "--steps", 3)
    call(images, "-o", tmp_path / "two", *small, "--name", "two", "--steps", 1, "--start", "one")
    one, two = entries_in(tmp_path / "weights")
    assert one.kind == two.kind == "mergenet" and two.card["started_from"] == "one"
    first, second = (store.load(entry).tensors for entry in (one, two))
    moved = {name: (second[name] - first[name]).abs().max() for name in first}
    assert 0 < max(moved.values()) < 1e-3  # one step of warm-up, not another network
    rows = list(csv.reader((tmp_path / "one" / "train.csv").open()))
    assert rows[0] == ["step", "loss", "psnr_t", "merge_psnr_t", "phase"] and len(rows) == 4
    with pytest.raises(DocumentError) as caught:
        call(images, "-o", tmp_path / "three", "--edition", "lite", "--start", "one", "--steps", 1)
    assert "'one'" in caught.value.message and "--edition" in caught.value.hint


def test_without_matplotlib_weights_are_written_without_curves(images, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    small = ("--edition", "lite", "--steps", 1, "--windows", 1, "--crop", 32)
    result = call(images, "-o", tmp_path / "run", *small, "--into", tmp_path / "weights")
    assert result.exit_code == 0 and entries_in(tmp_path / "weights")
    assert not (tmp_path / "run" / "curves.png").exists()
    assert "matplotlib" in result.stderr and "f2hdr[train]" in result.stderr


def test_preview_writes_a_sheet(images, tmp_path):
    result = call("preview", images, "-o", tmp_path / "sheet.png", "--windows", 2, "--size", 64, 48)
    assert result.exit_code == 0 and "windows of 64 x 48 a second" in result.output
    assert read_image(str(tmp_path / "sheet.png")).pixels.shape == (2 * 52, 6 * 68, 3)


def test_weights_of_an_ablation_have_its_reduced_descriptor(images, tmp_path):
    words = ("-o", tmp_path / "run", "--edition", "lite", "--ablation", "stage1-no-adapter")
    call(images, *words, "--into", tmp_path / "weights", "--steps", 1, "--windows", 1, "--crop", 32)
    (entry,) = entries_in(tmp_path / "weights")
    assert not entry.descriptor.adapter and not entry.descriptor.refine and entry.descriptor.fusion_channels == 64


@pytest.mark.parametrize("option", ["edition", "ablation"])
def test_an_unknown_edition_or_ablation_is_named_and_no_folder_is_created(images, tmp_path, option):
    with pytest.raises(DocumentError) as caught:
        call(images, "-o", tmp_path / "run", f"--{option}", "tiny", "--into", tmp_path / "weights")
    assert option in caught.value.message and "'tiny'" in caught.value.message
    assert not (tmp_path / "run").exists()
