"""Movies as plates: frames are numbered from 1 in display order."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from fractions import Fraction

from f2hdr_backend.image.frame import Encoding, PlateImage, file_identity, require_frames, unreadable
from f2hdr_backend.image.metadata import Header
from f2hdr_backend.image.movie.frames import MovieFrames
from f2hdr_backend.image.movie.ycbcr import Decoded, UnknownCoding, decode
from f2hdr_backend.image.orientation import upright_image, upright_size
from f2hdr_backend.image.timecode import nearest_rate, timecode_header
from f2hdr_backend.shot.frames import FrameRange
from f2hdr_backend.shot.limits import check_image


class MoviePlate:
    """The first video stream of a movie as a plate; see the protocol ``Plate``.

    Needs PyAV (``pip install "f2hdr[media]"``). Pixels are RGB code values, 0-1, upright, converted by the matrix and
    range of the movie's tags; ``f2hdr/plate_matrix`` and ``f2hdr/plate_range`` in the metadata state both, and how they
    were chosen if the movie has no tags. Alpha becomes the layer "A". The frames are those that a player shows: edit
    lists are followed. Raises UnreadableFrame if the file cannot be opened.
    """

    missing: tuple[int, ...] = ()
    default_encoding: Encoding = "gamma22"

    def __init__(self, path: str) -> None:
        self.name = path
        self._lock = threading.Lock()
        self._movie = MovieFrames(path)
        self._header = _header(self._movie)
        self._start = self._movie.tags.get("timecode", "")
        codec = self._movie.stream.codec_context
        self._stored_size = (codec.width, codec.height)
        check_image(path, self._stored_size, 3, 0, 0)
        count = self._movie.count()
        if count == 0:
            raise unreadable(path, "it has no frame", "Check the file, or copy it again.")
        self.frames = FrameRange(tuple(range(1, count + 1)))
        self._notes = self._movie.notes()
        self._orientation = self._movie.orientation()
        self.size = upright_size(self._stored_size, self._orientation)

    def require(self, frames: Iterable[int]) -> None:
        """Raise MissingFrames unless the movie contains all ``frames``."""
        require_frames(self.name, self.frames, frames)

    def read(self, number: int) -> PlateImage:
        """Return one frame. Raises MissingFrames, or UnreadableFrame, also if its size differs."""
        self.require([number])
        with self._lock:
            decoded = self._decode(number)
        height, width, _ = decoded.rgb.shape
        if (width, height) != self._stored_size:
            first = f"{self._stored_size[0]} x {self._stored_size[1]}"
            reason = f"frame {number} is {width} x {height}, but the movie is {first}"
            raise unreadable(self.name, reason, "Resize all frames to one size.", number)
        metadata = {
            **self._header,
            "f2hdr/plate_matrix": decoded.matrix,
            "f2hdr/plate_range": decoded.signal_range,
        }
        metadata |= timecode_header(self._start, number - 1, self._header.get("framesPerSecond"))
        layers = {} if decoded.alpha is None else {"A": decoded.alpha}
        image = PlateImage(number, self.name, decoded.rgb, "integer", layers, metadata, notes=self._notes)
        return upright_image(image, self._orientation)

    def identity(self, number: int) -> str:
        """Return name, size and modification time of the movie, and the frame number. Raises UnreadableFrame."""
        return f"{file_identity(self.name)}:{number}"

    def exposure_metadata(self) -> None:
        """Return None: movies do not state exposures per frame."""

    def close(self) -> None:
        """Close the movie."""
        with self._lock:
            self._movie.close()

    def _decode(self, number: int) -> Decoded:
        try:
            return decode(self._movie.read(number - 1), self._movie.container_tags)
        except UnknownCoding as error:
            raise unreadable(self.name, str(error), "Convert the movie to ProRes or H.264.", number) from error


def _header(movie: MovieFrames) -> Header:
    """Return the header of all frames: frame rate and pixel aspect ratio."""
    header: Header = {}
    if movie.stream.average_rate:
        rate = Fraction(movie.stream.average_rate)
        header["framesPerSecond"] = nearest_rate(float(rate)) if rate >= 1 else rate
    aspect = movie.stream.sample_aspect_ratio
    if aspect and aspect > 0:
        header["pixelAspectRatio"] = float(aspect)
    return header
