"""Movies as plates: frames count from 1, in the order they are shown."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from fractions import Fraction

from f2hdr_backend.image.frame import Encoding, PlateImage, file_identity, require_frames, unreadable
from f2hdr_backend.image.metadata import Header, timecode
from f2hdr_backend.image.movie.frames import MovieFrames
from f2hdr_backend.image.movie.ycbcr import Decoded, UnknownCoding, decode
from f2hdr_backend.shot.frames import FrameRange


class MoviePlate:
    """The first video stream of a movie as a Plate (see there for what each member promises).

    Needs PyAV (``pip install "f2hdr[media]"``). Pixels are RGB code values, 0-1, by the matrix and range of
    the movie's tags; ``f2hdr/plate_matrix`` and ``f2hdr/plate_range`` in the metadata say which, and how if
    it had none. Raises UnreadableFrame if the file cannot be opened.
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
        self.size = (codec.width, codec.height)
        count = self._movie.count()
        if count == 0:
            raise unreadable(path, "it holds no frame", "Check the file, or copy it again.")
        self.frames = FrameRange(tuple(range(1, count + 1)))

    def require(self, frames: Iterable[int]) -> None:
        """Raise MissingFrames unless the movie is long enough for every one of ``frames``."""
        require_frames(self.name, self.frames, frames)

    def read(self, number: int) -> PlateImage:
        """Return one frame. Raises MissingFrames, or UnreadableFrame, also if its size is another."""
        self.require([number])
        with self._lock:
            decoded = self._decode(number)
        height, width, _ = decoded.rgb.shape
        if (width, height) != self.size:
            first = f"{self.size[0]} x {self.size[1]}"
            reason = f"frame {number} is {width} x {height}, the movie {first}"
            raise unreadable(self.name, reason, "Bring all frames to one size.", number)
        metadata = {
            **self._header,
            "f2hdr/plate_matrix": decoded.matrix,
            "f2hdr/plate_range": decoded.signal_range,
        }
        time = timecode(self._start, number - 1, self._header.get("framesPerSecond", Fraction(24)))
        if time is not None:
            metadata["timeCode"] = time
        return PlateImage(number, self.name, decoded.rgb, "integer", {}, metadata)

    def identity(self, number: int) -> str:
        """Return name, size and time of change of the movie, and the frame number. Raises UnreadableFrame."""
        return f"{file_identity(self.name)}:{number}"

    def exposure_metadata(self) -> None:
        """Return None: movies do not tell exposures frame by frame."""

    def close(self) -> None:
        """Close the movie; it cannot be read any more."""
        with self._lock:
            self._movie.close()

    def _decode(self, number: int) -> Decoded:
        try:
            return decode(self._movie.read(number - 1))
        except UnknownCoding as error:
            mend = "Convert the movie to ProRes or H.264."
            raise unreadable(self.name, str(error), mend, number) from error


def _header(movie: MovieFrames) -> Header:
    """Return what holds for all frames: rate and pixel shape."""
    header: Header = {}
    if movie.stream.average_rate:
        header["framesPerSecond"] = Fraction(movie.stream.average_rate)
    aspect = movie.stream.sample_aspect_ratio
    if aspect and aspect > 0:
        header["pixelAspectRatio"] = float(aspect)
    return header
