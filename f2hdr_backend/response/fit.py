"""Fits a response curve under which exposures of one scene match.

Frames are compared by their brightness distributions, so that motion and noise of single pixels have no effect: codes
of equal quantiles correspond to equal radiance (Grossberg and Nayar, "What is the Space of Camera Response
Functions?", CVPR 2003, and "Determining the Camera Response from Images", PAMI 2003). The curve is the smoothest one,
in log radiance, for which the radiance of two matched codes has the known ratio (Debevec and Malik 1997, section 2.1).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from f2hdr_backend.color.curve import KNOTS, Curve
from f2hdr_backend.shot.equations import GAMMA

Floats = NDArray[np.float64]

DARKEST, BRIGHTEST = 0.08, 0.96
"""Range of matched codes: lower codes are noise, higher ones may be clipped."""
QUANTILES = (np.arange(200) + 0.5) / 200
SMOOTHNESS = 0.08
"""Weight of the second difference of log radiance between knots, relative to the residual of one matched pair."""
CHANNEL_WEIGHT = 0.05
"""Weight of a channel's deviation from the curve common to all channels."""
BINS = 8
_ROUNDS = 8
_HUBER = 0.05


@dataclass(frozen=True)
class Matches:
    """Codes of equal radiance in two exposures: ``dark`` and ``bright`` ``(N,)``, of ``channel`` ``(N,)`` 0-2.

    ``stops`` ``(N,)`` is how much brighter the second exposure is, and ``pair`` ``(N,)`` the pair of frames.
    """

    dark: Floats
    bright: Floats
    channel: NDArray[np.int64]
    stops: Floats
    pair: NDArray[np.int64]

    def part(self, chosen: NDArray[np.bool_]) -> Matches:
        """Return the selected matches."""
        return Matches(*(getattr(self, name)[chosen] for name in ("dark", "bright", "channel", "stops", "pair")))


@dataclass(frozen=True)
class Recovered:
    """A curve with measures of its quality.

    ``residual`` is the root mean square deviation of matched codes (stops) on pairs of frames that the curve was
    not fitted to; ``coverage`` the share of the code range in matched codes; ``reason`` is empty, or states why the
    curve is rejected.
    """

    curve: Curve
    residual: float
    coverage: float
    reason: str = ""


LARGEST_RESIDUAL = 0.15
"""Maximum residual of an accepted curve in stops."""
LEAST_COVERAGE = 0.35
LEAST_MATCHES = 60


def match(pairs: Sequence[tuple[Floats, Floats, float]]) -> Matches:
    """Match the codes of pairs of frames.

    Each pair is ``(N, 3)`` codes 0-1 of the darker and of the brighter frame, and the stops between them.
    """
    found: list[tuple[Floats, ...]] = []
    for number, (dark, bright, stops) in enumerate(pairs):
        for channel in range(3):
            low, high = (np.quantile(codes[:, channel], QUANTILES) for codes in (dark, bright))
            used = (low > DARKEST) & (high < BRIGHTEST) & (low < BRIGHTEST) & (high > DARKEST)
            count = int(used.sum())
            facts = (np.full(count, channel), np.full(count, stops), np.full(count, number))
            found.append((low[used], high[used], *facts))
    joined = [np.concatenate(parts) for parts in zip(*found, strict=True)]
    return Matches(joined[0], joined[1], joined[2].astype(int), joined[3], joined[4].astype(int))


def least_light(curve: Curve) -> float:
    """Return the linear value above which a recovered curve is known; below, no codes were matched."""
    return float(curve.light(np.full(3, DARKEST), np.arange(3)).max())


def spread(matches: Matches, curve: Curve | None = None) -> float:
    """Return the variation of the measured step over brightness (stops): 0 for the correct curve.

    ``curve`` None is gamma 2.2. The step is measured in bins of brightness; the spread is the range of the bins'
    medians.
    """
    if len(matches.dark) < LEAST_MATCHES:
        return 0.0
    off = (_off(matches, curve))[np.argsort(matches.bright)]
    medians = [float(np.median(part)) for part in np.array_split(off, BINS)]
    return max(medians) - min(medians)


