"""Typed access to Resolve's scripting objects: failures are errors or None, and every property set is read back.

Resolve reports failures with False, None or an empty list, lacks methods depending on the version, and counts frames in
its own way in places. All of that is handled in this module; its stubs (``fusionscript-stubs``) are for the type
checker.
"""

from __future__ import annotations

import importlib.machinery
import importlib.util
import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Optional, cast

from f2hdr_backend.shot.errors import ServerUnreachable

if TYPE_CHECKING:
    from fusionscript import MediaPool, MediaPoolItem, Project, Resolve, Timeline, TimelineItem

_LIBRARIES = {
    "darwin": "/Applications/DaVinci Resolve/DaVinci Resolve.app/Contents/Libraries/Fusion/fusionscript.so",
    "win32": r"C:\Program Files\Blackmagic Design\DaVinci Resolve\fusionscript.dll",
    "linux": "/opt/resolve/libs/Fusion/fusionscript.so",
}


def _ask(thing: Any, method: str, *arguments: Any) -> Any:
    """Call a method that not every version has; None where it is missing (``hasattr`` is true for every name)."""
    return getattr(thing, method)(*arguments) if method in dir(thing) else None


@dataclass(frozen=True)
class Media:
    """A clip of the media pool."""

    raw: MediaPoolItem

    @property
    def identity(self) -> str:
        """Its identifier, which no other clip has."""
        return str(self.raw.GetMediaId())

    def get(self, name: str) -> str:
        """The text of a property; empty if there is none."""
        value = self.raw.GetClipProperty(name)
        return "" if value is None or isinstance(value, dict) else str(value)

    def put(self, name: str, value: object) -> bool:
        """Set a property, read it back, and return whether it has the value."""
        self.raw.SetClipProperty(name, value)
        now = self.get(name)
        wanted = _number(str(value))
        return now == str(value) or (wanted is not None and _number(now) == wanted)


@dataclass(frozen=True)
class Item:
    """A clip on the timeline. Frames are those of the timeline unless stated otherwise."""

    raw: TimelineItem

    @property
    def name(self) -> str:
        """Its name."""
        return self.raw.GetName()

    @property
    def start(self) -> int:
        """Its first frame."""
        return int(_ask(self.raw, "GetStart"))

    @property
    def duration(self) -> int:
        """Number of displayed frames."""
        return int(_ask(self.raw, "GetDuration"))

    @property
    def end(self) -> int:
        """The frame after its last."""
        return self.start + self.duration

    @property
    def offset(self) -> int:
        """Number of frames of its media before its first frame."""
        return round(float(_ask(self.raw, "GetLeftOffset")))

    @property
    def color(self) -> str:
        """Its clip color's name."""
        return str(self.raw.GetClipColor() or "")

    @property
    def is_video(self) -> bool:
        """Whether it is on a video track; true where this version does not report it."""
        place = _ask(self.raw, "GetTrackTypeAndIndex")
        return not place or place[0] == "video"

    @property
    def source(self) -> Optional[tuple[int, int]]:
        """First frame of its media and the one after its last; None where Resolve does not report them."""
        first, last = _ask(self.raw, "GetSourceStartFrame"), _ask(self.raw, "GetSourceEndFrame")
        return None if first is None or last is None or (first == 0 and last == 0) else (int(first), int(last))

    @property
    def media(self) -> Optional[Media]:
        """Its clip in the media pool; None for titles, generators and Fusion clips."""
        raw = self.raw.GetMediaPoolItem()
        return Media(raw) if raw else None

    def note(self, words: str) -> None:
        """Put a marker with words on its first frame."""
        self.raw.AddMarker(0, "Blue", "F2HDR", words, 1, "f2hdr")

    def take_of(self, media: Media) -> int:
        """The number of the take that shows ``media``; 0 if none does."""
        for index in range(1, (self.raw.GetTakesCount() or 0) + 1):
            take = self.raw.GetTakeByIndex(index)
            if take and Media(take["mediaPoolItem"]).identity == media.identity:
                return index
        return 0

    def add_take(self, media: Media, first: int, length: int) -> bool:
        """Add ``length`` frames of ``media`` as the selected take; False, with nothing changed, if that fails."""
        duration = self.duration
        if not self.raw.AddTake(media.raw, first, first + length - 1):
            return False
        index = int(self.raw.GetTakesCount())
        self.raw.SelectTakeByIndex(index)
        if self.duration == duration and self.raw.GetSelectedTakeIndex() == index:
            return True
        self.raw.SelectTakeByIndex(1)
        self.raw.DeleteTakeByIndex(index)
        return False


@dataclass(frozen=True)
class Track:
    """A video track of the timeline."""

    index: int
    name: str
    locked: bool
    items: tuple[Item, ...]

    def is_free(self, first: int, end: int) -> bool:
        """Whether no item is in ``first`` up to ``end`` (exclusive)."""
        return all(item.end <= first or item.start >= end for item in self.items)


