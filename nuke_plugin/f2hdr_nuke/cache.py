"""The node's own folder: plates and their notes, results by settings, the log. Files only; any thread."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import time
import uuid
from collections.abc import Iterator

from f2hdr_backend.shot.errors import ShotError, UnwritableFrame
from f2hdr_backend.shot.frames import FrameRange, Sequence

LOG = "log.txt"
_LOG_LINES = 30
_ID = re.compile(r"[0-9a-f]{12}")


def new_id() -> str:
    """Return a name for a node's folder that no other node has."""
    return uuid.uuid4().hex[:12]


def plate_pattern(folder: str, view: str) -> str:
    """Return the pattern of the plates that the node writes for one view."""
    return f"{folder}/plate.{view}.%04d.exr"


def result_pattern(folder: str, key: str, view: str) -> str:
    """Return the pattern of the results of one view; ``view`` may be Nuke's ``%V``."""
    return f"{folder}/{key}/hdr.{view}.%04d.exr"


def has_plate(pattern: str, frame: int, digest: str) -> bool:
    """Whether the plate of ``frame`` is there and was written when the input had this digest."""
    path = Sequence.parse(pattern).path(frame)
    with contextlib.suppress(OSError), open(f"{path}.input", encoding="utf-8") as note:
        return note.read() == digest and os.path.exists(path)
    return False


def accept_plate(written: str, pattern: str, frame: int, digest: str) -> None:
    """Move a plate that was just written to its place, and note the digest of the input that it shows.

    A plate with the same bytes stays as it is: its result is not computed again. Raises UnwritableFrame.
    """
    path = Sequence.parse(pattern).path(frame)
    with _writing(path, frame):
        if _same_bytes(written, path):
            os.unlink(written)
        else:
            os.replace(written, path)
        with open(f"{path}.input.part", "w", encoding="utf-8") as note:
            note.write(digest)
        os.replace(f"{path}.input.part", f"{path}.input")


def forget_plates(pattern: str, first: int, last: int) -> None:
    """Remove plates outside the input's range: the ends of the shot are where its windows are mirrored.

    Raises UnwritableFrame.
    """
    sequence = Sequence.parse(pattern)
    for frame in sequence.on_disk():
        if not first <= frame <= last:
            for path in (sequence.path(frame), f"{sequence.path(frame)}.input"):
                with _writing(path, frame), contextlib.suppress(FileNotFoundError):
                    os.unlink(path)


def stretch(pattern: str, frames: FrameRange, folder: str) -> str:
    """Lay the plates of ``frames`` alone into ``folder``, hard links where possible; return their pattern.

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
    """Delete what ``stretch`` laid; nothing for an empty name."""
    if folder:
        shutil.rmtree(folder, ignore_errors=True)


def on_disk(folder: str, key: str, views: tuple[str, ...]) -> FrameRange:
    """Return the frames whose results are there in every view."""
    found = [set(Sequence.parse(result_pattern(folder, key, view)).on_disk()) for view in views]
    return FrameRange(tuple(set.intersection(*found)))


def clear(folder: str) -> None:
    """Delete a node's folder. Raises ShotError if it is not one."""
    if not _ID.fullmatch(os.path.basename(folder)):
        raise ShotError(f"{folder} is not the cache folder of a node.", hint="Delete it by hand if you want to.")
    shutil.rmtree(folder, ignore_errors=True)
    if os.path.isdir(folder):
        raise ShotError(f"{folder} cannot be deleted.", hint="Another program may have one of its files open.")


def log(folder: str, text: str) -> None:
    """Add a line to the node's log; a log that cannot be written does not stop the work."""
    with contextlib.suppress(OSError):
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, LOG), "a", encoding="utf-8") as file:
            file.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')}  {text}\n")


def log_tail(folder: str) -> str:
    """Return where the log is and its last lines."""
    path = os.path.join(folder, LOG)
    try:
        with open(path, encoding="utf-8") as file:
            lines = file.read().splitlines()
    except OSError:
        return f"{path}\n\nNothing was baked yet."
    return "\n".join([path, "", *lines[-_LOG_LINES:]])


@contextlib.contextmanager
def _writing(path: str, frame: int) -> Iterator[None]:
    """Say what the disk refuses in words that the user can act on."""
    try:
        yield
    except OSError as error:
        raise UnwritableFrame(
            f"The plate {path} cannot be written: {error.strerror}.",
            hint="Choose a cache folder that can be written, with room.",
            frame=frame,
            path=path,
        ) from error


def _same_bytes(one: str, other: str) -> bool:
    with contextlib.suppress(FileNotFoundError), open(other, "rb") as old, open(one, "rb") as new:
        return os.path.getsize(one) == os.path.getsize(other) and old.read() == new.read()
    return False
