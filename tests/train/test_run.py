"""A training run in its folder: logs that a resumed run continues, validation, and the card of its weights."""

import csv
from dataclasses import replace

import pytest
import torch

from f2hdr_backend.image.write import write_exr
from f2hdr_backend.shot.errors import DocumentError
from f2hdr_backend.train import run
from f2hdr_backend.train.loop import averaged_tensors
from f2hdr_backend.train.run import Run
from f2hdr_backend.weights.store import Weights
from tests.train.test_loop import PLAN, SMALL
from tests.train.worlds import world, world_folder

CPU = torch.device("cpu")


@pytest.fixture
def images(tmp_path):
    return world_folder(tmp_path)


@pytest.fixture
def job(images, tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    return Run(images, None, folder, SMALL, replace(PLAN, steps=2, checkpoint_every=1), 0)


def rows(path):
    with path.open(newline="") as file:
        return list(csv.reader(file))


def test_a_longer_run_continues_the_log_and_the_weights(job, monkeypatch):
    monkeypatch.setattr(run, "REPORT_EVERY", 2)
    lines = []
    assert job.learn(CPU, lines.append)
    first = averaged_tensors(job.folder)
    longer = replace(job, plan=replace(job.plan, steps=3))
    assert longer.learn(CPU, lines.append)
    log = rows(job.folder / run.LOG)
    assert log[0][:2] == ["step", "loss"]
    assert [row[0] for row in log[1:]] == ["1", "2", "3"]
    assert [line.split()[1] for line in lines] == ["2/2"]
    assert not all(torch.equal(first[name], value) for name, value in averaged_tensors(job.folder).items())


def test_held_out_images_are_used_for_validation_only(job, images):
    write_exr(images / "quarry_02_1k.exr", {"RGB": world(2).radiance}, {})
    assert [source.name for source in job.held_out()] == ["quarry_02_1k"]
    lines = []
    replace(job, validate_every=2).learn(CPU, lines.append)
    (columns, scored) = rows(job.folder / run.VALIDATION)
    assert columns == ["step", "psnr_t"] and scored[0] == "2" and float(scored[1]) > 0
    assert [path.name for path in job.folder.glob("validation*.png")] == ["validation.000002.png"]
    assert job.weights("small", "CC0").card["images"] == ["meadow"]


def test_the_card_names_the_training_data(job):
    job.learn(CPU, print)
    started = replace(job, start=Weights("first", SMALL, {}, averaged_tensors(job.folder)))
    weights = started.weights("small", "CC0")
    assert weights.name == "small" and weights.descriptor == SMALL
    card = weights.card
    assert (card["license"], card["steps"], card["seed"], card["started_from"]) == ("CC0", 2, PLAN.seed, "first")
    assert card["ratio_stops"][0] < card["ratio_stops"][1]
    assert weights.tensors.keys() == averaged_tensors(job.folder).keys()


def test_a_folder_without_images_is_named(job, tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(DocumentError) as caught:
        replace(job, images=empty).learn(CPU, print)
    assert str(empty) in caught.value.message
