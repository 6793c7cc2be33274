"""Training repeats itself exactly, interrupted or not, in parts or by a team, and learns."""

import os
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from f2hdr_backend.model.descriptor import ABLATIONS, Descriptor, MergeNetDescriptor
from f2hdr_backend.shot.errors import DocumentError
from f2hdr_backend.train.batches import BatchPlan, batches
from f2hdr_backend.train.distributed import Team
from f2hdr_backend.train.loop import CHECKPOINT, Material, Trainer, TrainPlan, averaged_tensors, setup_of, train
from f2hdr_backend.train.mergenet_setup import MergeNetSetup
from tests.pretend_gpu import DEVICE, SIZED_BY_VALUES, pretend_gpu
from tests.train.worlds import world

PLAN = TrainPlan(steps=4, windows=1, crop_px=32, checkpoint_every=2, half=False)
SMALL = Descriptor(adapter_channels=8, fusion_channels=16, refine_channels=8, refine_blocks=1, cell_px=2)
MATERIAL = Material([world()])
SMALL_MERGENET = MergeNetDescriptor(channels=(8, 8, 16), blocks=(1, 1, 1))
CPU = torch.device("cpu")
ROOT = Path(__file__).parents[2]


def run(folder, plan=PLAN, stop_after=None, descriptor=SMALL):
    folder.mkdir(exist_ok=True)
    done = []
    for step, _ in train(MATERIAL, plan, folder, descriptor, CPU):
        done.append(step)
        if step.step == stop_after:
            break
    return done


def drawn(descriptor, windows):
    """The first batch of a setup."""
    setup = setup_of(descriptor)
    plan = BatchPlan(windows, 32, 1, descriptor, style=setup.style)
    (batch,) = batches(setup.windows([world()], plan), setup.batch, plan, range(1))
    return batch


def same(one, other):
    one, other = averaged_tensors(one), averaged_tensors(other)
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def test_an_interrupted_run_gives_the_same_weights_as_an_uninterrupted_one(tmp_path):
    unbroken = run(tmp_path / "a", descriptor=Descriptor())
    first = run(tmp_path / "b", stop_after=3, descriptor=Descriptor())
    rest = run(tmp_path / "b", descriptor=Descriptor())
    assert [step.step for step in first] == [1, 2, 3] and [step.step for step in rest] == [3, 4]
    assert [step.loss for step in unbroken] == [first[0].loss, first[1].loss, rest[0].loss, rest[1].loss]
    assert same(tmp_path / "a", tmp_path / "b")


@pytest.mark.parametrize("descriptor", [SMALL, SMALL_MERGENET], ids=["paper", "mergenet"])
def test_twenty_steps_are_bit_identical_when_repeated_and_when_resumed(tmp_path, descriptor, monkeypatch):
    monkeypatch.setattr(MergeNetSetup, "group_count", 2)
    plan = replace(PLAN, steps=20, checkpoint_every=5, half=True)
    run(tmp_path / "a", plan, descriptor=descriptor)
    run(tmp_path / "b", plan, descriptor=descriptor)
    run(tmp_path / "c", plan, stop_after=12, descriptor=descriptor)
    run(tmp_path / "c", plan, descriptor=descriptor)
    assert same(tmp_path / "a", tmp_path / "b") and same(tmp_path / "a", tmp_path / "c")


def test_a_group_of_windows_is_used_once_in_every_turn(tmp_path, monkeypatch):
    """Two groups of two batches in four turns, and a part of the third."""
    monkeypatch.setattr(MergeNetSetup, "group_count", 2)
    seen = []

    def watched(self, batch, number):
        seen.append((tuple(batch.scene.tolist()), number))
        return batch

    monkeypatch.setattr(MergeNetSetup, "turn", watched)
    run(tmp_path, replace(PLAN, steps=19, windows=2), descriptor=SMALL_MERGENET)
    batches_of_turns = [(seen[step][0], seen[step + 1][0], seen[step][1]) for step in range(0, 18, 2)]
    assert [turn for *_, turn in batches_of_turns] == [0, 1, 2, 3, 0, 1, 2, 3, 0]
    assert len(set(batches_of_turns[:4])) == 4 and len({pair[:2] for pair in batches_of_turns[:4]}) == 1
    assert len({scenes for scenes, _ in seen}) == 6


def test_untrained_weights_progress_through_the_run_and_trained_ones_have(monkeypatch):
    trainer = Trainer(PLAN, SMALL, CPU, Team())
    batch, loss, seen = drawn(SMALL, 1), trainer.setup.loss, []

    def watched(model, batch, progress):
        seen.append(progress)
        return loss(model, batch, progress)

    monkeypatch.setattr(trainer.setup, "loss", watched)
    trainer.advance(batch)
    trainer.advance(batch)
    trainer.start_from(trainer.model.state_dict())
    trainer.advance(batch)
    assert seen == [0, 1 / PLAN.steps, 1]


