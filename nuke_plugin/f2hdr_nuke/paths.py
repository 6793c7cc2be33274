"""Paths as Nuke means them: the studio's filters, ``~``, relative to the project or the script, drive letters, UNC."""

from __future__ import annotations

import functools
import os
import re
import tempfile

import nuke

from f2hdr_backend.shot.errors import ShotError
from f2hdr_nuke import knobs

UNSAVED = "f2hdr_unsaved_"
"""Prefix of the temporary folder that holds the caches of a script without a name."""
_DRIVE = re.compile(r"[A-Za-z]:/")


def absolute(path: str) -> str:
    """Return ``path`` absolute, with forward slashes, whether this system knows such a path or not.

    The studio's filename filters come first. A relative path begins at the project directory, or at the script's folder
    if that is empty.
    """
    path = os.path.expanduser(_forward(filtered(path)))
    if not is_absolute(path):
        path = _forward(filtered(f"{_base()}/{path}"))
    return _forward(os.path.normpath(path))


def located(path: str) -> str:
    """Return ``path`` as ``absolute`` does, to be read or written.

    Raises ShotError for a path with a drive letter on a system that has none.
    """
    path = absolute(path)
    if _DRIVE.match(path) and os.name != "nt":
        raise ShotError(
            f'The path "{path}" has a drive letter, but this system has none.',
            hint="Add a filename filter (nuke.addFilenameFilter) that maps it, or choose another folder.",
        )
    return path


def filtered(path: str) -> str:
    """Return a path as the studio's own filters (``nuke.addFilenameFilter``) leave it."""
    return str(nuke.callbacks.filenameFilter(path) or path)


def script_folder() -> str:
    """Return the folder of the script; empty if it has not been saved yet."""
    return nuke.script_directory() if nuke.root().name() not in ("", "Root") else ""


def node_folder(node: nuke.Node) -> str:
    """Return the cache folder of the node.

    It is in the folder that the knob names, else in ``f2hdr_cache`` in the script's folder, else (a script without a
    name) in a temporary folder. Raises ShotError for a path that this system does not have.
    """
    chosen = knobs.evaluated(node, "cache_dir")
    if not chosen:
        script = script_folder()
        chosen = f"{script}/f2hdr_cache" if script else _unsaved()
    return f"{located(chosen)}/{knobs.text(node, 'node_id')}"


def is_unsaved(folder: str) -> bool:
    """Whether a node's cache folder is in the temporary folder of a script without a name."""
    return os.path.basename(os.path.dirname(folder)).startswith(UNSAVED)


def is_absolute(path: str) -> bool:
    """Whether a path with forward slashes is absolute on some system: it begins with a slash or a drive letter."""
    return path.startswith("/") or _DRIVE.match(path) is not None


@functools.cache
def _unsaved() -> str:
    """One temporary folder for this process, which only this user can read."""
    return tempfile.mkdtemp(prefix=UNSAVED, dir=os.environ.get("NUKE_TEMP_DIR") or None)


def _base() -> str:
    project = os.path.expanduser(_forward(filtered(knobs.path(nuke.root(), "project_directory"))))
    if is_absolute(project):
        return project
    return "/".join(part for part in (script_folder() or os.getcwd(), project) if part)


def _forward(path: str) -> str:
    return path.replace("\\", "/")
