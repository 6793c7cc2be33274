"""Converts HDR frames to a movie or an image sequence for a display with OCIO, and writes color tags."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from f2hdr_backend.color.config import PLAIN, load_config
from f2hdr_backend.color.conversion import Transform
from f2hdr_backend.color.guess import guess
from f2hdr_backend.color.tags import read_tags
from f2hdr_backend.deliver.target import Movie, Pictures, Wish, target_of
from f2hdr_backend.image.arrays import FloatArray
from f2hdr_backend.image.display_tags import LightLevel, LightMeter, signal_named, signal_of
from f2hdr_backend.image.frame import Plate, PlateImage, whole_range
from f2hdr_backend.image.read import open_plate
from f2hdr_backend.image.timecode import at_rate
from f2hdr_backend.machine.read_ahead import read_each
from f2hdr_backend.shot.errors import ColorError, ShotError
from f2hdr_backend.shot.events import Event, FrameDone, RenderFinished, Warned, report_once
from f2hdr_backend.shot.frames import FrameRange, Sequence, step_of

USUAL_RATE = Fraction(24)
"""Frames per second if neither the user nor the files state the rate."""


@dataclass(frozen=True)
class Delivery:
    """Source, output and display of a delivery; empty fields are determined or have a default."""

    source: str
    output: str
    """A movie (.mov, .mp4) or an image sequence (.png, .tif)."""
    display: str
    view: str = ""
    frames: FrameRange | None = None
    input_space: str = "auto"
    config: str = ""
    exposure: float = 0.0
    """Exposure correction in stops before the view transform."""
    codec: str = "auto"
    rate: Fraction | None = None
    tags: str = ""
    """A name in ``signal.SIGNALS``; empty to derive it from the display's name."""
    mastering_nits: int = 1000


@dataclass(frozen=True)
class DeliveryStarted(Event):
    """Source, color and target are known, and the conversion starts."""

    total: int
    size: tuple[int, int]
    """(width, height) in pixels."""
    space: str
    """Color space of the source, with the reason."""
    display: str
    view: str
    target: str
    """Codec or format, and the color tags."""


@dataclass(frozen=True)
class FrameMeasured(Event):
    """The luminance of a frame was measured, for the light level metadata of a PQ movie."""

    frame: int
    done: int
    total: int


@dataclass(frozen=True)
class LightMeasured(Event):
    """MaxCLL, MaxFALL and the mastering display's peak, in cd/m2."""

    max_cll: int
    max_fall: int
    mastering_nits: int


def deliver(delivery: Delivery) -> Iterator[Event]:
    """Write the delivery and yield events; the last one is RenderFinished. Repeated warnings are reported once.

    A movie is written atomically, images one by one.

    Raises:
        ShotError: missing frames, or an output that would overwrite the source.
        ColorError: an unknown space, display or view, or one without known color tags.
        ImageError: a file cannot be read or written.
    """
    return report_once(_delivered(delivery))


def _delivered(delivery: Delivery) -> Iterator[Event]:
    began = time.monotonic()
    plate = open_plate(delivery.source)
    try:
        step, frames = _frames(delivery, plate)
        plate.require(frames)
        first = plate.read(frames.first).displayed()
        size = (first.pixels.shape[1], first.pixels.shape[0])
        look, doubts = _look(delivery, plate)
        rate, assumed = _rate(delivery, first, step)
        metadata = at_rate(first.metadata, rate, step)
        signal = signal_named(delivery.tags) if delivery.tags else signal_of(look.display, look.view)
        target = target_of(Wish(delivery.output, delivery.codec, rate, metadata), size, signal)
        _refuse_overwriting(delivery, target, frames)
        yield DeliveryStarted(len(frames), size, look.space, look.display, look.view, target.words)
        yield from doubts
        yield from assumed if isinstance(target, Movie) else ()
        yield from _Work(plate, frames, look, target).events(delivery.mastering_nits)
        yield RenderFinished(len(frames), 0, time.monotonic() - began)
    finally:
        plate.close()


@dataclass(frozen=True)
class _Look:
    """Conversion of a frame's pixels to display code values, and the names of its spaces."""

    gain: float
    transform: Transform
    space: str
    display: str
    view: str

    def of(self, image: PlateImage) -> FloatArray:
        """Return ``(H, W, 3)`` display code values, not clipped."""
        return self.transform.apply(image.pixels * np.float32(self.gain))


