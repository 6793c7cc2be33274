"""OpenEXR plates: which part is the picture, where its pixels lie, and what comes along with it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import numpy as np
import OpenEXR
from numpy.typing import NDArray

from f2hdr_backend.image.exr_structure import check_structure
from f2hdr_backend.image.frame import PlateImage, unreadable
from f2hdr_backend.image.metadata import Header, of_the_picture

PICTURE_LAYERS = ("", "rgba", "rgb", "beauty", "default", "combined")
"""Layer and part names under which R, G and B are the picture, the likeliest first."""

_NOT_GRAY = {"RY", "BY", "X", "Z"}
"""Beside these a Y is luminance that needs its chroma, or a coordinate."""

Layers = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class _Part:
    name: str
    header: Header
    planes: Layers

    @property
    def channel_names(self) -> list[str]:
        return [channel.name for channel in self.header["channels"]]


def read_exr(path: str) -> PlateImage:
    """Return the picture of an EXR file, placed into its display window; outside the data window it is 0.

    The picture is R, G and B without a layer name, or of a layer named as in ``PICTURE_LAYERS`` or as its
    part; of several parts the one named so, else the first. A file with Y and no color is gray. Every other
    channel of every part becomes a layer; those of other parts are prefixed with their part's name. Raises
    UnreadableFrame.
    """
    parts = _open(path, header_only=False)
    part, names = _find_picture(path, parts)
    width, height = display_size(part.header)
    pixels = np.empty((height, width, 3), np.float32)
    for position, name in enumerate(names):
        pixels[..., position] = _in_display(path, part, name)
    metadata = of_the_picture(part.header)
    return PlateImage(0, path, pixels, "float", _layers(path, parts, part, names), metadata)


def read_header(path: str | os.PathLike[str]) -> Header:
    """Return the header attributes of an EXR file: of the part with the picture, else of the first.

    Decodes nothing. Raises UnreadableFrame if the file cannot be opened or is not complete.
    """
    parts = _open(os.fspath(path), header_only=True)
    ranked = _ranked(parts)
    return parts[ranked[0][1] if ranked else 0].header


def display_size(header: Header) -> tuple[int, int]:
    """Return (width, height) of the display window, in pixels."""
    low, high = header["displayWindow"]
    return int(high[0] - low[0]) + 1, int(high[1] - low[1]) + 1


def _open(path: str, header_only: bool) -> list[_Part]:
    """Open a file whose structure is sound; a damaged one gives fewer parts than it has."""
    count = check_structure(path)
    try:
        file = OpenEXR.File(path, separate_channels=True, header_only=header_only)
    except (RuntimeError, ValueError) as error:
        raise unreadable(path, f"its header is wrong ({error})", "Render or copy it again.") from error
    if len(file.parts) != count:
        raise unreadable(path, "its pixels are damaged", "Render or copy it again.")
    return [
        _Part(
            part.header.get("name", ""),
            part.header,
            {name: channel.pixels for name, channel in part.channels.items()},
        )
        for part in file.parts
    ]


def _ranked(parts: list[_Part]) -> list[tuple[int, int]]:
    """Return (rank, index) of parts with a picture: rank 0 if named as pictures are, 1 if not, 2 if gray."""
    ranked = []
    for index, part in enumerate(parts):
        if names := _picture_channels(part):
            named = part.name.lower() in PICTURE_LAYERS
            ranked.append((2 if len(names) == 1 else 1 - named, index))
    return sorted(ranked)


def _picture_channels(part: _Part) -> tuple[str, ...]:
    """Return the names of R, G and B, or of Y alone; empty if the part holds neither."""
    names = set(part.channel_names)
    found: dict[str, tuple[str, ...]] = {}
    for red in sorted(name for name in names if name.rpartition(".")[2] == "R"):
        layer, dot, _ = red.rpartition(".")
        channels = tuple(f"{layer}{dot}{color}" for color in "RGB")
        if names.issuperset(channels):
            found.setdefault(layer.rpartition(".")[2].lower(), channels)
    for layer in (*PICTURE_LAYERS, part.name.lower()):
        if layer in found:
            return found[layer]
    return ("Y",) if "Y" in names and not names & _NOT_GRAY else ()


def _find_picture(path: str, parts: list[_Part]) -> tuple[_Part, tuple[str, str, str]]:
    ranked = _ranked(parts)
    if not ranked:
        names = ", ".join(name for part in parts for name in part.channel_names)
        reason = f"it has no R, G and B channels (its channels are: {names})"
        raise unreadable(path, reason, "Write the picture as R, G and B without a layer name.")
    part = parts[ranked[0][1]]
    found = _picture_channels(part)
    red, green, blue = found if len(found) == 3 else found * 3
    return part, (red, green, blue)


def _layers(path: str, parts: list[_Part], picture: _Part, used: tuple[str, str, str]) -> Layers:
    """Return all channels but the picture's own three; the picture's alpha is "A"."""
    alpha = f"{used[0][:-1]}A"
    layers: Layers = {}
    for part in parts:
        for name in part.channel_names:
            if part is not picture:
                key = name if name.startswith(f"{part.name}.") else f"{part.name}.{name}"
            elif name not in used:
                key = "A" if name == alpha else name
            else:
                continue
            layers[_unique(key, layers)] = _in_display(path, part, name)
    return layers


def _unique(name: str, taken: Layers) -> str:
    """Return ``name``, with the least number from 2 on put to its layer if it is taken: depth.Z, depth2.Z."""
    layer, dot, channel = name.rpartition(".")
    number = 2
    while name in taken:
        name = f"{layer}{number}{dot}{channel}"
        number += 1
    return name


def _in_display(path: str, part: _Part, name: str) -> NDArray[Any]:
    """Return a channel as ``(H, W)`` of the display window, cut or filled with 0 to fit."""
    plane = part.planes[name]
    (left, top), (right, bottom) = part.header["dataWindow"]
    if plane.shape != (bottom - top + 1, right - left + 1):
        raise unreadable(path, f'its channel "{name}" is subsampled', "Write all channels at full size.")
    width, height = display_size(part.header)
    x, y = (int(value) for value in (left, top) - part.header["displayWindow"][0])
    if (x, y) == (0, 0) and plane.shape == (height, width):
        return plane
    placed = np.zeros((height, width), plane.dtype)
    rows = slice(max(y, 0), min(y + plane.shape[0], height))
    columns = slice(max(x, 0), min(x + plane.shape[1], width))
    if rows.start < rows.stop and columns.start < columns.stop:
        placed[rows, columns] = plane[rows.start - y : rows.stop - y, columns.start - x : columns.stop - x]
    return placed
