"""Find the plate for dropped files: a file of a sequence, several files, a folder, a movie or a Shot."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable

from f2hdr_backend.shot.errors import ShotError

MOVIE_SUFFIXES = (".avi", ".mkv", ".mov", ".mp4", ".mxf", ".webm")
PICTURE_SUFFIXES = (
    *(".exr", ".tif", ".tiff", ".dpx", ".png", ".jpg", ".jpeg", ".hdr", ".dng", ".cr2", ".cr3", ".nef", ".arw", ".raf"),
    *(".rw2", ".orf", ".cin", ".tga", ".bmp", ".webp"),
)
_NUMBER = re.compile(r"\d+(?=\D*$)")


def plate_of(paths: Iterable[str]) -> str:
    """Return the plate for ``paths``: a pattern such as ``plate.####.exr``, a movie, or a Shot document.

    For a folder, the sequence with the most frames is used. Raises ShotError if there is none.
    """
    given = [os.path.abspath(path) for path in paths]
    if len(given) == 1 and not os.path.isdir(given[0]):
        return _of_one(given[0])
    files = [file for path in given for file in (_inside(path) if os.path.isdir(path) else [path])]
    patterns = Counter(pattern for pattern in map(_pattern, files) if pattern)
    movies = sorted(file for file in files if file.lower().endswith(MOVIE_SUFFIXES))
    if patterns and (not movies or patterns.most_common(1)[0][1] > 1):
        return max(patterns, key=lambda pattern: (patterns[pattern], pattern))
    if movies:
        return movies[0]
    where = given[0] if len(given) == 1 else f"the {len(given)} dropped files"
    raise ShotError(
        f'There are no numbered pictures and no movie in "{where}".',
        hint="Drop a folder of frames such as plate.1001.exr, or a movie.",
        path=where,
    )


def _of_one(path: str) -> str:
    if path.lower().endswith((".json", *MOVIE_SUFFIXES)):
        return path
    if "#" in os.path.basename(path) or "%" in os.path.basename(path):
        return path
    pattern = _pattern(path)
    if not os.path.exists(path):
        raise ShotError(f'"{path}" does not exist.', hint="Check the path.", path=path)
    if not pattern:
        raise ShotError(
            f'"{os.path.basename(path)}" is not a numbered picture, a movie or a Shot document.',
            hint="Drop a frame such as plate.1001.exr.",
            path=path,
        )
    return pattern


def _inside(folder: str) -> list[str]:
    try:
        return sorted(entry.path for entry in os.scandir(folder) if entry.is_file() and not entry.name.startswith("."))
    except OSError as error:
        raise ShotError(
            f'The folder "{folder}" cannot be read: {error.strerror}.', hint="Check its permissions.", path=folder
        ) from error


def _pattern(path: str) -> str:
    """Return the pattern of a numbered picture, or an empty string."""
    folder, name = os.path.split(path)
    stem, suffix = os.path.splitext(name)
    if suffix.lower() not in PICTURE_SUFFIXES:
        return ""
    marked, found = _NUMBER.subn(lambda digits: "#" * len(digits.group()), stem, count=1)
    return os.path.join(folder, marked + suffix) if found else ""
