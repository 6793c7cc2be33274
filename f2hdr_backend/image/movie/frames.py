"""Frame-accurate access to the frames of a movie in display order."""

from __future__ import annotations

import bisect
import struct
from collections import OrderedDict
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, cast

import av
import av.error

from f2hdr_backend.image.frame import unreadable
from f2hdr_backend.image.movie.ycbcr import ContainerTags
from f2hdr_backend.image.orientation import UPRIGHT, by_matrix
from f2hdr_backend.shot.limits import check_frames
from f2hdr_backend.shot.safe_open import library_path, open_file

_KEPT = 4
"""Number of cached decoded frames: a window and one more, so that a moving window decodes each frame once."""

_NEAR = 8
"""Maximum distance in frames that is reached by decoding instead of seeking."""

_KEYS_TRIED = 3
_ATTACHED = av.stream.Disposition.attached_pic
_EDITED = "mov"
"""Part of the name of container formats with edit lists."""
_FORMATS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mxf,mpegts,mpeg,ogg,flv"
"""FFmpeg's names of the container formats that are a single file."""
_AGAIN = "Check the file, or copy it again."


@dataclass(frozen=True)
class _Timeline:
    """Display times of the frames, in units of the stream.

    ``times`` is ascending; ``keys`` are pairs (display time, seek time) of key frames. Both are empty if the file does
    not give each frame a unique time.
    """

    count: int
    times: list[int]
    keys: list[tuple[int, int]]

    def index(self, time: int | None) -> int | None:
        if time is None:
            return None
        position = bisect.bisect_left(self.times, time)
        return position if self.times[position : position + 1] == [time] else None

    def keys_before(self, index: int) -> list[tuple[int, int]]:
        """Return the last key frames displayed no later than frame ``index``, the nearest first."""
        if index >= len(self.times):
            return []
        end = bisect.bisect_right(self.keys, self.times[index], key=lambda key: key[0])
        return self.keys[max(0, end - _KEYS_TRIED) : end][::-1]


def open_movie(path: str) -> av.container.InputContainer:
    """Open a movie. Formats that refer to other files or addresses are not accepted.

    Raises OSError and FFmpegError.
    """
    with open_file(path) as file:
        options = {"format_whitelist": _FORMATS, "protocol_whitelist": "file"}
        return av.open(library_path(path, file), container_options=options, metadata_errors="replace")


