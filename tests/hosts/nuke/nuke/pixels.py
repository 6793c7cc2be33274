"""What each node class does with pixels, in numpy; files through OpenEXR. Nuke's y = 0 is the bottom row."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import OpenEXR
from numpy.typing import NDArray

from nuke import expressions
from nuke.session import session

RGB = ("rgba.red", "rgba.green", "rgba.blue")
_TO_FILE = {"rgba.red": "R", "rgba.green": "G", "rgba.blue": "B", "rgba.alpha": "A"}
_COLORS = {"R": "red", "G": "green", "B": "blue", "A": "alpha"}
_COMPRESSION = {"none": OpenEXR.NO_COMPRESSION, "Zip (1 scanline)": OpenEXR.ZIPS_COMPRESSION}


@dataclass(frozen=True)
class Picture:
    """``bbox`` is (left, bottom, right, top); planes are (top - bottom, right - left) float32, bottom row first."""

    size: tuple[int, int]
    bbox: tuple[int, int, int, int]
    planes: dict[str, NDArray[np.float32]]
    aspect: float = 1.0
    metadata: dict[str, Any] = field(default_factory=dict)

    def plane(self, name: str, bbox: tuple[int, int, int, int] | None = None) -> NDArray[np.float32]:
        """A channel over ``bbox``; 0 outside the picture's own and for a channel that it lacks."""
        left, bottom, right, top = bbox or self.bbox
        result = np.zeros((top - bottom, right - left), np.float32)
        if name not in self.planes:
            return result
        x0, y0 = max(left, self.bbox[0]), max(bottom, self.bbox[1])
        x1, y1 = min(right, self.bbox[2]), min(top, self.bbox[3])
        if x0 < x1 and y0 < y1:
            part = self.planes[name][y0 - self.bbox[1] : y1 - self.bbox[1], x0 - self.bbox[0] : x1 - self.bbox[0]]
            result[y0 - bottom : y1 - bottom, x0 - left : x1 - left] = part
        return result

    def over(self, bbox: tuple[int, int, int, int]) -> Picture:
        """The same picture with another bounding box."""
        return replace(self, bbox=bbox, planes={name: self.plane(name, bbox) for name in self.planes})

    def having(self, **_: Any) -> Picture:
        return self


def picture(node: Any, frame: int, view: str) -> Picture:
    """The output of ``node``."""
    if node.table["disable"].at(frame):
        return _black() if node.Class() == "Read" else _fed(node, 0, frame, view)
    return globals()[f"_{node.Class().lower()}"](node, frame, view)


def _fed(node: Any, index: int, frame: int, view: str) -> Picture:
    source = node.sources[index] if index < len(node.sources) else None
    if node.Class() == "Input":
        source = node.outer()
    return _black() if source is None else picture(source, frame, view)


def _black() -> Picture:
    size = session.root.format
    width, height = size.width(), size.height()
    return Picture((width, height), (0, 0, width, height), {})


def _same(node: Any, frame: int, view: str) -> Picture:
    return _fed(node, 0, frame, view)


_input = _dot = _noop = _output = _write = _variableswitch = _same


def _group(node: Any, frame: int, view: str) -> Picture:
    return picture(next(child for child in node.children if child.Class() == "Output"), frame, view)


def _timeoffset(node: Any, frame: int, view: str) -> Picture:
    return _fed(node, 0, frame - int(node.table["time_offset"].at(frame)), view)


def _grade(node: Any, frame: int, view: str) -> Picture:
    return _times(_fed(node, 0, frame, view), float(node.table["white"].at(frame)))


def _multiply(node: Any, frame: int, view: str) -> Picture:
    return _times(_fed(node, 0, frame, view), float(node.table["value"].at(frame)))


def _times(image: Picture, factor: float) -> Picture:
    scaled = {name: image.plane(name) * np.float32(factor) for name in RGB}
    return replace(image, planes={**image.planes, **scaled})


def _crop(node: Any, frame: int, view: str) -> Picture:
    image = _fed(node, 0, frame, view)
    left, bottom, right, top = (int(value) for value in node.table["box"].at(frame))
    box = image.bbox
    inside = (max(left, box[0]), max(bottom, box[1]), min(right, box[2]), min(top, box[3]))
    return image.over(inside)


def _unpremult(node: Any, frame: int, view: str) -> Picture:
    image = _fed(node, 0, frame, view)
    alpha = image.plane("rgba.alpha")
    divisor = np.where(alpha == 0, np.float32(1), alpha)
    return replace(image, planes={**image.planes, **{name: image.plane(name) / divisor for name in RGB}})


