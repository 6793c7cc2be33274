"""Reads OCIO configs and their lookup tables with F2HDR's own function to open files.

OpenColorIO itself would open every path in a config, including absolute paths, pipes and devices.
"""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path
from typing import Any

import PyOpenColorIO as ocio

from f2hdr_backend.shot.limits import limit
from f2hdr_backend.shot.opening import library_path, open_file

_ARCHIVE = b"PK"
"""Magic bytes of a config archive (.ocioz)."""


Environment = tuple[tuple[str, str], ...]


def parse_config(name: str) -> Any:
    """Return OCIO's Config for a built-in name or a file that never changes; cached."""
    return _parsed(name, _environment())


def open_config(path: Path) -> tuple[bytes, Any, Any]:
    """Return a config's bytes, OCIO's Config, and an object that must live as long as the Config.

    A file is read and parsed again only if it or the environment has changed.
    Raises OSError, ValueError if it is too large or not UTF-8 text, and OCIO's exceptions.
    """
    with open_file(path) as file:
        facts = os.fstat(file.fileno())
    return _opened(path, (facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtime_ns), _environment())


@lru_cache(maxsize=4)
def _parsed(name: str, environment: Environment) -> Any:
    return ocio.Config.CreateFromFile(name)


@lru_cache(maxsize=4)
def _opened(path: Path, state: tuple[int, ...], environment: Environment) -> tuple[bytes, Any, Any]:
    with open_file(path) as file:
        content = file.read(limit("document") + 1)
        if content.startswith(_ARCHIVE):
            return content + file.read(), ocio.Config.CreateFromFile(library_path(path, file)), None
    if len(content) > limit("document"):
        raise ValueError(f"it is larger than {limit('document')} bytes")
    files = _Files(_text(content))
    config = ocio.Config.CreateFromConfigIOProxy(files)
    config.setWorkingDir(str(path.parent))
    return content, config, files


def _environment() -> Environment:
    """Return the environment, from which OCIO takes a config's context variables when it parses the config."""
    return tuple(sorted(os.environ.items()))


def read_table(path: str) -> bytes:
    """Return the bytes of a lookup table. Raises OSError, ValueError if it is larger than the limit ``lut``."""
    with open_file(path) as file:
        content = file.read(limit("lut") + 1)
    if len(content) > limit("lut"):
        raise ValueError(f'"{path}" is larger than {limit("lut")} bytes')
    return content


class _Files(ocio.PyConfigIOProxy):
    """OpenColorIO calls these methods for every file; they must not raise exceptions."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self._text = text

    def getConfigData(self) -> str:  # noqa: N802 - named by OpenColorIO
        """Return the text of the config."""
        return self._text

    def getLutData(self, path: str) -> bytes:  # noqa: N802
        """Return the bytes of a lookup table; empty if it cannot be read."""
        try:
            return read_table(path)
        except (OSError, ValueError):
            return b""

    def getFastLutFileHash(self, path: str) -> str:  # noqa: N802
        """Return a text that changes with the file; empty if it cannot be opened, so that OCIO treats it as missing."""
        try:
            with open_file(path) as file:
                facts = os.fstat(file.fileno())
                return f"{facts.st_size}:{facts.st_mtime_ns}"
        except OSError:
            return ""


def _text(content: bytes) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"byte {error.start} is not UTF-8 text") from error