class MovieFrames:
    """Decodes the first video stream of a movie; frames are counted from 0. Not thread-safe.

    Reading forward, and back within the cached frames, decodes no frame twice; other frames are decoded from the
    previous key frame, or from the beginning if the file's times are unusable. All methods raise UnreadableFrame.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._kept: OrderedDict[int, av.VideoFrame] = OrderedDict()
        self._times: _Timeline | None = None
        self._container = self._open()
        codec = self.stream.codec_context
        # Decoding a frame replaces the container's tags by those of the frame.
        self.container_tags = ContainerTags(int(codec.colorspace), int(codec.color_range))
        self._start()

    @property
    def stream(self) -> av.VideoStream:
        """The video stream, for its tags."""
        return self._container.streams.video[0]

    @property
    def tags(self) -> dict[str, str]:
        """Metadata of the file and its streams, with names in lowercase; the video stream has priority.

        Matroska files have names in capitals.
        """
        tags: dict[str, str] = {}
        for place in (self._container, *self._container.streams, self.stream):
            tags |= {name.lower(): value for name, value in place.metadata.items()}
        return tags

    def orientation(self) -> int:
        """Return the orientation of the container as an Exif number. Raises UnreadableFrame for other angles."""
        matrix = self.read(0).side_data.get("DISPLAYMATRIX")
        if matrix is None:
            return UPRIGHT
        a, b, _, c, d, *_ = struct.unpack("<9i", bytes(cast(Any, matrix))[:36])
        found = by_matrix((a, b, c, d))
        if found is None:
            reason = "its display matrix is neither a rotation by a multiple of 90 degrees nor a flip"
            raise unreadable(self._path, reason, "Convert the movie with its rotation applied.")
        return found

    def count(self) -> int:
        """Return the number of frames that a player shows; counts packets if the index does not state it.

        The index of QuickTime and MP4 follows the edit list: frames may be omitted or repeated.
        """
        check_frames(self._path, self.stream.frames, "its header")
        entries = self.stream.index_entries
        if _EDITED in self._container.format.name and len(entries):
            return sum(not entry.is_discard for entry in entries)
        return self.stream.frames or self._timeline().count

    def notes(self) -> tuple[str, ...]:
        """Return notes for the user about the movie's frame rate, and about video that is not read."""
        found = []
        if self._is_variable():
            rate = float(self.stream.average_rate or 0)
            found.append(
                f'"{self._path}" has a variable frame rate: its frames are numbered in order, '
                f"and {rate:.6g} frames per second is the mean rate."
            )
        if self.tags.get("alpha_mode") == "1":
            found.append(f'"{self._path}" has an alpha that is not read; write it as ProRes 4444 or FFV1 to keep it.')
        tracks = [track for track in self._container.streams.video if not track.disposition & _ATTACHED]
        if len(tracks) > 1:
            found.append(f'"{self._path}" has {len(tracks)} video tracks; only the first one is read.')
        return tuple(found)

    def _is_variable(self) -> bool:
        """Return whether the steps between frames differ by more than the rounding of their times."""
        if _EDITED in self._container.format.name:
            times = sorted(entry.timestamp for entry in self.stream.index_entries if not entry.is_discard)
        else:  # known if the frames had to be counted, as in Matroska
            times = self._times.times if self._times else []
        steps = {later - before for before, later in pairwise(times)} if len(times) > 2 else set()
        return bool(steps) and max(steps) > max(1, 1.5 * min(steps))

    def read(self, index: int) -> av.VideoFrame:
        """Return frame ``index``. Raises UnreadableFrame if the file ends too early or is damaged."""
        try:
            frame = self._read(index)
        except (av.error.FFmpegError, StopIteration) as error:
            reason = f"frame {index + 1} is damaged"
            if isinstance(error, (StopIteration, av.error.EOFError)):
                reason = f"it ends after frame {self._next}, before frame {index + 1}"
            self._kept.clear()
            self._rewind()
            raise unreadable(self._path, reason, _AGAIN, index + 1) from error
        if frame.is_corrupt:
            raise unreadable(self._path, f"frame {index + 1} is damaged", _AGAIN, index + 1)
        return frame

    def close(self) -> None:
        """Close the file."""
        self._kept.clear()
        self._container.close()

    def _open(self) -> av.container.InputContainer:
        try:
            container = open_movie(self._path)
        except (av.error.FFmpegError, OSError) as error:
            reason = error.strerror or str(error)
            raise unreadable(self._path, reason, "Check the path and the file.") from error
        if not container.streams.video or container.streams.video[0].codec_context is None:
            container.close()
            raise unreadable(self._path, "it has no video that can be decoded", "Check the file.")
        return container

    def _rewind(self) -> None:
        self._container.close()
        self._container = self._open()
        self._start()

    def _start(self) -> None:
        self.stream.thread_type = "AUTO"
        self._frames = self._container.decode(self.stream)
        self._next = 0

    def _read(self, index: int) -> av.VideoFrame:
        if index not in self._kept and not self._next <= index <= self._next + _NEAR:
            self._seek(index)
        while index not in self._kept:
            self._keep(next(self._frames))
        return self._kept[index]

    def _keep(self, frame: av.VideoFrame) -> None:
        self._kept[self._next] = frame
        self._kept.move_to_end(self._next)
        self._next += 1
        if len(self._kept) > _KEPT:
            self._kept.popitem(last=False)

    def _seek(self, index: int) -> None:
        """Seek to a key frame from which ``index`` can be decoded, or else to the beginning.

        Frames displayed before the key frame are skipped, because they may depend on frames that were not decoded.
        """
        timeline = self._timeline()
        for shown, seekable in timeline.keys_before(index):
            self._container.seek(seekable, stream=self.stream)
            frames = self._container.decode(self.stream)
            first = next((frame for frame in frames if frame.pts is None or frame.pts >= shown), None)
            position = None if first is None else timeline.index(first.pts)
            if first is not None and position is not None and position <= index:
                self._frames, self._next = frames, position
                self._keep(first)
                return
        self._rewind()

    def _timeline(self) -> _Timeline:
        if self._times is None:
            try:
                with self._open() as container:
                    self._times = _timeline(container)
            except av.error.FFmpegError as error:
                raise unreadable(self._path, f"it is damaged ({error.strerror})", _AGAIN) from error
        return self._times


def _timeline(container: av.container.InputContainer) -> _Timeline:
    """Read all packets without decoding them."""
    count = 0
    times: set[int] = set()
    keys: list[tuple[int, int]] = []
    for packet in container.demux(container.streams.video[0]):
        if not packet.size or packet.is_discard:
            continue
        count += 1
        if packet.pts is not None:
            times.add(packet.pts)
            if packet.is_keyframe:
                keys.append((packet.pts, packet.pts if packet.dts is None else packet.dts))
    sound = len(times) == count
    return _Timeline(count, sorted(times) if sound else [], sorted(keys) if sound else [])
