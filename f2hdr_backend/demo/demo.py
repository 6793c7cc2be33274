"""The demo: a procedural HDR shot, its plate, the rendered plate, and scores against the ground truth."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from f2hdr_backend.demo.props import CROSSING
from f2hdr_backend.demo.scene import FRAMES, SIZE, DemoScene
from f2hdr_backend.engine.renderer import Renderer
from f2hdr_backend.evaluate.metrics.psnr_ssim import average, psnr_l, psnr_t
from f2hdr_backend.evaluate.metrics.score import Score
from f2hdr_backend.image.arrays import FloatArray, radiance_of
from f2hdr_backend.image.frame import PlateImage
from f2hdr_backend.image.read import read_image
from f2hdr_backend.image.write import write_exr, write_image
from f2hdr_backend.shot.atomic import write_file
from f2hdr_backend.shot.document import Engine, Output, Shot
from f2hdr_backend.shot.events import Event
from f2hdr_backend.shot.exposure import ExposurePattern
from f2hdr_backend.shot.frames import FrameRange, Sequence
from f2hdr_backend.simulation.sensor import SensorModel, capture

FIRST_FRAME = 1001
EXPOSURES_EV = (0.0, 3.0)
NOISE = "medium"
BITS = 10
SEED = 2026
ANCHOR = "long"
REFERENCE = "reference frame alone"


@dataclass(frozen=True)
class Take:
    """Name, output folder and engine settings of one render of the plate."""

    name: str
    folder: str
    engine: Engine


TAKES = (Take("F2HDR", "hdr", Engine()), Take("classical merge", "merge", Engine(method="merge")))


@dataclass(frozen=True)
class TakeScores:
    """Scores of one render by frame number, in dB against the truth clipped to 0-1."""

    name: str
    psnr_t: dict[int, Score]
    psnr_l: dict[int, Score]

    def means(self) -> tuple[float, float]:
        """Mean PSNR_T and PSNR_L over frames."""
        by_name = ({str(frame): score for frame, score in scores.items()} for scores in (self.psnr_t, self.psnr_l))
        first, second = (average(scores).score.value for scores in by_name)
        return first, second


class Demo:
    """A demo in a folder. Call ``shoot``, then ``render`` for every take, then ``scores``."""

    def __init__(
        self, folder: Path, size: tuple[int, int] = SIZE, frames: int = FRAMES, takes: tuple[Take, ...] = TAKES
    ) -> None:
        """``size`` is (width, height) in pixels; with fewer ``frames``, those around the crossing are used."""
        self.folder = folder.absolute()
        self.size = size
        self.takes = takes
        self.exposures = ExposurePattern(EXPOSURES_EV, FIRST_FRAME)
        self.frames = FrameRange(tuple(range(FIRST_FRAME, FIRST_FRAME + frames)))
        self.crossing = FIRST_FRAME + frames // 2
        """The frame in which the ball starts to pass the truck."""

    def shoot(self) -> Iterator[int]:
        """Write truth and plate, frame by frame, then the Shot document of every take.

        Yields:
            The number of every written frame.

        Raises:
            UnwritableFrame: the folder cannot be written to.
        """
        scene, sensor = DemoScene(self.size), SensorModel.named(NOISE)
        for frame in self.frames:
            radiance = scene.frame(int(CROSSING) + frame - self.crossing)
            write_exr(self._truth.path(frame), {"RGB": radiance}, {"f2hdr/ev": self.exposures.lowest})
            random = np.random.default_rng((SEED, frame))
            codes = capture(radiance, self.exposures.gain(frame), sensor, random)
            write_image(self._plate.path(frame), codes, bits=16)
            yield frame
        for take in self.takes:
            document = json.dumps(self.shot(take).to_json(), indent=2) + "\n"
            write_file(self.folder / f"{take.folder}.json", document)

    def render(self, take: Take) -> Iterator[Event]:
        """Render the plate as ``f2hdr render`` does. Raises what :class:`Renderer` raises."""
        yield from Renderer(take.engine).render(self.shot(take))

    def shot(self, take: Take) -> Shot:
        """Return the Shot document of a take."""
        output = Output(pattern=str(self._output(take)), anchor=ANCHOR, layers=("flow", "mask"))
        return Shot(
            str(self._plate), exposures=self.exposures, frames=self.frames, cuts=(), engine=take.engine, output=output
        )

    def scores(self) -> list[TakeScores]:
        """Return the PSNR of every take, and of the unprocessed reference, against the truth clipped at the short
        exposure.
        """
        names = [take.name for take in self.takes]
        scored = [TakeScores(name, {}, {}) for name in (*names, REFERENCE)]
        for frame in self.frames:
            truth = np.clip(self.truth(frame), 0, 1)
            results = [*(self.result(take, frame) for take in self.takes), self.reference(frame)]
            for scores, result in zip(scored, results, strict=True):
                scores.psnr_t[frame] = psnr_t(result, truth)
                scores.psnr_l[frame] = psnr_l(result, truth)
        return scored

    def codes(self, frame: int) -> FloatArray:
        """``(H, W, 3)`` gamma-2.2 codes 0-1 of a frame of the plate."""
        return read_image(self._plate.path(frame), frame).pixels

    def truth(self, frame: int) -> FloatArray:
        """``(H, W, 3)`` true radiance; 1 is the clip of the short exposure."""
        return read_image(self._truth.path(frame), frame).pixels

    def reference(self, frame: int) -> FloatArray:
        """``(H, W, 3)`` radiance of a single frame of the plate; 1 is the clip of the short exposure."""
        return radiance_of(self.codes(frame), self.exposures.gain(frame))

    def result(self, take: Take, frame: int) -> FloatArray:
        """``(H, W, 3)`` rendered radiance; 1 is the clip of the short exposure."""
        return self.rendered(take, frame).pixels / np.float32(self.exposures.anchor_gain(ANCHOR))

    def rendered(self, take: Take, frame: int) -> PlateImage:
        """A rendered file with its layers, anchored at the long exposure."""
        return read_image(self._output(take).path(frame), frame)

    def neighbors(self, frame: int) -> tuple[int, int]:
        """Return the previous and the next frame of the window."""
        return self.exposures.neighbors(frame, self.frames.first, self.frames.last)

    @property
    def _plate(self) -> Sequence:
        return Sequence.parse(str(self.folder / "plate" / "plate.####.tif"))

    @property
    def _truth(self) -> Sequence:
        return Sequence.parse(str(self.folder / "truth" / "truth.####.exr"))

    def _output(self, take: Take) -> Sequence:
        return Sequence.parse(str(self.folder / take.folder / "demo.####.exr"))
