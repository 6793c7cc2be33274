"""Determines the color space of a plate if the user gives none: from file tags, the config's file rules, or the
default.

Source: ITU-T H.273 (numbers of transfer functions and primaries).
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

import PyOpenColorIO as ocio

from f2hdr_backend.color.config import PLAIN, ColorConfig
from f2hdr_backend.color.file_spaces import EMBEDDED
from f2hdr_backend.color.names import squeezed
from f2hdr_backend.color.tags import ColorTags, first_file, read_tags
from f2hdr_backend.image.frame import Plate

_ANY = (2, 0)
"""Numbers of unspecified primaries."""
_ANY_TAG = (None, 0, 2, 3)
"""Tags that state nothing: absent, reserved or unspecified."""
_HD, _UHD = (1, 5, 6, 7), (9,)
_BY_TRANSFER: dict[int, tuple[tuple[int, ...], str, str]] = {
    1: (_HD, "camera_rec709", "BT.709"),
    6: (_HD, "camera_rec709", "BT.601"),
    4: (_HD, "gamma22", "gamma 2.2"),
    8: (_HD, "linear", "linear"),
    13: (_HD, "srgb_tx", "sRGB"),
    16: (_UHD, "Rec.2100-PQ - Display", "PQ"),
    18: (_UHD, "Rec.2100-HLG - Display", "HLG"),
}
"""Transfer function: matching primaries, alias of its space in ACES configs, and name."""


@dataclass(frozen=True)
class Guess:
    """``space`` is the assumed space and ``why`` the reason; ``doubt`` is a warning, or empty."""

    space: str
    why: str
    doubt: str = ""


def guess(plate: Plate, config: ColorConfig) -> Guess:
    """Return the space of a plate from the first of these that defines one: an ICC profile, a space named in its file,
    the tags of a movie or DPX, an EXR's chromaticities, the config's file rules, and the kind of file.

    Raises UnreadableFrame, and ColorError for chromaticities that span no gamut.
    """
    tags = read_tags(plate)
    found = _by_profile(tags) or _by_name(tags, config) or _by_transfer(tags, config)
    if plate.default_encoding == "linear":
        found = found or _by_chromaticities(tags, config)
    found = found or _by_rule(plate, config)
    return found or _usual(plate, tags)


def _by_profile(tags: ColorTags) -> Guess | None:
    return Guess(EMBEDDED, f'the file\'s ICC profile is "{tags.profile.name}"') if tags.profile else None


def _by_name(tags: ColorTags, config: ColorConfig) -> Guess | None:
    for where, name in tags.names:
        space = named(name, config)
        if space:
            return Guess(space, f'{where} states "{name}"')
    return None


def named(text: str, config: ColorConfig) -> str:
    """Return the space with this name or alias, ignoring case and punctuation; empty if there is none or it is data."""
    wanted = squeezed(text)
    for name in (*PLAIN, *config.names()):
        if name not in PLAIN and config.config.getColorSpace(name).isData():
            continue
        others = () if name in PLAIN else config.aliases(name)
        if wanted in {squeezed(other) for other in (name, *others)}:
            return name
    return ""


def _by_transfer(tags: ColorTags, config: ColorConfig) -> Guess | None:
    if tags.transfer not in _BY_TRANSFER:
        return None
    primaries, alias, words = _BY_TRANSFER[tags.transfer]
    space = named(alias, config)
    if not space or tags.primaries not in (None, *_ANY, *primaries):
        return None
    return Guess(space, f"its tags state {words}")


def _by_chromaticities(tags: ColorTags, config: ColorConfig) -> Guess | None:
    if tags.chromaticities is None:
        return None
    space = config.linear_in(tags.chromaticities)
    return Guess(space, "the file's chromaticities match") if space else None


def _by_rule(plate: Plate, config: ColorConfig) -> Guess | None:
    """Apply the config's file rules except the default rule, which is independent of the file.

    A space found by its name in the path is used only if it is a separate word of the file name.
    """
    path, rules = first_file(plate), config.config.getFileRules()  # the path may have bytes that are no text
    space, index = config.config.getColorSpaceFromFilepath(os.fsencode(path))
    if rules.getName(index) == ocio.FILE_PATH_SEARCH_RULE_NAME:
        path = os.path.basename(path).lower()
        space, index = config.config.getColorSpaceFromFilepath(os.fsencode(path))
        words = (re.escape(name.lower()) for name in (space, *config.aliases(space)))
        if not re.search(rf"(?<![a-z0-9])({'|'.join(words)})(?![a-z0-9])", path):
            return None
    if index == rules.getNumEntries() - 1:
        return None
    return Guess(str(space), f'the file rule "{rules.getName(index)}" of the config {config.source}')


def _usual(plate: Plate, tags: ColorTags) -> Guess:
    usual = "default for float files" if plate.default_encoding == "linear" else "default for integer files"
    strange = ((where, name) for where, name in tags.names if _is_file_tag(where))
    tagged = [f'{where} states "{name}", which the config does not have' for where, name in strange]
    tagged += [f"its header has {key}: {value}" for key, value in tags.notes.items()]
    if tags.transfer not in _ANY_TAG or tags.primaries not in (*_ANY_TAG, *_HD):
        tagged.append(f"its tags state transfer function {tags.transfer} and primaries {tags.primaries} of H.273")
    doubt = ""
    if tagged:
        doubt = (
            f"{plate.name} is read as {plate.default_encoding}, but {tagged[0]}; set its color space with "
            "--input-space."
        )
    return Guess(plate.default_encoding, usual, doubt)


def _is_file_tag(where: str) -> bool:
    """Return whether a tag is meant for color; other tags of a movie contain arbitrary text and cause no warning."""
    return not where.startswith("the tag ")
