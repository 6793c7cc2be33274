"""The test suites: one module each, with the name for the command line; each defines ``Suite``."""

from __future__ import annotations

import pkgutil


def names() -> list[str]:
    """Return the names of all suites, sorted: its modules."""
    return sorted(found.name for found in pkgutil.iter_modules(__path__))
