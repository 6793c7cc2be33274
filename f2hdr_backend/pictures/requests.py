"""The requests of the panel's window, as functions of plain JSON types; queues and pipes are in ``process``."""

from __future__ import annotations

import base64
import mmap
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from f2hdr_backend.image.arrays import FloatArray
from f2hdr_backend.pictures.cache import BoundedCache
from f2hdr_backend.pictures.display_transform import Display, DisplayPath, Look
from f2hdr_backend.pictures.draw import CLIP_SHARE, Drawn, Painter, fit
from f2hdr_backend.pictures.scopes import HIGHEST_STOPS, LOWEST_STOPS, clipped_shares, waveform
from f2hdr_backend.pictures.source import Result, Source
from f2hdr_backend.pictures.view import View
from f2hdr_backend.shot.document import Shot
from f2hdr_backend.shot.errors import ImageError, ShotError
from f2hdr_backend.shot.exposure import ExposurePattern

Answer = dict[str, Any]
MAPPED_BYTES = 8192 * 4320 * 4
"""Size of the file in which pictures are passed: the largest picture is 8K."""


@dataclass(frozen=True)
class Budget:
    """Bytes for frames, results and finished pictures."""

    frames: int
    results: int
    pictures: int

    @classmethod
    def of(cls, total: int) -> Budget:
        """Divide ``total`` bytes: half for decoded frames, which are slowest to produce."""
        return cls(total // 2, total // 4, total // 4)


class Requests:
    """One open plate and the requests for it. ``call`` may be used by several threads."""

    def __init__(self, mapped: mmap.mmap, budget: Budget, path: DisplayPath | None = None) -> None:
        """``path`` is where display transforms run; None for the CPU."""
        self._mapped = mapped
        self._path = path or DisplayPath(None, "CPU.")
        self._frames: BoundedCache[FloatArray] = BoundedCache(budget.frames, lambda pixels: pixels.nbytes)
        self._results: BoundedCache[Result] = BoundedCache(budget.results, lambda result: result.bytes)
        self._pictures: BoundedCache[Drawn] = BoundedCache(budget.pictures, lambda drawn: drawn.picture.nbytes)
        self._source: Source | None = None
        self._display: Display | None = None
        self._painter: Painter | None = None
        self._known: dict[str, Callable[..., Answer]] = {
            name: getattr(self, name)
            for name in ("open", "output", "view", "probe", "thumb", "scope", "clip", "fetch", "rendered")
        }

    def call(self, name: str, arguments: dict[str, Any]) -> Answer:
        """Answer one request. Raises the F2HDRError of the request, or ShotError for an unknown request."""
        if name not in self._known:
            raise ShotError(
                f'The picture process does not support the request "{name}".',
                hint="Update F2HDR in the host and the backend.",
            )
        return self._known[name](**arguments)

    def open(self, shot: dict[str, Any]) -> Answer:
        """Open the plate of a Shot; returns frames, size, color, and the displays and spaces of the config."""
        source = Source(Shot.from_json(shot), self._frames, self._results)
        if self._source is not None:
            self._source.close()
        self._source = source
        self._display = Display(source.config, source.space, self._path)
        self._painter = Painter(source, self._display)
        self._pictures.clear()
        width, height = source.plate.size
        return {
            "plate": source.plate.name,
            "frames": str(source.plate.frames),
            "missing": list(source.plate.missing),
            "size": [width, height],
            "kind": source.plate.default_encoding,
            "input_space": source.settled.input_space,
            "space": source.space,
            "config": source.config.source,
            "doubts": source.doubts,
            "displays": self._display.offered(),
            "spaces": list(source.config.names()),
            "linear_spaces": list(source.config.linear_names()),
        }

    def output(self, pattern: str) -> Answer:
        """Use the results of another output pattern; returns the rendered frames."""
        self._opened().set_output(pattern)
        self._pictures.clear()
        return self.rendered()

    def rendered(self) -> Answer:
        """Return the frames that are rendered, and the plate frames in memory."""
        source = self._opened()
        cached = [number for number in source.plate.frames if source.has_light(number)]
        return {"rendered": list(source.rendered()), "cached": cached}

    def view(self, **arguments: Any) -> Answer:
        """Draw a view to the start of the mapped file, as RGBA rows without padding."""
        view = _view_of(arguments)
        source = self._opened()
        key = view, source.result_stamp(view.frame) if view.mode != "plate" or view.overlay != "none" else ""
        drawn = self._pictures.get(key)
        if drawn is None:
            assert self._painter is not None
            drawn = self._painter.draw(view)
            self._pictures.put(key, drawn)
        height, width = drawn.picture.shape[:2]
        if drawn.picture.nbytes > MAPPED_BYTES:
            raise ImageError(
                f"The viewer requests {width} x {height} pixels, more than 8K.", hint="Make the window smaller."
            )
        np.frombuffer(self._mapped, np.uint8, drawn.picture.nbytes)[:] = drawn.picture.reshape(-1)
        return {
            "frame": view.frame, "width": width, "height": height, "crop": list(view.crop), "note": drawn.note,
            "has_result": source.has_result(view.frame), "path": self._path.words,
            "mode": view.mode, "overlay": view.overlay, "exposure": view.look.exposure,
        }  # fmt: skip

    def probe(self, frame: int, x: int, y: int) -> Answer:
        """Return one pixel in the scene-linear working space: of the plate and of the result, if rendered."""
        source = self._opened()
        plate = source.to_working(source.light(frame)[y : y + 1, x : x + 1])[0, 0]
        result = source.result(frame)
        values = None if result is None else [float(value) for value in result.pixels[y, x]]
        return {"frame": frame, "x": x, "y": y, "plate": [float(value) for value in plate], "result": values}

    def thumb(self, frame: int, width: int, height: int, stops: float = 0.0) -> Answer:
        """Return a thumbnail of a plate frame within ``width`` x ``height``, brightened by ``stops``."""
        source, display = self._opened(), self._display
        assert display is not None
        across, down = source.plate.size
        scale, look = min(width / across, height / down), Look(exposure=stops)
        picture = display.draw(source.to_working(fit(source.light(frame), (0, 0, across, down), scale)), look)
        return {"frame": frame, "stops": stops, **_encoded(picture)}

    def scope(self, frame: int, clip_level: list[float]) -> Answer:
        """Return the waveform of a plate frame and the fraction of clipped pixels per channel."""
        light, clip = self._opened().light(frame), tuple(clip_level)
        rgb = waveform(light, clip)
        picture = np.dstack([rgb, np.full(rgb.shape[:2], 255, np.uint8)])
        shares = clipped_shares(light, clip, CLIP_SHARE)
        return {
            "frame": frame, "clipped": shares, "highest": HIGHEST_STOPS, "lowest": LOWEST_STOPS, **_encoded(picture)
        }  # fmt: skip

    def clip(self) -> Answer:
        """Return the linear value at which the plate clips; reads some of its frames."""
        return {"clip_level": list(self._opened().clip_level())}

    def fetch(self, frames: list[int]) -> Answer:
        """Read frames into memory ahead of their use."""
        source = self._opened()
        for number in frames:
            if self._source is source and number in source.plate.frames:
                source.light(number)
        return {"fetched": frames}

    def _opened(self) -> Source:
        if self._source is None:
            raise ShotError("No plate is open.", hint="Open a plate first.")
        return self._source


def _view_of(arguments: dict[str, Any]) -> View:
    look = Look(**arguments.pop("look", {}))
    exposures = arguments.pop("exposures", None)
    pattern = None
    if exposures is not None:
        exceptions = tuple((frame, ev) for frame, ev in exposures.get("exceptions", ()))
        pattern = ExposurePattern(tuple(exposures["cycle"]), exposures["start"], exceptions)
    crop, clip = tuple(arguments.pop("crop")), tuple(arguments.pop("clip_level", (1.0,)))
    return View(crop=crop, clip_level=clip, look=look, exposures=pattern, **arguments)


def _encoded(picture: np.ndarray[Any, np.dtype[np.uint8]]) -> Answer:
    height, width = picture.shape[:2]
    return {"width": width, "height": height, "rgba": base64.b64encode(picture.tobytes()).decode("ascii")}
