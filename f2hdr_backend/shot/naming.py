"""The names that a user gives a plate: a pattern, a folder, one file of a sequence, a glob or several files."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Optional

from f2hdr_backend.shot.errors import ShotError
from f2hdr_backend.shot.frames import FrameRange, Sequence

MOVIE_SUFFIXES = (".avi", ".mkv", ".mov", ".mp4", ".mxf", ".webm")
TIMELINE_SUFFIXES = (".otio", ".edl", ".fcpxml")
RAW_SUFFIXES = (
    *(".3fr", ".arw", ".cr2", ".cr3", ".crw", ".dcr", ".dng", ".erf", ".fff", ".iiq", ".kdc", ".mef", ".mos", ".mrw"),
    *(".nef", ".nrw", ".orf", ".pef", ".raf", ".rw2", ".rwl", ".sr2", ".srf", ".srw", ".x3f"),
)
PICTURE_SUFFIXES = (".bmp", ".dpx", ".exr", ".hdr", ".jpeg", ".jpg", ".png", ".tga", ".tif", ".tiff", *RAW_SUFFIXES)
_NUMBER = re.compile(r"(?:(?<![A-Za-z0-9])-)?\d+", re.ASCII)
"""Digits of a name; a minus after a letter or a digit is a hyphen, not a sign."""
_GLOB = re.compile(r"[*?\[]")
_SHOWN = 4


@dataclass(frozen=True)
class Named:
    """``plate`` is a pattern, or the path of a movie or a document; ``frames`` those that were named, None for all."""

    plate: str
    frames: Optional[FrameRange] = None


def plate_named(arguments: Iterable[str]) -> Named:
    """Return the plate that the arguments of a command name.

    These are a pattern, a movie or a document (returned as they are), a folder with one sequence or one movie, one
    file of a sequence, a glob, or the files that a shell expanded from one. A path that does not exist is returned
    unchanged.

    Raises:
        ShotError: the arguments match several sequences, or several numbers change from file to file.
    """
    texts = list(arguments)
    if len(texts) != 1:
        return _of_files(texts)
    text = texts[0]
    if Sequence.is_pattern(text) or (not os.path.exists(text) and not _GLOB.search(text)):
        return Named(text)
    if os.path.isdir(text):
        return Named(_only(text, _content(text)))
    if not os.path.exists(text):
        return _of_files(sorted(glob.glob(text))) if glob.glob(text) else Named(text)
    return _of_file(text)


def source_named(arguments: Iterable[str]) -> Named:
    """Return the source of a simulation: as :func:`plate_named`, but one existing file is this picture alone.

    A panorama is often one of several numbered files in a folder.

    Raises:
        ShotError: as plate_named.
    """
    texts = list(arguments)
    return Named(texts[0]) if len(texts) == 1 and os.path.isfile(texts[0]) else plate_named(texts)


def is_timeline(path: str) -> bool:
    """Return whether a path is an editorial timeline, by its suffix."""
    return path.lower().endswith(TIMELINE_SUFFIXES)


def default_output(plate: str) -> str:
    """Return where the frames of a plate go by default: ``<folder>/<plate>_hdr/<plate>.####.exr``."""
    folder, name = os.path.split(plate)
    if Sequence.is_pattern(plate):
        sequence = Sequence.parse(plate)
        stem, padding = sequence.prefix.strip(" ._-"), sequence.padding
    else:
        stem, padding = os.path.splitext(name)[0], 4
    stem = stem or os.path.basename(os.path.abspath(folder)) or "plate"
    return os.path.join(folder, f"{stem}_hdr", f"{stem}.{'#' * padding}.exr")


def _content(folder: str) -> list[str]:
    """The plates in a folder, as patterns and paths of movies."""
    names = sorted(name for name in os.listdir(folder) if not name.startswith("."))
    pictures = [name for name in names if name.lower().endswith(PICTURE_SUFFIXES)]
    movies = [name for name in names if name.lower().endswith(MOVIE_SUFFIXES)]
    patterns = _patterns(folder, pictures)
    numbered = [text for text in patterns if Sequence.is_pattern(text) and len(Sequence.parse(text).on_disk()) > 1]
    return [*numbered, *(os.path.join(folder, name) for name in movies)] or patterns