def _premult(node: Any, frame: int, view: str) -> Picture:
    image = _fed(node, 0, frame, view)
    alpha = image.plane("rgba.alpha")
    return replace(image, planes={**image.planes, **{name: image.plane(name) * alpha for name in RGB}})


def _remove(node: Any, frame: int, view: str) -> Picture:
    image = _fed(node, 0, frame, view)
    assert node.table["operation"].at(frame) == "keep" and node.table["channels"].plain == "rgb"
    return replace(image, planes={name: image.plane(name) for name in RGB})


def _expression(node: Any, frame: int, view: str) -> Picture:
    image = _fed(node, 0, frame, view)
    left, bottom, right, top = image.bbox
    y, x = np.mgrid[bottom:top, left:right]

    def names(name: str) -> Any:
        known = {"x": x, "y": y, "width": image.size[0], "height": image.size[1]}
        return known[name] if name in known else image.plane(name)

    planes = dict(image.planes)
    for index, channel in enumerate((*RGB, "rgba.alpha")):
        text = node.table[f"expr{index}"].plain
        if text:
            planes[channel] = np.broadcast_to(expressions.evaluate(text, names), x.shape).astype(np.float32)
    return replace(image, planes=planes)


def _copy(node: Any, frame: int, view: str) -> Picture:
    b, a = _fed(node, 0, frame, view), _fed(node, 1, frame, view)
    bbox = b.bbox if node.table["bbox"].at(frame) == "B" else _union(a.bbox, b.bbox)
    b = b.over(bbox)
    planes = dict(b.planes)
    for index in range(4):
        source, target = node.table[f"from{index}"].plain, node.table[f"to{index}"].plain
        if source:
            planes[target] = a.plane(source, bbox)
    return replace(b, planes=planes)


def _keymix(node: Any, frame: int, view: str) -> Picture:
    b, a, mask = (_fed(node, index, frame, view) for index in range(3))
    bbox = _union(a.bbox, b.bbox)
    b = b.over(bbox)
    weight = mask.plane("rgba.alpha", bbox) * np.float32(node.table["mix"].at(frame))
    planes = dict(b.planes)
    for name in RGB:
        mixed = b.plane(name) * (1 - weight) + a.plane(name, bbox) * weight
        planes[name] = np.where(weight == 1, a.plane(name, bbox), np.where(weight == 0, b.plane(name), mixed))
    return replace(b, planes=planes)


def _merge2(node: Any, frame: int, view: str) -> Picture:
    assert node.table["operation"].at(frame) == "difference"
    b, a = _fed(node, 0, frame, view), _fed(node, 1, frame, view)
    b = b.over(_union(a.bbox, b.bbox))
    return replace(b, planes={**b.planes, **{name: np.abs(a.plane(name, b.bbox) - b.plane(name)) for name in RGB}})


def _switch(node: Any, frame: int, view: str) -> Picture:
    return _fed(node, int(node.table["which"].at(frame)), frame, view)


def _modifymetadata(node: Any, frame: int, view: str) -> Picture:
    image = _fed(node, 0, frame, view)
    return replace(image, metadata={**image.metadata, **node.table["metadata"].entries()})


def _read(node: Any, frame: int, view: str) -> Picture:
    table = node.table
    first, last = int(table["first"].at(frame)), int(table["last"].at(frame))
    wanted = frame
    if not first <= frame <= last:
        rule = table["before" if frame < first else "after"].at(frame)
        if rule == "black":
            return _black()
        wanted = min(max(frame, first), last)
    path = table["file"].path(wanted, view)
    path = os.path.join(str(session.root.table["project_directory"].at(frame)), path)
    image = _loaded(path, int(table["version"].plain))
    if image is None:
        return _missing(node, path, frame)
    if not table["raw"].at(frame) and "sRGB" in table["colorspace"].plain:
        image = replace(image, planes={**image.planes, **{name: image.plane(name) ** 2.2 for name in RGB}})
    return _scaled(image) if session.root.table["proxy"].plain else image


def _missing(node: Any, path: str, frame: int) -> Picture:
    policy = node.table["on_error"].at(frame)
    if policy == "error":
        raise RuntimeError(f"{node.fullName()}: {path}: Read error: No such file or directory")
    return _squares() if policy == "checkerboard" else _black()


