"""A Shot as a farm job: the settings that every scheduler's files are written from."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import PurePath

from f2hdr_backend.shot.document import Shot
from f2hdr_backend.shot.errors import DocumentError
from f2hdr_backend.shot.frames import FrameRange
from f2hdr_backend.shot.printable import has_control

DEFAULT_CHUNK = 8
"""Frames that a task renders; docs/farm.md shows the measurement it was chosen from."""
SHOT_FILE = "shot.json"
"""Name of the Shot document in a job's folder."""


@dataclass(frozen=True)
class Site:
    """Where a job is written, and who submits it."""

    folder: PurePath
    """The job's folder as workers find it, on storage that all of them see."""
    show: str
    user: str
    uid: int


@dataclass(frozen=True)
class FarmJob:
    """A Shot to render in chunks. Raises DocumentError if the Shot does not say which frames go where."""

    shot: Shot
    name: str
    chunk: int = DEFAULT_CHUNK
    """Frames a task."""
    command: str = "f2hdr"
    """The command line as workers find it."""
    needs_gpu: bool = False
    warm: bool = False
    """Keep the model loaded between the tasks of a worker."""
    convert_to: str = ""
    """Movie or pictures to convert the result to in a last step; empty for none."""
    display: str = ""
    """Display of the OCIO config that they are for."""
    priority: int = 50
    retries: int = 2
    """How often a failed task is tried again."""

    def __post_init__(self) -> None:
        if self.shot.frames is None or not self.shot.output.pattern or self.shot.exposures is None:
            raise DocumentError(
                "The Shot is not settled: a farm needs its frames, exposures and output.",
                hint="Run f2hdr prepare PLATE --render-to hdr/shot.####.exr -o shot.json first.",
            )
        texts = (self.name, self.command, self.convert_to, self.display)
        shot = self.shot
        for text in (*texts, shot.plate, shot.output.pattern, shot.color.config):
            if has_control(text) or any("\ud800" <= letter <= "\udfff" for letter in text):
                raise DocumentError(
                    f'"{text}" contains a line break or another character that job files cannot store.',
                    hint="Rename the file or the folder.",
                )
        if self.chunk < 1:
            raise DocumentError(f"A chunk cannot have {self.chunk} frames.", hint="Use 1 or more.", field="chunk")

    @property
    def frames(self) -> FrameRange:
        """The frames of the job."""
        return self.shot.frames or FrameRange(())

    @property
    def output_folder(self) -> str:
        """Where the results go."""
        return os.path.dirname(self.shot.output.pattern)

    def shot_text(self) -> str:
        """The Shot document as it is written into the job's folder."""
        return document(self.shot.to_json())


def chunks(frames: FrameRange, size: int) -> list[FrameRange]:
    """Split frames into runs of at most ``size`` successive ones, as even as they can be.

    This is how Open Job Description makes contiguous chunks: one never spans a gap.
    """
    return [part for run in _runs(frames.frames) for part in _parts(run, size)]


def span(chunk: FrameRange) -> str:
    """A contiguous chunk as schedulers write it: ``1001-1008``, and ``7-7`` for a single frame."""
    return f"{chunk.first}-{chunk.last}"


def document(value: object) -> str:
    """JSON as job folders hold it: indented, ending with a line break."""
    return json.dumps(value, indent=2) + "\n"


def _runs(frames: tuple[int, ...]) -> list[tuple[int, ...]]:
    starts = [index for index, frame in enumerate(frames) if index == 0 or frames[index - 1] != frame - 1]
    return [frames[start:stop] for start, stop in zip(starts, [*starts[1:], len(frames)], strict=True)]


def _parts(run: tuple[int, ...], size: int) -> list[FrameRange]:
    count = -(-len(run) // size)
    edges = [-(-index * len(run) // count) for index in range(count + 1)]
    return [FrameRange(run[start:stop]) for start, stop in zip(edges, edges[1:], strict=False)]
