"""The color space of a plate if the user gives none: from its files' tags, the config's file rules, or the default.

Source: ITU-T H.273 (numbers of transfer functions and primaries).
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

import PyOpenColorIO as ocio

from f2hdr_backend.color.config import PLAIN, ColorConfig
from f2hdr_backend.color.names import squeezed
from f2hdr_backend.color.own import EMBEDDED
from f2hdr_backend.color.tags import ColorTags, first_file, read_tags
from f2hdr_backend.image.frame import Plate

_ANY = (2, 0)
"""Primaries that a movie leaves open."""
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
"""Transfer function: primaries that go with it, its space by an alias that ACES configs share, and its name."""


@dataclass(frozen=True)
class Guess:
    """``space`` is the space assumed and ``why`` the reason; ``doubt`` is a warning, or empty."""

    space: str
    why: str
    doubt: str = ""


def guess(plate: Plate, config: ColorConfig) -> Guess:
    """Return the space of a plate by the first of these that gives one: an ICC profile, a space named in its file, a
    movie's or DPX's tags, an EXR's chromaticities, the config's file rules, and the kind of file.

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
            return Guess(space, f'{where} says "{name}"')
    return None


def named(text: str, config: ColorConfig) -> str:
    """Return the space whose name or alias is ``text``, whatever its case and punctuation; nothing for one of data."""
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
    return Guess(space, f"its tags say {words}")


def _by_chromaticities(tags: ColorTags, config: ColorConfig) -> Guess | None:
    if tags.chromaticities is None:
        return None
    space = config.linear_in(tags.chromaticities)
    return Guess(space, "the file's chromaticities are its") if space else None


def _by_rule(plate: Plate, config: ColorConfig) -> Guess | None:
    """What the config's file rules say, but for the last resort, which says nothing about the file.

    A space found by its name in the path counts only if that stands as a word in the file's own name.
    """
    path, rules = first_file(plate), config.config.getFileRules()
    space, index = config.config.getColorSpaceFromFilepath(path)
    if rules.getName(index) == ocio.FILE_PATH_SEARCH_RULE_NAME:
        path = os.path.basename(path).lower()
        space, index = config.config.getColorSpaceFromFilepath(path)
        words = (re.escape(name.lower()) for name in (space, *config.aliases(space)))
        if not re.search(rf"(?<![a-z0-9])({'|'.join(words)})(?![a-z0-9])", path):
            return None
    if index == rules.getNumEntries() - 1:
        return None
    return Guess(str(space), f'the file rule "{rules.getName(index)}" of the config {config.source} says so')


def _usual(plate: Plate, tags: ColorTags) -> Guess:
    usual = "float files are linear" if plate.default_encoding == "linear" else "integer files are gamma 2.2"
    strange = ((where, name) for where, name in tags.names if _is_file_tag(where))
    tagged = [f'{where} says "{name}", which the config does not have' for where, name in strange]
    tagged += [f"its header has {key}: {value}" for key, value in tags.notes.items()]
    if tags.transfer in _BY_TRANSFER or tags.transfer in (14, 15):
        tagged.append(f"its tags have transfer function {tags.transfer} and primaries {tags.primaries} of H.273")
    doubt = ""
    if tagged:
        doubt = (
            f"{plate.name} is taken as {plate.default_encoding}, but {tagged[0]}; name its space with --input-space."
        )
    return Guess(plate.default_encoding, f"nothing says otherwise, and {usual}", doubt)


def _is_file_tag(where: str) -> bool:
    """A movie's tags hold words of any kind; only tags made for color deserve a doubt."""
    return not where.startswith("the tag ")
