"""Input of the node: its range, a digest that changes with it, and the original files if they can be used."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Optional

import nuke

from f2hdr_backend.shot.errors import ShotError
from f2hdr_backend.shot.frames import Sequence
from f2hdr_nuke import knobs, paths, spaces, variables

PASSING = ("Dot", "NoOp")
"""Classes of nodes that change no pixel."""
PICTURES = (".exr", ".dpx", ".tif", ".tiff", ".png", ".jpg", ".jpeg", ".hdr")
"""Formats that the backend reads exactly like Nuke; movies are decoded differently and are rendered by the graph."""
_APPEARANCE = (
    "bookmark", "cached", "dope_sheet", "gl_color", "hide_input", "icon", "indicators", "label", "lifetimeEnd",
    "lifetimeStart", "name", "note_font", "note_font_color", "note_font_size", "panel", "postage_stamp", "selected",
    "tile_color", "useLifetime", "xpos", "ypos",
)  # fmt: skip


@dataclass(frozen=True)
class Plate:
    """The plate of one view for the backend."""

    pattern: str
    space: str
    """Color space of the files: ``auto``, ``linear``, ``gamma22`` or a name of the config."""
    is_original: bool
    """Whether these are the user's own files, or ones that the node writes."""


@dataclass(frozen=True)
class Source:
    """Properties of a node's input, collected in one pass over everything above it."""

    first: int
    """First frame."""
    last: int
    """Last frame."""
    graph: str
    """Changes when a knob or a connection above does, as the script has them."""
    files: str
    """Changes with the files that are read above, every path absolute. Files that change on disk count when their Read
    is reloaded, as everywhere in Nuke. Where Python reaches only a few nodes, with the file at the top of the input."""
    is_whole: bool
    """Whether every change above is detected; False where Python can access only a few nodes."""

    @property
    def digest(self) -> str:
        """The identity of the input: the graph in the script, the files that it reads, and the range."""
        return _digest([self.graph, self.files, f"{self.first}-{self.last}"])


def look(node: nuke.Node) -> Source:
    """Walk the graph above ``node``. This takes time in a large script: do it once for each action of the user.

    Raises ShotError if nothing is connected, or if the input cannot be baked at all.
    """
    first, last = frame_range(node)
    known = variables.names()
    above = upstream(node)
    parts = []
    for other in above:
        meaning = _meaning(other)
        if variables.used_by(other, meaning, known):
            raise ShotError(
                f"The input of {node.fullName()} depends on Graph Scope Variables ({other.fullName()}).",
                hint="A bake has one picture per frame: put F2HDR above the variables, or one node into each branch.",
            )
        inputs = [source.fullName() for source in _inputs(other)]
        parts.append(f"{other.fullName()} {other.Class()} {inputs}\n{meaning}")
    files = sorted(_files_of(other) for other in above)
    if is_limited():
        files.append(_top_file(node))
    return Source(first, last, _digest(parts), _digest(files), not is_limited())


def picture(node: nuke.Node) -> nuke.Node:
    """Return the node's input. Raises ShotError if nothing is connected."""
    source = node.input(0)
    if source is None:
        raise ShotError(f"{node.fullName()} has no input.", hint="Connect the plate of alternating exposures.")
    return source


def frame_range(node: nuke.Node) -> tuple[int, int]:
    """Return the first and last frame of the input. Raises ShotError for numbers below 0."""
    source = picture(node)
    first, last = int(source.firstFrame()), int(source.lastFrame())
    if first < 0:
        raise ShotError(
            f"The input begins at frame {first}; Nuke and other programs write negative frame numbers differently.",
            hint="Shift it with a TimeOffset.",
        )
    return first, last


def is_limited() -> bool:
    """Whether Python in this Nuke can access only a few nodes (Indie and Non-commercial: ten)."""
    return bool(nuke.env.get("indie") or nuke.env.get("nc"))


def upstream(node: nuke.Node) -> list[nuke.Node]:
    """Return the nodes that ``node`` depends on, through inputs and expressions, contents of groups included.

    Where Python reaches only a few nodes, that is its input alone.
    """
    if is_limited():
        return list(_inputs(node))
    found: dict[str, nuke.Node] = {}
    waiting = list(_sources(node))
    while waiting:
        other = waiting.pop()
        if other.fullName() not in found:
            found[other.fullName()] = other
            waiting += _sources(other)
            waiting += other.nodes() if isinstance(other, nuke.Group) and not knobs.is_f2hdr(other) else []
    return [found[name] for name in sorted(found)]


