"""Renders a whole cut to EXR: one folder per clip, one event stream."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace

from f2hdr_backend.engine.renderer import Renderer
from f2hdr_backend.shot.document import Shot
from f2hdr_backend.shot.errors import DocumentError, ShotError, UnreadableFrame
from f2hdr_backend.shot.events import Event, Warned
from f2hdr_backend.shot.frames import Sequence
from f2hdr_backend.timeline.read import ClipStarted, Cut, CutClip, RefusedClip

ShotOf = Callable[[str, str], tuple[Shot, list[Event]]]
"""Returns the Shot for a plate and an output pattern, and the events of its measurement."""


def render_cut(cut: Cut, folder: str, shot_of: ShotOf, *, force: bool = False) -> Iterator[Event]:
    """Render every clip to ``folder``/NAME/NAME.####.exr, with the frame numbers of its plate.

    Refused clips are reported first. If a clip fails because of its plate, this is reported, and the others are
    rendered.

    Raises:
        DocumentError: ``folder`` is not a folder name.
        ShotError: at the end, if a clip was not rendered; names all of them.
        F2HDRError: errors that concern all clips, such as weights, device or a full disk.
    """
    _check_folder(folder)
    for note in cut.notes:
        yield Warned("cut_note", note)
    failed = list(cut.refused)
    yield from map(_refused, cut.refused)
    renderer: Renderer | None = None
    for number, clip in enumerate(cut.clips, start=1):
        yield ClipStarted(clip.name, clip.plate, str(clip.frames), str(clip.used), number, len(cut.clips))
        try:
            shot, measured = _shot(clip, folder, shot_of)
            yield from measured
            renderer = renderer or Renderer(shot.engine)
            yield from renderer.render(shot, force=force)
        except (ShotError, UnreadableFrame) as error:
            failed.append(RefusedClip(clip.name, str(error)))
            yield _refused(failed[-1])
    if failed:
        total = len(cut.clips) + len(cut.refused)
        names = ", ".join(clip.name for clip in failed)
        raise ShotError(
            f"{len(failed)} of {total} clips were not rendered: {names}.",
            hint="The warnings state the reason for each clip.",
            clips={clip.name: clip.reason for clip in failed},
        )


def _shot(clip: CutClip, folder: str, shot_of: ShotOf) -> tuple[Shot, list[Event]]:
    padding = Sequence.parse(clip.plate).padding if Sequence.is_pattern(clip.plate) else 4
    pattern = os.path.join(folder, clip.name, f"{clip.name}.{'#' * padding}.exr")
    handles = max(clip.used.first - clip.frames.first, clip.frames.last - clip.used.last)
    shot, measured = shot_of(clip.plate, pattern)
    return replace(shot, frames=clip.frames, handles=handles), measured


def _refused(clip: RefusedClip) -> Warned:
    return Warned("clip_refused", f'"{clip.name}" is not rendered: {clip.reason}')


def _check_folder(folder: str) -> None:
    if not folder or Sequence.is_pattern(folder) or folder.lower().endswith(".exr"):
        raise DocumentError(
            f'A cut is rendered to a folder with one subfolder per clip; "{folder}" is not a folder name.',
            hint="Use a folder, such as -o hdr.",
            field="output",
        )
