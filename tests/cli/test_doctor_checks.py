"""The doctor's checks detect problems and suggest the next step."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import f2hdr_backend
from f2hdr_backend.cli.doctor_checks import State, examine
from f2hdr_backend.install import nuke
from f2hdr_backend.machine import torch_build


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A temporary home folder."""
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.setenv("F2HDR_RUNTIME", str(tmp_path / "run"))
    monkeypatch.setenv("F2HDR_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("F2HDR_CACHE_SIZE", "1G")
    return tmp_path


def found(name: str) -> list[tuple[State, str, str]]:
    return [(item.state, item.text, item.next) for item in examine() if item.name == name]


def test_a_working_installation_has_no_red_item_and_only_yellow_items_suggest_a_step() -> None:
    items = list(examine())
    assert [item.name for item in items if item.state is State.RED] == []
    assert all(bool(item.next) == (item.state is not State.GREEN) for item in items)


def test_a_broken_color_config_is_red(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OCIO", "/no/such/config.ocio")
    ((state, text, step),) = found("color")
    assert state is State.RED and "/no/such/config.ocio" in text and step


def test_damaged_weights_are_red(alone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (alone / "weights").mkdir()
    (alone / "weights" / "manifest.json").write_text("{broken")
    monkeypatch.setenv("F2HDR_WEIGHTS", str(alone / "weights"))
    assert [state for state, _, _ in found("weights")] == [State.RED]


def test_the_cache_switched_off_is_yellow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("F2HDR_CACHE_SIZE", "0")
    ((state, _, step),) = found("cache")
    assert state is State.YELLOW and "F2HDR_CACHE_SIZE" in step


def test_a_host_is_yellow_if_its_files_are_not_installed_or_have_changed(alone: Path) -> None:
    root = alone / ".nuke"
    assert found("nuke")[0][0] is State.GREEN
    root.mkdir()
    ((state, text, step),) = found("nuke")
    assert state is State.YELLOW and str(root) in text and "f2hdr install nuke" in step
    nuke.install([root], ["f2hdr"], dry_run=False)
    ((state, text, _),) = found("nuke")
    assert state is State.GREEN and f2hdr_backend.__version__ in text
    (root / "f2hdr" / "menu.py").write_text("changed\n")
    assert found("nuke")[0][0] is State.YELLOW


def test_an_nvidia_gpu_that_torch_cannot_use_is_yellow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch_build, "_has_nvidia_gpu", lambda: True)
    ((state, text, step),) = found("gpu")
    assert state is State.YELLOW and "not used" in text and "torch" in step