def read_files(node: nuke.Node) -> list[str]:
    """Return one file of each Read above the node, for ``files_digest``."""
    reads = (other for other in upstream(node) if other.Class() == "Read")
    return sorted({paths.absolute(knobs.path_at(read, "file", int(read.firstFrame()))) for read in reads})


def original(node: nuke.Node, view: str) -> Plate:
    """Return the files above the node. Raises ShotError with the reason if its picture is not just those files."""
    read = _plain_read(node)
    written = str(read["file"].value())
    pattern = written.replace("%V", view).replace("%v", view[:1])
    if not pattern.lower().endswith(PICTURES) or not Sequence.is_pattern(pattern) or "[" in pattern:
        raise _not_plain(f"{read.name()} reads {written or 'nothing'}, which is not a sequence of pictures")
    pattern, first = paths.located(pattern), int(read.firstFrame())
    if view == nuke.views()[0]:
        shown = paths.located(knobs.path_at(read, "file", first))
        if shown != Sequence.parse(pattern).path(first):
            raise _not_plain(f"{read.name()} does not read the files that its file knob names")
    return Plate(pattern, _space(read), True)


def _plain_read(node: nuke.Node) -> nuke.Node:
    """The Read above the node, if nothing between them changes the picture."""
    other: Optional[nuke.Node] = picture(node)
    while other is not None and other.Class() in PASSING:
        other = other.input(0)
    if other is None or other.Class() != "Read":
        raise _not_plain(f"{other.name() if other else 'nothing'} is between it and the files")
    moved = str(other["frame"].value()) or str(other["frame_mode"].value()) == "offset"
    if moved or other["disable"].value() or other["premultiplied"].value():
        raise _not_plain(f"{other.name()} changes frames or pixels of its files")
    return other


def _space(read: nuke.Node) -> str:
    if read["raw"].value():
        return "auto"
    space = spaces.of_read(str(read["colorspace"].value()))
    if space is None:
        raise _not_plain(f"the color space {read['colorspace'].value()} of {read.name()} is Nuke's own")
    return space


def _not_plain(reason: str) -> ShotError:
    return ShotError(
        f"The original files cannot be used: {reason}.", hint="Set plate from (tab Files) to auto or graph."
    )


def _inputs(node: nuke.Node) -> Iterator[nuke.Node]:
    for index in range(node.inputs()):
        source = node.input(index)
        if source is not None:
            yield source


def _sources(node: nuke.Node) -> Iterator[nuke.Node]:
    """The nodes that a node depends on directly; for an Input of a group, the input of the group."""
    yield from node.dependencies(nuke.INPUTS | nuke.EXPRESSIONS)
    if node.Class() == "Input":
        group = nuke.toNode(node.fullName().rpartition(".")[0])
        if group is not None:
            yield from _inputs(group)


def _meaning(node: nuke.Node) -> str:
    """The node's knobs that are not at their defaults, without those that change only its appearance."""
    if knobs.is_f2hdr(node):
        return knobs.text(node, "baked") + str(node["gain"].toScript()) + str(node["result"].toScript())
    lines = node.writeKnobs(nuke.TO_SCRIPT | nuke.WRITE_NON_DEFAULT_ONLY).splitlines()
    return "\n".join(line for line in lines if line.split(" ", 1)[0] not in _APPEARANCE)


def _files_of(node: nuke.Node) -> str:
    """The files that a Read reads, absolute, with frame and view not filled in; empty for another node."""
    named = nuke.filename(node, nuke.REPLACE) if node.Class() == "Read" else None
    return paths.absolute(named) if named else ""


def _top_file(node: nuke.Node) -> str:
    """The file at the top of the input as the knob ``top_file`` evaluates it, which needs no other node.

    Empty if Nuke cannot evaluate it. Some versions fill in the frame number: the last number is left out.
    """
    with contextlib.suppress(RuntimeError):
        return re.sub(r"\d+(?=\D*$)", "", knobs.evaluated(node, "top_file"))
    return ""


def _digest(parts: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def files_digest(examples: Iterable[str]) -> str:
    """Return a text that changes with the files numbered like ``examples``: names, sizes, times. Uses no node."""
    facts = []
    for example in examples:
        folder, name = os.path.split(example)
        stem = re.sub(r"\d+\D*$", "", name)
        with contextlib.suppress(OSError), os.scandir(folder or os.curdir) as entries:
            for entry in entries:
                if entry.name.startswith(stem):
                    facts.append(f"{entry.path} {entry.stat().st_size} {entry.stat().st_mtime_ns}")
    return _digest(sorted(facts))
