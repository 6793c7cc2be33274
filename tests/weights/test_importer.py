import hashlib
import os
import pickle
import random
import re
import zipfile

import numpy as np
import pytest
import torch

from f2hdr_backend.model.descriptor import Descriptor
from f2hdr_backend.model.f2hdr import F2HDR
from f2hdr_backend.model.sea_raft import SeaRaft
from f2hdr_backend.shot.errors import (
    ShotError,
    WeightsError,
    WeightsMismatch,
    WeightsMissing,
    WeightsUntrusted,
)
from f2hdr_backend.weights import store
from f2hdr_backend.weights.importer import import_checkpoint


def assert_same(found, expected):
    assert set(found) == set(expected)
    for name, tensor in expected.items():
        assert found[name].dtype == tensor.dtype, name
        assert torch.equal(found[name], tensor), name


def save(folder, content, name="checkpoint.pth"):
    path = folder / name
    torch.save(content, path)
    return path


def trained(state):
    """A checkpoint as a training run leaves it: DataParallel's prefix, Adam's state, epoch, a numpy score."""
    network = torch.nn.DataParallel(F2HDR(Descriptor.published()))
    network.load_state_dict({f"module.{name}": tensor for name, tensor in state.items()}, strict=True)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-4)
    for parameter in network.parameters():
        parameter.grad = torch.zeros_like(parameter)
    optimizer.step()
    return {
        "state_dict": network.state_dict(),
        "optimizer": optimizer.state_dict(),
        "epoch": 50,
        "val_psnr_mu": np.float64(43.21),
    }


def test_a_published_checkpoint_gives_its_tensors_and_interpretation(folder, checkpoint, published_state):
    (entry,) = import_checkpoint(checkpoint, "authors")
    weights = store.load(store.find("authors"))
    assert_same(weights.tensors, published_state)
    assert weights.reading() == Descriptor(
        warp="released",
        exposure_alignment="none",
        adapter_input="warped",
        gate_scale="fixed",
        flow="sea_raft",
    )
    assert entry.path == folder / "authors.safetensors"
    assert weights.card["source"] == "checkpoint.pth"
    assert weights.card["source_sha256"] == hashlib.sha256(checkpoint.read_bytes()).hexdigest()
    assert "MIT" in weights.card["license"]


def test_imported_tensors_have_exactly_the_names_of_the_network(folder, checkpoint):
    import_checkpoint(checkpoint, "authors")
    weights = store.load(store.find("authors"))
    F2HDR(weights.reading()).load_state_dict(weights.tensors, strict=True)


def test_a_training_run_s_checkpoint_imports(folder, tmp_path, published_state):
    path = save(tmp_path, trained(published_state), "best.pth")
    import_checkpoint(path, "mine")
    assert_same(store.load(store.find("mine")).tensors, published_state)


def test_a_numpy_1_score_in_the_checkpoint_is_ignored(folder, tmp_path, published_state):
    path = save(tmp_path, {"state_dict": published_state, "val_psnr_mu": np.float64(43.21)})
    modern, old = b"numpy._core.multiarray", b"numpy.core.multiarray"
    rewritten = tmp_path / "numpy1.pth"
    _rewrite_pickle(path, rewritten, lambda content: content.replace(modern, old))
    import_checkpoint(rewritten, "mine")
    assert_same(store.load(store.find("mine")).tensors, published_state)


def test_a_plain_state_dict_is_imported(folder, tmp_path, published_state):
    import_checkpoint(save(tmp_path, published_state), "bare")
    assert_same(store.load(store.find("bare")).tensors, published_state)


def test_half_precision_is_converted_to_float32(folder, tmp_path, published_state):
    halved = {n: t.bfloat16() if t.is_floating_point() else t for n, t in published_state.items()}
    import_checkpoint(save(tmp_path, halved), "half")
    found = store.load(store.find("half")).tensors
    assert_same(found, {n: t.float() if t.is_floating_point() else t for n, t in halved.items()})


def test_sea_raft_is_imported_with_the_same_command(folder, checkpoint, flow_checkpoint, flow_state):
    installed = import_checkpoint(checkpoint, "authors", sea_raft=flow_checkpoint)
    assert [(entry.name, entry.kind) for entry in installed] == [
        ("sea_raft", "sea_raft"),
        ("authors", "f2hdr"),
    ]
    weights = store.load(store.find("sea_raft"))
    assert_same(weights.tensors, flow_state)
    assert weights.card["license"].startswith("BSD-3-Clause")
    SeaRaft().load_state_dict(weights.tensors, strict=True)
    with pytest.raises(WeightsMismatch, match="SEA-RAFT"):
        weights.reading()


def test_sea_raft_weights_have_a_fixed_name(folder, flow_checkpoint):
    with pytest.raises(WeightsMismatch, match="--name sea_raft"):
        import_checkpoint(flow_checkpoint, "flow")
    assert not folder.exists()
    (entry,) = import_checkpoint(flow_checkpoint, "sea_raft")
    assert entry.path == folder / "sea_raft.safetensors"


