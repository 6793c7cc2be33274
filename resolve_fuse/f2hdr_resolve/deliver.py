"""Bringing rendered frames into Resolve: import, tag their color, place them, check the result.

Project settings are read and never set; the user's own clips are never deleted, moved or disabled.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Optional

from f2hdr_backend.shot.errors import ServerError
from f2hdr_backend.shot.frames import Sequence
from f2hdr_resolve import color
from f2hdr_resolve.adapter import Item, Media, Session, Track
from f2hdr_resolve.clips import TRACK, Clip

BIN = "F2HDR"


@dataclass(frozen=True)
class Delivered:
    """The result, and messages for the user."""

    done: str
    notes: tuple[str, ...] = ()


def deliver(session: Session, clip: Clip, frames: Sequence, placement: str) -> Delivered:
    """Import ``frames`` (the clip's first to last) and place them by ``placement``: track, take or pool.

    A clip that an earlier run imported or placed is found again.

    Raises:
        ServerError: Resolve failed; the message contains the step and the path of the frames.
    """
    media, notes = _imported(session, clip, frames)
    if placement == "pool":
        return Delivered(f"in the bin {BIN}", tuple(notes))
    if placement == "take":
        return Delivered(_as_take(clip, media), tuple(notes))
    done, item = _on_track(session, clip, media)
    if item is not None and notes:
        item.note(" ".join(notes))
    return Delivered(done, tuple(notes))


def _imported(session: Session, clip: Clip, frames: Sequence) -> tuple[Media, list[str]]:
    path = _path_in_resolve(clip, frames)
    found = _with_path(session, path)
    if found is not None:
        return found, []
    mark = f"%0{frames.padding}d"
    pattern = os.path.join(frames.folder, f"{frames.prefix}{mark}{frames.suffix}").replace("\\", "/")
    session.import_frames(BIN, pattern, clip.first, clip.last)
    found = _with_path(session, path)
    if found is None:
        raise ServerError(
            "Resolve did not import the frames.", hint=f"They are ready in {frames.folder} to be imported by hand."
        )
    count = clip.last - clip.first + 1
    if found.get("Frames") != str(count):
        raise ServerError(f"Resolve imported {found.get('Frames')} frames instead of {count}.", path=path)
    notes = []
    if clip.rate is not None and not found.put("FPS", clip.rate):
        notes.append(f"Set the imported clip's frame rate to {clip.rate:g} yourself: Resolve did not accept it.")
    notes.append(color.tag(session, found, frames.path(clip.first)))
    return found, [note for note in notes if note]


def _path_in_resolve(clip: Clip, frames: Sequence) -> str:
    first, last = (str(number).zfill(frames.padding) for number in (clip.first, clip.last))
    return os.path.join(frames.folder, f"{frames.prefix}[{first}-{last}]{frames.suffix}").replace("\\", "/")


def _with_path(session: Session, path: str) -> Optional[Media]:
    for media in session.in_bin(BIN):
        if media.get("File Path").replace("\\", "/") == path:
            return media
    return None


def _on_track(session: Session, clip: Clip, media: Media) -> tuple[str, Optional[Item]]:
    """Place over the clip and check; if Resolve counts frames in another way, place it again once, corrected."""
    for track in _ours(session):
        there = session.item_at(track, clip.start, media)
        if there is not None and there.duration == clip.duration:
            return "it is already on the timeline", None
    track = _free_track(session, clip)
    first, length = clip.skip, clip.duration
    problem = ""
    for _ in range(2):
        item = session.append(media, track.index, clip.start, first, length)
        if item is None:
            raise ServerError("Resolve did not place the frames.", hint=f"They are in the bin {BIN}.")
        offset, duration = item.offset, item.duration
        if (offset, duration) == (clip.skip, clip.duration):
            return f"placed on track {track.index}", item
        session.remove(item)
        problem = f"Resolve placed {duration} frames from frame {offset} instead of {clip.duration} from {clip.skip}."
        first, length = first + clip.skip - offset, length + clip.duration - duration
    raise ServerError(problem, hint=f"It was removed again; the frames are in the bin {BIN}.")


def _ours(session: Session) -> list[Track]:
    return [track for track in session.tracks() if track.name.startswith(TRACK)]


def _free_track(session: Session, clip: Clip) -> Track:
    ours = _ours(session)
    for track in ours:
        if not track.locked and track.is_free(clip.start, clip.start + clip.duration):
            return track
    added = session.add_track(f"{TRACK} {len(ours) + 1}" if ours else TRACK)
    if added is None:
        raise ServerError("Resolve added no track.", hint=f"The frames are in the bin {BIN}.")
    return added


def _as_take(clip: Clip, media: Media) -> str:
    if clip.item.take_of(media):
        return "it is already a take"
    if not clip.item.add_take(media, clip.skip, clip.duration):
        raise ServerError(
            "Resolve added no take of the clip's length; nothing was changed.", hint=f"The frames are in the bin {BIN}."
        )
    return f"added as take {clip.item.take_of(media)}"
