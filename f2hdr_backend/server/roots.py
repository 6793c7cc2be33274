"""Restricts file access to the folders that the user allows, after all links are resolved."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass

from f2hdr_backend.shot.errors import ServerError, ShotError, UnreadableFrame
from f2hdr_backend.shot.frames import Sequence


@dataclass(frozen=True)
class Roots:
    """Allowed folders, with all links resolved; every path must pass ``allow``."""

    folders: tuple[str, ...]

    @classmethod
    def of(cls, folders: Iterable[str]) -> Roots:
        """Return the roots at ``folders``. Raises ShotError if one is not a folder."""
        resolved = tuple(os.path.realpath(os.path.expanduser(folder)) for folder in folders)
        for folder in resolved:
            if not os.path.isdir(folder):
                raise ShotError(f'The root "{folder}" is not a folder.', hint="Give an existing folder.", path=folder)
        return cls(resolved)

    def allow(self, path: str) -> str:
        """Return ``path`` with all links resolved.

        Raises ShotError if it is not absolute, ServerError if it is outside the roots.
        """
        _require_absolute(path)
        resolved = os.path.realpath(path)
        if not any(_is_below(resolved, folder) for folder in self.folders):
            raise ServerError(
                f'"{path}" is outside the folders that this server may access.',
                hint=f"The folders are {', '.join(self.folders)}; add one with f2hdr serve --root.",
                path=path,
                status=403,
            )
        return resolved

    def allow_plate(self, plate: str, frames: Iterable[int] | None = None) -> None:
        """Check the files of a plate, or of some of its frames: inside the roots, and not pipes or devices.

        Raises the errors of ``allow``, and UnreadableFrame.
        """
        for path in _files(plate, frames):
            self.allow(path)
            _require_file(path)

    def allow_frames(self, pattern: str, frames: Iterable[int]) -> None:
        """Check the paths of output frames. Raises the errors of ``allow``, and UnreadableFrame."""
        self.allow(os.path.dirname(pattern) or pattern)
        sequence = Sequence.parse(pattern)
        for path in map(sequence.path, frames):
            if os.path.lexists(path):
                self.allow(path)
                _require_file(path)


def _require_absolute(path: str) -> None:
    try:
        fit = os.path.isabs(path) and b"\0" not in os.fsencode(path)
    except UnicodeEncodeError:
        fit = False
    if not fit:
        raise ShotError(
            f"{path!r} is not an absolute path.",
            hint="The server runs in another folder: give the full path.",
            path=path,
        )


def _is_below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)


def _files(plate: str, frames: Iterable[int] | None) -> Iterable[str]:
    """Return the paths of a plate's files; the folder or file name is first."""
    _require_absolute(plate)
    if os.path.lexists(plate) or not Sequence.is_pattern(plate):
        return [plate]
    sequence = Sequence.parse(plate)
    return [sequence.folder, *map(sequence.path, sequence.on_disk() if frames is None else frames)]


def _require_file(path: str) -> None:
    """Raise UnreadableFrame for pipes, devices and sockets, because reading one could block forever."""
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError:
        return
    except OSError as error:
        raise UnreadableFrame(
            f'"{path}" cannot be read: {error.strerror}.', hint="Check the path and its permissions.", path=path
        ) from error
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        raise UnreadableFrame(f'"{path}" is not a regular file.', hint="Give image files or a movie.", path=path)
