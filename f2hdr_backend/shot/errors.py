"""One family of errors: the same object becomes an exit code, a JSON body and a node's label."""

from __future__ import annotations

from typing import Any, ClassVar

from f2hdr_backend.shot.printable import printable

LONGEST_HINT = 300
"""Characters of a hint."""


class F2HDRError(Exception):
    """Base of every error a user can meet.

    ``message`` is one sentence that names the file or value; ``hint`` says what to do next. Both are for people:
    control characters are escaped and long ones cut. Every further keyword is a fact, stored unchanged in ``facts``
    and readable as an attribute (``error.path``, ``error.frames``).
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
        facts = {name: _plain(value) for name, value in self.facts.items()}
        return {
            "code": self.code,
            "message": self.message,
            "hint": self.hint,
            "facts": facts,
            "exit_code": self.exit_code,
        }


def _plain(value: object) -> Any:
    if value is None or isinstance(value, (str, bool, int, float)):
        return value
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, range)):
        return [_plain(item) for item in value]
    if isinstance(value, (set, frozenset)):
        return sorted(_plain(item) for item in value)
    return str(value)


class ShotError(F2HDRError):
    """The request is wrong."""

    code = "shot_error"
    exit_code = 2


class MissingFrames(ShotError):
    """Frames that the request needs are not there; fact ``frames`` lists every one."""

    code = "missing_frames"


class ExposureError(ShotError):
    """The exposures do not alternate, cannot be found, or are written wrongly."""

    code = "exposure_error"


class ColorError(ShotError):
    """A color space, display or config is unknown or cannot be used."""

    code = "color_error"


class DocumentError(ShotError):
    """A Shot document cannot be read: not JSON, an unknown field, or a value out of its range."""

    code = "document_error"


class ImageError(F2HDRError):
    """A picture file is wrong."""

    code = "image_error"
    exit_code = 3


class UnreadableFrame(ImageError):
    """A frame cannot be read; facts name ``frame`` and ``path``."""

    code = "unreadable_frame"


class UnwritableFrame(ImageError):
    """A frame cannot be written; facts name ``frame`` and ``path``."""

    code = "unwritable_frame"


class WeightsError(F2HDRError):
    """The model is wrong."""

    code = "weights_error"
    exit_code = 4


class WeightsMissing(WeightsError):
    """No weights of that name are installed."""

    code = "weights_missing"


class WeightsMismatch(WeightsError):
    """A weights file's tensors do not fit the network, or its bytes the recorded digest; facts name which."""

    code = "weights_mismatch"


class WeightsUntrusted(WeightsError):
    """A weights file holds code instead of tensors."""

    code = "weights_untrusted"


class DeviceError(F2HDRError):
    """The machine is wrong; says what was asked for and what there was."""

    code = "device_error"
    exit_code = 5


class DeviceUnavailable(DeviceError):
    """The device asked for is not there or not supported by the installed build."""

    code = "device_unavailable"


class OutOfMemory(DeviceError):
    """Even the smallest plan does not fit into memory."""

    code = "out_of_memory"


class ServerError(F2HDRError):
    """The door is shut."""

    code = "server_error"
    exit_code = 6


class ServerUnreachable(ServerError):
    """No server answers."""

    code = "server_unreachable"


class VersionMismatch(ServerError):
    """The server speaks another version; facts name both."""

    code = "version_mismatch"


class Cancelled(F2HDRError):
    """Someone said stop."""

    code = "canceled"
    exit_code = 130
