"""Files that appear whole or not at all."""

from __future__ import annotations

import errno
import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from f2hdr_backend.shot.errors import UnwritableFrame
from f2hdr_backend.shot.rename import replace_file

_MENDS = {
    errno.ENOSPC: "Free some space or choose another folder.",
    errno.EDQUOT: "Your disk quota is used up: free some space or choose another folder.",
    errno.EFBIG: "The file system allows no file of this size: choose another folder.",
    errno.EACCES: "Choose a folder that you may write to, or change its permissions.",
    errno.EPERM: "Choose a folder that you may write to, or change its permissions.",
    errno.EROFS: "Choose a folder that is not read-only.",
    errno.EISDIR: "A folder of that name is in the way: choose another name.",
    errno.ENOTDIR: "A part of the path is a file: choose another folder.",
    errno.EEXIST: "A part of the path is a file: choose another folder.",
    errno.ENAMETOOLONG: "Choose a shorter name.",
}


@contextmanager
def atomic_path(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a temporary path beside ``path``; when the block ends well, the file is flushed and renamed to it.

    Missing folders are made. If the block fails in any way the temporary file is removed and ``path`` stays
    as it was. Write nothing but that file in the block: any OSError becomes UnwritableFrame with its mend.
    """
    target = Path(path)
    part = target.with_name(f".{target.name}.{os.getpid()}-{secrets.token_hex(4)}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        yield part
        _flush(part)
        replace_file(part, target)
    except OSError as error:
        raise _unwritable(target, error) from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def require_writable(path: str | os.PathLike[str]) -> None:
    """Raise UnwritableFrame unless a file can be written at ``path``. Missing folders are made; the file is not."""
    target = Path(path)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=target.parent):
            pass
        if target.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    except OSError as error:
        raise _unwritable(target, error) from error


def _flush(part: Path) -> None:
    """Wait until the bytes are on the disk: network file systems tell only now that there was no space."""
    with part.open("rb+") as file:
        os.fsync(file.fileno())


def _unwritable(target: Path, error: OSError) -> UnwritableFrame:
    reason = error.strerror or str(error)
    mend = _MENDS.get(error.errno or 0, "Check the folder and try again.")
    return UnwritableFrame(f'"{target}" cannot be written: {reason}.', hint=mend, path=str(target))
