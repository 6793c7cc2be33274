"""The list of installed weights in a folder."""

import json
import os
import sys

import pytest

from f2hdr_backend.model.descriptor import Descriptor, MergeNetDescriptor
from f2hdr_backend.shot.errors import WeightsError, WeightsMismatch
from f2hdr_backend.weights.manifest import (
    WeightsEntry,
    add,
    entries_in,
    from_record,
    kind_of,
    to_record,
    weights_folder,
    write,
)

CARD = {"source": "a test", "license": "CC0"}


@pytest.mark.parametrize("descriptor", [None, Descriptor.lite(), MergeNetDescriptor()], ids=kind_of)
def test_a_header_is_unchanged_after_writing_and_reading(descriptor):
    record = json.loads(json.dumps(to_record(descriptor, CARD)))
    assert from_record(record) == (descriptor, CARD)
    assert record["kind"] == kind_of(descriptor)


def test_entries_are_listed_by_name_and_replaced(tmp_path):
    for name, digest in (("b", "1" * 64), ("a", "2" * 64), ("b", "3" * 64)):
        add(WeightsEntry(name, tmp_path / f"{name}.safetensors", digest, None, CARD))
    found = entries_in(tmp_path)
    assert [(entry.name, entry.sha256[0]) for entry in found] == [("a", "2"), ("b", "3")]
    assert not found[0].embedded and "--force" in found[0].remedy
    assert found[0].to_json()["path"] == str(tmp_path / "a.safetensors")


def test_a_folder_without_a_manifest_has_no_entries(tmp_path):
    assert entries_in(tmp_path) == entries_in(tmp_path / "none") == []


@pytest.mark.parametrize(
    "text",
    ["", "[]", '{"version": 2, "weights": {}}', '{"version": 1}', '{"version": 1, "weights": {"a": {"file": "a"}}}',
     '{"version": 1, "weights": {"a": {"file": "a", "sha256": "0", "kind": "x", "card": {}}}}', "[" * 100_000],
)  # fmt: skip
def test_a_damaged_manifest_is_named(tmp_path, text):
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(WeightsMismatch) as caught:
        entries_in(tmp_path)
    assert str(tmp_path / "manifest.json") in caught.value.message


def test_a_path_in_a_manifest_cannot_lead_out_of_its_folder(tmp_path):
    listed = {"file": "../../etc/passwd", "sha256": "0", **to_record(None, CARD)}
    (tmp_path / "manifest.json").write_text(json.dumps({"version": 1, "weights": {"a": listed}}))
    (entry,) = entries_in(tmp_path)
    assert entry.path == tmp_path / "passwd"


@pytest.mark.skipif(sys.platform == "win32", reason="needs pipes")
def test_a_pipe_in_place_of_the_list_is_refused_without_waiting(tmp_path):
    os.mkfifo(tmp_path / "manifest.json")
    with pytest.raises(WeightsMismatch) as caught:
        entries_in(tmp_path)
    assert str(tmp_path / "manifest.json") in caught.value.message


def test_a_file_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(WeightsError) as caught:
        write(tmp_path / "file" / "a.bin", b"")
    assert os.path.join("file", "a.bin") in caught.value.message


def test_the_environment_variable_selects_the_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("F2HDR_WEIGHTS", str(tmp_path))
    assert weights_folder() == tmp_path
    monkeypatch.setenv("F2HDR_WEIGHTS", "")
    assert weights_folder().name == "weights"