def test_a_checkpoint_of_the_whole_model_is_split(folder, tmp_path, published_state, flow_state):
    whole = published_state | {f"coarse_flow_net.net.{name}": tensor for name, tensor in flow_state.items()}
    path = save(tmp_path, {"state_dict": {f"module.{name}": tensor for name, tensor in whole.items()}})
    import_checkpoint(path, "whole")
    assert_same(store.load(store.find("whole")).tensors, published_state)
    assert_same(store.load(store.find("sea_raft")).tensors, flow_state)


def test_two_files_of_one_network_and_a_wrong_name_are_refused(folder, checkpoint, flow_checkpoint):
    with pytest.raises(WeightsMismatch, match=r"F2HDR.*checkpoint\.pth"):
        import_checkpoint(checkpoint, "authors", sea_raft=checkpoint)
    with pytest.raises(WeightsMismatch, match="SEA-RAFT"):
        import_checkpoint(flow_checkpoint, "authors", sea_raft=flow_checkpoint)
    with pytest.raises(WeightsMismatch, match="SEA-RAFT"):
        import_checkpoint(checkpoint, "sea_raft")
    assert not folder.exists()


def test_tensors_that_do_not_fit_are_named_and_counted(folder, tmp_path, published_state):
    state = dict(published_state)
    del state["fusion_net.conv1.0.weight"], state["flow_adapter.tail.bias"]
    state["refine_net.extra.weight"] = torch.zeros(3)
    state["flow_adapter.tail.weight"] = torch.zeros(7, 5)
    with pytest.raises(WeightsMismatch) as caught:
        import_checkpoint(save(tmp_path, {"state_dict": state}), "wrong")
    error = caught.value
    assert error.missing == ["flow_adapter.tail.bias", "fusion_net.conv1.0.weight"]
    assert error.unexpected == ["refine_net.extra.weight"]
    assert error.wrongly_shaped[0].startswith("flow_adapter.tail.weight 7x5 instead of ")
    assert "2 missing (flow_adapter.tail.bias, fusion_net.conv1.0.weight)" in error.message
    assert "1 unexpected (refine_net.extra.weight)" in error.message
    assert "1 wrongly shaped (flow_adapter.tail.weight 7x5" in error.message
    assert not folder.exists()


def test_a_different_network_is_refused_with_a_short_list_of_names(folder, tmp_path):
    path = save(tmp_path, torch.nn.Linear(3, 4).state_dict())
    with pytest.raises(WeightsMismatch, match=r"255 missing .*, \.\.\.\); 2 unexpected \(weight, bias\)") as caught:
        import_checkpoint(path, "wrong")
    assert len(caught.value.message) < 600


@pytest.mark.parametrize(
    "spoil",
    [
        lambda tensor: tensor * torch.nan,
        lambda tensor: tensor / 0,
        lambda tensor: tensor.to(torch.float64) * 1e300,
        lambda tensor: tensor.to(torch.int32),
        lambda tensor: tensor.to(torch.complex64),
        lambda tensor: tensor.to_sparse(),
        lambda tensor: tensor.to("meta"),
    ],
    ids=["nan", "infinite", "overflow", "integer", "complex", "sparse", "meta"],
)
def test_tensors_that_are_not_plain_finite_numbers_are_named(folder, tmp_path, published_state, spoil):
    name = "fusion_net.conv1.0.weight"
    path = save(tmp_path, {"state_dict": published_state | {name: spoil(published_state[name])}})
    with pytest.raises(WeightsMismatch, match="fusion_net.conv1.0.weight"):
        import_checkpoint(path, "spoiled")
    assert not folder.exists()


@pytest.mark.parametrize("value", [None, 3, [1.0], {"nested": 1}])
def test_values_that_are_not_tensors_are_named(folder, tmp_path, published_state, value):
    path = save(tmp_path, {"state_dict": published_state | {"flow_adapter.tail.bias": value}})
    with pytest.raises(WeightsMismatch, match=r"flow_adapter\.tail\.bias"):
        import_checkpoint(path, "spoiled")


class Evil:
    """Pickles to a call of ``os.system`` that leaves a file behind."""

    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return os.system, (f"touch {self.marker}",)


def test_code_in_a_checkpoint_is_refused_by_name_and_never_runs(folder, tmp_path, published_state):
    marker = tmp_path / "executed"
    path = save(tmp_path, {"state_dict": published_state, "epoch": Evil(marker)})
    with pytest.raises(WeightsUntrusted, match=r"system") as caught:
        import_checkpoint(path, "evil")
    assert caught.value.foreign == f"{os.system.__module__}.system"
    assert not marker.exists()
    assert not folder.exists()
    torch.load(path, weights_only=False)
    assert marker.exists(), "the file is a real threat: an unrestricted reader runs it"


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4, 5])
@pytest.mark.parametrize("bare", [True, False], ids=["pickle", "torch"])
def test_code_in_a_checkpoint_never_runs_with_any_pickle_protocol(folder, tmp_path, protocol, bare):
    marker, path = tmp_path / "executed", tmp_path / "evil.pth"
    if bare:
        path.write_bytes(pickle.dumps({"state_dict": Evil(marker)}, protocol))
    else:
        torch.save({"state_dict": Evil(marker)}, path, pickle_protocol=protocol)
    with pytest.raises((WeightsUntrusted, WeightsMismatch)):
        import_checkpoint(path, "evil")
    assert not marker.exists()


