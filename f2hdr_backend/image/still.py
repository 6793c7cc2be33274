"""Still images other than EXR and DPX: TIFF, PNG, JPEG, Radiance and other formats of OpenImageIO."""

from __future__ import annotations

import math
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from typing import BinaryIO, Literal

import numpy as np
import OpenImageIO as oiio
from numpy.typing import NDArray

from f2hdr_backend.image.decoder_processes import in_decoder_process
from f2hdr_backend.image.frame import PlateImage, unreadable
from f2hdr_backend.image.metadata import Header
from f2hdr_backend.image.mosaic import is_mosaic
from f2hdr_backend.image.orientation import UPRIGHT, upright_image, upright_size
from f2hdr_backend.shot.errors import UnreadableFrame
from f2hdr_backend.shot.limits import check_image, check_scans, limit
from f2hdr_backend.shot.safe_open import library_path, open_file

_EXR_NAMES = {
    "Copyright": "owner",
    "ImageDescription": "comments",
    "DateTime": "capDate",
    "ExposureTime": "expTime",
    "FNumber": "aperture",
    "Exif:PhotographicSensitivity": "isoSpeed",
    "Exif:ISOSpeedRatings": "isoSpeed",
    "PixelAspectRatio": "pixelAspectRatio",
}


oiio.attribute("limits:imagesize_MB", 2**20)  # F2HDR checks sizes by its own limits
oiio.attribute("limits:channels", 2**20)
_MIN_IS_WHITE = 0
"""Inverted here above 8 bits; OpenImageIO inverts 8 bits and fewer itself, with the alpha."""
_REDUCED = 1
"""Bit of the TIFF subfile type: a smaller version of another picture in the file."""
_REFUSED_PHOTOMETRIC = {
    5: "its colors are CMYK",
    8: "its colors are CIE L*a*b*",
    9: "its colors are ICC L*a*b*",
    10: "its colors are ITU L*a*b*",
    32803: "it is an undeveloped Bayer mosaic",
    34892: "its colors are linear camera raw",
}
"""TIFF photometric interpretations that are not RGB."""
_NOT_APPLIED = ("EXPOSURE=", "COLORCORR=", "GAMMA=")
"""Lines of a Radiance header."""
_JPEG, _SCAN = b"\xff\xd8", b"\xff\xda"
"""Markers at the start of a JPEG file and of each scan; the bytes of a marker do not occur in compressed data."""
_STRIP = 256
"""Rows that are decoded at once."""
_HEADER_LINES = 200
"""Lines of a Radiance header that are read, at most."""


@in_decoder_process
def read_still(path: str) -> PlateImage:
    """Return an image, upright, with its stored values: no color conversion, no premultiplication by alpha.

    Integers are scaled so that full scale is 1.0. One channel is gray and fills all three; codes of TIFF files in
    which 0 is white are inverted. Alpha and further channels become float32 layers. Of a file with several images
    the largest is read, without thumbnails; ``notes`` mentions others of the same size. Raises UnreadableFrame.
    """
    with _opened(path) as source:
        place, notes = _largest(path, source)
        spec, metadata = _described(path, source, place)
        color = _color_channels(spec)
        pixels, others = _decoded(path, source, place, spec, color)
    if color == (0, 0, 0) and is_mosaic(pixels[..., 0]):
        notes += (f'"{path}" looks like a Bayer mosaic that was not developed; it is read as a gray picture.',)
    names = list(spec.channelnames)
    if 0 <= spec.alpha_channel < len(names):
        names[spec.alpha_channel] = "A"
    layers = {names[index]: plane for index, plane in others.items()}
    notes += _unread(path)
    image = PlateImage(0, path, pixels, _kind(spec), layers, metadata, notes=notes)
    return upright_image(image, _orientation(spec))


