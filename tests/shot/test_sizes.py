"""Sizes: one rule for every option, and printed sizes are valid input."""

from __future__ import annotations

import pytest

from f2hdr_backend.shot.document import Engine
from f2hdr_backend.shot.errors import DocumentError
from f2hdr_backend.shot.sizes import format_size, parse_size


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("0", 0), ("64", 64), ("64B", 64), ("1K", 1000), ("1kB", 1000), ("512M", 512 * 10**6), ("8G", 8 * 10**9),
        ("8GB", 8 * 10**9), (" 8 GB ", 8 * 10**9), ("1.5t", 15 * 10**11), ("8GiB", 8 * 2**30), ("8gib", 8 * 2**30),
        ("1KiB", 1024), ("2MiB", 2 * 2**20), ("1TiB", 2**40),
    ],
)  # fmt: skip
def test_the_text_of_a_size_is_parsed(text: str, count: int) -> None:
    assert parse_size(text) == count


@pytest.mark.parametrize("text", ["", "many", "-1", "20X", "G", "1e9", "٣G", "8GiBB", "1..5G", "8 8G", "8Gi"])
def test_text_that_is_not_a_size_is_refused_with_the_option(text: str) -> None:
    with pytest.raises(DocumentError) as refused:
        parse_size(text, "--memory")
    assert "--memory" in refused.value.message and f'"{text}"' in refused.value.message and "8G" in refused.value.hint


@pytest.mark.parametrize("count", [0, 1, 999, 1000, 8 * 10**9, 8 * 2**30, 123456789, 5 * 10**13])
def test_a_printed_size_parses_to_the_same_size_within_its_digits(count: int) -> None:
    text = format_size(count)
    assert parse_size(text.removesuffix("ytes").replace(" b", "B")) == pytest.approx(count, rel=0.05, abs=0.5)


def test_the_memory_setting_of_a_shot_takes_the_same_sizes() -> None:
    for text in ("", "8G", "8GB", "8GiB", "512m"):
        assert Engine(memory=text).memory == text
    with pytest.raises(DocumentError):
        Engine(memory="8 apples")
