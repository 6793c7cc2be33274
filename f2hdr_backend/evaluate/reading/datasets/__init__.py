"""The datasets of the benchmark: one module each, with the name for the command line; each defines ``Reader``."""

from __future__ import annotations

import pkgutil


def names() -> list[str]:
    """Return the names of all datasets, sorted: its modules, with hyphens."""
    return sorted(found.name.replace("_", "-") for found in pkgutil.iter_modules(__path__))
