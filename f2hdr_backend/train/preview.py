"""A sheet of training windows, to see what a run would learn from."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np

from f2hdr_backend.image.arrays import FloatArray
from f2hdr_backend.train.clips import clip_window, open_clips
from f2hdr_backend.train.contact_sheet import sheet, window_row
from f2hdr_backend.train.sampling_ranges import Style
from f2hdr_backend.train.sources import load_sources
from f2hdr_backend.train.synthesis import synthesize


def preview(
    images: Path, clips: Path | None, windows: int, size: tuple[int, int], seed: int
) -> tuple[FloatArray, float]:
    """Draw windows, every second one from a real clip if there are any.

    Args:
        images: folder of scene-linear EXR images.
        clips: folder of real clips, or None.
        windows: how many.
        size: (width, height) of a window in pixels.
        seed: of the windows.

    Returns:
        The sheet, ``(H, W, 3)`` 0-1 (see :func:`~f2hdr_backend.train.contact_sheet.window_row`), and the windows drawn
        in a second of CPU time.

    Raises:
        DocumentError: a folder has nothing to draw from.
    """
    sources, listed = load_sources(images), [] if clips is None else open_clips(clips)
    rows, started = [], time.process_time()
    for index in range(windows):
        random = np.random.default_rng((seed, index))
        real = bool(listed) and index % 2 == 1
        drawn = clip_window(listed, size, random, Style()) if real else synthesize(sources, size, random)
        rows.append(window_row(drawn))
    return sheet(rows), windows / (time.process_time() - started)
