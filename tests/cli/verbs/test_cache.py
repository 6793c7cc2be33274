"""``f2hdr cache`` as a user types it."""

import json

import pytest
import typer
from typer.testing import CliRunner

from f2hdr_backend.cli.verbs import cache
from f2hdr_backend.flow.cache import FlowCache
from f2hdr_backend.shot.errors import ShotError


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("F2HDR_CACHE", str(tmp_path / "kept flows"))
    monkeypatch.delenv("F2HDR_CACHE_SIZE", raising=False)
    return tmp_path / "kept flows"


def f2hdr(*words):
    app = typer.Typer()
    app.callback()(lambda: None)
    cache.register(app)
    return CliRunner().invoke(app, ["cache", *words])


def fill(folder, count):
    for number in range(count):
        FlowCache(folder, 10**9).put(f"{number:064x}", b"x" * 1_000_000)


def test_info_without_a_cache_creates_no_folder(folder):
    result = f2hdr("info")
    assert result.exit_code == 0 and "0 bytes of 20.0 GB" in result.stdout and str(folder) in result.stdout
    assert not folder.exists()


def test_info_and_clear_print_text(folder):
    fill(folder, 3)
    assert "3.0 MB of 20.0 GB" in f2hdr("info").stdout
    assert f2hdr("clear").stdout == f"3 flows removed from {folder}, 3.0 MB.\n"
    assert "0 bytes of 20.0 GB" in f2hdr("info").stdout


def test_info_and_clear_print_json(folder, monkeypatch):
    monkeypatch.setenv("F2HDR_CACHE_SIZE", "8G")
    fill(folder, 2)
    held = json.loads(f2hdr("info", "--json").stdout)
    assert held["event"] == "cache" and held["folder"] == str(folder) and held["flows"] == 2
    assert held["limit_bytes"] == 8 * 10**9 and 2_000_000 < held["bytes"] < 2_001_000
    cleared = json.loads(f2hdr("clear", "--json").stdout)
    assert (cleared["flows"], cleared["bytes"], cleared["left"]) == (2, held["bytes"], 0)


def test_a_disabled_cache_is_reported(folder, monkeypatch):
    monkeypatch.setenv("F2HDR_CACHE_SIZE", "0")
    assert "the cache is off" in f2hdr("info").stdout


def test_a_wrong_cache_size_is_refused_in_one_sentence(folder, monkeypatch):
    monkeypatch.setenv("F2HDR_CACHE_SIZE", "plenty")
    result = f2hdr("info")
    assert isinstance(result.exception, ShotError) and "plenty" in result.exception.message
