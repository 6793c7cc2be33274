"""Files that the documents name or link to exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
PLACES = re.compile(r"`((?:f2hdr_backend|nuke_plugin|resolve_fuse|installers|tests|docs|ocio|ofx_plugin)/[\w./-]+)`")
INSIDE = re.compile(r"`((?:[a-z_]+/)+[a-z_0-9]+\.py)`")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_that_a_page_names_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    named = set(PLACES.findall(text)) | set(INSIDE.findall(text))
    bases = (ROOT, ROOT / "f2hdr_backend", ROOT / "nuke_plugin", ROOT / "tests")
    ours = (name for name in sorted(named) if not name.startswith("src/") and "NAME" not in name)
    missing = [name for name in ours if not any((base / name).exists() for base in bases)]
    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_files(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []
