"""Supported schedulers: one module each, found by its name.

A module ``my_farm`` is selected as ``my-farm``. It defines ``export(job, site)``, which returns file names and texts.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from typing import cast

from f2hdr_backend.farm.job import FarmJob, Site

Export = Callable[[FarmJob, Site], dict[str, str]]
"""Returns the job's files as names and texts. Raises ShotError for a job that the scheduler does not support."""


def names() -> tuple[str, ...]:
    """Return the names of all schedulers."""
    return tuple(sorted(found.name.replace("_", "-") for found in pkgutil.iter_modules(__path__)))


def exporter(name: str) -> Export:
    """Return the ``export`` function of a scheduler from ``names``."""
    module = importlib.import_module(f"{__name__}.{name.replace('-', '_')}")
    return cast(Export, module.export)
