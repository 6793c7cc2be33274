"""One module per flow estimator, with the name for ``--flow``."""

from __future__ import annotations

import pkgutil


def names() -> list[str]:
    """Return the names of the estimators of this package: its modules."""
    return [module.name for module in pkgutil.iter_modules(__path__)]
