"""Reads OCIO configs and their lookup tables with F2HDR's own function to open files.

OpenColorIO itself would open every path in a config, including absolute paths, pipes and devices.
"""

from __future__ import annotations

import copy
import errno
import os
import posixpath
import time
import zlib
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any
from xml.parsers import expat
from zipfile import BadZipFile, ZipFile, ZipInfo

import PyOpenColorIO as ocio

from f2hdr_backend.image.decoder_processes import in_decoder_process
from f2hdr_backend.shot.limits import limit
from f2hdr_backend.shot.ocio_context import context_of, parse_context
from f2hdr_backend.shot.safe_open import open_file

ocio.SetLoggingLevel(ocio.LOGGING_LEVEL_NONE)  # its lines on standard error would contain bytes of files as they are
_ARCHIVE = b"PK"
"""Magic bytes of a config archive (.ocioz)."""
_REFUSED = b"refused"
"""Content that is not a valid lookup table in any format."""
MOST_NESTED = 64
"""Maximum depth of the elements of a lookup table in XML: OpenColorIO's time grows with the square of the depth."""
SLOWEST_S = 2.0
"""CPU time in seconds that OpenColorIO may take to read a config: it grows with the square of the color spaces."""
Environment = tuple[tuple[str, str], ...]


def parse_config(name: str) -> Any:
    """Return OCIO's Config for a built-in name or a file that never changes; cached."""
    return _parsed(name, _environment())


def open_config(path: Path) -> tuple[bytes, Any, Any]:
    """Return a config's bytes, OCIO's Config, and an object that must live as long as the Config.

    A file is read and parsed again only if it, a lookup table or a variable that it uses has changed.
    Raises OSError, ValueError if it is too large or not UTF-8 text, and OCIO's exceptions.
    """
    with open_file(path) as file:
        facts = os.fstat(file.fileno())
    state = (facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtime_ns)
    environment = _environment(_read(path, state)[1])
    found = _opened(path, state, environment)
    if found[2].has_changed():
        ocio.ClearAllCaches()
        _opened.cache_clear()
        found = _opened(path, state, environment)
    return found


@lru_cache(maxsize=4)
def with_context(config: Any, context: tuple[str, ...]) -> Any:
    """Return a copy of OCIO's Config whose variables are those of ``context`` (NAME=value) and its own defaults."""
    names = list(config.getEnvironmentVarNames())
    defaults = {name: config.getEnvironmentVarDefault(name) for name in names}
    changed = copy.deepcopy(config)
    changed.setEnvironmentMode(ocio.ENV_ENVIRONMENT_LOAD_PREDEFINED)
    changed.clearEnvironmentVars()
    for name, value in {**defaults, **parse_context(context)}.items():
        changed.addEnvironmentVar(name, value)
    return changed


@lru_cache(maxsize=4)
def _parsed(name: str, environment: Environment) -> Any:
    return ocio.Config.CreateFromFile(name)


@lru_cache(maxsize=4)
def _read(path: Path, state: tuple[int, ...]) -> tuple[bytes, str, _Archive | None]:
    """Return a config's bytes, its text, and the archive that it is in."""
    with open_file(path) as file:
        content = file.read(max(limit("document"), limit("lut")) + 1)
    is_archive = content.startswith(_ARCHIVE)
    largest = limit("lut" if is_archive else "document")
    if len(content) > largest:
        raise ValueError(f"it is larger than {largest} bytes")
    archive = _Archive(path, content) if is_archive else None
    text = _text(content) if archive is None else archive.config()
    _require_quick(str(path), text)
    return content, text, archive


@lru_cache(maxsize=4)
def _opened(path: Path, state: tuple[int, ...], environment: Environment) -> tuple[bytes, Any, Any]:
    content, text, archive = _read(path, state)
    files = _Files(text, read_table, _state) if archive is None else _Files(text, archive.read, archive.state)
    config = ocio.Config.CreateFromConfigIOProxy(files)
    config.setWorkingDir(os.fsencode(path.parent if archive is None else path))
    return content, config, files


@in_decoder_process
def _require_quick(path: str, text: str) -> None:
    """Raise ValueError if OpenColorIO takes too long to read a config.

    OpenColorIO blocks all other threads of the process meanwhile, so that a server would not answer.
    """
    began = time.thread_time()
    with suppress(ocio.Exception, UnicodeDecodeError):  # reported when the config is used
        config = ocio.Config.CreateFromStream(text)
        list(config.getColorSpaceNames(ocio.SEARCH_REFERENCE_SPACE_ALL, ocio.COLORSPACE_ACTIVE))
    seconds = time.thread_time() - began
    if seconds > SLOWEST_S:
        raise ValueError(f"it has too many color spaces or other parts: reading it takes {seconds:.0f} s")


