"""A node's cache folder: plates with their notes, results by input and settings, the log. Files only; any thread."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import time
import uuid
from collections.abc import Iterable, Iterator

from f2hdr_backend.shot.atomic import replacing
from f2hdr_backend.shot.errors import ShotError, UnwritableFrame
from f2hdr_backend.shot.frames import FrameRange, Sequence
from f2hdr_backend.shot.rename import remove_file, replace_file
from f2hdr_backend.shot.safe_open import append_to, open_file

LOG = "log.txt"
_LOG_LINES = 30
_ID = re.compile(r"[0-9a-f]{12}")


def new_id() -> str:
    """Return a name for a node's folder that no other node has."""
    return uuid.uuid4().hex[:12]


def plate_pattern(folder: str, source: str, view: str) -> str:
    """Return the pattern of the plates that the node writes for one view; ``source`` is the digest of its input."""
    return f"{folder}/plates.{source}/plate.{view}.%04d.exr"


def result_pattern(folder: str, key: str, view: str) -> str:
    """Return the pattern of the results of one view; ``view`` may be Nuke's ``%V``."""
    return f"{folder}/{key}/hdr.{view}.%04d.exr"


def has_plate(pattern: str, frame: int, digest: str) -> bool:
    """Whether the plate of ``frame`` exists and was written when the input had this digest."""
    path = Sequence.parse(pattern).path(frame)
    with contextlib.suppress(OSError), open_file(f"{path}.input") as note:
        return note.read() == digest.encode() and os.path.exists(path)
    return False


def accept_plate(written: str, pattern: str, frame: int, digest: str, earlier: str = "") -> None:
    """Move a plate that was just written to its place, and note the digest of the input that it shows.

    A plate with the bytes of the one in its place, or of the one of the pattern ``earlier``, keeps that file: its
    result is not computed again. Raises UnwritableFrame.
    """
    path = Sequence.parse(pattern).path(frame)
    with _writing(path, frame):
        if _same_bytes(written, path):
            remove_file(written)
        else:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            old = Sequence.parse(earlier).path(frame) if earlier else ""
            if old and _same_bytes(written, old):
                _use_link(old, written)
            replace_file(written, path)
        with replacing(f"{path}.input") as note:
            note.write(digest.encode())


def adopt(earlier: str, pattern: str, frames: Iterable[int]) -> list[int]:
    """Link results of the pattern ``earlier`` to the paths of ``pattern``; return the frames.

    The backend compares the inputs of each file: it keeps valid files and replaces the others. The caller then removes
    the files that the backend did not confirm with ``disown``.
    """
    source, target = Sequence.parse(earlier), Sequence.parse(pattern)
    adopted = []
    for frame in frames:
        if not os.path.exists(target.path(frame)) and os.path.exists(source.path(frame)):
            with contextlib.suppress(OSError):
                os.makedirs(target.folder, exist_ok=True)
                os.link(source.path(frame), target.path(frame))
                adopted.append(frame)
    return adopted


def disown(pattern: str, frames: Iterable[int]) -> None:
    """Remove results that ``adopt`` linked and the backend did not confirm."""
    for frame in frames:
        with contextlib.suppress(OSError):
            remove_file(Sequence.parse(pattern).path(frame))


def stretch(pattern: str, frames: FrameRange, folder: str) -> str:
    """Put the plates of ``frames`` alone into ``folder``, as hard links where possible; return their pattern.

    Raises UnwritableFrame.
    """
    source = Sequence.parse(pattern)
    target = Sequence(folder, source.prefix, source.padding, source.suffix)
    for frame in frames:
        with _writing(target.path(frame), frame):
            os.makedirs(folder, exist_ok=True)
            try:
                os.link(source.path(frame), target.path(frame))
            except OSError:
                shutil.copyfile(source.path(frame), target.path(frame))
    return str(target)


def drop(folder: str) -> None:
    """Delete the folder that ``stretch`` filled; does nothing for an empty name."""
    if folder:
        shutil.rmtree(folder, ignore_errors=True)


def on_disk(folder: str, key: str, views: Iterable[str]) -> FrameRange:
    """Return the frames whose results exist in every view. Raises UnreadableFrame if the folder cannot be listed."""
    found = [set(Sequence.parse(result_pattern(folder, key, view)).on_disk()) for view in views]
    return FrameRange(tuple(set.intersection(*found)))


def clear(folder: str) -> None:
    """Delete a node's folder. Raises ShotError if it is not the folder of a node."""
    if not _ID.fullmatch(os.path.basename(folder)):
        raise ShotError(f"{folder} is not the cache folder of a node.", hint="Delete it by hand if you want to.")
    shutil.rmtree(folder, ignore_errors=True)
    if os.path.isdir(folder):
        raise ShotError(f"{folder} cannot be deleted.", hint="Another program may have one of its files open.")


def log(folder: str, text: str) -> None:
    """Add a line to the node's log; a log that cannot be written does not stop the bake."""
    with contextlib.suppress(OSError):
        os.makedirs(folder, exist_ok=True)
        with append_to(os.path.join(folder, LOG), 0o666) as file:  # less the umask: others use the shared folder too
            file.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')}  {text}\n")


def log_tail(folder: str) -> str:
    """Return where the log is and its last lines."""
    path = os.path.join(folder, LOG)
    try:
        with open_file(path) as file:
            lines = file.read().decode("utf-8", "replace").splitlines()
    except OSError:
        return f"{path}\n\nNothing was baked yet."
    return "\n".join([path, "", *lines[-_LOG_LINES:]])


@contextlib.contextmanager
def _writing(path: str, frame: int) -> Iterator[None]:
    """Report what the disk refuses, with the path and what to do."""
    try:
        yield
    except OSError as error:
        raise UnwritableFrame(
            f"The plate {path} cannot be written: {error.strerror}.",
            hint="Choose a cache folder that can be written, on a disk with free space.",
            frame=frame,
            path=path,
        ) from error


def _use_link(old: str, written: str) -> None:
    """Put a hard link to ``old`` at the place of ``written``; where links are not possible ``written`` stays."""
    link = f"{written}.link"
    with contextlib.suppress(OSError):
        os.link(old, link)
        try:
            replace_file(link, written)
        except OSError:
            remove_file(link)


def _same_bytes(one: str, other: str) -> bool:
    with contextlib.suppress(FileNotFoundError), open_file(other) as old, open_file(one) as new:
        return os.path.getsize(one) == os.path.getsize(other) and old.read() == new.read()
    return False
