"""F2HDR: scene-linear HDR frames from footage shot with alternating exposures.

``from f2hdr_backend import reconstruct, Renderer, Shot, detect, simulate``: each name is loaded when it is first used,
so that importing this package alone loads nothing but the standard library (hosts rely on it).
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from f2hdr_backend.api.plates import detect, simulate
    from f2hdr_backend.api.reconstruct import reconstruct
    from f2hdr_backend.engine.renderer import Renderer
    from f2hdr_backend.shot.document import Shot

__version__ = "0.1.0"
__all__ = ["Renderer", "Shot", "detect", "reconstruct", "simulate"]

_PLACES = {
    "Renderer": "f2hdr_backend.engine.renderer",
    "Shot": "f2hdr_backend.shot.document",
    "detect": "f2hdr_backend.api.plates",
    "reconstruct": "f2hdr_backend.api.reconstruct",
    "simulate": "f2hdr_backend.api.plates",
}


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_PLACES[name]), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
