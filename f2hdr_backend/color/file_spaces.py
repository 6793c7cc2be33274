"""Spaces that a plate's own files define: an embedded ICC profile, or a camera's response curve."""

from __future__ import annotations

from typing import Any

from f2hdr_backend.color import primaries
from f2hdr_backend.color.conversion import matrix_step, table_step
from f2hdr_backend.color.curve import Curve
from f2hdr_backend.color.icc import IccProfile
from f2hdr_backend.color.primaries import Chromaticities
from f2hdr_backend.shot.errors import ColorError

EMBEDDED, RESPONSE = "icc", "response"
"""The space of the ICC profile in a file, and that of a camera's response curve, in the primaries that the file states
or else in Rec.709."""
Own = Chromaticities | IccProfile | Curve | None
"""The definition of a space without a config: primaries of ``linear`` or ``gamma22``, an ICC profile, a response
curve.
"""


def own_steps(name: str, own: Own) -> list[Any]:
    """Return the steps from ``icc`` or ``response`` to ACES2065-1. Raises ColorError if ``own`` does not define it."""
    if name == EMBEDDED and isinstance(own, IccProfile):
        curves = [] if own.curves is None else [table_step(own.curves)]
        return [*curves, matrix_step(own.to_ap0)]
    if name == RESPONSE and isinstance(own, Curve):
        return [table_step(own.table()), matrix_step(primaries.to_aces(own.primaries or primaries.REC709))]
    what = {
        EMBEDDED: "The files have no ICC profile of curves and a matrix.",
        RESPONSE: "The Shot has no response curve.",
    }[name]
    raise ColorError(what, hint="Set the plate's color space with --input-space, or give --response FILE.", space=name)
