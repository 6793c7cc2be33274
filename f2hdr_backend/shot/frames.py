"""Frame numbers: sets of frames (FrameRange) and numbered files (Sequence)."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Optional

from f2hdr_backend.shot.errors import ShotError, UnreadableFrame
from f2hdr_backend.shot.limits import check_frames

_RANGE = re.compile(r"(-?\d{1,9})(?:-(-?\d{1,9})(?:x(\d{1,9}))?)?", re.ASCII)
_TOKEN = re.compile(r"#+|%\d{0,2}d|\$F\d?", re.ASCII)
_AT_TOKEN = re.compile(r"@+")


@dataclass(frozen=True)
class FrameRange:
    """A set of frame numbers, sorted and unique; may be empty or contain negative numbers."""

    frames: tuple[int, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "frames", tuple(sorted(set(self.frames))))

    @classmethod
    def parse(cls, text: str) -> FrameRange:
        """Parse ``1001-1100x2,1105``: single frames, ranges and ranges with a step, separated by commas.

        Raises ShotError for anything else, a descending range, and more frames than the limit ``frames``.
        """
        parts = [_parse_part(part.strip(), text) for part in text.split(",")]
        check_frames(text[:100], sum(map(len, parts)), "the frame range")
        return cls(tuple({frame for part in parts for frame in part}))

    def __str__(self) -> str:
        return ",".join(_run_text(run) for run in _runs(self.frames))

    def __iter__(self) -> Iterator[int]:
        return iter(self.frames)

    def __len__(self) -> int:
        return len(self.frames)

    def __contains__(self, frame: object) -> bool:
        return frame in self.frames

    @property
    def first(self) -> int:
        """The lowest frame number. Raises ShotError if the range is empty."""
        return self._end(0)

    @property
    def last(self) -> int:
        """The highest frame number. Raises ShotError if the range is empty."""
        return self._end(-1)

    def _end(self, index: int) -> int:
        if not self.frames:
            raise ShotError("The frame range is empty.", hint="Give at least one frame, such as 1001-1010.")
        return self.frames[index]


def step_of(frames: FrameRange) -> int:
    """Return the step between frames if it is the same everywhere, else 1."""
    steps = {after - before for before, after in zip(frames.frames, frames.frames[1:])}
    return steps.pop() if len(steps) == 1 else 1


def _parse_part(part: str, text: str) -> range:
    match = _RANGE.fullmatch(part)
    if match is None:
        raise ShotError(
            f'"{text}" is not a frame range: "{part}" cannot be read.',
            hint="Use the form 1001-1010, 1001-1100x2 or 1001,1005-1010.",
            text=text,
        )
    start = int(match[1])
    stop = start if match[2] is None else int(match[2])
    step = 1 if match[3] is None else int(match[3])
    if stop < start:
        raise ShotError(f'The frame range "{part}" is descending.', hint=f"Write {stop}-{start}.", text=text)
    if step == 0:
        raise ShotError(f'The frame range "{part}" has a step of 0.', hint="Use a step of 1 or more.", text=text)
    return range(start, stop + 1, step)


def _runs(frames: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """Split sorted frames into runs with a constant step; a run of two frames must have the step 1."""
    start = 0
    while start < len(frames):
        stop = start + 1
        step = frames[stop] - frames[start] if stop < len(frames) else 1
        while stop < len(frames) and frames[stop] - frames[stop - 1] == step:
            stop += 1
        if stop - start == 2 and step > 1:
            stop = start + 1
        yield frames[start:stop]
        start = stop


def _run_text(run: tuple[int, ...]) -> str:
    if len(run) == 1:
        return str(run[0])
    step = run[1] - run[0]
    return f"{run[0]}-{run[-1]}" + (f"x{step}" if step > 1 else "")


@dataclass(frozen=True)
class Sequence:
    """Numbered files in one folder: ``folder/prefix`` + frame number + ``suffix``.

    ``padding`` is the minimum number of digits; shorter numbers are padded with zeros. Programs pad negative numbers
    in two ways: frame -5 with padding 4 is ``-0005`` if the sign is not counted, and ``-005`` in C's printf. Both are
    found; new files get the first form.
    """

    folder: str
    prefix: str
    padding: int
    suffix: str

    @classmethod
    def parse(cls, text: str) -> Sequence:
        """Parse a pattern with ``####``, ``@@@@``, ``%04d`` or ``$F4`` in its file name.

        An ``@`` together with one of the other marks is an ordinary character. Raises ShotError if the file name has
        no frame number placeholder or more than one.
        """
        folder, name = os.path.split(text)
        marks = _marks(name)
        if len(marks) != 1:
            count = "no frame number placeholder" if not marks else f"{len(marks)} frame number placeholders"
            raise ShotError(
                f'"{text}" has {count} in its file name.',
                hint="Use one placeholder, such as plate.####.exr or plate.%04d.exr.",
                text=text,
            )
        mark = marks[0]
        return cls(folder, name[: mark.start()], _padding(mark.group()), name[mark.end() :])

    @staticmethod
    def is_pattern(text: str) -> bool:
        """Return whether the file name of ``text`` contains a frame number placeholder."""
        return bool(_marks(os.path.split(text)[1]))

    def path(self, frame: int) -> str:
        """Return the path of one frame; of a negative one, the name that is on disk."""
        own, *others = (self._join(number) for number in self._numbers(frame))
        return next((path for path in others if os.path.exists(path) and not os.path.exists(own)), own)

    def frame_of(self, path: str) -> Optional[int]:
        """Return the frame number of a path, or None if the path does not belong to this sequence."""
        folder, name = os.path.split(path)
        if os.path.normpath(folder) != os.path.normpath(self.folder):
            return None
        return self._frame_of_name(name)

    def on_disk(self) -> FrameRange:
        """Return the frames that exist on disk; empty if the folder does not exist.

        Raises UnreadableFrame if the folder cannot be listed.
        """
        return self.listed()[0]

    def listed(self) -> tuple[FrameRange, tuple[str, ...]]:
        """Return the frames on disk, and the names of numbered files in the folder that are none of these frames.

        The latter have another padding (``p.1.tif`` for ``p.####.tif``), are a second file of the same number, or
        differ in the case of letters (``p.0001.TIF``). Raises UnreadableFrame if the folder cannot be listed.
        """
        found: set[int] = set()
        left_out: list[str] = []
        names = self._names()
        numbers = filter(None, map(self._number_of_name, names))
        for number in sorted(numbers, key=len, reverse=True):  # the name with more digits first: it is the one in use
            frame = int(number)
            if number in self._numbers(frame) and frame not in found:
                found.add(frame)
            else:
                left_out.append(self.prefix + number + self.suffix)
        left_out += [name for name in names if self._differs_in_case(name)]
        return FrameRange(tuple(found)), tuple(sorted(left_out))

    def _names(self) -> list[str]:
        try:
            return os.listdir(self.folder or os.curdir)
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            raise UnreadableFrame(
                f'The folder "{self.folder}" cannot be listed: {error.strerror}.',
                hint="Check its permissions.",
                path=self.folder,
            ) from error

    def missing(self, frames: Iterable[int]) -> tuple[int, ...]:
        """Return those of ``frames`` that have no file, in ascending order."""
        return tuple(sorted(set(frames).difference(self.on_disk())))

    def __str__(self) -> str:
        return self._join("#" * self.padding)

    def _numbers(self, frame: int) -> tuple[str, ...]:
        """How a frame's number may be written: with its sign not counted, and counted."""
        own, printf = f"{frame:0{self.padding + (frame < 0)}d}", f"{frame:0{self.padding}d}"
        return (own,) if own == printf else (own, printf)

    def _join(self, number: str) -> str:
        separator = "/" if self.folder and not self.folder.endswith(("/", os.sep)) else ""
        return f"{self.folder}{separator}{self.prefix}{number}{self.suffix}"

    def _number_of_name(self, name: str) -> str:
        """The digits of a file name that has this prefix and suffix, with their sign; empty for other names."""
        number = name[len(self.prefix) : len(name) - len(self.suffix)]
        is_number = re.fullmatch(r"-?\d{1,40}", number, re.ASCII) and name == self.prefix + number + self.suffix
        return number if is_number else ""

    def _differs_in_case(self, name: str) -> bool:
        """Whether a file name has this prefix and suffix in other case, and a number between them."""
        start, end = len(self.prefix), len(name) - len(self.suffix)
        own = self.prefix + name[start:end] + self.suffix
        return (
            name != own and name.lower() == own.lower() and bool(re.fullmatch(r"-?\d{1,40}", name[start:end], re.ASCII))
        )

    def _frame_of_name(self, name: str) -> Optional[int]:
        number = self._number_of_name(name)
        return int(number) if number and number in self._numbers(int(number)) else None


def _marks(name: str) -> list[re.Match[str]]:
    return list(_TOKEN.finditer(name)) or list(_AT_TOKEN.finditer(name))


def _padding(mark: str) -> int:
    if mark[0] in "#@":
        return len(mark)
    return max(1, int(mark.strip("%d$F") or 1))