def _decoded(
    path: str, source: oiio.ImageInput, place: int, spec: oiio.ImageSpec, color: tuple[int, ...]
) -> tuple[NDArray[np.float32], dict[int, NDArray[np.float32]]]:
    """Return the three ``color`` channels ``(H, W, 3)`` of an image in a file, and each other one ``(H, W)`` by number.

    Both are filled strip by strip, so that the image is in memory once. Raises UnreadableFrame.
    """
    pixels = np.empty((spec.height, spec.width, 3), np.float32)
    others = {index: np.empty(pixels.shape[:2], np.float32) for index in range(spec.nchannels) if index not in color}
    wrong = slice(0, 0)
    if spec.get_int_attribute("tiff:PhotometricInterpretation", -1) == _MIN_IS_WHITE:
        wrong = slice(0, 1) if spec.format.size() > 1 else slice(1, None)
    for rows, strip in _strips(source, place, spec):
        complaint = source.geterror()
        if strip is None or complaint:
            raise _refused(path, complaint)
        strip[..., wrong] = 1 - strip[..., wrong]
        pixels[rows] = strip[..., :3] if color == (0, 1, 2) else strip[..., list(color)]
        for index, plane in others.items():
            plane[rows] = strip[..., index]
    return pixels, others


def _strips(
    source: oiio.ImageInput, place: int, spec: oiio.ImageSpec
) -> Iterator[tuple[slice, NDArray[np.float32] | None]]:
    """Yield rows of an image and their values ``(rows, W, C)``, None if they cannot be read.

    An image of tiles is one strip. Others are read in the strips of OpenImageIO's ``read_image``, which has the whole
    image twice at the end.
    """
    if spec.tile_width:
        yield slice(None), source.read_image(place, 0, 0, spec.nchannels, "float")
        return
    for top in range(0, spec.height, _STRIP):
        end = min(top + _STRIP, spec.height)
        first, last = spec.y + top, spec.y + end
        yield slice(top, end), source.read_scanlines(place, 0, first, last, spec.z, 0, spec.nchannels, "float")


@in_decoder_process
def probe_still(path: str) -> tuple[tuple[int, int], Literal["integer", "float"], Header]:
    """Return (width, height) of the upright image in pixels, its kind and metadata, without decoding it.

    Raises UnreadableFrame.
    """
    with _opened(path) as source:
        spec, metadata = _described(path, source, _largest(path, source)[0])
        return upright_size((spec.width, spec.height), _orientation(spec)), _kind(spec), metadata


def _largest(path: str, source: oiio.ImageInput) -> tuple[int, tuple[str, ...]]:
    """Return the index of the largest image in a file, and a note if others have the same size."""
    sizes = [source.spec_dimensions(0, 0).width * source.spec_dimensions(0, 0).height]
    while source.seek_subimage(len(sizes), 0):
        spec = source.spec_dimensions(len(sizes), 0)
        sizes.append(spec.width * spec.height)
    source.geterror()
    place, count = sizes.index(max(sizes)), sizes.count(max(sizes))
    if source.spec(place, 0).get_int_attribute("tiff:subfiletype") & _REDUCED:
        reason = "it has only a thumbnail where the picture is expected; the picture is in a sub-directory"
        raise unreadable(path, reason, "Save it as a plain TIFF, or give camera raw its own suffix, such as .dng.")
    note = f'"{path}" has {count} images of the same size; only the first one is read.'
    return place, (note,) if count > 1 else ()


def _described(path: str, source: oiio.ImageInput, place: int) -> tuple[oiio.ImageSpec, Header]:
    """Return the description of an image in a file, and its metadata with those of the file's first image.

    Raises UnreadableFrame for a kind of image that is not supported.
    """
    spec = source.spec(place, 0)
    _refuse_kind(path, spec)
    return spec, _metadata(source.spec(0, 0)) | _metadata(spec)


def main_spec(path: str, source: oiio.ImageInput) -> oiio.ImageSpec:
    """Return the description of the image that is read from a file with several. Raises UnreadableFrame."""
    return source.spec(_largest(path, source)[0], 0)


def _unread(path: str) -> tuple[str, ...]:
    """Return a note about lines of a Radiance header that change the meaning of the pixels and are not applied."""
    if not path.lower().endswith(".hdr"):
        return ()
    lines = [line for line in radiance_lines(path) if line.upper().startswith(_NOT_APPLIED)]
    neutral = all(float(value) == 1 for line in lines for value in line.partition("=")[2].split() if is_number(value))
    return () if neutral else (f'"{path}" has {", ".join(lines)} in its header, which is not applied.',)