def test_another_seed_gives_other_weights(tmp_path):
    plan = replace(PLAN, steps=1)
    assert run(tmp_path / "a", plan)[0].loss != run(tmp_path / "b", replace(plan, seed=2))[0].loss


@pytest.mark.parametrize("content", [b"", b"PK", b"\x80\x02}q\x00.", b"[" * 1000])
def test_a_damaged_checkpoint_is_named(tmp_path, content):
    (tmp_path / CHECKPOINT).write_bytes(content)
    with pytest.raises(DocumentError) as caught:
        run(tmp_path)
    assert str(tmp_path / CHECKPOINT) in caught.value.message


def test_the_loss_falls_on_a_small_problem():
    plan = replace(PLAN, steps=400, learning_rate=1e-2)
    trainer = Trainer(plan, SMALL, CPU, Team())
    batch = drawn(SMALL, 1)
    losses = [float(trainer.advance(batch)[0]) for _ in range(60)]
    assert min(losses[-5:]) < 0.9 * losses[0]


def test_gradient_accumulation_is_the_mean_of_the_parts(monkeypatch):
    """Each half alone, averaged by hand, compared with the step in two parts."""
    batch = drawn(SMALL, 2)

    def gradients(part, accumulate):
        trainer = Trainer(replace(PLAN, windows=2, accumulate=accumulate), SMALL, CPU, Team())
        trainer.optimizer.step = lambda: None
        monkeypatch.setattr(trainer.setup, "gradient_limit", 1e9)
        trainer.advance(part)
        return [parameter.grad for parameter in trainer.model.parameters() if parameter.grad is not None]

    halves = [gradients(half, 1) for half in batch.parts(2)]
    for whole, one, other in zip(gradients(batch, 2), *halves, strict=True):
        torch.testing.assert_close(whole, (one + other) / 2, rtol=1e-4, atol=1e-6)


TEAM_SCRIPT = """
import sys
from pathlib import Path
sys.path.insert(0, {root!r})
from tests.train.test_loop import PLAN, run
from dataclasses import replace
from f2hdr_backend.train.distributed import Team
run(Path({folder!r}), replace(PLAN, steps=2, windows=2))
"""


