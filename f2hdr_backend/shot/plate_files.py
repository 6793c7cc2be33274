"""Whether the files of a plate exist, from their names alone: no file is opened and no library is loaded."""

from __future__ import annotations

import os
import re
from dataclasses import replace

from f2hdr_backend.shot.errors import MissingFrames, ShotError, UnreadableFrame
from f2hdr_backend.shot.frames import FrameRange, Sequence
from f2hdr_backend.shot.naming import MOVIE_SUFFIXES


def require_plate(text: str, layer: str = "") -> None:
    """Raise an error unless ``text`` is a pattern that matches a file, or an existing movie.

    Raises:
        ShotError, UnreadableFrame: as :func:`require_pattern_or_movie`; also if the folder cannot be listed.
        MissingFrames: the pattern matches no file.
    """
    require_pattern_or_movie(text, layer)
    if not is_movie(text):
        listed_frames(Sequence.parse(text))


def require_pattern_or_movie(text: str, layer: str = "") -> None:
    """Raise an error unless ``text`` is a pattern of frames, which are not looked for, or an existing movie.

    Raises:
        ShotError: anything else (a single image has no neighbors), or a layer of files that have none.
        UnreadableFrame: there is no such movie.
    """
    if layer and not text.lower().endswith(".exr"):
        raise ShotError(f'"{text}" has no layers to select; only EXR files have layers.', hint="Omit --layer.")
    if is_movie(text):
        if not os.path.exists(text):
            raise UnreadableFrame(
                f'"{text}" cannot be read: No such file or directory.', hint="Check the path and the file.", path=text
            )
    elif not Sequence.is_pattern(text):
        missing = "" if os.path.exists(text) else "does not exist, and it "
        raise ShotError(
            f'"{text}" {missing}is neither a pattern of numbered frames nor a movie.',
            hint=f'Write the frame number as number signs, like "{_as_pattern(text)}".',
            path=text,
        )


def is_movie(text: str) -> bool:
    """Return whether a plate is a movie file; a pattern with a movie's suffix is one if a file has that very name."""
    return text.lower().endswith(MOVIE_SUFFIXES) and (os.path.isfile(text) or not Sequence.is_pattern(text))


def listed_frames(sequence: Sequence) -> tuple[FrameRange, tuple[str, ...]]:
    """Return what ``sequence.listed()`` does. Raises MissingFrames if the sequence has no frame."""
    frames, left_out = sequence.listed()
    if not frames:
        raise MissingFrames(
            f'No file matches "{sequence}".', hint=_near(sequence, left_out), path=str(sequence), frames=()
        )
    return frames, left_out


def _near(sequence: Sequence, others: tuple[str, ...]) -> str:
    """What to do if no file matches: name the pattern of files that differ in padding alone."""
    if not others:
        return "Check the folder, the name and the padding."
    start, end = len(sequence.prefix), len(others[0]) - len(sequence.suffix)
    prefix, digits, suffix = others[0][:start], others[0][start:end].lstrip("-"), others[0][end:]
    padding = len(digits) if digits.startswith("0") or (prefix, suffix) != (sequence.prefix, sequence.suffix) else 1
    named = replace(sequence, prefix=prefix, padding=padding, suffix=suffix)
    return f'There are files with another padding or case of letters, such as "{others[0]}": write "{named}".'


def _as_pattern(text: str) -> str:
    """Return the pattern that a user probably meant by one frame, a glob or a folder."""
    folder, name = os.path.split(text)
    if re.search(r"[*?]", name):
        return os.path.join(folder, re.sub(r"[*?]+", "####", name))
    stem, suffix = os.path.splitext(text)
    pattern, found = re.subn(r"\d+(?=\D*$)", lambda digits: "#" * len(digits[0]), os.path.basename(stem))
    if os.path.isdir(text) or not found:
        return os.path.join(text if os.path.isdir(text) else os.path.dirname(text), "plate.####.exr")
    return os.path.join(os.path.dirname(text), pattern + suffix)
