"""What a plate's files say about their color, before any pixel is decoded."""

from __future__ import annotations

import math
import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import numpy as np

from f2hdr_backend.color.primaries import Chromaticities
from f2hdr_backend.image.exr import read_header
from f2hdr_backend.image.frame import Plate, unreadable
from f2hdr_backend.image.read import RAW_SUFFIXES
from f2hdr_backend.shot.frames import Sequence
from f2hdr_backend.shot.opening import library_path, open_file

NAMES = ("colorInteropID", "f2hdr/output_space", "oiio:ColorSpace", "colorspace", "ColorSpace", "color_space")
"""EXR attributes that hold the name of a color space, the surest first."""
RAW_SPACE = "lin_rec709_scene"
"""What camera raw is developed to (see ``raw``)."""
_ACES_CONTAINER = "acesImageContainerFlag"
_EXIF_SRGB = 1
_PNG_CHUNK_START = 4
_SRGB_BY_DEFAULT = (".png", ".jpg", ".jpeg")
"""OpenImageIO calls these sRGB even if nothing in them says so."""


@dataclass(frozen=True)
class ColorTags:
    """Names of spaces, or words that may be names, with where they stand; primaries; and H.273 numbers."""

    names: tuple[tuple[str, str], ...] = ()
    """(where, name), the surest first."""
    chromaticities: Chromaticities | None = None
    transfer: int | None = None
    primaries: int | None = None
    notes: dict[str, str] = field(default_factory=dict)
    """Words that say something about color, but not which space: DPX's "Logarithmic"."""


def read_tags(plate: Plate) -> ColorTags:
    """Return what the first file of a plate says; nothing if it is not on disk. Raises UnreadableFrame."""
    path = first_file(plate)
    if not os.path.isfile(path):
        return ColorTags()
    if path == plate.name:
        return _movie(path)
    if path.lower().endswith(RAW_SUFFIXES):
        return ColorTags((("the raw developer", RAW_SPACE),))
    return _exr(read_header(path)) if path.lower().endswith(".exr") else _still(path)


def first_file(plate: Plate) -> str:
    """Return the path of a sequence's first frame, or of a movie."""
    if os.path.isfile(plate.name) or not Sequence.is_pattern(plate.name):
        return plate.name
    return Sequence.parse(plate.name).path(plate.frames.first)


def _exr(header: dict[str, Any]) -> ColorTags:
    names = [(key, header[key]) for key in NAMES if isinstance(header.get(key), str)]
    if header.get(_ACES_CONTAINER) == 1:
        names.insert(0, (_ACES_CONTAINER, "ACES2065-1"))
    told = header.get("chromaticities")
    chromaticities = None if told is None else tuple(float(value) for value in np.ravel(told))
    return ColorTags(tuple(names), chromaticities)


def _still(path: str) -> ColorTags:
    import OpenImageIO as oiio

    try:
        with open_file(path) as file:
            source = oiio.ImageInput.open(library_path(path, file))
            if source is None:
                return ColorTags()
            spec = source.spec()
            source.close()
            chunks = dict(_png_chunks(file)) if path.lower().endswith(".png") else {}
    except OSError as error:
        raise unreadable(path, error.strerror or str(error), "Check the path.") from error
    if b"cICP" in chunks:  # counts before every other tag (PNG 3, section 4.3)
        return ColorTags(primaries=chunks[b"cICP"][0], transfer=chunks[b"cICP"][1])
    names = []
    if spec.get_int_attribute("Exif:ColorSpace") == _EXIF_SRGB or b"sRGB" in chunks:
        names.append(("the file's sRGB tag", "srgb_tx"))
    told = spec.get_string_attribute("oiio:ColorSpace")
    if told and not (told == "srgb_rec709_scene" and path.lower().endswith(_SRGB_BY_DEFAULT)):
        names.append(("the file's color space", told))
    transfer = spec.get_string_attribute("dpx:Transfer")
    notes = {"dpx:Transfer": transfer} if transfer in ("Logarithmic", "Printing density") else {}
    return ColorTags(tuple(names), notes=notes)


def _png_chunks(file: BinaryIO) -> Iterator[tuple[bytes, bytes]]:
    """Yield the types of a PNG's chunks up to its pixels, and the beginning of what each holds."""
    file.seek(8)
    while len(head := file.read(8)) == 8:
        size, kind = struct.unpack(">I4s", head)
        if kind == b"IDAT":
            return
        content = file.read(min(size, _PNG_CHUNK_START))
        yield kind, content
        file.seek(size - len(content) + 4, os.SEEK_CUR)


def _movie(path: str) -> ColorTags:
    from f2hdr_backend.image.movie.frames import open_movie

    with open_movie(path) as container:
        stream = container.streams.video[0]
        words = {**container.metadata, **stream.metadata}
        codec = stream.codec_context
        names = tuple((f'the tag "{key}"', value) for key, value in words.items() if value and not _is_number(value))
        return ColorTags(names, None, int(codec.color_trc), int(codec.color_primaries))


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False
