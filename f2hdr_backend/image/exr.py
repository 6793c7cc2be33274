"""OpenEXR plates: selection of part and layer of the image, position of its pixels, and further layers."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import OpenEXR
from numpy.typing import NDArray

from f2hdr_backend.image.decoder_processes import in_decoder_process
from f2hdr_backend.image.exr_structure import check_structure
from f2hdr_backend.image.frame import Box, PlateImage, Windows, unreadable
from f2hdr_backend.image.metadata import Header, of_the_picture, without_invalid
from f2hdr_backend.shot.limits import check_image
from f2hdr_backend.shot.safe_open import library_path, open_file

PICTURE_LAYERS = ("", "rgba", "rgb", "beauty", "default", "combined")
"""Layer and part names whose R, G and B are the image, the most likely first."""

_NOT_GRAY = {"RY", "BY", "X", "Z"}
"""With one of these channels, Y is luminance that needs its chroma, or a coordinate."""

_NOT_SENT = {"channels", "preview", "idManifest"}
"""Attributes of types that cannot be pickled."""

Layers = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class _Part:
    name: str
    header: Header
    planes: Layers

    @property
    def channel_names(self) -> list[str]:
        return [channel.name for channel in self.header["channels"]]

    @property
    def view(self) -> str:
        """The view of all channels, empty if the part does not state one."""
        return str(self.header.get("view") or "")


@dataclass(frozen=True)
class _Picture:
    """Channels that may be the image; ``layer`` is their prefix, empty for plain R, G and B."""

    part: _Part
    layer: str
    channels: tuple[str, ...]
    view: str = ""

    @property
    def names(self) -> Iterator[str]:
        """Names under which a user can select it, the shortest first."""
        known = (self.view, self.part.name, self.layer, f"{self.part.name}.{self.layer}")
        return (name for name in known if name.strip("."))

    @property
    def rank(self) -> int:
        """Priority: 0 for usual names, 1 if its part has another name, 2 for gray, 3 if it must be selected
        explicitly.
        """
        if len(self.channels) == 1:
            return 2
        last = self.layer.rpartition(".")[2].lower()
        if last not in (*PICTURE_LAYERS, self.part.name.lower()):
            return 3
        return 1 - (self.part.name.lower() in PICTURE_LAYERS)


@in_decoder_process
def read_exr(path: str, layer: str = "", canvas: Box | None = None) -> PlateImage:
    """Return the image of an EXR file with everything inside its windows; pixels without data are 0.

    The image is R, G and B without a layer name, or of a layer with a name in ``PICTURE_LAYERS`` or that of its part;
    of several parts the one with such a name, or else the first. A file with Y and no color is gray. ``layer`` selects
    another one by the name of a layer, a part or a view. All other channels become layers; those of other parts are
    prefixed with the part's name, and those of other views are omitted. ``canvas`` is the area to cover, by default
    that of the display window and all data windows. Raises UnreadableFrame, also for a file with several views if no
    layer is given.
    """
    parts = _open(path, header_only=False)
    picture = _find_picture(path, parts, layer)
    part, used = picture.part, picture.channels * (3 // len(picture.channels))
    windows = _windows(parts, part)
    canvas = canvas or windows.data
    pixels = np.empty((canvas[3] - canvas[1] + 1, canvas[2] - canvas[0] + 1, 3), np.float32)
    for position, name in enumerate(used):
        pixels[..., position] = _placed(path, part, name, canvas)
    metadata = of_the_picture(part.header)
    if picture.view:
        metadata["view"] = picture.view
    layers = _layers(path, parts, picture, canvas)
    placed = None if canvas == windows.display else Windows(canvas, windows.display)
    return PlateImage(0, path, pixels, "float", layers, metadata, windows=placed)


@in_decoder_process
def read_header(path: str | os.PathLike[str], layer: str = "") -> Header:
    """Return the header attributes of an EXR file, without its channels: of the part with the image, or else the first.

    Decodes nothing. Raises UnreadableFrame if the file cannot be opened or is truncated.
    """
    parts = _open(os.fspath(path), header_only=True)
    found = _chosen(_pictures(parts), layer)
    header = (found.part if found else parts[0]).header
    return {name: value for name, value in header.items() if name not in _NOT_SENT}


def _open(path: str, header_only: bool) -> list[_Part]:
    """Open a file after checking its structure; the library returns too few parts for a damaged file."""
    try:
        with open_file(path) as opened:
            count = check_structure(path, opened)
            name = library_path(path, opened)
            file = OpenEXR.File(name, separate_channels=True, header_only=True)
            _require_text_names(file.parts)
            _check_sizes(path, file.parts, os.fstat(opened.fileno()).st_size)
            if not header_only:
                file = OpenEXR.File(name, separate_channels=True)
    except OSError as error:
        raise unreadable(path, error.strerror or str(error), "Check the path and the permissions.") from error
    except (RuntimeError, ValueError, ArithmeticError, LookupError, TypeError) as error:
        raise unreadable(path, f"its header is invalid ({error})", "Render or copy it again.") from error
    if len(file.parts) != count:
        raise unreadable(path, "its pixels are damaged", "Render or copy it again.")
    return [
        _Part(
            part.header.get("name", ""),
            without_invalid(part.header),
            {name: channel.pixels for name, channel in part.channels.items()},
        )
        for part in file.parts
    ]


def _pictures(parts: list[_Part]) -> list[_Picture]:
    """Return all candidates for the image, the most likely first."""
    found = [picture for part in parts for picture in _pictures_of(part)]
    return sorted(found, key=lambda picture: picture.rank)


def _require_text_names(parts: list[Any]) -> None:
    """Raise UnicodeDecodeError for channels whose names are not UTF-8."""
    for part in parts:
        for channel in part.header["channels"]:
            _ = channel.name


def _check_sizes(path: str, parts: Iterable[OpenEXR.Part], file_bytes: int) -> None:
    """Raise UnreadableFrame if the windows of the parts need more memory than the limits allow."""
    for part in parts:
        channels = len(part.header["channels"])
        for window in ("displayWindow", "dataWindow"):
            low, high = part.header[window]
            size = int(high[0]) - int(low[0]) + 1, int(high[1]) - int(low[1]) + 1
            check_image(path, size, channels, 4, file_bytes)


def _pictures_of(part: _Part) -> Iterator[_Picture]:
    names = set(part.channel_names)
    order = [*PICTURE_LAYERS, part.name.lower()]

    def place(layer: str) -> tuple[int, str]:
        last = layer.rpartition(".")[2].lower()
        return order.index(last) if last in order else len(order), layer

    layers = {name.rpartition(".")[0] for name in names if name.rpartition(".")[2] == "R"}
    for layer in sorted(layers, key=place):
        channels = tuple(f"{layer}{'.' if layer else ''}{color}" for color in "RGB")
        if names.issuperset(channels):
            yield _Picture(part, layer, channels, _view_of(part, channels[0]))
    if "Y" in names and not names & _NOT_GRAY:
        yield _Picture(part, "", ("Y",), part.view)


def _chosen(pictures: list[_Picture], layer: str) -> _Picture | None:
    if not layer:
        return next((picture for picture in pictures if picture.rank < 3), None)
    wanted = layer.lower()
    matches = [picture for picture in pictures if wanted in {name.lower() for name in picture.names}]
    # A view may have further layers, such as diffuse.left of the view left, whose image is the layer left.
    return min(matches, key=lambda one: (one.layer.lower() != wanted, one.rank, one.layer.count(".")), default=None)


def _find_picture(path: str, parts: list[_Part], layer: str) -> _Picture:
    pictures = _pictures(parts)
    found = _chosen(pictures, layer)
    views = list(dict.fromkeys(picture.view for picture in pictures if picture.view))
    if found is not None and (layer or len(views) < 2):
        return found if layer else _Picture(found.part, found.layer, found.channels)
    offered = views if not layer and len(views) > 1 else [next(picture.names, "") for picture in pictures]
    choices = ", ".join(f"--layer {name}" for name in dict.fromkeys(offered) if name)
    hint = f"Select one: {choices}." if choices else "Write the image as R, G and B without a layer name."
    if len(views) > 1 and not layer:
        raise unreadable(path, f"it has several views ({', '.join(views)}), each of which is a separate plate", hint)
    names = ", ".join(name for part in parts for name in part.channel_names)
    what = f'no layer "{layer}"' if layer else "no R, G and B channels without a layer name"
    raise unreadable(path, f"it has {what} (its channels are: {names})", hint)


def _layers(path: str, parts: list[_Part], picture: _Picture, canvas: Box) -> Layers:
    """Return all channels except those of the image and of other views; the image's alpha is "A"."""
    alpha = f"{picture.channels[0][:-1]}A"
    layers: Layers = {}
    for part in parts:
        for name in part.channel_names:
            if picture.view and _view_of(part, name) not in ("", picture.view):
                continue
            if part is not picture.part:
                key = name if name.startswith(f"{part.name}.") else f"{part.name}.{name}"
            elif name not in picture.channels:
                key = "A" if name == alpha else name
            else:
                continue
            layers[_unique(key, layers)] = _placed(path, part, name, canvas)
    return layers


