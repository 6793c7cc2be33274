"""A pytest plugin: what a machine lacks is one skipped test with its reason; others that lack it are deselected."""

from __future__ import annotations

import pytest


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the first of the tests that ``skipif`` marks skip with the same reason."""
    reported: set[str] = set()
    kept, dropped = [], []
    for item in items:
        reasons = [mark.kwargs["reason"] for mark in item.iter_markers("skipif") if mark.args[0]]
        if not reported.isdisjoint(reasons):
            dropped.append(item)
            continue
        kept.append(item)
        reported.update(reasons[:1])  # the one that pytest prints
    if dropped:
        config.hook.pytest_deselected(items=dropped)
        items[:] = kept
