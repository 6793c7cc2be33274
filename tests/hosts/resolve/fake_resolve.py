"""A stand-in for DaVinci Resolve's scripting objects, as its README and users describe them.

Failures are False or None; an append that overlaps is dropped; imports go to the current bin; clips are deleted on the
Edit page only; the item that an append answers with is dead; a method that a version lacks is not in ``dir()``.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass
class Quirks:
    """Deviations of this Resolve from the README, and its refusals."""

    end_counts: int = 0
    start_counts: int = 0
    always_long: bool = False
    take_shifts: bool = False
    no_new_tracks: bool = False
    accepts: dict[str, Any] = field(default_factory=dict)
    resets: dict[str, str] = field(default_factory=dict)
    """Property to another one that is reset when it is set."""


class FakeMedia:
    """A clip of the media pool; remembers which properties were set and not read back."""

    _ids = itertools.count(1)

    def __init__(self, properties: dict[str, Any], quirks: Quirks) -> None:
        self.properties = properties
        self.quirks = quirks
        self.set_and_unread: set[str] = set()
        self.id = f"media-{next(self._ids)}"

    def GetMediaId(self) -> str:
        return self.id

    def GetClipProperty(self, name: str) -> Any:
        self.set_and_unread.discard(name)
        return self.properties.get(name, "")

    def SetClipProperty(self, name: str, value: Any) -> bool:
        self.set_and_unread.add(name)
        accepted = self.quirks.accepts.get(name, True)
        if accepted is False or name not in self.properties or (isinstance(accepted, list) and value not in accepted):
            return False
        self.properties[name] = value
        if name in self.quirks.resets:
            self.properties[self.quirks.resets[name]] = "Project"
        return True


class FakeItem:
    """A clip on the timeline."""

    def __init__(self, name: str, start: int, duration: int, offset: float, media: FakeMedia | None) -> None:
        self.name, self.start, self.duration, self.offset, self.media = name, start, duration, offset, media
        self.own_duration = duration
        self.color = ""
        self.source: tuple[int, int] = (0, 0)
        self.markers: list[str] = []
        self.takes: list[dict[str, Any]] = []
        self.take = 0
        self.quirks = Quirks()

    def GetName(self) -> str:
        return self.name

    def GetStart(self) -> int:
        return self.start

    def GetDuration(self) -> int:
        return self.duration

    def GetLeftOffset(self) -> float:
        return self.offset

    def GetSourceStartFrame(self) -> int:
        return self.source[0]

    def GetSourceEndFrame(self) -> int:
        return self.source[1]

    def GetMediaPoolItem(self) -> FakeMedia | None:
        return self.media

    def GetClipColor(self) -> str:
        return self.color

    def GetTrackTypeAndIndex(self) -> list[Any]:
        return ["video", 1]

    def AddMarker(self, frame: int, color: str, name: str, note: str, duration: int, custom: str) -> bool:
        self.markers.append(note)
        return True

    def GetTakesCount(self) -> int:
        return len(self.takes)

    def GetTakeByIndex(self, index: int) -> dict[str, Any]:
        return self.takes[index - 1]

    def GetSelectedTakeIndex(self) -> int:
        return self.take

    def AddTake(self, media: FakeMedia, first: int | None = None, last: int | None = None) -> bool:
        if first is None or last is None:
            return False
        if not self.takes:
            self.takes.append({"startFrame": 0, "endFrame": 0, "mediaPoolItem": self.media})
        self.takes.append({"startFrame": first, "endFrame": last, "mediaPoolItem": media})
        return True

    def SelectTakeByIndex(self, index: int) -> bool:
        self.take = index
        chosen = self.takes[index - 1]
        shifted = self.quirks.take_shifts and index > 1
        self.duration = chosen["endFrame"] - chosen["startFrame"] if shifted else self.own_duration
        return True

    def DeleteTakeByIndex(self, index: int) -> bool:
        del self.takes[index - 1]
        return True


class _Dead:
    """What AppendToTimeline may answer with."""

    def __getattr__(self, name: str) -> Any:
        return lambda *_: None


@dataclass
class FakeFolder:
    """A bin."""

    name: str
    clips: list[FakeMedia] = field(default_factory=list)
    folders: list[FakeFolder] = field(default_factory=list)

    def GetName(self) -> str:
        return self.name

    def GetClipList(self) -> list[FakeMedia]:
        return self.clips

    def GetSubFolderList(self) -> list[FakeFolder]:
        return self.folders


@dataclass
class FakeTrack:
    """A video track."""

    name: str
    items: list[FakeItem] = field(default_factory=list)
    locked: bool = False


class FakeTimeline:
    """A timeline; without ``selection`` it behaves like a version that does not report the selection."""

    def __init__(self, tracks: list[FakeTrack], quirks: Quirks, rate: str = "24") -> None:
        self.tracks, self.quirks, self.rate = tracks, quirks, rate
        self.selection: list[FakeItem] | None = None
        self.marks: dict[str, Any] = {}
        self.current: FakeItem | None = None
        self.page = "edit"
        self.deleted = 0

    def __dir__(self) -> list[str]:
        hidden = {"GetSelectedClips"} if self.selection is None else set()
        return [name for name in super().__dir__() if name not in hidden]

    def __getattr__(self, name: str) -> Any:
        return None

    def GetSelectedClips(self) -> list[FakeItem]:
        return self.selection or []

    def GetMarkInOut(self) -> dict[str, Any]:
        return self.marks

    def GetCurrentVideoItem(self) -> FakeItem | None:
        return self.current

    def GetSetting(self, name: str) -> str:
        return self.rate if name == "timelineFrameRate" else ""

    def GetTrackCount(self, kind: str) -> int:
        return len(self.tracks)

    def GetTrackName(self, kind: str, index: int) -> str:
        return self.tracks[index - 1].name

    def SetTrackName(self, kind: str, index: int, name: str) -> bool:
        self.tracks[index - 1].name = name
        return True

    def GetIsTrackLocked(self, kind: str, index: int) -> bool:
        return self.tracks[index - 1].locked

    def GetItemListInTrack(self, kind: str, index: int) -> list[FakeItem]:
        return self.tracks[index - 1].items

    def AddTrack(self, kind: str) -> bool:
        if not self.quirks.no_new_tracks:
            self.tracks.append(FakeTrack(f"Video {len(self.tracks) + 1}"))
        return not self.quirks.no_new_tracks

    def DeleteClips(self, items: list[FakeItem], ripple: bool) -> bool:
        if self.page != "edit":
            return False
        for track in self.tracks:
            kept = [item for item in track.items if item not in items]
            self.deleted += len(track.items) - len(kept)
            track.items = kept
        return True


class FakeResolve:
    """The application, its project and its media pool in one class, which uses only its own public methods."""

    def __init__(self, timeline: FakeTimeline | None, settings: dict[str, str], quirks: Quirks) -> None:
        self.timeline, self.settings, self.quirks = timeline, settings, quirks
        self.root = FakeFolder("Master")
        self.bin = self.root
        self.imports: list[dict[str, Any]] = []

    def GetProductName(self) -> str:
        return "DaVinci Resolve Studio"

    def GetVersion(self) -> list[Any]:
        return [21, 0, 4, 1, ""]

    def GetProjectManager(self) -> FakeResolve:
        return self

    def GetCurrentProject(self) -> FakeResolve:
        return self

    def GetName(self) -> str:
        return "Film Ü 1"

    def GetCurrentTimeline(self) -> FakeTimeline | None:
        return self.timeline

    def GetSetting(self, name: str) -> str:
        return self.settings.get(name, "")

    def SetSetting(self, name: str, value: str) -> bool:
        raise AssertionError(f"a project setting was changed: {name}")

    def GetCurrentPage(self) -> str:
        return self.timeline.page if self.timeline else "edit"

    def OpenPage(self, page: str) -> bool:
        assert self.timeline is not None
        self.timeline.page = page
        return True

    def GetMediaPool(self) -> FakeResolve:
        return self

    def GetRootFolder(self) -> FakeFolder:
        return self.root

    def GetCurrentFolder(self) -> FakeFolder:
        return self.bin

    def SetCurrentFolder(self, folder: FakeFolder) -> bool:
        self.bin = folder
        return True

    def AddSubFolder(self, parent: FakeFolder, name: str) -> FakeFolder:
        parent.folders.append(FakeFolder(name))
        return parent.folders[-1]

    def ImportMedia(self, list_: list[dict[str, Any]]) -> list[FakeMedia]:
        wanted = list_[0]
        self.imports.append(wanted)
        first, last = wanted["StartIndex"], wanted["EndIndex"]
        if not all(Path(wanted["FilePath"] % number).exists() for number in range(first, last + 1)):
            return []
        mark = re.search(r"%0(\d+)d", wanted["FilePath"])
        assert mark is not None
        width = int(mark[1])
        properties = {
            "File Path": wanted["FilePath"].replace(mark[0], f"[{first:0{width}d}-{last:0{width}d}]"),
            "Frames": str(last - first + 1), "FPS": 24.0, "Input Color Space": "Project", "Input Gamma": "Gamma 2.4",
        }  # fmt: skip
        self.bin.clips.append(FakeMedia(properties, self.quirks))
        return []

    def AppendToTimeline(self, list_: list[dict[str, Any]]) -> list[Any]:
        info, timeline = list_[0], self.timeline
        assert timeline is not None
        length = info["endFrame"] - info["startFrame"] + self.quirks.end_counts
        length += 5 * (timeline.deleted + 1) if self.quirks.always_long else 0
        item = FakeItem(
            "clip", info["recordFrame"], length, info["startFrame"] + self.quirks.start_counts, info["mediaPoolItem"]
        )
        track = timeline.tracks[info["trackIndex"] - 1]
        end = item.start + length
        if any(other.start < end and other.start + other.duration > item.start for other in track.items):
            return []
        track.items.append(item)
        return [_Dead()]
