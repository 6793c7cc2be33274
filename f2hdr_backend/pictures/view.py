"""Parameters of one picture of the viewer: which frame, which part of it, and how it is drawn."""

from __future__ import annotations

from dataclasses import dataclass, field

from f2hdr_backend.pictures.display_transform import CHANNELS, Look
from f2hdr_backend.shot.exposure import ExposurePattern

MODES = ("plate", "result", "difference", "wipe")
OVERLAYS = ("none", "clip", "mask", "occlusion", "flow")


@dataclass(frozen=True)
class View:
    """One picture of the viewer. Raises ValueError for an unknown mode, overlay or channel."""

    frame: int
    crop: tuple[int, int, int, int]
    """Left, top, right and bottom in plate pixels; right and bottom are exclusive."""
    scale: float
    """Display pixels per plate pixel; above 1 the picture is drawn at 1 and enlarged by the viewer."""
    mode: str = "plate"
    wipe: float = 0.5
    """Position of the wipe, as a fraction of the plate's width: plate on the left, result on the right."""
    overlay: str = "none"
    match: bool = False
    """Multiply plate frames by their exposure relative to the anchor, so that plate and result have the same scale."""
    look: Look = field(default_factory=Look)
    exposures: ExposurePattern | None = None
    anchor: str = "long"
    clip_level: tuple[float, ...] = (1.0,)

    def __post_init__(self) -> None:
        for value, known in ((self.mode, MODES), (self.overlay, OVERLAYS), (self.look.channel, CHANNELS)):
            if value not in known:
                raise ValueError(f'"{value}" is not one of {", ".join(known)}')

    @property
    def anchor_ev(self) -> float:
        """EV of the exposure whose clip is 1.0 in the result, in stops."""
        if self.exposures is None:
            return 0.0
        ends = {"long": self.exposures.highest, "short": self.exposures.lowest}
        return ends[self.anchor] if self.anchor in ends else float(self.anchor)

    def plate_gain(self, frame: int) -> float:
        """Return the factor from a frame's plate light to the scale of the result; 1 without exposures."""
        return 1.0 if self.exposures is None else float(2.0 ** (self.anchor_ev - self.exposures.ev(frame)))

    def clip_of_result(self) -> float:
        """Return the result's value at the clip of the shortest exposure: the highest light that any frame recorded."""
        lowest = self.anchor_ev if self.exposures is None else self.exposures.lowest
        return float(2.0 ** (self.anchor_ev - lowest))
