import dataclasses
import errno
import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import safetensors
import torch

from f2hdr_backend.model.descriptor import Descriptor
from f2hdr_backend.shot.errors import ShotError, WeightsError, WeightsMismatch, WeightsMissing
from f2hdr_backend.weights import manifest, store

CARD = {"source": "tests", "license": "CC0", "scores": {"PSNR_T": 40.5}, "steps": 3}


def small(name="small", **changes):
    tensors = {"b.weight": torch.arange(6.0).reshape(2, 3), "a.count": torch.tensor(7)}
    weights = store.Weights(name, Descriptor(exposure_alignment="eq2"), CARD, tensors)
    return dataclasses.replace(weights, **changes)


def test_saved_weights_are_loaded_unchanged(folder):
    saved = store.save(small())
    loaded = store.load(store.find("small"))
    assert store.find("small") == saved
    assert loaded.descriptor == Descriptor(exposure_alignment="eq2")
    assert loaded.card == CARD
    assert {n: t.tolist() for n, t in loaded.tensors.items()} == {
        "b.weight": [[0, 1, 2], [3, 4, 5]],
        "a.count": 7,
    }


def test_views_and_shared_storage_are_saved_by_value(folder):
    whole = torch.arange(24.0).reshape(1, 2, 3, 4)
    tensors = {
        "half": whole[..., ::2],
        "same": whole,
        "again": whole,
        "last": whole.contiguous(memory_format=torch.channels_last),
        "parameter": torch.nn.Parameter(whole),
    }
    store.save(small(tensors=tensors))
    loaded = store.load(store.find("small")).tensors
    assert all(torch.equal(loaded[name], tensor) for name, tensor in tensors.items())


def test_the_file_is_safetensors_with_a_description_in_its_header(folder):
    entry = store.save(small())
    with safetensors.safe_open(entry.path, "pt") as file:
        about = json.loads(file.metadata()["f2hdr"])
        assert sorted(file.keys()) == ["a.count", "b.weight"]
    assert about["descriptor"]["exposure_alignment"] == "eq2"
    assert about["card"] == CARD


def test_the_manifest_contains_digest_source_and_license(folder):
    entry = store.save(small())
    listed = json.loads((folder / "manifest.json").read_text())["weights"]["small"]
    assert listed["sha256"] == entry.sha256 == hashlib.sha256(entry.path.read_bytes()).hexdigest()
    assert listed["file"] == "small.safetensors"
    assert (listed["card"]["source"], listed["card"]["license"]) == ("tests", "CC0")


def test_equal_weights_give_identical_files(folder, tmp_path):
    assert store.save(small()).sha256 == store.save(small(), tmp_path / "other").sha256


def test_a_flipped_bit_is_detected_when_verifying_and_loading(folder):
    entry = store.save(small())
    content = entry.path.read_bytes()
    for position in (0, 9, len(content) // 2, len(content) - 1):
        damaged = bytearray(content)
        damaged[position] ^= 1
        entry.path.write_bytes(damaged)
        for read in (store.verify, store.load):
            with pytest.raises(WeightsMismatch, match=entry.sha256[:12]) as caught:
                read(store.find("small"))
            assert caught.value.expected == entry.sha256
    entry.path.write_bytes(content)
    store.verify(store.find("small"))


def test_a_missing_file_is_named(folder):
    entry = store.save(small())
    entry.path.unlink()
    with pytest.raises(WeightsMissing, match="small.safetensors"):
        store.load(store.find("small"))


def test_missing_weights_are_reported_with_the_installed_ones_and_the_import_command(folder):
    store.save(small("one"))
    store.save(small("two"))
    with pytest.raises(WeightsMissing) as caught:
        store.find("three")
    assert "one, two" in caught.value.message
    assert "f2hdr weights import checkpoint.pth --name three" in caught.value.hint
    with pytest.raises(WeightsMissing, match="spring540x960-M.pth --name sea_raft"):
        store.find("sea_raft")


def test_names_are_listed_embedded_first(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(manifest, "EMBEDDED_FOLDER", tmp_path / "embedded")
    monkeypatch.setattr(store, "EMBEDDED_FOLDER", tmp_path / "embedded")
    store.save(small("b"))
    store.save(small("a"))
    store.save(small("standard"), tmp_path / "embedded")
    assert [(entry.name, entry.embedded) for entry in store.entries()] == [
        ("standard", True),
        ("a", False),
        ("b", False),
    ]
    with pytest.raises(ShotError, match="standard.* with F2HDR"):
        store.save(small("standard"), replace=True)


def test_a_name_both_installed_and_embedded_is_refused(folder, tmp_path, monkeypatch):
    store.save(small("later"))
    monkeypatch.setattr(manifest, "EMBEDDED_FOLDER", tmp_path / "embedded")
    monkeypatch.setattr(store, "EMBEDDED_FOLDER", tmp_path / "embedded")
    store.save(small("later"), tmp_path / "embedded")
    with pytest.raises(WeightsMismatch, match="later.*later"):
        store.find("later")


def test_the_weights_of_the_package_match_their_digests():
    listed = manifest.entries_in(store.EMBEDDED_FOLDER)
    for entry in listed:
        store.verify(entry)
    files = {path.name for path in store.EMBEDDED_FOLDER.glob("*.safetensors")}
    assert files == {entry.path.name for entry in listed}


def test_a_card_without_license_is_refused(folder):
    with pytest.raises(WeightsMismatch, match="license"):
        store.save(small(card={"source": "tests"}))
    assert not folder.exists()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"version": 2, "weights": {}}',
        '{"version": 1, "weights": 3}',
        '{"version": 1, "weights": {"a": {}}}',
        '{"version": 1, "weights": {"a": {"file": "a", "sha256": "", "kind": "gan", "card": {}}}}',
        '{"version": 1, "weights": {"a": {"file": "a", "sha256": "", "kind": "f2hdr",'
        ' "descriptor": {"warp": "bent"}, "card": {}}}}',
    ],
)
def test_a_broken_manifest_is_named(folder, text):
    folder.mkdir()
    (folder / "manifest.json").write_text(text)
    with pytest.raises(WeightsMismatch, match=r"manifest\.json"):
        store.entries()


