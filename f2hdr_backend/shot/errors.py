"""The error classes: each error has an exit code and a JSON form."""

from __future__ import annotations

from typing import Any, ClassVar

from f2hdr_backend.shot.printable import printable, shown

LONGEST_HINT = 300
"""Maximum length of a hint in characters."""
_DEEPEST = 10
"""Levels of lists and objects in a fact of an error."""


class F2HDRError(Exception):
    """Base class of all errors that are reported to users.

    ``message`` is one sentence that names the file or value; ``hint`` states what to do. In both, control characters
    are escaped and long texts are shortened. Every further keyword is a fact, stored unchanged in ``facts`` and
    available as an attribute (``error.path``, ``error.frames``).
    """

    code: ClassVar[str] = "error"
    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str = "", **facts: object) -> None:
        self.message = printable(message)
        self.hint = printable(hint, LONGEST_HINT)
        super().__init__(self.message)
        self.facts = facts

    def __getattr__(self, name: str) -> Any:
        try:
            return self.__dict__["facts"][name]
        except KeyError:
            raise AttributeError(f"{type(self).__name__} has no fact named {name!r}") from None

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".rstrip()

    def to_json(self) -> dict[str, Any]:
        """Return ``code``, ``message``, ``hint``, ``facts`` and ``exit_code`` as plain JSON types."""
        facts = {name: _plain(value, _DEEPEST) for name, value in self.facts.items()}
        return {
            "code": self.code,
            "message": self.message,
            "hint": self.hint,
            "facts": facts,
            "exit_code": self.exit_code,
        }


def _plain(value: object, levels: int) -> Any:
    """Return a fact as JSON types; lists and objects more than ``levels`` deep become short text."""
    if value is None or isinstance(value, (str, bool, int, float)):
        return value
    if levels == 0 and isinstance(value, (dict, list, tuple)):
        return shown(value)
    if isinstance(value, dict):
        return {str(key): _plain(item, levels - 1) for key, item in value.items()}
    if isinstance(value, (list, tuple, range)):
        return [_plain(item, levels - 1) for item in value]
    if isinstance(value, (set, frozenset)):
        return sorted(_plain(item, levels - 1) for item in value)
    return str(value)


class ShotError(F2HDRError):
    """The request is invalid."""

    code = "shot_error"
    exit_code = 2


class MissingFrames(ShotError):
    """Required frames are missing; fact ``frames`` lists all of them."""

    code = "missing_frames"


class ExposureError(ShotError):
    """The exposures do not alternate, could not be determined, or are invalid."""

    code = "exposure_error"


class ColorError(ShotError):
    """A color space, display or config is unknown or invalid."""

    code = "color_error"


class DocumentError(ShotError):
    """A Shot document is invalid: not JSON, an unknown field, or a value out of its range."""

    code = "document_error"


class ImageError(F2HDRError):
    """An image file is invalid, or cannot be read or written."""

    code = "image_error"
    exit_code = 3


class UnreadableFrame(ImageError):
    """A frame cannot be read; facts ``frame`` and ``path``."""

    code = "unreadable_frame"


class UnwritableFrame(ImageError):
    """A frame cannot be written; facts ``frame`` and ``path``."""

    code = "unwritable_frame"


class WeightsError(F2HDRError):
    """The weights are missing or invalid."""

    code = "weights_error"
    exit_code = 4


class WeightsMissing(WeightsError):
    """No weights of that name are installed."""

    code = "weights_missing"


class WeightsMismatch(WeightsError):
    """The tensors of a weights file do not match the network, or its bytes the recorded digest; the facts name it."""

    code = "weights_mismatch"


class WeightsUntrusted(WeightsError):
    """A weights file contains code instead of tensors."""

    code = "weights_untrusted"


class DeviceError(F2HDRError):
    """The device is not available or not sufficient; the message states what was requested and what is available."""

    code = "device_error"
    exit_code = 5


class DeviceUnavailable(DeviceError):
    """The requested device does not exist or is not supported by the installed build."""

    code = "device_unavailable"


class OutOfMemory(DeviceError):
    """The smallest plan does not fit in memory."""

    code = "out_of_memory"


class ServerError(F2HDRError):
    """The server cannot be reached or rejects the request."""

    code = "server_error"
    exit_code = 6


class ServerUnreachable(ServerError):
    """No server responds."""

    code = "server_unreachable"


class VersionMismatch(ServerError):
    """Server and client have different versions; the facts contain both."""

    code = "version_mismatch"


class Canceled(F2HDRError):
    """The user canceled the operation."""

    code = "canceled"
    exit_code = 130
