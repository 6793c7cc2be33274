"""The list of folders that a server writes to: what a killed server left is removed; a full disk stops no render."""

import json

from f2hdr_backend.server.crash_cleanup import FoldersInUse

OLD, OTHER = "12345-0123456789abcdef", "54321-0123456789abcdef"


def test_only_temporary_files_of_the_previous_server_are_removed(tmp_path):
    frames, runtime = tmp_path / "frames", tmp_path / "run"
    for folder in (frames, runtime):
        folder.mkdir()
    kept = [frames / f".o.0001.exr.{OTHER}.part", frames / "o.0001.exr"]
    gone = [
        frames / f".o.0002.exr.{OLD}.part",
        runtime / f".ledger.json.{OLD}.part",
        runtime / f".server.json.{OTHER}.part",
    ]
    for path in (*kept, *gone):
        path.touch()
    (runtime / "ledger.json").write_text(json.dumps({"pid": 12345, "folders": [str(frames)]}))
    FoldersInUse(runtime / "ledger.json")
    assert all(path.exists() for path in kept)
    assert not any(path.exists() for path in (*gone, runtime / "ledger.json"))


def test_a_record_that_cannot_be_written_does_not_stop_a_render(tmp_path):
    ledger = FoldersInUse(tmp_path / "missing" / "ledger.json")
    with ledger.noted(str(tmp_path)):
        pass


def test_folders_are_listed_while_frames_are_written(tmp_path):
    ledger = FoldersInUse(tmp_path / "ledger.json")
    with ledger.noted("/a"), ledger.noted("/a"), ledger.noted("/b"):
        assert set(json.loads((tmp_path / "ledger.json").read_text())["folders"]) == {"/a", "/b"}
    assert json.loads((tmp_path / "ledger.json").read_text())["folders"] == []