def _squares() -> Picture:
    image = _black()
    y, x = np.mgrid[0 : image.size[1], 0 : image.size[0]]
    squares = ((x // 8 + y // 8) % 2).astype(np.float32)
    return replace(image, planes={name: squares for name in RGB})


def _checkerboard2(node: Any, frame: int, view: str) -> Picture:
    return _squares()


def _assert(node: Any, frame: int, view: str) -> Picture:
    if not node.table["expression"].at(frame):
        raise RuntimeError(f"{node.fullName()}: {node.table['message'].at(frame)}")
    return _same(node, frame, view)


def _scaled(image: Picture) -> Picture:
    """Proxy mode: every other pixel."""
    step = round(1 / session.root.table["proxy_scale"].plain)
    whole = image.over((0, 0, *image.size))
    size = (-(-image.size[0] // step), -(-image.size[1] // step))
    planes = {name: plane[::step, ::step] for name, plane in whole.planes.items()}
    return Picture(size, (0, 0, *size), planes, image.aspect, image.metadata)


def _loaded(path: str, version: int) -> Picture | None:
    """A file as first read, or its absence: a Read reads it again only after ``reload``."""
    key = (path, version)
    if key not in session.read_cache:
        session.read_cache[key] = _load(path) if path and os.path.exists(path) else None
    image: Picture | None = session.read_cache[key]
    return image


def _load(path: str) -> Picture:
    with OpenEXR.File(path, separate_channels=True) as file:
        part = file.parts[0]
        header = dict(part.header)
        planes = {name: np.array(channel.pixels) for name, channel in part.channels.items()}
    (x0, y0), (x1, y1) = header["dataWindow"]
    (left, upper), (right, lower) = header["displayWindow"]
    width, height = int(right - left) + 1, int(lower - upper) + 1
    bbox = (int(x0 - left), height - 1 - int(y1 - upper), int(x1 - left) + 1, height - int(y0 - upper))
    kept = {_channel(name): plane[::-1].astype(np.float32) for name, plane in planes.items()}
    facts = {f"exr/{key}": value for key, value in header.items() if isinstance(value, (str, int, float))}
    if "timeCode" in header:
        code = header["timeCode"]
        facts["input/timecode"] = f"{code.hours:02}:{code.minutes:02}:{code.seconds:02}:{code.frame:02}"
    return Picture((width, height), bbox, kept, float(header.get("pixelAspectRatio", 1.0)), facts)


def _channel(name: str) -> str:
    """Nuke's name of a channel of a file: R, G, B and A are red, green, blue and alpha, in every layer."""
    layer, _, channel = name.rpartition(".")
    return f"{layer or 'rgba'}.{_COLORS[channel]}" if channel in _COLORS else name


def write(node: Any, frame: int, view: str) -> None:
    """Write one frame as an executed Write does: to a temporary name, then renamed."""
    path = node.table["file"].path(frame, view)
    folder = os.path.dirname(path)
    if not os.path.isdir(folder):
        if not node.table["create_directories"].plain:
            raise RuntimeError(f"{node.fullName()}: {path}: No such file or directory")
        os.makedirs(folder)
    image = _fed(node, 0, frame, view)
    left, bottom, right, top = image.bbox
    width, height = image.size
    dtype = np.float32 if node.table["datatype"].at(frame) == "32 bit float" else np.float16
    header: dict[str, Any] = {
        "compression": _COMPRESSION[node.table["compression"].at(frame)],
        "type": OpenEXR.scanlineimage,
        "displayWindow": (np.array([0, 0], np.int32), np.array([width - 1, height - 1], np.int32)),
        "dataWindow": (np.array([left, height - top], np.int32), np.array([right - 1, height - bottom - 1], np.int32)),
        "pixelAspectRatio": float(image.aspect),
    }
    if re.fullmatch(r"[\d:]{11}", str(image.metadata.get("input/timecode", ""))):
        hours, minutes, seconds, frames = (int(part) for part in image.metadata["input/timecode"].split(":"))
        header["timeCode"] = OpenEXR.TimeCode(hours, minutes, seconds, frames, 0, *[0] * 13)
    if node.table["write_hash"].plain:
        header["nuke/node_hash"] = f"{node.opHashes()[0]:x} {session.executing_s}"
    names = RGB if node.table["channels"].plain == "rgb" else tuple(image.planes)
    planes = {_TO_FILE.get(name, name): np.ascontiguousarray(image.plane(name)[::-1].astype(dtype)) for name in names}
    OpenEXR.File(header, planes).write(f"{path}.tmp")
    os.replace(f"{path}.tmp", path)


def _union(one: tuple[int, ...], other: tuple[int, ...]) -> tuple[int, int, int, int]:
    return (min(one[0], other[0]), min(one[1], other[1]), max(one[2], other[2]), max(one[3], other[3]))
