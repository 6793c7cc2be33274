"""The metrics of the benchmark: one module per name of ``--metrics``, each defining ``METRIC``."""

from __future__ import annotations

import pkgutil


def names() -> list[str]:
    """Return the names of all metrics, sorted: its modules, with hyphens."""
    return sorted(found.name.replace("_", "-") for found in pkgutil.iter_modules(__path__))
