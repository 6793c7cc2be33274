"""A bug report contains the report and the logs, without user names and tokens."""

from __future__ import annotations

import getpass
import json
import zipfile
from pathlib import Path

import pytest

from f2hdr_backend.cli.bug_report import redacted, write_bug_report
from f2hdr_backend.cli.doctor_checks import Item, State

TOKEN = "0123456789abcdef" * 4


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "homes" / "ana maria"
    folder.mkdir(parents=True)
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(folder))
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.setenv(name, "anamaria")
    monkeypatch.setenv("F2HDR_LOGS", str(tmp_path / "logs"))
    monkeypatch.setenv("F2HDR_RUNTIME", str(tmp_path / "run"))
    return folder


def test_a_bug_report_has_the_checks_and_both_logs_without_names_and_tokens(home: Path, tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "run" / "f2hdr").mkdir(parents=True)
    line = f'render {home}/shots/p.####.tif as anamaria, token={TOKEN}, Bearer abc-def-ghi-jkl "{TOKEN}"\n'
    (tmp_path / "logs" / "f2hdr.log").write_text(line)
    (tmp_path / "run" / "f2hdr" / "server.log").write_text(line)
    items = [Item("cache", State.GREEN, f"{home}/.cache: 1 MB")]
    names = write_bug_report(tmp_path / "bug.zip", items)
    with zipfile.ZipFile(tmp_path / "bug.zip") as file:
        assert sorted(file.namelist()) == sorted(names) == ["doctor.json", "f2hdr.log", "server.log"]
        texts = [file.read(name).decode() for name in names]
    for text in texts:
        assert "anamaria" not in text and "ana maria" not in text and TOKEN not in text and "abc-def" not in text
    assert json.loads(texts[0])[0]["text"] == "~/.cache: 1 MB"
    assert "~/shots/p.####.tif" in texts[1]


def test_words_that_contain_the_user_name_are_unchanged(home: Path) -> None:
    assert getpass.getuser() == "anamaria"
    assert redacted("anamarias and anamaria") == "anamarias and USER"
