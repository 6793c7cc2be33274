"""Writes a self-contained HTML page that compares images: float pixel data and scores, without network or server.

The page's own code is in the folder ``page``: plain HTML, CSS and JavaScript.
"""

from __future__ import annotations

import base64
import html
import io
import json
import math
import os
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from typing import IO, Any, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

import f2hdr_backend
from f2hdr_backend.evaluate.metrics.score import Score, average
from f2hdr_backend.shot.atomic import atomic_file
from f2hdr_backend.shot.errors import ImageError, ShotError
from f2hdr_backend.shot.printable import escaped

Plane = NDArray[np.floating[Any]]
Item = TypeVar("Item")

MOST_BYTES = 512 * 2**20
"""Maximum pixel data of a page in bytes before compression; small enough for a browser tab."""
MOST_FRAMES = 8
"""Default number of frames of a page."""
LARGEST_HALF = 65504.0
_COMPRESSION = 5
_SCRIPTS = ("pixels.js", "panel.js", "scores.js", "boxes.js", "compare.js")


@dataclass(frozen=True)
class Source:
    """One sequence of images."""

    name: str
    """Name used for planes and scores: ``A``, ``B`` or ``truth``."""
    label: str
    """Its path or another description."""
    note: str = ""
    """Processing of its values, if any."""


@dataclass(frozen=True)
class PageFrame:
    """One frame of every source."""

    number: int
    planes: Mapping[str, Plane]
    """``(H, W, 3)`` linear radiance under a source's name. Under ``source/layer``: a flow ``(H, W, 2)`` in pixels,
    x to the right and y down, or a mask ``(H, W)`` in 0-1. All of one size; every frame has the same names. Frames may
    differ in size."""


@dataclass(frozen=True)
class ScoreRow:
    """One metric of one source over frames."""

    source: str
    against: str
    """Name of the source that it was compared with; empty if there is none."""
    by_frame: Mapping[int, Score]
    column: str | None = None
    """Name on the page, if different from the metric's."""
    over: str = "frames"
    """Unit of scoring: ``frames``, or ``scenes``; a scene's score is stored at its first frame."""


@dataclass(frozen=True)
class Grouping:
    """A grouping of frames for a plot with one box per group."""

    title: str
    """Kind of the groups, such as ``scene``."""
    groups: Mapping[str, tuple[int, ...]]
    """Frames by name of the group."""
    splits_scenes: bool = False
    """Whether frames of one scene can be in different groups; scores of whole scenes are then omitted."""

    @classmethod
    def of(
        cls, title: str, frames: Mapping[int, Item], name: Callable[[Item], str], *, splits_scenes: bool = False
    ) -> Grouping:
        """Group frames by the ``name`` of their items; groups and frames keep the given order."""
        groups: dict[str, tuple[int, ...]] = {}
        for number, item in frames.items():
            groups[name(item)] = (*groups.get(name(item), ()), number)
        return cls(title, groups, splits_scenes)


@dataclass(frozen=True)
class Page:
    """The content of a page."""

    title: str
    sources: tuple[Source, ...]
    frames: Iterable[PageFrame]
    """Read once, one frame at a time."""
    scores: tuple[ScoreRow, ...] = ()
    """May include frames that the page does not show."""
    white: float = 1.0
    """Radiance that scores and differences treat as 1."""
    notes: tuple[str, ...] = ()
    """Sentences for the reader, such as what was omitted or downscaled."""
    names: Mapping[int, str] = field(default_factory=dict)
    """Names of frames, where they are not their numbers."""
    groupings: tuple[Grouping, ...] = ()
    published: Mapping[str, float] = field(default_factory=dict)
    """The paper's means, by name of the metric on the page."""


@dataclass
class _Pixels:
    """Properties of the pixels that are known after writing them."""

    frames: list[int] = field(default_factory=list)
    sizes: list[tuple[int, int]] = field(default_factory=list)
    """Width and height of each frame in pixels."""
    layers: dict[str, str] = field(default_factory=dict)
    """By name of a layer's plane: the layer's name without the source."""
    fastest: dict[str, int] = field(default_factory=dict)
    """By layer: the flow in pixels at full saturation; 0 for a mask."""


