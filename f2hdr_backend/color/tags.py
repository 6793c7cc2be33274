"""The color information in a plate's files, read without decoding pixels.

Sources: SMPTE ST 268-1, tables of transfer and colorimetric characteristics; PNG (third edition), sections 4.3
(priority of chunks) and 11.3.2 (cHRM, gAMA, iCCP, sRGB, cICP); Radiance file formats (PRIMARIES).
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any, BinaryIO

import numpy as np

from f2hdr_backend.color.icc import IccProfile, profile_name, read_profile
from f2hdr_backend.color.primaries import D65, Chromaticities, rgb_to_xyz
from f2hdr_backend.image import dpx
from f2hdr_backend.image.decoder_processes import in_decoder_process
from f2hdr_backend.image.exr import read_header
from f2hdr_backend.image.frame import Plate, unreadable
from f2hdr_backend.image.read import RAW_SUFFIXES
from f2hdr_backend.image.still import check_jpeg, is_number, main_spec, radiance_lines
from f2hdr_backend.image.tiff_tags import rationals, read_tiff_tags
from f2hdr_backend.shot.errors import ColorError
from f2hdr_backend.shot.frames import Sequence
from f2hdr_backend.shot.safe_open import library_path, open_file

NAMES = ("colorInteropID", "f2hdr/output_space", "oiio:ColorSpace", "colorspace", "ColorSpace", "color_space")
"""EXR attributes with the name of a color space, the most reliable first."""
RAW_SPACE = "lin_rec709_scene"
"""The space that camera raw is developed to (see ``raw``)."""
_ACES_CONTAINER = "acesImageContainerFlag"
_EXIF_SRGB, _EXIF_UNCALIBRATED = 1, 65535
_TO_INTEROPERABILITY, _INDEX = (0x8769, 0xA005), 1
"""Pointers to the Exif directory and its interoperability directory, and the tag of its index."""
_EXIF_WITHIN = 2**17
"""Bytes at the start of a JPEG that contain its Exif."""
_TIFF_PRIMARIES = (318, 319)
"""Tags ``WhitePoint`` and ``PrimaryChromaticities`` of TIFF 6.0, section 20."""
ADOBE_RGB: Chromaticities = (0.64, 0.33, 0.21, 0.71, 0.15, 0.06, *D65)
"""Adobe RGB (1998) Color Image Encoding, section 4.3.1."""
_UNSPECIFIED = 2
_PNG_CHUNK_START = 32
_DPX_TRANSFER = {5: 1, 6: 1, 7: 6, 8: 6}
"""Transfer functions of H.273 by the transfer characteristic of DPX: SMPTE 274M, BT.709, BT.601."""
_DPX_PRIMARIES = {5: 1, 6: 1, 7: 5, 8: 6}
_FFMPEG = ("Lavc", "Lavf")
_DPX_LINEAR_DOUBT = "linear, which FFmpeg writes into every DPX independent of its pixels"
_NEAR_GAMMA = 0.02
"""Maximum difference of an exponent from 1 or 2.2 to be treated as equal."""


@dataclass(frozen=True)
class ColorTags:
    """Names of spaces, or text that may be names, with their location in the file; primaries; and H.273 numbers."""

    names: tuple[tuple[str, str], ...] = ()
    """Pairs of location and name, the most reliable first."""
    chromaticities: Chromaticities | None = None
    transfer: int | None = None
    primaries: int | None = None
    notes: dict[str, str] = field(default_factory=dict)
    """Color information that does not determine a space: DPX's "logarithmic", an ICC profile of tables."""
    profile: IccProfile | None = None


def read_tags(plate: Plate) -> ColorTags:
    """Return the color tags of the first file of a plate; empty if it is not on disk. Raises UnreadableFrame."""
    path = first_file(plate)
    if not os.path.isfile(path):
        return ColorTags()
    if path == plate.name:
        return _movie(path)
    if path.lower().endswith(RAW_SUFFIXES):
        return ColorTags((("the raw developer", RAW_SPACE),))
    if path.lower().endswith(".dpx"):
        return _dpx(dpx.read_header(path))
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
    stated = header.get("chromaticities")
    chromaticities = None if stated is None else tuple(float(value) for value in np.ravel(stated))
    return ColorTags(tuple(names), chromaticities)


@in_decoder_process
def _still(path: str) -> ColorTags:
    import OpenImageIO as oiio

    try:
        with open_file(path) as file:
            check_jpeg(path, file)
            source = oiio.ImageInput.open(library_path(path, file))
            if source is None:
                return ColorTags()
            spec = main_spec(path, source)
            source.close()
            chunks = dict(_png_chunks(file)) if path.lower().endswith(".png") else {}
            tiff = read_tiff_tags(file, _TIFF_PRIMARIES)
            white, colors = (rationals(*tiff.get(tag, (b"", "<"))) for tag in _TIFF_PRIMARIES)
            is_adobe = spec.get_int_attribute("Exif:ColorSpace") == _EXIF_UNCALIBRATED and _is_adobe_rgb(file)
    except OSError as error:
        raise unreadable(path, error.strerror or str(error), "Check the path.") from error
    code_points = chunks.get(b"cICP", b"")
    if len(code_points) >= 4 and not set(code_points[:2]) <= {0, _UNSPECIFIED}:  # has priority (PNG 3, section 4.3)
        return _cicp(*code_points[:4])
    stored = spec.getattribute("ICCProfile")
    if stored is not None:
        return _icc(bytes(np.asarray(stored, np.uint8)))
    if spec.get_int_attribute("Exif:ColorSpace") == _EXIF_SRGB or b"sRGB" in chunks:
        return ColorTags((("the file's sRGB tag", "srgb_tx"),))
    if b"iCCP" in chunks:
        return ColorTags(notes={"an ICC profile": "damaged"})
    if b"gAMA" in chunks or b"cHRM" in chunks:
        return _png(chunks)
    if is_adobe:
        return ColorTags((("the file's Exif interoperability index R03", "gamma22"),), ADOBE_RGB)
    if len(white) == 2 and len(colors) == 6:
        return _tiff((*colors, *white))
    return ColorTags(chromaticities=_radiance_primaries(path) if path.lower().endswith(".hdr") else None)


