"""Still pictures other than EXR: TIFF, PNG, DPX, JPEG, Radiance and whatever else OpenImageIO reads."""

from __future__ import annotations

import math
import os
from fractions import Fraction
from typing import Any, Literal

import numpy as np
import OpenImageIO as oiio
from numpy.typing import NDArray

from f2hdr_backend.image.frame import PlateImage, unreadable
from f2hdr_backend.image.metadata import Header, timecode
from f2hdr_backend.shot.errors import UnreadableFrame

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


def read_still(path: str) -> PlateImage:
    """Return a picture with its numbers as stored: no color conversion, no multiplication by alpha.

    Integers are scaled so that full scale is 1.0. One channel is gray and fills all three; alpha and further
    channels become float32 layers. Raises UnreadableFrame.
    """
    source = _open(path)
    try:
        spec = source.spec()
        pixels = source.read_image(0, 0, 0, spec.nchannels, "float")
        complaint = source.geterror()
    finally:
        source.close()
    if pixels is None or complaint:
        raise _refused(path, complaint)
    color = _color_channels(spec)
    names = list(spec.channelnames)
    if 0 <= spec.alpha_channel < len(names):
        names[spec.alpha_channel] = "A"
    layers = {name: np.ascontiguousarray(pixels[..., index]) for index, name in enumerate(names) if index not in color}
    return PlateImage(0, path, _picked(pixels, color), _kind(spec), layers, _metadata(spec))


def probe_still(path: str) -> tuple[tuple[int, int], Literal["integer", "float"], Header]:
    """Return (width, height) in pixels, the kind and the metadata of a picture without decoding it.

    Raises UnreadableFrame.
    """
    source = _open(path)
    try:
        spec = source.spec()
        return (spec.width, spec.height), _kind(spec), _metadata(spec)
    finally:
        source.close()


def _open(path: str) -> oiio.ImageInput:
    wishes = oiio.ImageSpec()
    wishes.attribute("oiio:UnassociatedAlpha", 1)
    source = oiio.ImageInput.open(path, wishes)
    if source is None:
        raise _refused(path, oiio.geterror())
    return source


def _kind(spec: oiio.ImageSpec) -> Literal["integer", "float"]:
    return "float" if str(spec.format) in ("half", "float", "double") else "integer"


def _color_channels(spec: oiio.ImageSpec) -> tuple[int, ...]:
    names = list(spec.channelnames)
    if {"R", "G", "B"} <= set(names):
        return tuple(names.index(name) for name in "RGB")
    return (0, 1, 2) if spec.nchannels - (spec.alpha_channel >= 0) >= 3 else (0, 0, 0)


def _picked(pixels: NDArray[Any], color: tuple[int, ...]) -> NDArray[np.float32]:
    if pixels.shape[2] == 3 and color == (0, 1, 2):
        return pixels
    return np.ascontiguousarray(pixels[..., list(color)])


def _metadata(spec: oiio.ImageSpec) -> Header:
    header: Header = {}
    for theirs, ours in _EXR_NAMES.items():
        value = spec.getattribute(theirs)
        if isinstance(value, str) or (isinstance(value, (int, float)) and 0 < value < math.inf):
            header[ours] = value if isinstance(value, str) else float(value)
    rate = _frame_rate(spec)
    if rate is not None:
        header["framesPerSecond"] = rate
    time = timecode(spec.get_string_attribute("dpx:TimeCode"))
    if time is not None:
        header["timeCode"] = time
    return header


def _frame_rate(spec: oiio.ImageSpec) -> Fraction | None:
    for name in ("dpx:FrameRate", "dpx:TemporalFrameRate"):
        value = spec.get_float_attribute(name)
        if 0 < value < 1000:
            return Fraction(value).limit_denominator(1001)
    return None


def _refused(path: str, complaint: str) -> UnreadableFrame:
    if not os.path.exists(path):
        return unreadable(path, "there is no such file", "Check the path.")
    reason = " ".join(complaint.split()) or "its format is not known"
    return unreadable(path, reason, "Check the file, or copy it again.")
