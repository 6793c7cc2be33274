"""HDR frames to what people watch: a movie or pictures, converted to a display by OCIO and tagged for it."""

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
from f2hdr_backend.image.frame import Plate, PlateImage
from f2hdr_backend.image.read import open_plate
from f2hdr_backend.image.signal import LightLevel, LightMeter, signal_named, signal_of
from f2hdr_backend.machine.read_ahead import read_each
from f2hdr_backend.shot.errors import ColorError, ShotError
from f2hdr_backend.shot.events import Event, FrameDone, RenderFinished, Warned, report_once
from f2hdr_backend.shot.frames import FrameRange, Sequence

USUAL_RATE = Fraction(24)
"""Frames a second if neither the user nor the files say."""


@dataclass(frozen=True)
class Delivery:
    """HDR frames, where they shall go, and the display they are for; empty fields are found or have a default."""

    source: str
    output: str
    """A movie (.mov, .mp4) or numbered pictures (.png, .tif)."""
    display: str
    view: str = ""
    frames: FrameRange | None = None
    input_space: str = "auto"
    config: str = ""
    exposure: float = 0.0
    """Stops added to the light before the view."""
    codec: str = "auto"
    rate: Fraction | None = None
    tags: str = ""
    """A name of ``signal.SIGNALS``; empty to tell from the display's name."""
    mastering_nits: int = 1000


@dataclass(frozen=True)
class DeliveryStarted(Event):
    """Source, color and target are known and the work begins."""

    total: int
    size: tuple[int, int]
    """(width, height) in pixels."""
    space: str
    """Color space of the source, and why it is taken for that."""
    display: str
    view: str
    target: str
    """Codec or format, and the color tags."""


@dataclass(frozen=True)
class FrameMeasured(Event):
    """A frame's light was measured, for the light level that a PQ movie begins with."""

    frame: int
    done: int
    total: int


@dataclass(frozen=True)
class LightMeasured(Event):
    """MaxCLL, MaxFALL and the mastering display's peak, in candela per square meter."""

    max_cll: int
    max_fall: int
    mastering_nits: int


def deliver(delivery: Delivery) -> Iterator[Event]:
    """Write the delivery; the last event is RenderFinished. Warnings of frames are reported as a render reports them.

    Files appear whole or not at all: a movie at the end, pictures one by one.

    Raises:
        ShotError: missing frames, or an output that would overwrite the source.
        ColorError: an unknown space, display or view, or one that cannot be tagged.
        ImageError: what cannot be read or written.
    """
    return report_once(_delivered(delivery))


def _delivered(delivery: Delivery) -> Iterator[Event]:
    began = time.monotonic()
    plate = open_plate(delivery.source)
    try:
        frames = delivery.frames or FrameRange(tuple(range(plate.frames.first, plate.frames.last + 1)))
        plate.require(frames)
        first = plate.read(frames.first).displayed()
        size = (first.pixels.shape[1], first.pixels.shape[0])
        look, doubts = _look(delivery, plate)
        rate, assumed = _rate(delivery, first)
        signal = signal_named(delivery.tags) if delivery.tags else signal_of(look.display, look.view)
        target = target_of(Wish(delivery.output, delivery.codec, rate, first.metadata), size, signal)
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
    """From a frame's pixels to display code values, and its names."""

    gain: float
    transform: Transform
    space: str
    display: str
    view: str

    def of(self, image: PlateImage) -> FloatArray:
        """``(H, W, 3)`` display code values; what lies beyond 0-1 is left to who writes them."""
        return self.transform.apply(image.pixels * np.float32(self.gain))


class _Work:
    """Frames through the look to the target."""

    def __init__(self, plate: Plate, frames: FrameRange, look: _Look, target: Movie | Pictures) -> None:
        self._plate = plate
        self._frames = frames
        self._look = look
        self._target = target

    def events(self, mastering_nits: int) -> Iterator[Event]:
        """Measure the light if the target begins with it, then write frame by frame."""
        light = None
        if self._target.takes_light:
            meter = LightMeter()
            for done, shown in enumerate(self._shown(), start=1):
                meter.add(shown.rgb)
                yield FrameMeasured(shown.image.number, done, len(self._frames))
            light = meter.level(mastering_nits)
            yield from _light_told(light)
        yield from self._written(light)

    def _written(self, light: LightLevel | None) -> Iterator[Event]:
        with self._target.opened(light) as add:
            for done, shown in enumerate(self._shown(), start=1):
                image = shown.image
                path = add(image.number, shown.rgb)
                if image.nonfinite:
                    message = f"{image.nonfinite} pixels of {image.path} were NaN or Inf and were replaced."
                    yield Warned("nonfinite", message, image.number)
                yield FrameDone(image.number, path, time.monotonic() - shown.began, done, len(self._frames))

    def _shown(self) -> Iterator[_Shown]:
        """Every frame, read and converted while the one before is written."""
        return read_each(self._show, self._frames)

    def _show(self, number: int) -> _Shown:
        began = time.monotonic()
        image = self._plate.read(number).displayed()
        return _Shown(image, self._look.of(image), began)


@dataclass(frozen=True)
class _Shown:
    """A frame and its display code values; ``began`` is when work on it did, by the monotonic clock."""

    image: PlateImage
    rgb: FloatArray
    began: float


def _light_told(light: LightLevel) -> Iterator[Event]:
    yield LightMeasured(light.brightest, light.average, light.peak)
    if light.brightest > light.peak:
        message = (
            f"The brightest pixel has {light.brightest} nits, the mastering display is said to reach {light.peak}; "
            "a display may clip or dim what is above."
        )
        yield Warned("above_mastering", message)


def _look(delivery: Delivery, plate: Plate) -> tuple[_Look, list[Event]]:
    """The look, and what is doubtful about it."""
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
            f'The exposure cannot be changed in the space "{space}": it holds no scene-linear light.',
            hint="Leave out --exposure, or convert frames that are scene-linear.",
            space=space,
        )
    primaries = read_tags(plate).chromaticities if space in PLAIN else None
    transform = config.display(space, display, view, primaries)
    return _Look(2.0**delivery.exposure, transform, f"{space} ({why})", display, view), events


def _rate(delivery: Delivery, first: PlateImage) -> tuple[Fraction, list[Event]]:
    """Frames a second as given, or as the files say, or the usual ones with a warning."""
    if delivery.rate is not None:
        return delivery.rate, []
    stated = first.metadata.get("framesPerSecond")
    if stated is not None and stated > 0:
        return Fraction(stated).limit_denominator(1001), []
    message = f"The files do not say their frame rate; {USUAL_RATE} a second is taken. --fps says another."
    return USUAL_RATE, [Warned("rate_assumed", message)]


def _refuse_overwriting(delivery: Delivery, target: Movie | Pictures, frames: FrameRange) -> None:
    targets = [target.path] if isinstance(target, Movie) else [target.sequence.path(number) for number in frames]
    pattern = Sequence.is_pattern(delivery.source)
    sources = [Sequence.parse(delivery.source).path(n) for n in frames] if pattern else [delivery.source]
    if {os.path.realpath(path) for path in targets} & {os.path.realpath(path) for path in sources}:
        raise ShotError(
            f"The output {delivery.output} would overwrite the source {delivery.source}.",
            hint="Write to another folder or name.",
        )
