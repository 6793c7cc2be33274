"""Color spaces by the names of the backend: those of the script's OCIO config.

A config that is a file is read here as text. The names of another one (``ocio://...``, built into OCIO) are requested
from the backend, once in a session.
"""

from __future__ import annotations

import contextlib
import os
import re
import zipfile
from typing import Optional

import nuke

from f2hdr_backend.client.connection import Connection
from f2hdr_backend.client.jobs import color_spaces
from f2hdr_backend.shot.errors import ColorError
from f2hdr_backend.shot.limits import DEFAULTS
from f2hdr_backend.shot.safe_open import open_file
from f2hdr_nuke import knobs, paths
from f2hdr_nuke.host import Host

OWN = ("gamma22", "linear")
"""Spaces that need no config."""
_BUILT_IN = "ocio://"
_NUKES_OWN = {"linear": "linear", "gamma2.2": "gamma22"}
_SPACE = re.compile(r"!<ColorSpace>\s*\{?\s*(?:#[^\n]*\n\s*)*name:\s*([^\n,}]+)")
_ROLES = re.compile(r"^roles:\s*\n((?:[ \t]+[^\n]*\n)+)", re.MULTILINE)
_ROLE = re.compile(r"^\s+(\w+):", re.MULTILINE)
_from_backend: dict[str, list[str]] = {}
"""Names by config, as the backend answered."""


def config_file() -> str:
    """Return the OCIO config that the script uses; empty if it is in Nuke's own color management."""
    root = nuke.root()
    named = os.environ.get("OCIO", "")
    if not named and str(root["colorManagement"].value()) == "OCIO":
        named = knobs.path(root, "OCIOConfigPath")
    return named if not named or named.startswith(_BUILT_IN) else paths.absolute(named)


def names() -> list[str]:
    """Return the color spaces and roles of the script's config, sorted; empty without one, or if they are unknown."""
    config = config_file()
    if config.startswith(_BUILT_IN):
        return _from_backend.get(config, [])
    content = _content(config)
    found = {name.strip().strip("\"'") for name in _SPACE.findall(content)}
    for block in _ROLES.findall(content):
        found.update(_ROLE.findall(block))
    return sorted(found, key=str.lower)


def are_unknown() -> bool:
    """Whether the names have to be requested from the backend first."""
    config = config_file()
    return config.startswith(_BUILT_IN) and config not in _from_backend


def learn(host: Host, connection: Connection) -> None:
    """Request the names from the backend if they are unknown. Raises ColorError for a config that it cannot load."""
    config = host.on_main(config_file)
    if config.startswith(_BUILT_IN) and config not in _from_backend:
        _from_backend[config] = host.wait(lambda: color_spaces(connection, config))


def of_read(shown: str) -> Optional[str]:
    """Return the backend's name for the value of a Read's color space knob, or None if it has none."""
    known = names()
    for name in _readings(shown):
        if known and name in known:
            return name
        if not known and name.lower() in _NUKES_OWN:
            return _NUKES_OWN[name.lower()]
    return None


def working() -> str:
    """Return the script's working space by the config's name; ``linear`` without a config.

    Raises ColorError if the names of the config have not been requested yet.
    """
    if are_unknown():
        raise ColorError(
            f"The color spaces of {config_file()} are not known yet.",
            hint="Press Check (tab Files): the backend reads them.",
        )
    return of_read(str(nuke.root()["workingSpaceLUT"].value())) or "linear"


def _readings(shown: str) -> list[str]:
    """Color space names for a menu entry: ``default (X)``, ``role (X)``, ``Family/X`` or ``X``."""
    nested = re.search(r"\(([^()]*)\)\s*$", shown)
    readings = [nested[1]] if nested else []
    readings += [shown, shown.rpartition("/")[2], shown.split(" (")[0]]
    return readings


def _content(path: str) -> str:
    """The text of a config file or of the one in an archive; empty if it cannot be read, cut if it is very long."""
    largest = DEFAULTS["document"]
    with contextlib.suppress(OSError, KeyError, zipfile.BadZipFile), open_file(path) as file:
        if path.endswith(".ocioz"):
            with zipfile.ZipFile(file) as archive, archive.open("config.ocio") as config:
                return config.read(largest).decode("utf-8", "replace")
        return file.read(largest).decode("utf-8", "replace")
    return ""
