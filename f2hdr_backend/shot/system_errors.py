"""Errors of the operating system as F2HDRError: the operation, the reason and an action."""

from __future__ import annotations

import errno

from f2hdr_backend.shot.errors import F2HDRError, OutOfMemory

ACTIONS = {
    errno.ENOSPC: "Free some space or choose another folder.",
    errno.EDQUOT: "Your disk quota is used up: free some space or choose another folder.",
    errno.EFBIG: "The file system allows no file of this size: choose another folder.",
    errno.EACCES: "Choose a folder that you may write to, or change its permissions.",
    errno.EPERM: "Choose a folder that you may write to, or change its permissions.",
    errno.EROFS: "Choose a folder that is not read-only.",
    errno.EISDIR: "A folder has that name: choose another name.",
    errno.ENOTDIR: "A part of the path is a file: choose another folder.",
    errno.EEXIST: "A part of the path is a file: choose another folder.",
    errno.ENAMETOOLONG: "Choose a shorter name.",
    errno.EMFILE: "Raise the limit of open files (ulimit -n), or close other programs.",
    errno.ENFILE: "Close other programs: the system has reached its limit of open files.",
    errno.ENOMEM: "Close other programs: the system is out of memory.",
    errno.EAGAIN: "Close other programs: the system has reached its limit of processes or threads.",
}
"""User actions for system errors, by error number."""


def action_for(error: OSError) -> str:
    """Return the action for an error; a general sentence for errors that are not in ``ACTIONS``."""
    return ACTIONS.get(error.errno or 0, "Check the folder and try again.")


def system_error(error: OSError | MemoryError) -> F2HDRError:
    """Return the error for an unexpected failure of a system call, or for memory that the system refused."""
    if isinstance(error, MemoryError):
        return OutOfMemory("There is not enough memory.", hint="Close other programs, or use smaller frames or fewer.")
    reason = error.strerror or str(error) or type(error).__name__
    if error.filename is None:
        return F2HDRError(f"The system reports: {reason}.", hint=action_for(error))
    path = error.filename if isinstance(error.filename, str) else repr(error.filename)
    return F2HDRError(f'"{path}" cannot be used: {reason}.', hint=action_for(error), path=path)