@pytest.mark.parametrize("called", [eval, getattr, np.load, torch.hub.load, pickle.loads])
def test_other_pickled_globals_are_refused_by_name(folder, tmp_path, called):
    path = save(tmp_path, {"state_dict": {"weight": called}})
    with pytest.raises(WeightsUntrusted, match=called.__name__):
        import_checkpoint(path, "evil")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<!DOCTYPE html><title>Download warning</title>",
        b"PK\x03\x04 and no more",
        b"\x89PNG\r\n\x1a\n",
        b"\x80\x02.",
    ],
    ids=["empty", "web page", "broken zip", "picture", "broken pickle"],
)
def test_files_of_another_kind_are_refused(folder, tmp_path, content):
    path = tmp_path / "checkpoint.pth"
    path.write_bytes(content)
    with pytest.raises(WeightsMismatch, match=r"checkpoint\.pth"):
        import_checkpoint(path, "wrong")


def test_a_truncated_download_is_refused(folder, tmp_path, checkpoint):
    path = tmp_path / "checkpoint.pth"
    path.write_bytes(checkpoint.read_bytes()[:-100_000])
    with pytest.raises(WeightsMismatch, match=r"checkpoint\.pth"):
        import_checkpoint(path, "wrong")


def test_every_damaged_file_raises_a_weights_error(folder, tmp_path):
    whole = save(tmp_path, {"state_dict": {"weight": torch.zeros(2)}}, "whole.pth").read_bytes()
    legacy = tmp_path / "legacy.pth"
    torch.save({"state_dict": {"weight": torch.zeros(2)}}, legacy, _use_new_zipfile_serialization=False)
    dice = random.Random(1)
    path = tmp_path / "damaged.pth"
    for round_ in range(60):
        content = bytearray(whole if round_ % 2 else legacy.read_bytes())
        for _ in range(dice.randint(1, 4)):
            content[dice.randrange(len(content))] = dice.randrange(256)
        path.write_bytes(content[: dice.randint(1, len(content))] if round_ % 3 == 0 else content)
        with pytest.raises(WeightsError):
            import_checkpoint(path, "damaged")


@pytest.mark.parametrize(
    "content", [[], {}, torch.zeros(3), {"state_dict": {}}, {"state_dict": 3}, {1: torch.zeros(3)}]
)
def test_files_without_named_tensors_are_refused(folder, tmp_path, content):
    with pytest.raises(WeightsMismatch, match=re.escape(str(tmp_path))):
        import_checkpoint(save(tmp_path, content), "wrong")


def test_a_missing_file_is_named(folder, tmp_path):
    with pytest.raises(WeightsMissing, match="nowhere.pth"):
        import_checkpoint(tmp_path / "nowhere.pth", "wrong")
    with pytest.raises(WeightsMissing, match=re.escape(str(tmp_path))):
        import_checkpoint(tmp_path, "wrong")


@pytest.mark.parametrize(
    "name", ["../evil", "/etc/evil", "a/b", "a\\b", "", ".hidden", "Upper", "a b", "é", "a\n", "a" * 65]
)
def test_invalid_names_of_weights_are_refused(folder, checkpoint, tmp_path, name):
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(ShotError, match=re.escape(repr(name))):
        import_checkpoint(checkpoint, name)
    assert sorted(tmp_path.rglob("*")) == before


def test_an_existing_name_is_replaced_only_with_force(folder, checkpoint, tmp_path, published_state):
    import_checkpoint(checkpoint, "authors")
    newer = save(tmp_path, {n: t + 1 if t.is_floating_point() else t for n, t in published_state.items()})
    with pytest.raises(ShotError, match="--force"):
        import_checkpoint(newer, "authors")
    assert_same(store.load(store.find("authors")).tensors, published_state)
    import_checkpoint(newer, "authors", force=True)
    bias = "flow_adapter.tail.bias"
    assert torch.equal(store.load(store.find("authors")).tensors[bias], published_state[bias] + 1)


def test_existing_sea_raft_weights_stop_the_whole_import(folder, checkpoint, flow_checkpoint):
    folder.mkdir()
    (folder / "sea_raft.safetensors").write_bytes(b"someone's")
    with pytest.raises(ShotError, match="--sea-raft"):
        import_checkpoint(checkpoint, "authors", sea_raft=flow_checkpoint)
    assert [path.name for path in folder.iterdir()] == ["sea_raft.safetensors"]


def _rewrite_pickle(source, target, change):
    """Copy a checkpoint's archive with its pickle changed."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for item in old.infolist():
            content = old.read(item)
            new.writestr(item.filename, change(content) if item.filename.endswith("data.pkl") else content)
