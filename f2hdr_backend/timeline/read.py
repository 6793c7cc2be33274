"""Reads editorial timelines (OpenTimelineIO, EDL, Final Cut Pro X XML): the used frames of each clip's plate.

Source: OpenTimelineIO's documentation, "Time Ranges" (a clip's source range is in the time of its media; a transition
overlaps its neighbors by its offsets).
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from f2hdr_backend.shot.errors import DocumentError, F2HDRError, ShotError
from f2hdr_backend.shot.events import Event
from f2hdr_backend.shot.frames import FrameRange
from f2hdr_backend.shot.limits import check_frames
from f2hdr_backend.shot.read_text import parse_json, read_text
from f2hdr_backend.timeline.media import Media, Plates, find_media
from f2hdr_backend.timeline.text import edl_rate, require_short_lines, retimed_clips


@dataclass(frozen=True)
class CutClip:
    """A clip that can be rendered. ``name`` is a valid folder name and unique in the cut."""

    name: str
    plate: str
    used: FrameRange
    """Frames of the plate in the cut, including transitions."""
    frames: FrameRange
    """``used`` with handles, within the plate."""


@dataclass(frozen=True)
class RefusedClip:
    """A clip that cannot be rendered, and the reason."""

    name: str
    reason: str


@dataclass(frozen=True)
class Cut:
    """The clips of a timeline's video tracks, in order; ``notes`` describe assumptions and omissions."""

    clips: tuple[CutClip, ...]
    refused: tuple[RefusedClip, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class ClipStarted(Event):
    """A clip of the cut starts; the following events belong to it."""

    clip: str
    plate: str
    frames: str
    """Frames to render, including handles."""
    used: str
    """Frames in the cut."""
    number: int
    """Number of the clip, starting at 1."""
    clips: int


def read_cut(path: str, handles: int) -> Cut:
    """Read a timeline and determine every clip's frames, with ``handles`` more on both sides within the plate.

    Clips that are retimed, nested, without media or outside it are refused with a reason. Raises DocumentError
    if the file is not a timeline, ShotError if the library that reads it is not installed.
    """
    plates = Plates(os.path.dirname(os.path.abspath(path)))
    try:
        return _Reader(path, handles, plates).cut()
    except _odd_values() as error:
        raise _no_timeline(path, _words(error)) from error
    finally:
        plates.close()


class _Reader:
    """Reads one timeline."""

    def __init__(self, path: str, handles: int, plates: Plates) -> None:
        self._path = path
        self._handles = handles
        self._plates = plates
        self._names: dict[str, int] = {}
        self._notes: list[str] = []
        self._retimed: set[str] = set()

    def cut(self) -> Cut:
        """Read the file and every clip of its video tracks."""
        text = read_text(self._path)
        if self._path.lower().endswith(".otio"):
            parse_json(text, f'"{self._path}"')  # OpenTimelineIO's own parser crashes on deep nesting
        rate = None
        if self._path.lower().endswith(".edl"):
            require_short_lines(self._path, text)
            rate, note = edl_rate(text, self._plates)
            self._notes += note
        timelines = list(_timelines(_parsed(self._path, text, rate)))
        self._retimed = retimed_clips(self._path, text, rate)
        clips: list[CutClip] = []
        refused: list[RefusedClip] = []
        for track in (track for timeline in timelines for track in timeline.video_tracks()):
            for place in _places(track) if track.enabled else ():
                self._sort(place, clips, refused)
        if not clips and not refused:
            raise DocumentError(f'"{self._path}" contains no video clip.', hint="Export the timeline again.")
        return Cut(tuple(clips), tuple(refused), tuple(self._notes))

    def _sort(self, place: _Place, clips: list[CutClip], refused: list[RefusedClip]) -> None:
        """Add an item of a track to the clips or the refused clips; gaps and transitions are ignored."""
        item = place.item
        kind = item.schema_name()
        if kind in ("Gap", "Transition"):
            return
        if not item.enabled:
            self._notes.append(f'The clip "{item.name}" is disabled in the timeline and is omitted.')
            return
        name = self._unique(item.name)
        try:
            if kind != "Clip":
                raise ShotError("it is a nested sequence.", hint="Export that sequence as a separate timeline.")
            clips.append(self._clip(place, name))
        except F2HDRError as error:
            refused.append(RefusedClip(name, str(error)))
        except _odd_values() as error:
            refused.append(RefusedClip(name, f"its times are invalid: {_words(error)}."))

    def _clip(self, place: _Place, name: str) -> CutClip:
        clip = place.item
        if place.retimed or clip.name in self._retimed or any(map(_is_retime, clip.effects)):
            raise ShotError("it is retimed.", hint="Render its whole plate and retime the result.")
        start, duration = _shown(place)
        media = find_media(clip, self._plates, start)
        used = _used(media, duration, place.overlaps)
        there = media.plate.frames
        if used.first < there.first or used.last > there.last:
            raise ShotError(
                f'it uses the frames {used} of "{media.name}", which has the frames {there}.',
                hint="Relink or trim the media.",
            )
        media.plate.require(used)
        first, last = max(used.first - self._handles, there.first), min(used.last + self._handles, there.last)
        self._note_short_handles(name, used.first - first, last - used.last)
        return CutClip(name, media.name, used, FrameRange(tuple(range(first, last + 1))))

    def _note_short_handles(self, name: str, before: int, after: int) -> None:
        if min(before, after) < self._handles:
            self._notes.append(
                f'The plate of "{name}" has handles of {before} frames before and {after} after, not {self._handles}.'
            )

    def _unique(self, title: str) -> str:
        """Return a unique folder name; later clips of the same name are numbered from 2."""
        plain = re.sub(r"[^\w.+-]+", "_", title).strip("._") or "clip"
        name = plain
        while name.lower() in self._names:
            count = self._names[plain.lower()] = self._names.get(plain.lower(), 1) + 1
            name = f"{plain}_{count}"
        self._names[name.lower()] = 1
        return name


@dataclass(frozen=True)
class _Place:
    """An item of a track and what its neighbors and the track change about it."""

    item: Any
    overlaps: tuple[Any, Any]
    """Lengths of the transitions before and after it; None if there is none."""
    trim: tuple[Any, Any] | None
    """Its whole and its visible range in the track; None if the track shows all of it."""
    retimed: bool
    """Whether an effect of the track changes its speed."""


def _places(track: Any) -> Iterator[_Place]:
    """Yield the items of a track, in time proportional to their number.

    OpenTimelineIO's functions for one item (``range_in_parent``, ``transformed_time_range``, ``neighbors_of``) walk
    over the whole track each time.
    """
    items = list(track)
    ranges = None if track.source_range is None else track.range_of_all_children()
    retimed = any(map(_is_retime, track.effects))
    for before, item, after in zip([None, *items], items, [*items[1:], None], strict=False):
        overlaps = (
            before.in_offset if before is not None and before.schema_name() == "Transition" else None,
            after.out_offset if after is not None and after.schema_name() == "Transition" else None,
        )
        trim = None if ranges is None else (ranges[item], track.trim_child_range(ranges[item]))
        yield _Place(item, overlaps, trim, retimed)


def _shown(place: _Place) -> tuple[Any, Any]:
    """Return the visible part of a clip in the time of its media: its start, at the clip's rate, and its duration.

    Raises ShotError if nothing of it is visible, or its length is unknown.
    """
    if place.item.source_range is None and place.item.media_reference.available_range is None:
        raise ShotError("the timeline states neither its length nor that of its media.", hint="Export it again.")
    own = place.item.trimmed_range()
    start, duration = own.start_time, own.duration
    if place.trim is not None:
        whole, visible = place.trim
        if visible is None:
            raise ShotError("it is trimmed to nothing.", hint="Remove it from the timeline.")
        start, duration = start + (visible.start_time - whole.start_time), visible.duration
    return start.rescaled_to(max(own.start_time.rate, own.duration.rate)), duration


def _used(media: Media, duration: Any, overlaps: tuple[Any, Any]) -> FrameRange:
    """Return the frames of the plate in the cut, including overlaps at both ends."""
    before, after = (0 if overlap is None else round(overlap.rescaled_to(media.rate).value) for overlap in overlaps)
    count = round(duration.rescaled_to(media.rate).value)
    check_frames(media.name, before + count + after, "the clip's duration")
    return FrameRange(tuple(range(media.first - before, media.first + count + after)))


def _is_retime(effect: Any) -> bool:
    import opentimelineio as otio

    if isinstance(effect, otio.schema.LinearTimeWarp) and not isinstance(effect, otio.schema.FreezeFrame):
        return bool(effect.time_scalar != 1)
    return isinstance(effect, otio.schema.TimeEffect)


def _timelines(parsed: Any) -> Iterator[Any]:
    """Yield all timelines of an adapter's result: one, or a collection."""
    if parsed.schema_name() == "Timeline":
        yield parsed
    elif parsed.schema_name() == "SerializableCollection":
        for child in parsed:
            yield from _timelines(child)


def _parsed(path: str, text: str, rate: float | None) -> Any:
    """Return OpenTimelineIO's object for the file."""
    try:
        import opentimelineio as otio
    except ModuleNotFoundError as error:
        raise _not_installed(path) from error
    adapter = {".otio": "otio_json", ".edl": "cmx_3600", ".fcpxml": "fcpx_xml"}[os.path.splitext(path)[1].lower()]
    if adapter not in otio.adapters.available_adapter_names():
        raise _not_installed(path)
    try:
        parsed = otio.adapters.read_from_string(text, adapter, **({} if rate is None else {"rate": rate}))
    except Exception as error:  # adapters raise arbitrary exceptions of their parsers
        raise _no_timeline(path, _words(error)) from error
    if not isinstance(parsed, otio.core.SerializableObject):
        raise _no_timeline(path, "it contains no timeline")
    return parsed


def _no_timeline(path: str, reason: str) -> DocumentError:
    return DocumentError(f'"{path}" cannot be read as a timeline: {reason}.', hint="Export it again.", path=path)


def _not_installed(path: str) -> ShotError:
    return ShotError(
        f'"{path}" is a timeline, but the library that reads it is not installed.',
        hint='Run: pip install "f2hdr[timeline]"',
        path=path,
    )


def _odd_values() -> tuple[type[Exception], ...]:
    """Return the exceptions of OpenTimelineIO for times that are not numbers, clips without a length and similar."""
    usual = (ValueError, ArithmeticError, LookupError, TypeError, AttributeError, RuntimeError)
    library = sys.modules.get("opentimelineio")
    return usual if library is None else (*usual, library.exceptions.OTIOError)


def _words(error: Exception) -> str:
    return " ".join(str(error).split()).rstrip(".") or type(error).__name__
