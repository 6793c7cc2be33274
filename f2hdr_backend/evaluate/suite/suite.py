"""The interface of test suites, and how to open one by name."""

from __future__ import annotations

import importlib
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from f2hdr_backend.evaluate.suite import suites
from f2hdr_backend.shot.errors import DocumentError
from f2hdr_backend.train.synthesis import SyntheticWindow

STATIC, CAMERA, CHART = "static", "camera", "chart"
"""Kinds of scenes with additional measures: flicker; the cost of a wrong exposure ratio; the error of each channel."""


@dataclass(frozen=True)
class Case:
    """One window of a suite."""

    index: int
    kind: str
    """Kind of scene, or name of the clip."""
    ratio_stops: float
    """Stops between the exposures."""
    long_reference: bool
    """Whether the middle frame has the long exposure."""


class Suite(ABC):
    """A numbered sequence of windows; the same number always gives the same window."""

    size: tuple[int, int]
    """Width and height of every window in pixels."""
    count: int
    """Number of windows; they contain every kind of scene at every ratio with either reference."""
    about: str
    """Images and seed, for the report."""

    @abstractmethod
    def __init__(self, folder: Path) -> None:
        """Read the images.

        Raises:
            DocumentError: the folder has no image that the suite can use.
        """

    @abstractmethod
    def case(self, index: int) -> Case:
        """Return the properties of window ``index``."""

    @abstractmethod
    def window(self, case: Case, *, other_phase: bool = False) -> SyntheticWindow:
        """Return the window; with ``other_phase`` the same scene with the other exposure in the middle."""

    def steady_pair(self, case: Case) -> tuple[SyntheticWindow, SyntheticWindow] | None:
        """Return the windows of two consecutive frames of a slow shot, or None."""
        return None

    def cases(self, windows: int | None) -> list[Case]:
        """Return the first ``windows`` cases; all if None."""
        return [self.case(index) for index in range(self.count if windows is None else windows)]


def cycle(index: int, kinds: Sequence[str], ratios_ev: Sequence[float]) -> Case:
    """Return case ``index``; the number of kinds must have no common factor with that of ratios, nor with 2."""
    return Case(index, kinds[index % len(kinds)], ratios_ev[index % len(ratios_ev)], index % 2 == 0)


def open_suite(name: str, folder: Path) -> Suite:
    """Open a suite on the user's folder of images or clips.

    Raises:
        DocumentError: the name is unknown, or the folder has nothing that the suite can use.
    """
    if name not in suites.names():
        raise DocumentError(f'There is no suite "{name}".', hint=f"Use {', '.join(suites.names())}.")
    found: Suite = importlib.import_module(f"{suites.__name__}.{name}").Suite(folder)
    return found
