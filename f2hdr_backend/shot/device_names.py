"""Names of devices, checked by their form: torch determines whether this machine has the device."""

from __future__ import annotations

import re

from f2hdr_backend.shot.errors import DeviceUnavailable

_NAME = re.compile(r"auto|cpu|(cuda|mps|xpu)(:\d+)?", re.ASCII)


def device_names(text: str) -> list[str]:
    """Return the names in ``cuda:0,cuda:1``. Raises DeviceUnavailable for a text that names no device of torch."""
    names = [part.strip() for part in text.split(",")]
    for name in names:
        if not _NAME.fullmatch(name):
            raise DeviceUnavailable(
                f'"{name}" is not the name of a device.', hint="Use auto, cpu, cuda:0 or cuda:0,cuda:1.", device=name
            )
    return names
