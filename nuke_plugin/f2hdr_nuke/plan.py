"""What a bake will do, read from the node at once in Nuke's main thread; after that only plain values."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import Any, Optional

import nuke

from f2hdr_backend.shot.document import Shot
from f2hdr_backend.shot.errors import ShotError
from f2hdr_backend.shot.frames import FrameRange
from f2hdr_nuke import cache, graph, knobs, settings, spaces
from f2hdr_nuke.graph import Plate

CUT_FRAMES = 4
"""Frames before and behind the range that the backend looks at to find cuts."""
_VIEW_NAME = re.compile(r"[\w. -]+")


@dataclass(frozen=True)
class Plan:
    """A bake of one node. ``shots`` maps views to Shots; exposures still to be found are None in them."""

    node: str
    folder: str
    key: str
    settings: dict[str, Any]
    frames: FrameRange
    input_range: tuple[int, int]
    input_digest: str
    input_files: tuple[str, ...]
    shots: dict[str, Shot]
    is_original: bool
    address: str

    @property
    def views(self) -> tuple[str, ...]:
        """The views to bake."""
        return tuple(self.shots)

    @property
    def has_open_exposures(self) -> bool:
        """Whether exposures are still to be found."""
        return any(shot.exposures is None for shot in self.shots.values())

    @property
    def ratio(self) -> Optional[float]:
        """The ratio in stops, if the knobs give it and leave open which frames are short."""
        mode, told = self.settings["exposure_mode"]
        return float(told[0]) if mode == "ratio" else None

    @property
    def plate_frames(self) -> FrameRange:
        """The frames that the backend reads for ``frames``."""
        first, last = self.input_range
        some = next(iter(self.shots.values()))
        around = 1 if some.exposures is not None and some.cuts is not None else CUT_FRAMES
        near = {frame + step for frame in self.frames for step in range(-around, around + 1)}
        return FrameRange(tuple(frame for frame in near if first <= frame <= last))


def make(node: nuke.Node, frames: FrameRange) -> Plan:
    """Return the plan to bake ``frames`` of ``node``. Raises ShotError with what stands in the way."""
    source = graph.look(node)
    first, last = source.first, source.last
    inside = FrameRange(tuple(frame for frame in frames if first <= frame <= last))
    if not len(inside):
        raise ShotError(f"The input has the frames {first}-{last}, none of {frames}.", hint="Choose another range.")
    folder = node_folder(node)
    plates = {view: plate_of(node, view, folder) for view in _views()}
    some = next(iter(plates.values()))
    found = settings.of_node(node, source, some)
    key = settings.key(found)
    return Plan(
        node=node.fullName(),
        folder=folder,
        key=key,
        settings=found,
        frames=inside,
        input_range=(first, last),
        input_digest=source.digest,
        input_files=tuple(graph.read_files(node)),
        shots={
            view: settings.shot_of(node, source, plate, cache.result_pattern(folder, key, view))
            for view, plate in plates.items()
        },
        is_original=some.is_original,
        address=knobs.text(node, "backend_url").strip(),
    )


def asked_frames(node: nuke.Node) -> FrameRange:
    """Return the frames that the knob ``range`` says. Raises ShotError if they run backwards."""
    wanted = knobs.text(node, "bake_range")
    if wanted == "input":
        first, last = graph.frame_range(node)
    elif wanted == "global":
        first, last = int(nuke.root().firstFrame()), int(nuke.root().lastFrame())
    else:
        first, last = int(knobs.number(node, "bake_first")), int(knobs.number(node, "bake_last"))
    if first > last:
        raise ShotError(f"The range {first}-{last} runs backwards.", hint="Exchange its two numbers.")
    return FrameRange(tuple(range(first, last + 1)))


def node_folder(node: nuke.Node) -> str:
    """Return the node's own folder in the cache. Raises ShotError if there is no place for one.

    A relative path begins at the project directory, as every path in Nuke.
    """
    chosen = knobs.path(node, "cache_dir")
    if not chosen:
        script = nuke.script_directory() if nuke.root().name() not in ("", "Root") else ""
        if not script:
            raise ShotError(
                "The script has no name yet, so there is no folder beside it.",
                hint="Save it, or choose a cache folder (tab Files).",
            )
        chosen = f"{script}/f2hdr_cache"
    chosen = os.path.abspath(os.path.join(knobs.path(nuke.root(), "project_directory"), chosen))
    return f"{spaces.filtered(chosen).replace(os.sep, '/')}/{knobs.text(node, 'node_id')}"


def plate_of(node: nuke.Node, view: str, folder: str) -> Plate:
    """Return where the plate of a view is: the original files if they will do and are wanted, else ours."""
    wanted = knobs.text(node, "plate_from")
    if wanted != "graph":
        try:
            return graph.original(node, view)
        except ShotError:
            if wanted == "files":
                raise
    return Plate(cache.plate_pattern(folder, view), "linear", False)


def _views() -> list[str]:
    views: list[str] = list(nuke.views())
    for view in views:
        if not _VIEW_NAME.fullmatch(view):
            raise ShotError(f'The view "{view}" cannot be part of a file name.', hint="Rename it.")
    return views
