"""Color spaces by the names that the backend knows: those of the script's OCIO config, read as text."""

from __future__ import annotations

import contextlib
import os
import re
import zipfile
from typing import Optional

import nuke

from f2hdr_nuke import knobs

OWN = ("gamma22", "linear")
"""Spaces that need no config."""
_NUKES_OWN = {"linear": "linear", "gamma2.2": "gamma22"}
_SPACE = re.compile(r"!<ColorSpace>\s*\{?\s*(?:#[^\n]*\n\s*)*name:\s*([^\n,}]+)")
_ROLES = re.compile(r"^roles:\s*\n((?:[ \t]+[^\n]*\n)+)", re.MULTILINE)
_ROLE = re.compile(r"^\s+(\w+):", re.MULTILINE)


def config_file() -> str:
    """Return the OCIO config that the script uses; empty if it is in Nuke's own color management."""
    root = nuke.root()
    if os.environ.get("OCIO"):
        return os.environ["OCIO"]
    if str(root["colorManagement"].value()) != "OCIO":
        return ""
    return filtered(knobs.path(root, "OCIOConfigPath"))


def names() -> list[str]:
    """Return the color spaces and roles of the script's config, sorted; empty without one."""
    content = _content(config_file())
    found = {name.strip().strip("\"'") for name in _SPACE.findall(content)}
    for block in _ROLES.findall(content):
        found.update(_ROLE.findall(block))
    return sorted(found, key=str.lower)


def of_read(shown: str) -> Optional[str]:
    """Return the backend's name for what a Read's color space knob shows, or None if it has none."""
    known = names()
    for name in _readings(shown):
        if known and name in known:
            return name
        if not known and name.lower() in _NUKES_OWN:
            return _NUKES_OWN[name.lower()]
    return None


def working() -> str:
    """Return the script's working space by the config's name; ``linear`` without a config."""
    return of_read(str(nuke.root()["workingSpaceLUT"].value())) or "linear"


def filtered(path: str) -> str:
    """Return a path as the studio's own filters (``nuke.addFilenameFilter``) leave it."""
    return str(nuke.callbacks.filenameFilter(path) or path)


def _readings(shown: str) -> list[str]:
    """What a menu entry may stand for: ``default (X)``, ``role (X)``, ``Family/X`` or plainly ``X``."""
    nested = re.search(r"\(([^()]*)\)\s*$", shown)
    readings = [nested[1]] if nested else []
    readings += [shown, shown.rpartition("/")[2], shown.split(" (")[0]]
    return readings


def _content(path: str) -> str:
    """The text of a config file or of the one in an archive; empty if it cannot be read."""
    with contextlib.suppress(OSError, KeyError, zipfile.BadZipFile):
        if path.endswith(".ocioz"):
            with zipfile.ZipFile(path) as archive:
                return archive.read("config.ocio").decode("utf-8", "replace")
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    return ""