def recover(matches: Matches) -> Recovered:
    """Return the curve of matched codes with known exposure ratios, and its quality."""
    curve = _fit(matches)
    coverage = _coverage(matches)
    residual = _held_out(matches, curve)
    reason = ""
    if len(matches.dark) < LEAST_MATCHES:
        reason = "too little of the image is well exposed in two exposures"
    elif coverage < LEAST_COVERAGE:
        reason = f"both exposures cover only {coverage:.0%} of the code range"
    elif residual > LARGEST_RESIDUAL:
        reason = f"the exposures deviate by {residual:.2f} stops from it"
    elif (np.diff(curve.values, axis=0) <= 0).any():
        reason = "it is not monotonic"
    return Recovered(curve, residual, coverage, reason)


def _fit(matches: Matches) -> Curve:
    """Solve for the deviation of log radiance from gamma 2.2 at the knots: one common to all channels, and one of
    each.
    """
    count = len(KNOTS)
    rows = _interpolation(matches.bright) - _interpolation(matches.dark)
    by_channel = [rows * (matches.channel == channel)[:, None] for channel in range(3)]
    design = np.concatenate([rows, *by_channel], axis=1)
    target = matches.stops * np.log(2) - GAMMA * (np.log(matches.bright) - np.log(matches.dark))
    bend = np.diff(np.eye(count), 2, axis=0) * (count - 1) ** 2 / 100
    weight = np.sqrt(max(1, len(target)) * SMOOTHNESS / count)
    zero = np.zeros_like(bend)
    smooth = [np.concatenate([bend if part == place else zero for place in range(4)], axis=1) for part in range(4)]
    own = np.concatenate([np.zeros((3 * count, count)), np.eye(3 * count)], axis=1)
    end = np.zeros((4, 4 * count))
    end[np.arange(4), np.arange(4) * count + count - 1] = 1
    priors = np.concatenate([weight * np.concatenate(smooth), weight * CHANNEL_WEIGHT * own, 100 * end])
    weights = np.ones(len(target))
    solution = np.zeros(4 * count)
    for _ in range(_ROUNDS):
        weighted = design * weights[:, None]
        solution = np.linalg.solve(weighted.T @ design + priors.T @ priors, weighted.T @ target)
        off = np.abs(design @ solution - target)
        weights = np.minimum(1, _HUBER / np.maximum(off, 1e-9))
    parts = solution.reshape(4, count)
    logs = parts[0][:, None] + parts[1:].T
    light = np.maximum(KNOTS, 1e-9)[:, None] ** GAMMA * np.exp(logs)
    light[0] = 0
    return Curve(light / light[-1])


def _interpolation(codes: Floats) -> Floats:
    """Weights ``(N, knots)`` of linear interpolation between the knots."""
    place = np.clip(np.searchsorted(KNOTS, codes, side="right") - 1, 0, len(KNOTS) - 2)
    share = (codes - KNOTS[place]) / (KNOTS[place + 1] - KNOTS[place])
    weights = np.zeros((len(codes), len(KNOTS)))
    weights[np.arange(len(codes)), place] = 1 - share
    weights[np.arange(len(codes)), place + 1] = share
    return weights


def _log_light(codes: Floats, channel: NDArray[np.int64], curve: Curve | None) -> Floats:
    light = codes**GAMMA if curve is None else curve.light(codes, channel)
    return np.asarray(np.log(np.maximum(light, 1e-9)))


def _held_out(matches: Matches, curve: Curve) -> float:
    """Return the residual in stops on every second pair for a curve fitted to the others; for one pair, on itself."""
    odd = matches.pair % 2 == 1
    tests = [(matches.part(~odd), matches.part(odd)), (matches.part(odd), matches.part(~odd))]
    usable = [(fitted, tested) for fitted, tested in tests if min(len(fitted.dark), len(tested.dark)) >= LEAST_MATCHES]
    offs = [_off(tested, _fit(fitted)) for fitted, tested in usable] or [_off(matches, curve)]
    return float(np.sqrt(np.mean(np.concatenate(offs) ** 2)))


def _off(matches: Matches, curve: Curve | None) -> Floats:
    """Return the deviation of each match's measured step from the known one, in stops."""
    bright, dark = (_log_light(codes, matches.channel, curve) for codes in (matches.bright, matches.dark))
    return np.asarray((bright - dark) / np.log(2) - matches.stops)


def _coverage(matches: Matches) -> float:
    """Return the share of the code range in matched codes, in bins of 1/32."""
    seen = {int(code * 32) for code in np.concatenate([matches.dark, matches.bright])}
    return len(seen) / 32
