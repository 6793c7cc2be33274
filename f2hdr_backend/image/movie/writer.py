"""Writes tagged 10-bit movies atomically: ProRes 422 HQ in QuickTime, HEVC in MP4 or QuickTime."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import av
import numpy as np

from f2hdr_backend.image.arrays import FloatArray
from f2hdr_backend.image.display_tags import CHROMATICITY_STEPS, LUMINANCE_STEPS, LightLevel, Signal
from f2hdr_backend.image.metadata import Header
from f2hdr_backend.image.movie.boxes import add_light_level
from f2hdr_backend.image.movie.planes import Codes, to_planes
from f2hdr_backend.image.timecode import timecode_text
from f2hdr_backend.shot.atomic import atomic_file
from f2hdr_backend.shot.errors import ImageError, UnwritableFrame

_LIMITED_RANGE = 1
_CONTAINERS = {".mov": "mov", ".mp4": "mp4"}
_REORDERED = 2
"""Number of frames that x265 delays before it knows decoding times; those of shorter movies are invalid."""


@dataclass(frozen=True)
class _Codec:
    """An encoder of FFmpeg and its settings."""

    encoder: str
    layout: str
    halved_rows: bool
    fourcc: str
    options: dict[str, str]


_CODECS = {
    "prores": _Codec("prores_ks", "yuv422p10le", False, "apch", {"profile": "hq", "vendor": "apl0"}),
    "hevc": _Codec("libx265", "yuv420p10le", True, "hvc1", {"crf": "12", "preset": "medium"}),
}


@dataclass(frozen=True)
class MovieFormat:
    """``codec`` is prores or hevc, ``rate`` in frames per second; ``light`` is written to PQ movies."""

    codec: str
    size: tuple[int, int]
    """(width, height) in pixels."""
    rate: Fraction
    signal: Signal
    light: LightLevel | None = None
    metadata: Header = field(default_factory=dict)
    """Header of the first frame, for timecode and pixel aspect ratio."""


def codec_for(path: str, codec: str = "auto") -> str:
    """Return the codec for a movie's file name, or check the given one.

    ``auto`` is ProRes in .mov and HEVC in .mp4. Raises ImageError for a combination that players do not support.
    """
    suffix = os.path.splitext(path)[1].lower()
    found = {".mov": "prores", ".mp4": "hevc"}.get(suffix, "") if codec == "auto" else codec
    if found not in _CODECS or suffix not in _CONTAINERS or (found, suffix) == ("prores", ".mp4"):
        raise ImageError(
            f'"{path}" cannot be written as a movie with the codec "{codec}".',
            hint="Use prores in .mov, or hevc in .mp4 or .mov.",
            path=path,
        )
    return found


def check_size(path: str, codec: str, size: tuple[int, int]) -> None:
    """Raise ImageError if the codec does not support frames of this (width, height)."""
    if _CODECS[codec].halved_rows and (size[0] % 2 or size[1] % 2 or min(size) < 16):
        what = f"HEVC with 4:2:0 chroma needs even sizes of at least 16, not {size[0]} x {size[1]}"
        raise ImageError(
            f'"{path}" cannot be written: {what}.',
            hint="Write ProRes (.mov) or an image sequence, or crop the frames.",
            path=path,
        )


class MovieWriter:
    """Encodes frames into an open movie; see ``movie_writer``."""

    def __init__(self, container: av.container.OutputContainer, path: str, movie: MovieFormat) -> None:
        self._container = container
        self._path = path
        self._movie = movie
        self._codec = _CODECS[movie.codec]
        self._frames = 0
        self._stream = self._opened()

    def add(self, rgb: FloatArray) -> None:
        """Append one frame, ``(H, W, 3)`` display code values, clipped to 0-1.

        Raises UnwritableFrame if its size differs or it cannot be written.
        """
        width, height = self._movie.size
        if rgb.shape != (height, width, 3):
            what = f"a frame is {rgb.shape[1]} x {rgb.shape[0]}, but the movie is {width} x {height}"
            action = "Resize all frames to one size."
            raise UnwritableFrame(f'"{self._path}" cannot be written: {what}.', hint=action, path=self._path)
        planes = to_planes(rgb, self._movie.signal.matrix, halved_rows=self._codec.halved_rows)
        self._container.mux(self._stream.encode(self._frame(planes)))
        self._frames += 1

    def finish(self) -> None:
        """Flush the encoder."""
        for packet in self._stream.encode():
            if self._frames <= _REORDERED:  # too few frames for reordering
                packet.dts = packet.pts
            self._container.mux(packet)

    def _opened(self) -> Any:
        options = dict(self._codec.options)
        if self._movie.codec == "hevc":
            options["x265-params"] = _x265(self._movie)
        stream: Any = self._container.add_stream(self._codec.encoder, rate=self._movie.rate, options=options)
        stream.width, stream.height = self._movie.size
        stream.pix_fmt = self._codec.layout
        stream.codec_context.codec_tag = self._codec.fourcc
        time, aspect = timecode_text(self._movie.metadata), self._movie.metadata.get("pixelAspectRatio", 1.0)
        if time:
            stream.metadata["timecode"] = time
        if isinstance(aspect, float) and 0 < aspect < 100:
            stream.codec_context.sample_aspect_ratio = Fraction(aspect).limit_denominator(1000)
        self._tag(stream.codec_context)
        return stream

    def _frame(self, planes: tuple[Codes, Codes, Codes]) -> av.VideoFrame:
        frame = av.VideoFrame(*self._movie.size, self._codec.layout)
        for plane, codes in zip(frame.planes, planes, strict=True):
            rows = np.zeros((plane.height, plane.line_size // codes.itemsize), codes.dtype)
            rows[:, : codes.shape[1]] = codes
            plane.update(rows.tobytes())
        self._tag(frame)
        frame.pts, frame.time_base = self._frames, 1 / self._movie.rate
        return frame

    def _tag(self, target: Any) -> None:
        """Set the color tags of a frame or of the codec."""
        signal = self._movie.signal
        target.color_primaries, target.color_trc = signal.primaries, signal.transfer
        target.colorspace, target.color_range = signal.matrix, _LIMITED_RANGE


@contextmanager
def movie_writer(path: str, movie: MovieFormat) -> Iterator[MovieWriter]:
    """Yield a writer; the movie appears under its name if the block ends without an exception, otherwise not at all.

    Frames are encoded as limited-range Y'CbCr by the signal's matrix; the container, the codec's stream and every frame
    have its tags. A light level is written as ``mdcv`` and ``clli`` to the container and, in HEVC, also as SEI
    messages.
    Raises UnwritableFrame if the movie cannot be written, ImageError if this build of PyAV lacks the encoder.
    """
    container_format = _CONTAINERS[os.path.splitext(path)[1].lower()]
    with atomic_file(path) as file:
        with av.open(file, "w", format=container_format) as container:
            writer = _writer(container, path, movie)
            yield writer
            writer.finish()
        if movie.light is not None:
            add_light_level(file, movie.light)


def _writer(container: av.container.OutputContainer, path: str, movie: MovieFormat) -> MovieWriter:
    try:
        return MovieWriter(container, path, movie)
    except av.codec.codec.UnknownCodecError as error:
        what = f'the encoder of {movie.codec} ("{_CODECS[movie.codec].encoder}") is not included in the installed PyAV'
        raise ImageError(f'"{path}" cannot be written: {what}.', hint="Run: pip install -U av", path=path) from error


def _x265(movie: MovieFormat) -> str:
    """Return the encoder's own parameters: the light level as SEI, and no encoder settings in the stream."""
    parameters = "log-level=none:info=0:repeat-headers=1:chromaloc=0:cbqpoffs=-4:crqpoffs=-4"
    light = movie.light
    if light is None:
        return parameters
    red, green, blue = light.primaries
    points = zip(("G", "B", "R", "WP"), (green, blue, red, light.white), strict=True)
    volume = "".join(f"{name}({_steps(x)},{_steps(y)})" for name, (x, y) in points)
    luminance = f"L({light.peak * LUMINANCE_STEPS},{round(light.black * LUMINANCE_STEPS)})"
    return f"{parameters}:hdr10=1:master-display={volume}{luminance}:max-cll={light.brightest},{light.average}"


def _steps(chromaticity: float) -> int:
    return round(chromaticity * CHROMATICITY_STEPS)