def pick_frames(numbers: Iterable[int], frame_bytes: int, most: int = MOST_FRAMES) -> tuple[int, ...]:
    """Select the frames of a page: evenly spread, including the first and the last.

    Args:
        numbers: available frames, ascending.
        frame_bytes: see `bytes_of`; the selected frames have at most `MOST_BYTES` in all.
        most: maximum number of frames.

    Raises ShotError if a single frame is too large, or ``most`` is less than 1.
    """
    there = tuple(numbers)
    count = frames_that_fit(len(there), frame_bytes, most)
    if count == 1:
        return there[:1]
    return tuple(there[round(place * (len(there) - 1) / (count - 1))] for place in range(count))


def frames_that_fit(there: int, frame_bytes: int, most: int) -> int:
    """Return how many of ``there`` frames a page can show; raises the errors of `pick_frames`."""
    if most < 1 or not there:
        raise ShotError(f"A page cannot show {most} of {there} frames.", hint="Show at least one frame.")
    fitting = MOST_BYTES // frame_bytes
    if not fitting:
        raise ShotError(
            f"One frame has {frame_bytes / 2**20:.0f} MiB of pixels; the limit of a page is {MOST_BYTES // 2**20} MiB.",
            hint="Reduce the images with --page-width, such as --page-width 1920.",
            frame_bytes=frame_bytes,
        )
    return min(there, most, fitting)


def bytes_of(frame: PageFrame) -> int:
    """Return the bytes of a frame's pixels in a page before compression: two for every value."""
    return sum(2 * plane.size for plane in frame.planes.values())


def shrink(frame: PageFrame, width: int) -> PageFrame:
    """Downscale a frame to at most ``width`` pixels, with area averaging; flow is scaled to the new pixels.

    Raises:
        ShotError: ``width`` is less than 16.
    """
    if width < 16:
        raise ShotError(f"A page cannot show images {width} pixels wide.", hint="Give a width of at least 16.")
    return PageFrame(frame.number, {name: _shrunk(plane, width) for name, plane in frame.planes.items()})


def write_page(path: str | os.PathLike[str], page: Page) -> None:
    """Write the page atomically as one HTML file. Pixels are lossless half floats; larger values become 65504.

    Raises ShotError without frames, ImageError for planes that differ in size or shape or are not finite, and
    UnwritableFrame if the file cannot be written.
    """
    before, after = _asset("compare.html").split("{{planes}}")
    css, scripts = _asset("compare.css"), "\n".join(_asset(name) for name in _SCRIPTS)
    with atomic_file(path) as target:
        file = io.TextIOWrapper(target, encoding="utf-8")
        file.write(before.replace("{{title}}", html.escape(escaped(page.title))).replace("{{css}}", css))
        pixels = _write_planes(file, page.frames)
        facts = json.dumps(_facts(page, pixels), allow_nan=False).replace("<", "\\u003c")
        file.write(after.replace("{{scripts}}", scripts).replace("{{facts}}", facts))
        file.detach()


def _asset(name: str) -> str:
    return files("f2hdr_backend.evaluate.page").joinpath(name).read_text(encoding="utf-8")


def _write_planes(file: IO[str], frames: Iterable[PageFrame]) -> _Pixels:
    pixels = _Pixels()
    for frame in frames:
        height, width = next(iter(frame.planes.values())).shape[:2]
        for name, plane in frame.planes.items():
            _check(frame.number, name, plane, (width, height))
            shape = f"{plane.shape[0]} {plane.shape[1]} {plane[0, 0].size}"
            kind = f'data-plane="{html.escape(name)}" data-shape="{shape}"'
            file.write(f'<script type="text/plain" data-frame="{frame.number}" {kind}>{encode_plane(plane)}</script>\n')
            if "/" in name:
                layer = pixels.layers.setdefault(name, name.partition("/")[2])
                pixels.fastest[layer] = max(pixels.fastest.get(layer, 0), _fastest(plane))
        pixels.frames.append(frame.number)
        pixels.sizes.append((width, height))
    if not pixels.frames:
        raise ShotError("A page needs at least one frame.", hint="Select frames that both sequences have.")
    return pixels


