"""Parses HDR-VDP settings from the command line."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from f2hdr_backend.evaluate.hdrvdp.hdrvdp import HdrVdpSettings
from f2hdr_backend.evaluate.metrics.screen import Display
from f2hdr_backend.shot.errors import DocumentError

CHOICES = {"round_trip": ("official", "opencv", "unbiased"), "precision": ("float64", "float32")}
TEXTS = ("encoding", *CHOICES)


def hdrvdp_settings(text: str) -> HdrVdpSettings:
    """Parse settings such as ``round_trip=official,scale=1000``; names that are not given have the paper's values.

    Raises:
        DocumentError: an unknown name, or a value that is not a number.
        ShotError: a number or an encoding that HDR-VDP does not accept.
    """
    own = {entry.name for entry in fields(HdrVdpSettings)} - {"display"}
    screen = {entry.name for entry in fields(Display)}
    given: dict[str, Any] = {}
    for part in filter(None, text.split(",")):
        name, _, value = part.partition("=")
        if name not in own | screen:
            listed = ", ".join(sorted(own | screen))
            raise DocumentError(f"HDR-VDP has no setting {name!r}.", hint=f"Use {listed}, as name=value.")
        given[name] = _value(name, value)
    display = Display(**{name: given.pop(name) for name in screen & given.keys()})
    return HdrVdpSettings(display=display, **given)


def _value(name: str, value: str) -> str | float:
    if value not in CHOICES.get(name, (value,)):
        raise DocumentError(f"{name} cannot be {value!r}.", hint=f"Use {', '.join(CHOICES[name])}.")
    if name in TEXTS:
        return value
    try:
        return float(value)
    except ValueError:
        raise DocumentError(f"{name} cannot be {value!r}.", hint="Give a number.") from None
