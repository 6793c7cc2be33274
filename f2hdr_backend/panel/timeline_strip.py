"""Geometry and states of the timeline's frames."""

from __future__ import annotations

import bisect
from typing import Any, Optional

THUMBS, RULER, EXPOSURES, MARKS = 44, 18, 62, 12
"""Heights of the lanes, from the top, in pixels."""
LEFT, RIGHT = 10, 10
"""Margins in pixels."""


class Strip:
    """Frames from left to right, all of the same width. Frame numbers are those of the plate."""

    def __init__(self) -> None:
        self.frames: tuple[int, ...] = ()
        self.missing: frozenset[int] = frozenset()
        self.rendered: frozenset[int] = frozenset()
        self.cached: frozenset[int] = frozenset()
        self.thumbs: dict[int, Any] = {}
        """QImage by frame; None where the frame cannot be read."""
        self.aspect = 16 / 9
        self.width = 0.0
        self.frame = 0
        self.hover: Optional[int] = None
        self.in_frame: Optional[int] = None
        self.out_frame: Optional[int] = None

    @property
    def first(self) -> int:
        """The first frame of the plate."""
        return self.frames[0] if self.frames else 0

    @property
    def last(self) -> int:
        """The last frame of the plate."""
        return self.frames[-1] if self.frames else 0

    @property
    def slot(self) -> float:
        """Width of a frame in pixels."""
        return (self.width - LEFT - RIGHT) / max(self.last - self.first + 1, 1)

    @property
    def thumb_width(self) -> float:
        """Width of a thumbnail in pixels."""
        return THUMBS * self.aspect

    def x(self, frame: float) -> float:
        """Return the left edge of a frame in pixels."""
        return LEFT + (frame - self.first) * self.slot

    def frame_at(self, x: float) -> int:
        """Return the frame of the plate nearest to an x position."""
        return self.nearest(self.first + int((x - LEFT) // self.slot))

    def nearest(self, frame: int) -> int:
        """Return the nearest frame of the plate."""
        if not self.frames:
            return 0
        place = bisect.bisect_left(self.frames, frame)
        near = self.frames[max(place - 1, 0) : place + 1]
        return min(near, key=lambda number: abs(number - frame))

    def step(self, count: int) -> int:
        """Return the frame ``count`` frames away, limited to the plate's range."""
        place = bisect.bisect_left(self.frames, self.frame) + count
        return self.frames[min(max(place, 0), len(self.frames) - 1)] if self.frames else 0

    def thumb_places(self) -> list[tuple[int, float]]:
        """Return the frames that have space for a thumbnail, each with the center of its thumbnail in pixels."""
        if not self.frames:
            return []
        width = self.thumb_width + 2
        if self.slot >= width:
            return [(frame, self.x(frame + 0.5)) for frame in self.frames]
        count = max(1, int((self.width - LEFT - RIGHT) / width))
        middles = [LEFT + (index + 0.5) * width for index in range(count)]
        return [(self.frame_at(middle), middle) for middle in middles]
