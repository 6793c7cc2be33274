"""The level up to which both exposures of a plate agree: sensors and their processing bend before they clip.

Frames are compared by their brightness distributions, as in ``fit``: light of equal quantiles belongs to equal
radiance, so that neither motion nor noise of single pixels matters.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from f2hdr_backend.color.file_spaces import RESPONSE
from f2hdr_backend.color.linear_plate import PLATEAU, plateau
from f2hdr_backend.color.plate import open_color
from f2hdr_backend.image.frame import Plate
from f2hdr_backend.response.fit import Floats
from f2hdr_backend.response.plate import exposed_pairs
from f2hdr_backend.shot.document import Color
from f2hdr_backend.shot.equations import GAMMA
from f2hdr_backend.shot.events import ColorSettled, Event
from f2hdr_backend.shot.exposure import ExposurePattern

AGREEMENT = 0.02
"""Share by which the light of both exposures may differ below the knee."""
LOWEST, HIGHEST = 0.5, 0.95
"""Shares of the clip level that a knee is between: below is a tone curve, above is the clip itself."""
EDGES = np.arange(0.3, 1.001, 0.02)
_MIDDLE = (0.08, 0.4)
"""Shares of the clip between which both exposures agree in any case; a pair that does not is not used."""
_MIDDLE_SPREAD = 0.08
_LEAST_PIXELS, _LEAST_IN_BIN, _LEAST_PAIRS = 400, 12, 2
CHANNELS_BENT = 2
"""Channels that must show a knee. The lowest one counts for all: with other levels clipped white would get a color."""
_CLEARLY_BENT = 0.05
"""Disagreement (share) that is reached between the knee and the clip; less may be noise."""


@dataclass(frozen=True)
class Knee:
    """``level`` of each channel, and the largest disagreement of the exposures above it (share)."""

    level: tuple[float, ...]
    off: float


def settle_knee(
    wanted: Color, color: Color, plate: Plate, pattern: ExposurePattern, events: Iterable[Event]
) -> tuple[Color, list[Event]]:
    """Return the color with its clip level lowered to the knee, if there is one, and the events that report it.

    Args:
        wanted: as the user gave it; a clip level that is given stays.
        color: settled.
        plate: the frames as stored.
        pattern: the exposure of every frame.
        events: what has been reported so far.

    Raises:
        ColorError, UnreadableFrame: from the plate.
    """
    events = list(events)
    if wanted.clip_level is not None or color.clip_level is None or color.input_space == RESPONSE:
        return color, events
    opened = open_color(color, plate)
    light = opened.in_light(plate)
    power = GAMMA if opened.response.encoding == "gamma22" else 1.0
    pairs = [
        (np.maximum(dark, 0) ** power, np.maximum(bright, 0) ** power, stops)
        for dark, bright, stops in exposed_pairs(light, pattern)
    ]
    knee = find_knee(pairs, color.clip_level)
    if knee is None:
        return color, events
    color = replace(color, clip_level=knee.level)
    source = f"the exposures agree up to it; above, they differ by up to {knee.off:.0%}"
    return color, [
        replace(event, clip_level=knee.level, clip_source=source) if isinstance(event, ColorSettled) else event
        for event in events
    ]


def find_knee(pairs: Sequence[tuple[Floats, Floats, float]], clip: Sequence[float]) -> Knee | None:
    """Return the level up to which two exposures agree within 2 %, of each channel; None if that is the clip level.

    It is the same share of the clip level in all channels.

    Args:
        pairs: linear light ``(N, 3)`` of a darker and a brighter frame, and the stops between them.
        clip: clip level, one or one per channel.
    """
    clips = np.broadcast_to(np.asarray(clip, np.float64), 3)
    found = [_of_channel(pairs, channel, float(clips[channel])) for channel in range(3)]
    shares = [share for share in found if share]
    if len(shares) < CHANNELS_BENT:
        return None
    lowest = min(level for level, _ in shares)
    levels = tuple(float(f"{lowest * level:.4g}") for level in clips)
    same = max(levels) == min(levels)
    return Knee(levels[:1] if same else levels, max(off for _, off in shares))


def _of_channel(pairs: Sequence[tuple[Floats, Floats, float]], channel: int, clip: float) -> tuple[float, float] | None:
    """The knee as a share of the clip, and the largest disagreement above it."""
    curves = [_deviation(dark[:, channel], bright[:, channel], stops, clip) for dark, bright, stops in pairs]
    usable = np.array([curve for curve in curves if curve is not None])
    if len(usable) < max(1, min(_LEAST_PAIRS, len(pairs))):
        return None
    known = np.isfinite(usable).any(axis=0)
    middle = np.full(len(EDGES) - 1, np.nan)
    middle[known] = np.nanmedian(usable[:, known], axis=0)
    bent = known & (middle < 1 - AGREEMENT)
    straight = np.flatnonzero(known & ~bent)
    first = int(straight[-1]) + 1 if straight.size else 0
    above = middle[first:][bent[first:]]
    if not above.size or not LOWEST <= EDGES[first] <= HIGHEST or above.min() > 1 - _CLEARLY_BENT:
        return None
    return float(EDGES[first]), float(1 - above.min())


def _deviation(dark: Floats, bright: Floats, stops: float, clip: float) -> NDArray[np.float64] | None:
    """Measured light over the light that the darker frame predicts, by bins of the measured one; None if unusable.

    Bins with pixels at the brighter frame's own clip, which a grade may have lowered, are NaN.
    """
    count = min(len(dark), len(bright))
    ordered = (np.sort(light)[np.linspace(0, len(light) - 1, count).round().astype(int)] for light in (dark, bright))
    predicted, seen = next(ordered) * 2.0**stops / clip, next(ordered) / clip
    middle = (predicted > _MIDDLE[0]) & (predicted < _MIDDLE[1])
    if np.count_nonzero(middle) < _LEAST_PIXELS:
        return None
    off = np.log(np.maximum(seen[middle], 1e-9) / predicted[middle])
    low, center, high = np.quantile(off, (0.1, 0.5, 0.9))
    if high - low > _MIDDLE_SPREAD:
        return None
    ratio = seen / np.maximum(predicted, 1e-9) / np.exp(center)
    place = np.digitize(seen, EDGES) - 1
    own_clip = (plateau(np.sort(bright)) or clip) / clip * (1 - PLATEAU)
    bins = [ratio[(place == index) & (EDGES[index + 1] <= own_clip)] for index in range(len(EDGES) - 1)]
    return np.array([np.median(part) if len(part) >= _LEAST_IN_BIN else np.nan for part in bins])
