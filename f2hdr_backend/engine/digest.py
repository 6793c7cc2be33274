"""The digest of a rendered frame: a hash of everything that its pixels depend on."""

from __future__ import annotations

import hashlib
import json

from f2hdr_backend.engine.window import Window
from f2hdr_backend.shot.document import Shot

PIXELS_VERSION = 6
"""Incremented whenever the same inputs and settings produce different pixels."""


def frame_digest(shot: Shot, window: Window, method: str, files: list[str], color: str = "") -> str:
    """Return the SHA-256 of everything that determines a frame's pixels.

    Args:
        shot: a settled Shot.
        window: the frame and its neighbors.
        method: digest of weights, flow estimator and precision.
        files: identities of the plate's files of the previous, the reference and the next frame.
        color: digest of the OCIO config and its lookup tables; empty where none is used.
    """
    facts = {
        "pixels": PIXELS_VERSION,
        "shot": shot.pixel_digest_fields(),
        "method": method,
        "window": window.frames,
        "exposures": window.exposures,
        "files": files,
        **({"color": color} if color else {}),
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
