"""The frames of a shot for the viewer: plate and result as light, and the layers of a result."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from f2hdr_backend.color.config import ColorConfig, load_config
from f2hdr_backend.color.plate import PlateColor, open_color, settle_color
from f2hdr_backend.image.arrays import FloatArray
from f2hdr_backend.image.exr import read_header
from f2hdr_backend.image.frame import Plate
from f2hdr_backend.image.read import open_plate, read_image
from f2hdr_backend.pictures.cache import BoundedCache
from f2hdr_backend.shot.document import Color, Shot
from f2hdr_backend.shot.equations import GAMMA
from f2hdr_backend.shot.errors import ImageError
from f2hdr_backend.shot.events import Warned
from f2hdr_backend.shot.frames import Sequence

_ASSUMED_CLIP = (1.0,)


@dataclass(frozen=True)
class Result:
    """A rendered frame: ``pixels`` ``(H, W, 3)`` in ``space``, and its other layers by name, ``(H, W)``."""

    pixels: FloatArray
    space: str
    layers: dict[str, NDArray[Any]]

    @property
    def bytes(self) -> int:
        """Size in memory."""
        return self.pixels.nbytes + sum(layer.nbytes for layer in self.layers.values())


class Source:
    """One plate and the pattern of its result.

    Plate pixels are light in the plate's own primaries, 1.0 = full scale; ``to_working`` converts them to the space of
    the result, in which the viewer draws and measures.
    """

    def __init__(self, shot: Shot, frames: BoundedCache[FloatArray], results: BoundedCache[Result]) -> None:
        """Open the plate of ``shot`` and resolve its color as a render does, except the clip level.

        Raises ShotError, ImageError or ColorError, as a render of it would.
        """
        self.shot = shot
        self.plate: Plate = open_plate(shot.plate, shot.layer)
        quick = replace(shot.color, clip_level=shot.color.clip_level or _ASSUMED_CLIP)
        settled, events = settle_color(quick, self.plate)
        self.settled: Color = settled
        self.doubts = [event.message for event in events if isinstance(event, Warned)]
        self._color: PlateColor = open_color(settled, self.plate)
        self.config: ColorConfig = load_config(settled.config, settled.context)
        self.space = str(self._color.facts["f2hdr/output_space"])
        self._frames = frames
        self._results = results
        self.set_output(shot.output.pattern)

    def set_output(self, pattern: str) -> None:
        """Set the pattern of the results; empty for none. Raises ShotError for an invalid pattern."""
        self._output = Sequence.parse(pattern) if pattern else None

    def clip_level(self) -> tuple[float, ...]:
        """Return the linear value at which the plate clips, one or one per channel; may read some frames to estimate
        it.
        """
        if self.shot.color.clip_level is None:
            found, _ = settle_color(replace(self.settled, clip_level=None), self.plate)
            return found.clip_level or _ASSUMED_CLIP
        return self.shot.color.clip_level

    def light(self, number: int) -> FloatArray:
        """Return ``(H, W, 3)`` light of a plate frame; do not modify it. Raises MissingFrames, ImageError."""
        self.plate.require([number])
        key = self._plate_key(number)
        found = self._frames.get(key)
        if found is None:
            found = self._decoded(self.plate.read(number).pixels)
            self._frames.put(key, found)
        return found

    def has_light(self, number: int) -> bool:
        """Whether a frame of the plate is in memory."""
        return self._frames.get(self._plate_key(number)) is not None

    def to_working(self, light: FloatArray) -> FloatArray:
        """Return plate light in the working space; the same array if no conversion is needed."""
        return light if self._color.encode is None else self._color.encode.apply(light)

    def has_result(self, number: int) -> bool:
        """Whether the file of a frame's result exists."""
        return self._output is not None and os.path.exists(self._output.path(number))

    def result_stamp(self, number: int) -> str:
        """Return a string that changes when a frame's result does; empty if it is not rendered."""
        if self._output is None:
            return ""
        try:
            facts = os.stat(self._output.path(number))
        except OSError:
            return ""
        return f"{self._output.path(number)}:{facts.st_mtime_ns}:{facts.st_size}"

    def result(self, number: int) -> Result | None:
        """Return a frame's result in the working space, None if it is not rendered.

        Raises UnreadableFrame, and ImageError for another size than the plate's.
        """
        stamp = self.result_stamp(number)
        if self._output is None or not stamp:
            return None
        found = self._results.get((stamp, self.space))
        if found is None:
            found = self._read_result(self._output.path(number), number)
            self._results.put((stamp, self.space), found)
        return found

    def rendered(self) -> tuple[int, ...]:
        """Return the frames whose results exist."""
        return () if self._output is None else self._output.on_disk().frames

    def close(self) -> None:
        """Close the plate."""
        self.plate.close()

    def _plate_key(self, number: int) -> tuple[str, ...]:
        color = self.settled
        return self.plate.name, self.shot.layer, self.plate.identity(number), color.input_space, color.config

    def _decoded(self, pixels: FloatArray) -> FloatArray:
        if self._color.decode is not None:
            return self._color.decode.apply(pixels)
        if self._color.response.encoding == "gamma22":
            return np.asarray(cv2.pow(np.maximum(pixels, 0), GAMMA), np.float32)
        return pixels

    def _read_result(self, path: str, number: int) -> Result:
        image = read_image(path, number)
        height, width = image.pixels.shape[:2]
        if (width, height) != self.plate.size:
            raise ImageError(
                f'The result "{path}" is {width} x {height}, but the plate is {self.plate.size[0]} x '
                f"{self.plate.size[1]}.",
                hint="Render it again, or set another output pattern.",
                path=path,
            )
        space = str(read_header(path).get("f2hdr/output_space", self.space)) if path.endswith(".exr") else self.space
        pixels = image.pixels
        if space != self.space:
            pixels = self.config.transform(space, self.space).apply(pixels)
        layers = {name: layer for name, layer in image.layers.items() if "." in name}
        return Result(pixels, space, layers)