def radiance_lines(path: str) -> list[str]:
    """Return the lines of the header of a Radiance file, which ends with an empty line."""
    with open_file(path) as file:
        lines = iter(lambda: file.readline(1000).strip(), b"")
        return [line.decode("ascii", errors="replace") for line in islice(lines, _HEADER_LINES)]


def is_number(text: str) -> bool:
    """Return whether a text is a finite number."""
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def _refuse_kind(path: str, spec: oiio.ImageSpec) -> None:
    """Raise UnreadableFrame for a volume, and for colors other than RGB."""
    if spec.depth > 1:
        raise unreadable(path, f"it is a volume of {spec.depth} slices, which is not supported", "Convert it to RGB.")
    reason = _REFUSED_PHOTOMETRIC.get(spec.get_int_attribute("tiff:PhotometricInterpretation", -1))
    if reason:
        raise unreadable(path, f"{reason}, which is not supported", "Convert it to RGB.")


def _orientation(spec: oiio.ImageSpec) -> int:
    return int(spec.get_int_attribute("Orientation", UPRIGHT))


@contextmanager
def _opened(path: str) -> Iterator[oiio.ImageInput]:
    """Yield an open image whose size is within the limits. Raises UnreadableFrame."""
    try:
        with open_file(path) as file:
            wishes = oiio.ImageSpec()
            wishes.attribute("oiio:UnassociatedAlpha", 1)
            check_jpeg(path, file)
            name = library_path(path, file)
            source = oiio.ImageInput.open(name, wishes) or _opened_by_suffix(path, name, wishes)
            try:
                _check_sizes(path, source, os.fstat(file.fileno()).st_size)
                yield source
            finally:
                source.close()
    except OSError as error:
        raise unreadable(path, error.strerror or str(error), "Check the path.") from error


def check_jpeg(path: str, file: BinaryIO) -> None:
    """Raise UnreadableFrame if an open file is a JPEG of very many scans, which OpenImageIO decodes to open it."""
    if file.read(2) == _JPEG:
        check_scans(path, file.read().count(_SCAN))
    file.seek(0)


def _check_sizes(path: str, source: oiio.ImageInput, file_bytes: int) -> None:
    """Raise UnreadableFrame if an image in the file needs more memory than the limits allow."""
    for place in range(limit("layers")):
        if not source.seek_subimage(place, 0):
            break
        spec = source.spec_dimensions(place, 0)
        check_image(path, (spec.width, spec.height), spec.nchannels * spec.depth, 4, file_bytes)
    source.geterror()
    source.seek_subimage(0, 0)


def _opened_by_suffix(path: str, name: str, wishes: oiio.ImageSpec) -> oiio.ImageInput:
    """Open a file whose format depends on its suffix, under a name with that suffix. Raises UnreadableFrame."""
    oiio.geterror()
    with tempfile.TemporaryDirectory() as folder:
        alias = os.path.join(folder, f"image{os.path.splitext(path)[1]}") if name != path else path
        if alias != path:
            os.symlink(name, alias)
        source = oiio.ImageInput.open(alias, wishes)
        if source is None:
            raise _refused(path, oiio.geterror().replace(alias, path))
        return source


def _kind(spec: oiio.ImageSpec) -> Literal["integer", "float"]:
    return "float" if str(spec.format) in ("half", "float", "double") else "integer"


def _color_channels(spec: oiio.ImageSpec) -> tuple[int, ...]:
    names = list(spec.channelnames)
    if {"R", "G", "B"} <= set(names):
        return tuple(names.index(name) for name in "RGB")
    return (0, 1, 2) if spec.nchannels - (spec.alpha_channel >= 0) >= 3 else (0, 0, 0)


def _metadata(spec: oiio.ImageSpec) -> Header:
    header: Header = {}
    for theirs, ours in _EXR_NAMES.items():
        value = spec.getattribute(theirs)
        if isinstance(value, (tuple, list, np.ndarray)) and len(value):
            value = value[0]  # Exif allows several sensitivities; the first is the one used
        if isinstance(value, str) or (isinstance(value, (int, float, np.number)) and 0 < value < math.inf):
            header[ours] = value if isinstance(value, str) else float(value)
    return header


def _refused(path: str, complaint: str) -> UnreadableFrame:
    reason = " ".join(complaint.split()) or "its format is unknown"
    return unreadable(path, reason, "Check the file, or copy it again.")