def _of_file(path: str) -> Named:
    """The sequence that a file belongs to; the file itself if it is no picture, or the only one."""
    folder, name = os.path.split(path)
    if not name.lower().endswith(PICTURE_SUFFIXES) or not _NUMBER.search(name):
        return Named(path)
    alike = [other for other in os.listdir(folder or os.curdir) if _template(other) == _template(name)]
    mine = [pattern for pattern in _patterns(folder, alike) if Sequence.parse(pattern).frame_of(path) is not None]
    return Named(mine[0]) if mine and len(Sequence.parse(mine[0]).on_disk()) > 1 else Named(path)


def _of_files(paths: list[str]) -> Named:
    if len(paths) == 1:
        return Named(paths[0])
    folders = sorted({os.path.dirname(path) for path in paths})
    if len(folders) > 1:
        raise _several(paths[0], folders)
    pattern = _only(paths[0], _patterns(folders[0], [os.path.basename(path) for path in paths]))
    if not Sequence.is_pattern(pattern):
        return Named(pattern)
    sequence = Sequence.parse(pattern)
    given = FrameRange(tuple(frame for frame in map(sequence.frame_of, paths) if frame is not None))
    return Named(pattern, None if given == sequence.on_disk() else given)


def _only(named: str, plates: list[str]) -> str:
    if not plates:
        raise ShotError(
            f'"{named}" has no numbered pictures and no movie.', hint="Give a folder, a file or a pattern.", path=named
        )
    if len(plates) > 1:
        raise _several(named, plates)
    return plates[0]


def _several(named: str, plates: list[str]) -> ShotError:
    shown = ", ".join(f'"{plate}"' for plate in plates[:_SHOWN]) + (" ..." if len(plates) > _SHOWN else "")
    return ShotError(f'"{named}" matches {len(plates)} plates.', hint=f"Give one of them: {shown}.", path=named)


def _patterns(folder: str, names: list[str]) -> list[str]:
    """The patterns of all sequences among the names of numbered files in one folder.

    Raises ShotError if more than one number changes from file to file.
    """
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(_template(name), []).append(name)
    found: list[str] = []
    for alike in groups.values():
        if _NUMBER.search(alike[0]):
            found += _patterns_alike(folder, alike)
        else:
            found.append(os.path.join(folder, alike[0]))
    return found


def _patterns_alike(folder: str, names: list[str]) -> list[str]:
    """The patterns of names that differ in their numbers alone: of the number that makes the fewest sequences."""
    split = [_parts(name) for name in names]
    count = len(split[0]) // 2
    by_place = []
    for place in reversed(range(count)):
        sequences: dict[tuple[str, ...], list[str]] = {}
        for parts in split:
            others = (*parts[: 2 * place + 1], "", *parts[2 * place + 2 :])
            sequences.setdefault(others, []).append(parts[2 * place + 1])
        by_place.append((len(sequences), place, sequences))
    fewest, place, sequences = min(by_place, key=lambda choice: choice[0])
    if fewest == len(names) > 1:
        raise ShotError(
            f'More than one number changes from file to file, as in "{names[0]}" and "{names[1]}".',
            hint="Copy or link the files under names with one consecutive number, such as plate.0001.png.",
            path=os.path.join(folder, names[0]),
        )
    found = []
    for others, numbers in sequences.items():
        before, after = "".join(others[: 2 * place + 1]), "".join(others[2 * place + 2 :])
        padding = min(len(number.lstrip("-")) for number in numbers)
        found.append(str(Sequence(folder, before, padding, after)))
    return found


def _template(name: str) -> str:
    return _NUMBER.sub("#", name)


def _parts(name: str) -> tuple[str, ...]:
    """A name as text, number, text, ... number, text."""
    parts: list[str] = []
    end = 0
    for match in _NUMBER.finditer(name):
        parts += [name[end : match.start()], match.group()]
        end = match.end()
    return (*parts, name[end:])