def test_two_processes_take_the_same_steps_as_one_with_two_accumulation_steps(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    common = os.environ | {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "OMP_NUM_THREADS": "1"}
    (tmp_path / "team").mkdir()
    script = TEAM_SCRIPT.format(root=str(ROOT), folder=str(tmp_path / "team"))
    command = [sys.executable, "-c", script]
    team = [subprocess.Popen(command, env=common | {"RANK": str(rank), "LOCAL_RANK": str(rank)}) for rank in (0, 1)]
    assert [process.wait(240) for process in team] == [0, 0]
    run(tmp_path / "alone", replace(PLAN, steps=2, windows=2, accumulate=2))
    shared, alone = averaged_tensors(tmp_path / "team"), averaged_tensors(tmp_path / "alone")
    for name, value in alone.items():
        if "running" not in name and "tracked" not in name:
            torch.testing.assert_close(shared[name], value, rtol=1e-3, atol=1e-5)


def test_windows_that_processes_cannot_share_evenly_are_refused():
    with pytest.raises(DocumentError, match="3 windows.* 2 .*--windows"):
        Team(0, 2).share(3)


@pytest.mark.parametrize(
    "descriptor", [Descriptor.lite(), MergeNetDescriptor(), *map(Descriptor.lite().without, ABLATIONS)]
)
def test_ablations_and_editions_train(tmp_path, descriptor):
    steps = run(tmp_path, replace(PLAN, steps=1), descriptor=descriptor)
    assert len(steps) == 1 and averaged_tensors(tmp_path)


@pytest.mark.parametrize("workers", [0, 3])
def test_windows_do_not_depend_on_the_number_of_processes_that_draw_them(workers):
    setup = setup_of(SMALL)
    plan = BatchPlan(2, 32, 1, SMALL, style=setup.style)
    windows = setup.windows([world()], plan)
    expected, found = (list(batches(windows, setup.batch, plan, range(2), workers=count)) for count in (1, workers))
    for one, other in zip(expected, found, strict=True):
        assert all(torch.equal(vars(one)[name], values) for name, values in vars(other).items())


def test_losses_read_in_groups_equal_those_read_one_by_one(tmp_path):
    plan = replace(PLAN, steps=5, checkpoint_every=4)
    expected = run(tmp_path / "a", plan)
    (tmp_path / "b").mkdir()
    found, seen = [], []
    for done, trainer in train(MATERIAL, replace(plan, read_every=3), tmp_path / "b", SMALL, CPU):
        found.append(done)
        seen.append(trainer.step)
    assert found == expected and same(tmp_path / "a", tmp_path / "b")
    assert seen == [3, 3, 3, 4, 5]


@pytest.mark.parametrize("descriptor", [SMALL, SMALL_MERGENET], ids=["paper", "mergenet"])
def test_the_average_of_all_weights_is_the_average_of_each(descriptor):
    trainer = Trainer(PLAN, descriptor, CPU, Team())
    before = {name: value.clone() for name, value in trainer.average.items()}
    trainer.advance(drawn(descriptor, 2))
    share = 1 - 1 / 11
    for name, value in trainer.model.state_dict().items():
        each = before[name].lerp_(value, share) if value.is_floating_point() else value
        assert torch.equal(trainer.average[name], each)


@pytest.mark.parametrize("descriptor", [SMALL, SMALL_MERGENET], ids=["paper", "mergenet"])
def test_the_forward_pass_and_the_loss_never_synchronize_with_the_device(descriptor):
    """On a simulated GPU, with the copy of the batch."""
    batch = drawn(descriptor, 2)
    with pretend_gpu() as counted, torch.no_grad():
        trainer = Trainer(PLAN, descriptor, DEVICE, Team())
        ready = type(batch)(*(values.pin_memory() for values in vars(batch).values()))
        trainer.setup.loss(trainer.model, ready.to(DEVICE), 1.0)
        counted.clear()
        loss, figures = trainer.setup.loss(trainer.model, ready.to(DEVICE), 1.0)
        assert counted.waits == []
        assert {number.device for number in (loss, *figures)} == {DEVICE}


class ValuesRead(TorchDispatchMode):
    """Notes the operations that a GPU would be waited for, because the host needs their values."""

    def __init__(self):
        super().__init__()
        self.found = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        name = func.overloadpacket.__name__
        masks = [each for each in tree_leaves(args[1:]) if isinstance(each, torch.Tensor) and each.dtype == torch.bool]
        if name == "_local_scalar_dense" or name in SIZED_BY_VALUES or name.startswith("index") and masks:
            self.found.append(name)
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("descriptor", [SMALL, SMALL_MERGENET], ids=["paper", "mergenet"])
def test_the_backward_pass_needs_no_values_on_the_host(descriptor):
    """On the CPU: torch without CUDA cannot differentiate tensors of a simulated GPU."""
    trainer, batch = Trainer(replace(PLAN, half=True), descriptor, CPU, Team()), drawn(descriptor, 2)
    trainer.advance(batch)
    with ValuesRead() as values:
        trainer._learn(batch, 1.0)
        assert values.found == []
        trainer.model.state_dict().popitem()[1].sum().item()
    assert values.found == ["_local_scalar_dense"]  # it is noticed


@pytest.mark.parametrize("descriptor", [SMALL, SMALL_MERGENET], ids=["paper", "mergenet"])
def test_gradients_optimizer_and_average_never_synchronize_with_the_device(monkeypatch, descriptor):
    """On a simulated GPU, with gradients that are given; operations on all parameters are one launch each."""

    def learn(self, batch, share):
        for parameter in self.model.parameters():
            parameter.grad = torch.ones_like(parameter)
        return torch.zeros(3, device=DEVICE)

    monkeypatch.setattr(Trainer, "_learn", learn)
    batch = drawn(descriptor, 2)
    with pretend_gpu() as counted:
        trainer = Trainer(PLAN, descriptor, DEVICE, Team())
        trainer.advance(batch)
        parameters = sum(1 for _ in trainer.model.parameters())
        counted.clear()
        trainer.advance(batch)
        assert counted.waits == []
        assert sum(counted.launches.values()) < parameters + 60


@pytest.mark.parametrize("descriptor", [SMALL, SMALL_MERGENET], ids=["paper", "mergenet"])
def test_a_resumed_run_never_synchronizes_with_the_device_to_read_its_step_counters(tmp_path, descriptor):
    """Adam reads one for each parameter."""
    run(tmp_path, replace(PLAN, steps=1, checkpoint_every=1), descriptor=descriptor)
    with pretend_gpu():
        trainer = Trainer(PLAN, descriptor, DEVICE, Team())
        trainer.resume(tmp_path)
        states = list(trainer.optimizer.state.values())
        assert states and trainer.step == 1
        assert {state["step"].device for state in states} == {CPU}
        assert {state["exp_avg"].device for state in states} == {DEVICE}
        assert {value.device for value in (*trainer.average.values(), *trainer.model.parameters())} == {DEVICE}