class _Work:
    """Reads, converts and writes all frames."""

    def __init__(self, plate: Plate, frames: FrameRange, look: _Look, target: Movie | Pictures) -> None:
        self._plate = plate
        self._frames = frames
        self._look = look
        self._target = target

    def events(self, mastering_nits: int) -> Iterator[Event]:
        """Measure the light level if the target needs it, then write the frames."""
        light = None
        if self._target.takes_light:
            meter = LightMeter()
            for done, shown in enumerate(self._shown(), start=1):
                meter.add(shown.rgb)
                yield FrameMeasured(shown.image.number, done, len(self._frames))
            light = meter.level(mastering_nits)
            yield from _light_events(light)
        yield from self._written(light)

    def _written(self, light: LightLevel | None) -> Iterator[Event]:
        noted: set[str] = set()
        with self._target.opened(light) as add:
            for done, shown in enumerate(self._shown(), start=1):
                image = shown.image
                path = add(image.number, shown.rgb)
                yield from (Warned("file_note", note, image.number) for note in image.notes if note not in noted)
                noted.update(image.notes)
                if image.nonfinite:
                    message = f"{image.nonfinite} pixels of {image.path} were NaN or Inf and were replaced."
                    yield Warned("nonfinite", message, image.number)
                yield FrameDone(image.number, path, time.monotonic() - shown.began, done, len(self._frames))

    def _shown(self) -> Iterator[_Shown]:
        """Yield every frame; the next one is read and converted while a frame is written."""
        return read_each(self._show, self._frames)

    def _show(self, number: int) -> _Shown:
        began = time.monotonic()
        image = self._plate.read(number).displayed()
        return _Shown(image, self._look.of(image), began)


@dataclass(frozen=True)
class _Shown:
    """A frame and its display code values; ``began`` is the monotonic time at which its processing started."""

    image: PlateImage
    rgb: FloatArray
    began: float


def _light_events(light: LightLevel) -> Iterator[Event]:
    yield LightMeasured(light.brightest, light.average, light.peak)
    if light.brightest > light.peak:
        message = (
            f"The brightest pixel has {light.brightest} nits, but the mastering display's peak is {light.peak}; "
            "displays may clip or dim brighter pixels."
        )
        yield Warned("above_mastering", message)


def _look(delivery: Delivery, plate: Plate) -> tuple[_Look, list[Event]]:
    """Return the conversion, and warnings about it."""
    config = load_config(delivery.config)
    display, view = config.display_view(delivery.display, delivery.view)
    events: list[Event] = []
    space, why = delivery.input_space, "given"
    if space == "auto":
        found = guess(plate, config)
        space, why = found.space, found.why
        events += [Warned("input_space_doubtful", found.doubt)] if found.doubt else []
    space = config.space(space)
    if delivery.exposure and not config.is_scene_linear(space):
        raise ColorError(
            f'--exposure needs scene-linear frames, but "{space}" is not scene-linear.',
            hint="Omit --exposure, or convert scene-linear frames.",
            space=space,
        )
    primaries = read_tags(plate).chromaticities if space in PLAIN else None
    transform = config.display(space, display, view, primaries)
    return _Look(2.0**delivery.exposure, transform, f"{space} ({why})", display, view), events


def _frames(delivery: Delivery, plate: Plate) -> tuple[int, FrameRange]:
    """Return the step of the frames to convert, and the frames: every second frame gives half the frame rate.

    Raises MissingFrames if frames are missing, unless every second, third ... frame is there.
    """
    frames = delivery.frames or (plate.frames if step_of(plate.frames) > 1 else whole_range(plate))
    return step_of(frames), frames


def _rate(delivery: Delivery, first: PlateImage, step: int) -> tuple[Fraction, list[Event]]:
    """Return the given frame rate, or else that of the files, or the default with a warning, divided by the step."""
    if delivery.rate is not None:
        return delivery.rate, []
    stated = first.metadata.get("framesPerSecond")
    events: list[Event] = []
    rate = Fraction(stated or 0).limit_denominator(1001)
    if rate <= 0:
        rate = USUAL_RATE
        message = f"The files do not state their frame rate; {USUAL_RATE} frames per second are assumed"
        events.append(Warned("rate_assumed", f"{message}; change it with --fps."))
    if step > 1:
        rates = f"{float(rate / step):g} frames per second instead of {float(rate):g}"
        message = f"The frames are every {step}th of the shot, so that the result has {rates}."
        events.append(Warned("rate_divided", message))
    return rate / step, events


def _refuse_overwriting(delivery: Delivery, target: Movie | Pictures, frames: FrameRange) -> None:
    targets = [target.path] if isinstance(target, Movie) else [target.sequence.path(number) for number in frames]
    pattern = Sequence.is_pattern(delivery.source)
    sources = [Sequence.parse(delivery.source).path(n) for n in frames] if pattern else [delivery.source]
    if {os.path.realpath(path) for path in targets} & {os.path.realpath(path) for path in sources}:
        raise ShotError(
            f"The output {delivery.output} would overwrite the source {delivery.source}.",
            hint="Choose another folder or file name.",
        )