def test_a_manifest_cannot_name_a_file_outside_its_folder(folder, tmp_path):
    store.save(small("inside"))
    outside = store.save(small("outside"), tmp_path / "elsewhere")
    listing = folder / "manifest.json"
    listing.write_text(listing.read_text().replace("inside.safetensors", f"../elsewhere/{outside.path.name}"))
    assert store.find("inside").path.parent == folder
    with pytest.raises(WeightsMissing):
        store.load(store.find("inside"))


def test_safetensors_of_other_programs_are_refused(folder):
    folder.mkdir()
    path = folder / "other.safetensors"
    path.write_bytes(safetensors.serialize({}, metadata={"format": "pt"}))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    manifest.add(manifest.WeightsEntry("other", path, digest, None, CARD))
    with pytest.raises(WeightsMismatch, match=r"other\.safetensors"):
        store.load(store.find("other"))


@pytest.mark.parametrize("inner", ["[" * 100_000, "{}", "[]"])
def test_a_header_that_is_not_ours_is_refused(folder, inner):
    folder.mkdir()
    path = folder / "other.safetensors"
    path.write_bytes(safetensors.serialize({}, metadata={"f2hdr": inner}))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    manifest.add(manifest.WeightsEntry("other", path, digest, None, CARD))
    with pytest.raises(WeightsMismatch, match=r"other\.safetensors"):
        store.load(store.find("other"))


def test_a_folder_that_cannot_be_created_is_named(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("F2HDR_WEIGHTS", str(tmp_path / "file" / "weights"))
    assert [entry for entry in store.entries() if not entry.embedded] == []
    with pytest.raises(WeightsError, match="F2HDR_WEIGHTS"):
        store.save(small())
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="needs a user other than root")
def test_a_read_only_folder_is_named(folder):
    store.save(small())
    folder.chmod(0o500)
    try:
        with pytest.raises(WeightsError, match=re.escape(str(folder))):
            store.save(small("second"))
        store.load(store.find("small"))
    finally:
        folder.chmod(0o700)


def test_a_full_disk_leaves_no_partial_file(folder, monkeypatch):
    store.save(small())

    def full(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(WeightsError, match=re.escape(os.strerror(errno.ENOSPC))):
        store.save(small("second"))
    assert sorted(path.name for path in folder.iterdir()) == ["manifest.json", "small.safetensors"]


def test_without_the_variable_weights_are_in_the_data_folder_of_the_user(tmp_path, monkeypatch):
    monkeypatch.delenv("F2HDR_WEIGHTS", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert store.weights_folder().parts[-2:] == ("f2hdr", "weights")


def test_weights_are_listed_without_torch():
    code = "import sys; from f2hdr_backend.weights import store; store.entries(); print('torch' in sys.modules)"
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
