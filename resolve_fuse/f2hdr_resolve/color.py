"""Tagging an imported clip with the color that its frames have: linear, with the primaries in the EXR's header.

The same table and rules are in ``f2hdr_color.lua``, for the timeline script.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Optional

from f2hdr_resolve.adapter import Media, Session

_CLOSE = 0.002
_MAGIC = b"\x76\x2f\x31\x01"
_LONGEST_HEADER = 4 * 1024 * 1024
_D65, _ACES_WHITE = (0.3127, 0.3290), (0.32168, 0.33767)
PRIMARIES: tuple[tuple[tuple[str, ...], tuple[float, ...]], ...] = (
    (("Rec.709", "sRGB"), (0.64, 0.33, 0.30, 0.60, 0.15, 0.06, *_D65)),
    (("Rec.2020",), (0.708, 0.292, 0.170, 0.797, 0.131, 0.046, *_D65)),
    (("P3-D65",), (0.680, 0.320, 0.265, 0.690, 0.150, 0.060, *_D65)),
    (("ACES (AP0)", "ACES"), (0.7347, 0.2653, 0.0, 1.0, 0.0001, -0.077, *_ACES_WHITE)),
    (("ACES (AP1)", "ACEScg"), (0.713, 0.293, 0.165, 0.830, 0.128, 0.044, *_ACES_WHITE)),
    (("ARRI Wide Gamut 3", "ARRI Wide Gamut"), (0.684, 0.313, 0.221, 0.848, 0.0861, -0.102, *_D65)),
    (("ARRI Wide Gamut 4",), (0.7347, 0.2653, 0.1424, 0.8576, 0.0991, -0.0308, *_D65)),
    (("S-Gamut3.Cine", "Sony S-Gamut3.Cine"), (0.766, 0.275, 0.225, 0.800, 0.089, -0.087, *_D65)),
    (("S-Gamut3", "Sony S-Gamut3"), (0.730, 0.280, 0.140, 0.855, 0.100, -0.050, *_D65)),
    (("V-Gamut", "Panasonic V-Gamut"), (0.730, 0.280, 0.165, 0.840, 0.100, -0.030, *_D65)),
    (("Canon Cinema Gamut", "Cinema Gamut"), (0.740, 0.270, 0.170, 1.140, 0.080, -0.100, *_D65)),
    (("DaVinci WG", "DaVinci Wide Gamut"), (0.8, 0.313, 0.1682, 0.9877, 0.079, -0.1155, *_D65)),
    (("REDWideGamutRGB",), (0.780308, 0.304253, 0.121595, 1.493994, 0.095612, -0.084589, *_D65)),
)
"""Names of "Input Color Space", the one of current versions first; CIE x, y of red, green, blue and white."""


def tag(session: Session, media: Media, path: str) -> str:
    """Tag a clip as linear with the primaries of ``path``, one of its files, as far as the project allows.

    Returns a sentence for the user; empty if everything was set.
    """
    names, words, assumed = names_of(path)
    facts = f"The frames are scene-linear with {words}."
    mode = session.setting("colorScienceMode")
    if mode == "davinciYRGB":
        return f"{facts} Place a Color Space Transform on them, with these as input and input gamma Linear."
    if mode in ("acescc", "acescct"):
        return f"{facts} Choose the ACES input transform for them."
    separate = session.setting("separateColorSpaceAndGamma") == "1"
    for name in names if separate else _joined(names):
        wanted = {"Input Color Space": name, **({"Input Gamma": "Linear"} if separate else {})}
        if _set_all(media, wanted):
            return "The plate does not state its primaries: tagged as Rec.709." if assumed else ""
    which = '"Input Color Space" and "Input Gamma"' if separate else '"Input Color Space"'
    return f"{facts} Resolve did not accept {which}: choose them in the clip's attributes."


def names_of(path: str) -> tuple[tuple[str, ...], str, bool]:
    """Return the names that Resolve may have for the primaries of an EXR file, these in words, and if they are assumed.

    A file without primaries is treated as Rec.709, as F2HDR itself treats such a plate.
    """
    found = _chromaticities(path)
    if found is None:
        return PRIMARIES[0][0], "Rec.709 primaries (the plate states none)", True
    for names, wanted in PRIMARIES:
        if all(abs(one - other) <= _CLOSE for one, other in zip(found, wanted)):
            return names, f"{names[0]} primaries", False
    red, green, blue = (f"{found[at]:.4g} {found[at + 1]:.4g}" for at in (0, 2, 4))
    return (), f"the primaries {red}, {green}, {blue} (CIE x y)", False


def _set_all(media: Media, wanted: dict[str, str]) -> bool:
    """Set properties in both orders, as one may reset the other; whether all are as wanted in the end."""
    for order in (list(wanted), list(reversed(wanted))):
        for name in order:
            media.put(name, wanted[name])
        if all(media.get(name) == value for name, value in wanted.items()):
            return True
    return False


def _joined(names: tuple[str, ...]) -> list[str]:
    plain = ["Linear"] if names[:1] == ("Rec.709",) else []
    return [f"{name} (Linear)" for name in names] + plain


def _chromaticities(path: str) -> Optional[tuple[float, ...]]:
    """The header's chromaticities, eight numbers; None if the file has none or is not an OpenEXR file."""
    try:
        with open(path, "rb") as file:
            header = file.read(_LONGEST_HEADER)
    except OSError:
        return None
    for name, data in _attributes(header):
        if name == b"chromaticities" and len(data) == 32:
            return struct.unpack("<8f", data)
    return None


def _attributes(header: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The attributes of a header ("OpenEXR File Layout"), as far as they are complete."""
    at = 8
    while header[:4] == _MAGIC:
        parts = header[at : at + 512].split(b"\0", 2)
        if len(parts) < 3 or not parts[0]:
            return
        start = at + len(parts[0]) + len(parts[1]) + 2
        if start + 4 > len(header):
            return
        (size,) = struct.unpack_from("<i", header, start)
        if size < 0 or start + 4 + size > len(header):
            return
        yield parts[0], header[start + 4 : start + 4 + size]
        at = start + 4 + size