def _check(number: int, name: str, plane: Plane, size: tuple[int, int]) -> None:
    height, width = plane.shape[:2]
    channels = plane.shape[2:]
    allowed: tuple[tuple[int, ...], ...] = ((), (2,)) if "/" in name else ((3,),)
    if size != (width, height) or channels not in allowed or not np.isfinite(plane).all():
        raise ImageError(
            f"Plane {name} of frame {number} cannot be shown: its shape is {plane.shape}.",
            hint=f"All planes must be finite, {size[0]} x {size[1]}, and of the documented channels.",
            frame=number,
        )


def encode_plane(plane: Plane) -> str:
    """Return half floats as text: planar, each row as differences of adjacent bit patterns, all high bytes before all
    low bytes, deflated, base64. ``pixels.js`` decodes it.
    """
    values = np.clip(plane, -LARGEST_HALF, LARGEST_HALF).astype("<f2")
    planar = np.ascontiguousarray(np.moveaxis(values.reshape(*values.shape[:2], -1), 2, 0)).view("<u2")
    steps = np.diff(planar, axis=2, prepend=np.uint16(0))
    split = np.stack([steps >> 8, steps & 255]).astype(np.uint8)
    return base64.b64encode(zlib.compress(split.tobytes(), _COMPRESSION)).decode("ascii")


def _fastest(plane: Plane) -> int:
    """Return the 99th percentile of a flow's length in whole pixels, for full saturation; 0 for a mask."""
    if plane.ndim == 2:
        return 0
    return max(1, math.ceil(np.percentile(np.hypot(plane[..., 0], plane[..., 1]), 99)))


def _facts(page: Page, pixels: _Pixels) -> dict[str, object]:
    return {
        "title": page.title,
        "version": f2hdr_backend.__version__,
        "sources": [vars(source) for source in page.sources],
        "frames": pixels.frames,
        "sizes": pixels.sizes,
        "layers": {name: _layer_facts(pixels.fastest[layer]) for name, layer in pixels.layers.items()},
        "white": page.white,
        "notes": page.notes,
        "scores": [_score_facts(row) for row in page.scores],
        "names": page.names,
        "groupings": [_grouping_facts(grouping) for grouping in page.groupings],
        "published": page.published,
    }


def _grouping_facts(grouping: Grouping) -> dict[str, object]:
    """Return the groups as pairs, because JavaScript objects move integer keys to the front."""
    return {**vars(grouping), "groups": list(grouping.groups.items())}


def _layer_facts(fastest: int) -> dict[str, object]:
    return {"kind": "flow" if fastest else "mask", "fastest": fastest}


def _score_facts(row: ScoreRow) -> dict[str, object]:
    mean = average({str(number): score for number, score in row.by_frame.items()})
    return {
        **mean.score.to_json(),
        "metric": row.column or mean.score.metric,
        "decimals": mean.score.decimals,
        "over": row.over,
        "source": row.source,
        "against": row.against,
        "identical": mean.identical,
        "frames": [[number, score.to_json()["value"]] for number, score in sorted(row.by_frame.items())],
    }


def _shrunk(plane: Plane, width: int) -> Plane:
    high, wide = plane.shape[:2]
    if wide <= width:
        return plane
    size = (width, max(1, round(high * width / wide)))
    small = np.asarray(cv2.resize(np.asarray(plane, np.float32), size, interpolation=cv2.INTER_AREA), np.float32)
    if plane.ndim == 3 and plane.shape[2] == 2:
        small *= np.array([size[0] / wide, size[1] / high], np.float32)
    return small
