"""Plan of a bake: read from the node at once in Nuke's main thread; afterwards only plain values are used."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Optional

import nuke

from f2hdr_backend.shot.document import Shot
from f2hdr_backend.shot.errors import ShotError
from f2hdr_backend.shot.frames import FrameRange
from f2hdr_nuke import cache, graph, knobs, paths, settings
from f2hdr_nuke.graph import Plate, Source

CUT_FRAMES = 4
"""Frames before and after the range that the backend reads to find cuts."""
_VIEW_NAME = re.compile(r"[\w. -]+")


@dataclass(frozen=True)
class Plan:
    """A bake of one node. ``shots`` maps views to Shots; exposures that are not known yet are None in them."""

    node: str
    folder: str
    key: str
    settings: dict[str, Any]
    frames: FrameRange
    input_range: tuple[int, int]
    source: Source
    input_files: tuple[str, ...]
    shots: dict[str, Shot]
    is_original: bool
    address: str
    program: str
    """Path of the f2hdr command; empty for the one that the installer found."""
    earlier: dict[str, tuple[str, str]]
    """Per view, the patterns of plates and results that the node shows now; empty before the first bake."""
    shown_frame: int
    """Nuke's current frame when the bake was started."""

    @property
    def input_digest(self) -> str:
        """The identity of the input."""
        return self.source.digest

    @property
    def views(self) -> tuple[str, ...]:
        """The views to bake."""
        return tuple(self.shots)

    @property
    def has_open_exposures(self) -> bool:
        """Whether exposures are not known yet."""
        return any(shot.exposures is None for shot in self.shots.values())

    @property
    def is_settled(self) -> bool:
        """Whether everything that belongs to the whole shot is known, so that frames can be computed in any order."""
        shots = self.shots.values()
        return all(None not in (shot.exposures, shot.cuts, shot.color.clip_level) for shot in shots)

    @property
    def ratio(self) -> Optional[float]:
        """The ratio in stops, if the knobs define it without the phase."""
        mode, values = self.settings["exposure_mode"]
        return float(values[0]) if mode == "ratio" else None

    @property
    def plate_frames(self) -> FrameRange:
        """The frames that the backend reads for all frames of the plan."""
        return self.plates_for(self.frames)

    def plates_for(self, frames: FrameRange) -> FrameRange:
        """Return the frames that the backend reads for ``frames``."""
        first, last = self.input_range
        some = next(iter(self.shots.values()))
        around = 1 if some.exposures is not None and some.cuts is not None else CUT_FRAMES
        near = {frame + step for frame in frames for step in range(-around, around + 1)}
        return FrameRange(tuple(frame for frame in near if first <= frame <= last))


def make(node: nuke.Node, frames: FrameRange) -> Plan:
    """Return the plan to bake ``frames`` of ``node``. Raises ShotError with the reason if that is not possible."""
    source = graph.look(node)
    first, last = source.first, source.last
    inside = FrameRange(tuple(frame for frame in frames if first <= frame <= last))
    if not len(inside):
        raise ShotError(f"The input has the frames {first}-{last}, none of {frames}.", hint="Choose another range.")
    folder = paths.node_folder(node)
    plates = {view: plate_of(node, view, folder, source) for view in _views()}
    some = next(iter(plates.values()))
    found = settings.of_node(node, source, some)
    key = settings.key(found, source)
    return Plan(
        node=node.fullName(),
        folder=folder,
        key=key,
        settings=found,
        frames=inside,
        input_range=(first, last),
        source=source,
        input_files=tuple(graph.read_files(node)),
        shots={
            view: settings.shot_of(node, source, plate, cache.result_pattern(folder, key, view))
            for view, plate in plates.items()
        },
        is_original=some.is_original,
        address=knobs.text(node, "backend_url").strip(),
        program=program_of(node),
        earlier=_earlier(node, tuple(plates), key),
        shown_frame=int(nuke.frame()),
    )


def program_of(node: nuke.Node) -> str:
    """Return the path of the f2hdr command that the node names; empty for the one that the installer found."""
    named = knobs.evaluated(node, "backend_program")
    return paths.located(named) if named else ""


def asked_frames(node: nuke.Node) -> FrameRange:
    """Return the frames of the knob ``range``. Raises ShotError if its first frame is after its last."""
    wanted = knobs.text(node, "bake_range")
    if wanted == "input":
        first, last = graph.frame_range(node)
    elif wanted == "global":
        first, last = int(nuke.root().firstFrame()), int(nuke.root().lastFrame())
    else:
        first, last = int(knobs.number(node, "bake_first")), int(knobs.number(node, "bake_last"))
    if first > last:
        raise ShotError(f"The range {first}-{last} ends before it begins.", hint="Swap its two numbers.")
    return FrameRange(tuple(range(first, last + 1)))


def plate_of(node: nuke.Node, view: str, folder: str, source: Source) -> Plate:
    """Return where the plate of a view is: the original files if they are wanted and can be used, else the node's own.

    Raises ShotError with the reason if only the original files are wanted and they cannot be used.
    """
    wanted = knobs.text(node, "plate_from")
    if wanted != "graph":
        try:
            return graph.original(node, view)
        except ShotError:
            if wanted == "files":
                raise
    return Plate(cache.plate_pattern(folder, source.digest, view), "linear", False)


def _earlier(node: nuke.Node, views: tuple[str, ...], key: str) -> dict[str, tuple[str, str]]:
    """Frames that the node shows now, and their plates; empty if there are none or if they equal those of this plan."""
    record = knobs.record(node, "baked")
    if record is None or record["key"] == key:
        return {}
    folder = record["folder"]
    return {
        view: (
            cache.plate_pattern(folder, record["input"], view),
            cache.result_pattern(folder, record["key"], view),
        )
        for view in views
    }


def _views() -> list[str]:
    views: list[str] = list(nuke.views())
    for view in views:
        if not _VIEW_NAME.fullmatch(view):
            raise ShotError(f'The view "{view}" cannot be part of a file name.', hint="Rename it.")
    return views
