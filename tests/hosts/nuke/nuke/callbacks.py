"""``nuke.callbacks``: the studio's filters for file names."""

from __future__ import annotations

from nuke.session import session


def filenameFilter(path: str) -> str | None:
    """The path returned by the filters; None if there is no filter, as in Nuke."""
    if not session.filename_filters:
        return None
    for call in session.filename_filters:
        path = call(path) or path
    return path