def _environment(text: str = "") -> Environment:
    """Return the variables that OCIO uses when it parses a config: its own, and those that the config refers to.

    Others do not count, because importing a library can change them.
    """
    own = {name: value for name, value in os.environ.items() if name.startswith("OCIO")}
    return tuple(sorted({**own, **parse_context(context_of(text, os.environ))}.items()))


def read_table(path: str) -> bytes:
    """Return the bytes of a lookup table. Raises OSError, ValueError if it is larger than the limit ``lut``."""
    with open_file(path) as file:
        content = file.read(limit("lut") + 1)
    if len(content) > limit("lut"):
        raise ValueError(f'"{path}" is larger than {limit("lut")} bytes')
    _require_flat(path, content)
    return content


def _require_flat(path: str, content: bytes) -> None:
    """Raise ValueError if a lookup table is XML with elements nested too deeply."""
    depth = 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > MOST_NESTED:
            raise ValueError(f'"{path}" has more than {MOST_NESTED} elements inside each other')

    def end(name: str) -> None:
        nonlocal depth
        depth -= 1

    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler = start, end
    with suppress(expat.ExpatError):  # it is not XML; OpenColorIO tries its other formats
        parser.Parse(content, True)


def _state(path: str) -> str:
    """Return a text that changes with a file. Raises OSError."""
    with open_file(path) as file:
        facts = os.fstat(file.fileno())
    return f"{facts.st_size}:{facts.st_mtime_ns}"


class _Files(ocio.PyConfigIOProxy):
    """OpenColorIO calls these methods for every file; they must not raise exceptions."""

    def __init__(self, text: str, read: Callable[[str], bytes], state: Callable[[str], str]) -> None:
        """``read`` returns the bytes of a lookup table, ``state`` a text that changes with it; both raise OSError."""
        super().__init__()
        self._text = text
        self.read = read
        self._state = state
        self._known: dict[str, str] = {}

    def has_changed(self) -> bool:
        """Return whether a lookup table that OpenColorIO has read has changed since."""
        return any(self._state_now(path) != state for path, state in list(self._known.items()))

    @property
    def asked(self) -> tuple[str, ...]:
        """Paths of the lookup tables that OpenColorIO has looked for."""
        return tuple(self._known)

    def getConfigData(self) -> str:  # noqa: N802 - named by OpenColorIO
        """Return the text of the config."""
        return self._text

    def getLutData(self, path: str) -> bytearray:  # noqa: N802
        """Return the bytes of a lookup table; ``_REFUSED`` if it cannot be read.

        OpenColorIO would open the file itself if this returned ``bytes``, which it does not accept, or nothing.
        """
        try:
            return bytearray(self.read(path) or _REFUSED)
        except (OSError, ValueError):
            return bytearray(_REFUSED)

    def getFastLutFileHash(self, path: str) -> str:  # noqa: N802
        """Return a text that changes with the file; empty if it cannot be opened, so that OCIO treats it as missing."""
        self._known[path] = state = self._state_now(path)
        return state

    def _state_now(self, path: str) -> str:
        try:
            return self._state(path)
        except OSError:
            return ""


class _Archive:
    """A config archive (.ocioz). Its files appear below its own path, as if it were a folder."""

    def __init__(self, path: Path, content: bytes) -> None:
        """Raise ValueError if it is damaged, or larger than the limit ``lut`` after decompression."""
        self._root = str(path)
        try:
            self._zip = ZipFile(BytesIO(content))
        except (BadZipFile, NotImplementedError) as error:
            raise ValueError(f"it is a damaged config archive ({error})") from error
        self._entries = {posixpath.normpath(entry.filename): entry for entry in self._zip.infolist()}
        size = sum(entry.file_size for entry in self._entries.values())
        if size > limit("lut"):
            raise ValueError(f"its files would have {size} bytes, and the limit lut is {limit('lut')}")

    def config(self) -> str:
        """Return the text of its config. Raises OSError, ValueError."""
        return _text(self.read(os.path.join(self._root, "config.ocio")))

    def read(self, path: str) -> bytes:
        """Return the content of a file. Raises FileNotFoundError if the archive has none of that path, ValueError."""
        try:
            return self._zip.read(self._entry(path))
        except (BadZipFile, NotImplementedError, RuntimeError, zlib.error) as error:
            raise ValueError(f"its file {path} is damaged") from error

    def state(self, path: str) -> str:
        """Return a text that changes with a file. Raises FileNotFoundError."""
        return f"{self._entry(path).CRC}"

    def _entry(self, path: str) -> ZipInfo:
        name = os.path.relpath(os.path.normpath(path), self._root).replace(os.sep, "/")
        if name not in self._entries:
            raise FileNotFoundError(errno.ENOENT, f"the archive has no file {name}", path)
        return self._entries[name]


def _text(content: bytes) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"byte {error.start} is not UTF-8 text") from error
