"""Training repeats itself exactly, interrupted or not, and learns."""

from dataclasses import replace

import pytest
import torch

from f2hdr_backend.model.descriptor import Descriptor
from f2hdr_backend.train.batches import BatchPlan, batches
from f2hdr_backend.train.loop import Trainer, TrainPlan, averaged_tensors, train
from tests.train.test_synthesis import world

PLAN = TrainPlan(steps=4, windows=1, crop_px=32, checkpoint_every=2, half=False)
CPU = torch.device("cpu")


def run(folder, plan=PLAN, stop_after=None):
    folder.mkdir(exist_ok=True)
    done = []
    for step in train([world()], plan, folder, Descriptor(), CPU):
        done.append(step)
        if step.step == stop_after:
            break
    return done


def test_interrupted_and_unbroken_runs_give_the_same_weights(tmp_path):
    unbroken = run(tmp_path / "a")
    first = run(tmp_path / "b", stop_after=3)
    rest = run(tmp_path / "b")
    assert [step.step for step in first] == [1, 2, 3] and [step.step for step in rest] == [3, 4]
    assert [step.loss for step in unbroken] == [first[0].loss, first[1].loss, rest[0].loss, rest[1].loss]
    one, other = averaged_tensors(tmp_path / "a"), averaged_tensors(tmp_path / "b")
    assert one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def test_another_seed_gives_other_weights(tmp_path):
    plan = replace(PLAN, steps=1)
    assert run(tmp_path / "a", plan)[0].loss != run(tmp_path / "b", replace(plan, seed=2))[0].loss


def test_a_small_problem_is_learned():
    plan = replace(PLAN, steps=400, learning_rate=1e-2)
    trainer = Trainer(plan, Descriptor(), CPU)

    (batch,) = batches([world()], BatchPlan(1, 32, 1, Descriptor()), range(1))
    losses = [trainer.advance(batch).loss for _ in range(40)]
    assert min(losses[-5:]) < 0.9 * losses[0]


@pytest.mark.parametrize("descriptor", [Descriptor(adapter=False), Descriptor(refine=False)])
def test_ablations_train(tmp_path, descriptor):
    steps = list(train([world()], replace(PLAN, steps=1), tmp_path, descriptor, CPU))
    assert len(steps) == 1 and averaged_tensors(tmp_path)
