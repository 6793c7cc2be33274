"""``nuke.callbacks``: the studio's filters for file names."""

from __future__ import annotations

from nuke.session import session


def filenameFilter(path: str) -> str | None:
    """What the filters make of a path; None if there is none, as in Nuke."""
    if not session.filename_filters:
        return None
    for call in session.filename_filters:
        path = call(path) or path
    return path
