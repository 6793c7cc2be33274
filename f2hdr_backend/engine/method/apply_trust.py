"""Reference trust, applied to the frame that a method returned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from f2hdr_backend.engine.method.frame import HdrFrame
from f2hdr_backend.image.arrays import FloatArray
from f2hdr_backend.trust.blend import blend


def use_reference(
    frame: HdrFrame, codes: Sequence[FloatArray], exposures: tuple[float, float, float], mode: str
) -> HdrFrame:
    """The frame blended with the reference's own radiance: see :func:`~f2hdr_backend.trust.blend.blend`.

    A frame whose method has applied soft trust itself (:attr:`HdrFrame.trusted`) is returned as it is for ``soft``.

    Args:
        frame: a method's result.
        codes: ``(H, W, 3)`` gamma-2.2 codes 0-1 each, of previous, reference and next.
        exposures: of previous, reference and next; 1 is the shortest.
        mode: ``soft``, ``hard`` or ``off``.
    """
    if mode == "soft" and frame.trusted:
        return frame
    radiance, matched = blend(frame.radiance, frame.flows, codes, exposures, mode)
    return replace(frame, radiance=radiance, matched=matched if mode == "soft" else frame.matched)