class Session:
    """The project and timeline that are open in a running Resolve."""

    def __init__(self, resolve: Resolve) -> None:
        """Raises ServerUnreachable if no timeline is open."""
        project = cast("Optional[Project]", resolve.GetProjectManager().GetCurrentProject())
        timeline = cast("Optional[Timeline]", project.GetCurrentTimeline()) if project else None
        if project is None or timeline is None:
            raise ServerUnreachable("No timeline is open in DaVinci Resolve.", hint="Open one and try again.")
        self._resolve = resolve
        self._project = project
        self._timeline = timeline
        self._pool: MediaPool = project.GetMediaPool()

    @property
    def where(self) -> str:
        """Edition and version, for messages."""
        return f"{self._resolve.GetProductName()} {'.'.join(str(part) for part in self._resolve.GetVersion()[:3])}"

    @property
    def project_name(self) -> str:
        """The project's name."""
        return self._project.GetName()

    @property
    def rate(self) -> Optional[float]:
        """Frames a second of the timeline."""
        return _number(str(self._timeline.GetSetting("timelineFrameRate")))

    def setting(self, name: str) -> str:
        """A setting of the project; this class cannot change one."""
        return str(self._project.GetSetting(name))

    def tracks(self) -> list[Track]:
        """The video tracks, from the lowest."""
        return [self._track(index) for index in range(1, self._timeline.GetTrackCount("video") + 1)]

    def _track(self, index: int) -> Track:
        items = tuple(Item(raw) for raw in self._timeline.GetItemListInTrack("video", index) or [])
        locked = bool(_ask(self._timeline, "GetIsTrackLocked", "video", index))
        return Track(index, self._timeline.GetTrackName("video", index), locked, items)

    def add_track(self, name: str) -> Optional[Track]:
        """Add a video track on top; None if Resolve did not."""
        if not _ask(self._timeline, "AddTrack", "video"):
            return None
        index = self._timeline.GetTrackCount("video")
        self._timeline.SetTrackName("video", index, name)
        return self._track(index)

    def selected(self) -> list[Item]:
        """The selected items; none before Resolve 21.0.4, which does not report them."""
        return [Item(raw) for raw in _ask(self._timeline, "GetSelectedClips") or []]

    def marks(self) -> Optional[tuple[int, int]]:
        """First and last frame between the marks; None without both marks."""
        video = (_ask(self._timeline, "GetMarkInOut") or {}).get("video", {})
        return (video["in"], video["out"]) if "in" in video and "out" in video else None

    def current(self) -> Optional[Item]:
        """The item under the playhead."""
        raw = self._timeline.GetCurrentVideoItem()
        return Item(raw) if raw else None

    def in_bin(self, name: str) -> list[Media]:
        """The clips of a bin at the top of the media pool, which is created if necessary."""
        return [Media(raw) for raw in self._bin(name).GetClipList() or []]

    def import_frames(self, name: str, pattern: str, first: int, last: int) -> None:
        """Import a numbered sequence (``%06d``) into a bin; the user's current bin stays the same."""
        before = self._pool.GetCurrentFolder()
        self._pool.SetCurrentFolder(self._bin(name))
        self._pool.ImportMedia([{"FilePath": pattern, "StartIndex": first, "EndIndex": last}])
        self._pool.SetCurrentFolder(before)

    def _bin(self, name: str) -> Any:
        root = self._pool.GetRootFolder()
        found = [folder for folder in root.GetSubFolderList() or [] if folder.GetName() == name]
        return found[0] if found else self._pool.AddSubFolder(root, name)

    def append(self, media: Media, track: int, start: int, first: int, length: int) -> Optional[Item]:
        """Append frames of ``media`` and return the item found there; the one that Resolve returns may be unusable."""
        info = {
            "mediaPoolItem": media.raw, "startFrame": first, "endFrame": first + length, "mediaType": 1,
            "trackIndex": track, "recordFrame": start,
        }  # fmt: skip
        cast(Any, self._pool).AppendToTimeline([info])
        return self.item_at(self._track(track), start, media)

    def item_at(self, track: Track, start: int, media: Media) -> Optional[Item]:
        """The item of ``media`` that starts there."""
        for item in track.items:
            own = item.media
            if item.start == start and own is not None and own.identity == media.identity:
                return item
        return None

    def remove(self, item: Item) -> None:
        """Delete an item that F2HDR placed; Resolve does that on the Edit page only."""
        if self._resolve.GetCurrentPage() != "edit":
            self._resolve.OpenPage("edit")
        self._timeline.DeleteClips([item.raw], False)


def open_session() -> Session:
    """Return what is open in the running Resolve Studio. Raises ServerUnreachable if it does not answer."""
    resolve = _fusionscript().scriptapp("Resolve")
    if resolve is None:
        raise ServerUnreachable(
            "DaVinci Resolve does not answer.",
            hint="Start DaVinci Resolve Studio and set Preferences > System > General > External scripting to Local.",
        )
    return Session(resolve)


def _fusionscript() -> Any:
    """Resolve's scripting library, loaded directly: old copies of its Python module need ``imp``, which Python 3.12
    does not have."""
    library = os.environ.get("RESOLVE_SCRIPT_LIB") or _LIBRARIES.get(sys.platform, "")
    if not os.path.exists(library):
        raise ServerUnreachable(
            f'Resolve\'s scripting library is not at "{library}".',
            hint="Install DaVinci Resolve Studio, or set RESOLVE_SCRIPT_LIB to its fusionscript library.",
        )
    loader = importlib.machinery.ExtensionFileLoader("fusionscript", library)
    spec = importlib.util.spec_from_loader("fusionscript", loader)
    if spec is None:
        raise ServerUnreachable(f'"{library}" is not a scripting library.')
    module = importlib.util.module_from_spec(spec)
    try:
        loader.exec_module(module)
    except ImportError as error:
        raise ServerUnreachable(
            f'"{library}" cannot be loaded: {error}.', hint="Use a 64-bit Python from 3.9 to 3.12."
        ) from error
    return module


def _number(text: str) -> Optional[float]:
    try:
        return float(text)
    except ValueError:
        return None