def _view_of(part: _Part, name: str) -> str:
    """Return the view of a channel, from its part or from its name in a part with several views; empty if it has none.

    Source: "Storing Multi-View Images in OpenEXR Files", openexr.com.
    """
    views = [str(view) for view in part.header.get("multiView") or ()]
    if not views:
        return part.view
    layer = name.rpartition(".")[0]
    last = layer.rpartition(".")[2]
    return last if last in views else "" if layer else views[0]


def _unique(name: str, taken: Layers) -> str:
    """Return ``name``, or with the smallest unused number from 2 on appended to its layer: depth.Z, depth2.Z."""
    layer, dot, channel = name.rpartition(".")
    number = 2
    while name in taken:
        name = f"{layer}{number}{dot}{channel}"
        number += 1
    return name


def _windows(parts: list[_Part], picture: _Part) -> Windows:
    """Return the display window, and the area covered by it and the data windows of all parts."""
    display = _box(picture.header["displayWindow"])
    return Windows(cover(display, *(_box(part.header["dataWindow"]) for part in parts)), display)


def cover(*boxes: Box) -> Box:
    """Return the smallest box that covers all of ``boxes``."""
    left, top, right, bottom = zip(*boxes, strict=True)
    return min(left), min(top), max(right), max(bottom)


def _box(window: Any) -> Box:
    (left, top), (right, bottom) = window
    return int(left), int(top), int(right), int(bottom)


def _placed(path: str, part: _Part, name: str, canvas: Box) -> NDArray[Any]:
    """Return a channel as ``(H, W)`` of the canvas, cropped or padded with 0."""
    plane = part.planes[name]
    left, top, right, bottom = _box(part.header["dataWindow"])
    if plane.shape != (bottom - top + 1, right - left + 1):
        raise unreadable(path, f'its channel "{name}" is subsampled', "Write all channels at full size.")
    if canvas == (left, top, right, bottom):
        return plane
    width, height = canvas[2] - canvas[0] + 1, canvas[3] - canvas[1] + 1
    x, y = left - canvas[0], top - canvas[1]
    placed = np.zeros((height, width), plane.dtype)
    rows = slice(max(y, 0), min(y + plane.shape[0], height))
    columns = slice(max(x, 0), min(x + plane.shape[1], width))
    if rows.start < rows.stop and columns.start < columns.stop:
        placed[rows, columns] = plane[rows.start - y : rows.stop - y, columns.start - x : columns.stop - x]
    return placed