def _tiff(stated: Chromaticities) -> ColorTags:
    try:
        rgb_to_xyz(stated)
    except ColorError:
        return ColorTags(notes={"primaries": "which span no gamut"})
    return ColorTags(chromaticities=stated)


def _cicp(primaries: int, transfer: int, matrix: int, full_range: int) -> ColorTags:
    """Only RGB of full range is supported; other code values are reported."""
    if matrix or full_range != 1:
        what = "narrow range" if full_range != 1 else f"matrix {matrix} of H.273"
        return ColorTags(notes={"cICP": f"{what}, transfer function {transfer}, primaries {primaries} of H.273"})
    return ColorTags(transfer=transfer, primaries=primaries)


def _is_adobe_rgb(file: BinaryIO) -> bool:
    """Return whether Exif states Adobe RGB, as cameras do: an "option file" of DCF 2.0, without a profile."""
    file.seek(0)
    _, start, exif = file.read(_EXIF_WITHIN).partition(b"Exif\0\0")
    found = read_tiff_tags(BytesIO(exif) if start else file, (_INDEX,), _TO_INTEROPERABILITY)
    return found.get(_INDEX, (b"", ""))[0][:3] == b"R03"


def _icc(data: bytes) -> ColorTags:
    profile = read_profile(data)
    if profile is None:
        return ColorTags(notes={"an ICC profile without curves and a matrix": profile_name(data)})
    return ColorTags(profile=profile)


def _png(chunks: dict[bytes, bytes]) -> ColorTags:
    names: list[tuple[str, str]] = []
    notes: dict[str, str] = {}
    if len(chunks.get(b"gAMA", b"")) >= 4:
        exponent = 100_000 / max(1, struct.unpack(">I", chunks[b"gAMA"][:4])[0])
        known = {1.0: "linear", 2.2: "gamma22"}
        near = [name for power, name in known.items() if abs(exponent - power) < _NEAR_GAMMA]
        names = [("the file's gAMA chunk", name) for name in near]
        notes = {} if near else {"gAMA": f"1 / {exponent:.3g}"}
    chromaticities = None
    if len(chunks.get(b"cHRM", b"")) >= 32:
        white_x, white_y, *colors = (value / 100_000 for value in struct.unpack(">8I", chunks[b"cHRM"][:32]))
        chromaticities = (*colors, white_x, white_y)
    return ColorTags(tuple(names), chromaticities, notes=notes)


def _dpx(header: dpx.DpxHeader) -> ColorTags:
    """Interpret the transfer characteristic as the standard defines it; the colorimetric one has no value for
    linear.
    """
    if header.transfer in (dpx.PRINTING_DENSITY, dpx.LOGARITHMIC):
        words = {dpx.PRINTING_DENSITY: "printing density", dpx.LOGARITHMIC: "logarithmic"}
        return ColorTags(notes={"the transfer characteristic": words[header.transfer]})
    if header.transfer == dpx.LINEAR:
        if header.colorimetric == dpx.LINEAR or header.writer.startswith(_FFMPEG):
            return ColorTags(notes={"the transfer characteristic": _DPX_LINEAR_DOUBT})
        return ColorTags((("the file's transfer characteristic", "linear"),))
    transfer, primaries = _DPX_TRANSFER.get(header.transfer), _DPX_PRIMARIES.get(header.colorimetric)
    return ColorTags(transfer=transfer, primaries=primaries)


def _radiance_primaries(path: str) -> Chromaticities | None:
    """Return the chromaticities of a Radiance header: red, green, blue and white; None if it has none or others."""
    for line in radiance_lines(path):
        if line.upper().startswith("PRIMARIES="):
            values = line.partition("=")[2].split()
            return tuple(map(float, values)) if len(values) == 8 and all(map(is_number, values)) else None
    return None


def _png_chunks(file: BinaryIO) -> Iterator[tuple[bytes, bytes]]:
    """Yield type and first bytes of each chunk of a PNG before its pixels."""
    file.seek(8)
    while len(head := file.read(8)) == 8:
        size, kind = struct.unpack(">I4s", head)
        if kind == b"IDAT":
            return
        content = file.read(min(size, _PNG_CHUNK_START))
        yield kind, content
        file.seek(size - len(content) + 4, os.SEEK_CUR)


@in_decoder_process
def _movie(path: str) -> ColorTags:
    from f2hdr_backend.image.movie.frames import open_movie

    with open_movie(path) as container:
        stream = container.streams.video[0]
        words = {**container.metadata, **stream.metadata}
        codec = stream.codec_context
        names = tuple((f'the tag "{key}"', value) for key, value in words.items() if value and not is_number(value))
        return ColorTags(names, None, int(codec.color_trc), int(codec.color_primaries))
