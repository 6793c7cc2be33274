"""The name of the user that runs the command."""

from __future__ import annotations

import getpass


def user_name() -> str:
    """Return the user's name; empty for a user ID that the system does not list, as in containers."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""
