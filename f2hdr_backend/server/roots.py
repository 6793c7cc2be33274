"""Which files the server may touch: those below the folders that its user allows, wherever links lead."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass

from f2hdr_backend.shot.errors import ServerError, ShotError, UnreadableFrame
from f2hdr_backend.shot.frames import Sequence


@dataclass(frozen=True)
class Roots:
    """Folders, with every link resolved; ``allow`` is the only way to a path."""

    folders: tuple[str, ...]

    @classmethod
    def of(cls, folders: Iterable[str]) -> Roots:
        """The roots at ``folders``. ShotError if one is no folder."""
        resolved = tuple(os.path.realpath(os.path.expanduser(folder)) for folder in folders)
        for folder in resolved:
            if not os.path.isdir(folder):
                raise ShotError(f'The root "{folder}" is no folder.', hint="Give a folder that exists.", path=folder)
        return cls(resolved)

    def allow(self, path: str) -> str:
        """Return ``path`` with every link resolved.

        Raises ShotError if it is not absolute, ServerError if it lies outside the roots.
        """
        _require_absolute(path)
        resolved = os.path.realpath(path)
        if not any(_is_below(resolved, folder) for folder in self.folders):
            raise ServerError(
                f'"{path}" is outside the folders that this server may touch.',
                hint=f"They are {', '.join(self.folders)}; f2hdr serve --root adds one.",
                path=path,
                status=403,
            )
        return resolved

    def allow_plate(self, plate: str, frames: Iterable[int] | None = None) -> None:
        """Check the files of a plate, or those of some frames: below the roots, and files rather than pipes or devices.

        Raises as ``allow``, and UnreadableFrame.
        """
        for path in _files(plate, frames):
            self.allow(path)
            _require_file(path)

    def allow_frames(self, pattern: str, frames: Iterable[int]) -> None:
        """Check the places that frames will be written to. Raises as ``allow``, and UnreadableFrame."""
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
            f"{path!r} is no absolute path.", hint="The server has another folder: give the whole path.", path=path
        )


def _is_below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)


def _files(plate: str, frames: Iterable[int] | None) -> Iterable[str]:
    """The paths of a plate's files, its folder or name first."""
    _require_absolute(plate)
    if os.path.lexists(plate) or not Sequence.is_pattern(plate):
        return [plate]
    sequence = Sequence.parse(plate)
    return [sequence.folder, *map(sequence.path, sequence.on_disk() if frames is None else frames)]


def _require_file(path: str) -> None:
    """Refuse pipes, devices and sockets: reading one could wait for ever."""
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError:
        return
    except OSError as error:
        raise UnreadableFrame(
            f'"{path}" cannot be read: {error.strerror}.', hint="Check the path and the permissions.", path=path
        ) from error
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        raise UnreadableFrame(f'"{path}" is no file.', hint="Name picture files or a movie.", path=path)
