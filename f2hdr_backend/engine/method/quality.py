"""Quality levels: the method and the weights of each, and the computing time of a frame.

The table :data:`STEPS` is the only place that assigns methods and weights to quality levels.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

import torch

from f2hdr_backend.machine.device import pick_devices
from f2hdr_backend.shot.document import Engine

AUTO = "auto"
DEFAULT = "good"
"""The quality of ``auto``. On a GPU it may be the best one with at least 10 frames/s at 1080p; no rate has been
measured there yet, so it is the same.
"""
PROBE_SHAPE, PROBE_CHANNELS, PROBE_RUNS = (128, 128), 48, 3


@dataclass(frozen=True)
class Step:
    """One quality level."""

    method: str
    weights: str
    """Empty for the merge, which has no weights."""
    cost: float
    """CPU time per megapixel, including flows and soft trust, in multiples of :func:`probe_seconds`."""


_MERGENET = Step("f2hdr", "mergenet", 350)
STEPS: Mapping[str, Step] = {
    "draft": Step("merge", "", 220),
    "good": _MERGENET,
    "best": _MERGENET,
}
"""Quality levels from the fastest to the best, which is the edition with the highest mean score on the test suites: at
present that of ``good``. Costs: CPU time of 960 x 540 windows with all their flows, divided by that of the probe, in
one process with one thread. A render estimates each flow once for two frames and can be faster.
"""


@dataclass(frozen=True)
class Choice:
    """The quality that a render uses, and the computing time of the next one."""

    quality: str
    """A key of :data:`STEPS`; empty if the user selected a method or weights that belong to no level."""
    seconds: float | None
    """Estimated seconds per frame; None where no time was measured."""
    next_quality: str
    """The next quality level with other weights; empty for the best."""
    next_seconds: float | None


def resolved(engine: Engine) -> Engine:
    """Return the engine settings with ``auto`` replaced in method and weights; what the user selected is unchanged."""
    if AUTO not in (engine.method, engine.weights):
        return engine
    if engine.method == "merge":
        return engine
    if engine.weights != AUTO:
        return replace(engine, method="f2hdr")
    step = STEPS[DEFAULT if engine.quality == AUTO else engine.quality]
    if engine.method == "f2hdr" and not step.weights:
        step = STEPS[DEFAULT]
    return replace(engine, method=step.method, weights=step.weights or AUTO)


def choice(engine: Engine, size: tuple[int, int]) -> Choice:
    """Return the quality of resolved settings for frames of ``size`` (width, height), with estimated times.

    On a GPU no time is estimated, because none has been measured.
    """
    names = list(STEPS)
    quality = next((name for name in names if _matches(engine, STEPS[name])), "")
    above = names[names.index(quality) + 1 :] if quality else []
    following = next((name for name in above if not _matches(engine, STEPS[name])), "")
    if any(device.type != "cpu" for device in pick_devices(engine.device)):
        return Choice(quality, None, following, None)
    megapixels = size[0] * size[1] / 1e6
    unit = megapixels * probe_seconds() / torch.get_num_threads() if quality else 0.0
    return Choice(
        quality,
        STEPS[quality].cost * unit if quality else None,
        following,
        STEPS[following].cost * unit if following else None,
    )


@lru_cache(maxsize=1)
def seconds_per_megapixel() -> Mapping[str, float | None]:
    """Estimated seconds for a frame of one megapixel by quality, ``auto`` included; measured once in a process."""
    names = (AUTO, *STEPS)
    return {name: choice(resolved(Engine(quality=name)), (1000, 1000)).seconds for name in names}


def probe_seconds() -> float:
    """Return the seconds of a small convolution on one thread under the machine's current load: the unit of all
    costs.
    """
    threads = torch.get_num_threads()
    picture = torch.zeros(1, PROBE_CHANNELS, *PROBE_SHAPE)
    kernel = torch.zeros(PROBE_CHANNELS, PROBE_CHANNELS, 3, 3)
    torch.set_num_threads(1)
    try:
        seconds = []
        for _ in range(PROBE_RUNS + 1):
            began = time.perf_counter()
            torch.nn.functional.conv2d(picture, kernel, padding=1)
            seconds.append(time.perf_counter() - began)
        return min(seconds[1:])
    finally:
        torch.set_num_threads(threads)


def _matches(engine: Engine, step: Step) -> bool:
    return engine.method == step.method and (not step.weights or engine.weights == step.weights)
