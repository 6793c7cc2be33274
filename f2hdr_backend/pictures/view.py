"""What the viewer asks for: which frames, which part of them, and how they are shown."""

from __future__ import annotations

from dataclasses import dataclass, field

from f2hdr_backend.pictures.look import CHANNELS, Look
from f2hdr_backend.shot.exposure import ExposurePattern

MODES = ("plate", "result", "difference", "wipe")
OVERLAYS = ("none", "clip", "mask", "occlusion", "flow")


@dataclass(frozen=True)
class View:
    """One picture for the viewer. Raises ValueError for a mode, overlay or channel that does not exist."""

    frame: int
    crop: tuple[int, int, int, int]
    """Left, top, right and bottom in pixels of the plate; right and bottom are not included."""
    scale: float
    """Pixels of the display for one of the plate; above 1 the picture is delivered at 1 and enlarged by the viewer."""
    mode: str = "plate"
    wipe: float = 0.5
    """Where the wipe is, as a share of the plate's width: the plate to the left, the result to the right."""
    overlay: str = "none"
    match: bool = False
    """Multiply plate frames by their exposure's distance from the anchor, so that plate and result have one scale."""
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
        """EV whose clip is 1.0 in the result, in stops."""
        if self.exposures is None:
            return 0.0
        ends = {"long": self.exposures.highest, "short": self.exposures.lowest}
        return ends[self.anchor] if self.anchor in ends else float(self.anchor)

    def plate_gain(self, frame: int) -> float:
        """What a frame's plate light is multiplied by to be on the result's scale; 1 without exposures."""
        return 1.0 if self.exposures is None else float(2.0 ** (self.anchor_ev - self.exposures.ev(frame)))

    def clip_of_result(self) -> float:
        """The result's value at the clip of the shortest exposure: nothing above it was seen by any frame."""
        lowest = self.anchor_ev if self.exposures is None else self.exposures.lowest
        return float(2.0 ** (self.anchor_ev - lowest))
