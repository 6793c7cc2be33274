"""Documents: UTF-8 text of bounded size, and JSON that cannot exhaust the stack."""

import ast
from pathlib import Path

import pytest

from f2hdr_backend.shot.document import Shot
from f2hdr_backend.shot.errors import DocumentError
from f2hdr_backend.shot.limits import VARIABLE
from f2hdr_backend.shot.read_text import json_value, parse_json, read_json, read_text


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_utf_8_is_read_with_and_without_a_byte_order_mark(tmp_path, encoding):
    (tmp_path / "a.json").write_text('{"a": "größer"}', encoding=encoding)
    assert read_json(tmp_path / "a.json") == {"a": "größer"}


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16", "utf-32"])
def test_text_that_is_not_utf_8_is_refused_and_its_file_named(tmp_path, encoding):
    path = tmp_path / "a.json"
    path.write_text('{"plate": "größer.####.tif"}', encoding=encoding)
    with pytest.raises(DocumentError) as caught:
        read_text(path)
    assert caught.value.path == str(path) and "UTF-8" in caught.value.hint


def test_a_document_larger_than_the_limit_is_not_read(tmp_path, monkeypatch):
    (tmp_path / "a.json").write_text("[" + " " * 2000 + "]")
    monkeypatch.setenv(VARIABLE, "document=1000")
    with pytest.raises(DocumentError) as caught:
        read_text(tmp_path / "a.json")
    assert "1000" in caught.value.message


@pytest.mark.parametrize("path", ["missing.json", "a\0b", "."])
def test_a_file_that_cannot_be_opened_is_refused_and_named(tmp_path, monkeypatch, path):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DocumentError) as caught:
        read_text(path)
    assert caught.value.path == path


@pytest.mark.parametrize("text", ["", "{", "[1,]", "[" * 100_000, '{"a":' * 100_000, "1" * 10_000, '"\ud800'])
def test_invalid_json_is_refused_and_the_document_named(text):
    with pytest.raises(DocumentError) as caught:
        parse_json(text, "The Shot")
    assert caught.value.message.startswith("The Shot ")
    with pytest.raises(DocumentError):
        Shot.from_json(text)
    with pytest.raises(ValueError):
        json_value(text)


def test_json_is_parsed_only_by_read_text():
    """``json.loads`` raises RecursionError for deep nesting, which callers that expect ValueError do not handle."""
    found = []
    root = Path(__file__).parents[2]
    for path in sorted(path for name in ("f2hdr_backend", "nuke_plugin") for path in (root / name).rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        found += [path.name for node in ast.walk(tree) if isinstance(node, ast.Call) and _loads(node.func)]
    assert found == ["read_text.py"]


def _loads(function):
    return ast.unparse(function) in ("json.load", "json.loads")
