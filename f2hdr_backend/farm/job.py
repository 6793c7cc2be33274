"""A Shot as a farm job: the settings from which the files of every scheduler are written."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath

from f2hdr_backend.shot.atomic import write_file
from f2hdr_backend.shot.document import Shot
from f2hdr_backend.shot.errors import DocumentError
from f2hdr_backend.shot.frames import FrameRange
from f2hdr_backend.shot.paths import paths_in
from f2hdr_backend.shot.printable import has_control

DEFAULT_CHUNK = 8
"""Frames per task; docs/farm.md has the measurement."""
SHOT_FILE = "shot.json"
"""Name of the Shot document in a job's folder."""


@dataclass(frozen=True)
class Site:
    """The job's folder and submitter."""

    folder: PurePath
    """The job's folder as seen by the workers, on shared storage."""
    show: str
    user: str
    uid: int


@dataclass(frozen=True)
class FarmJob:
    """A Shot to render in chunks.

    Raises DocumentError if the Shot has no frames, exposures or output pattern, or if a value is invalid.
    """

    shot: Shot
    name: str
    chunk: int = DEFAULT_CHUNK
    """Frames per task."""
    command: str = "f2hdr"
    """The f2hdr command on the workers."""
    needs_gpu: bool = False
    warm: bool = False
    """Whether a worker keeps the model loaded between tasks."""
    convert_to: str = ""
    """Movie or image sequence to convert the result to in a last step; empty for none."""
    display: str = ""
    """OCIO display of the conversion."""
    priority: int = 50
    retries: int = 2
    """Number of retries of a failed task."""

    def __post_init__(self) -> None:
        if self.shot.frames is None or not self.shot.output.pattern or self.shot.exposures is None:
            raise DocumentError(
                "The Shot is not settled: a farm needs its frames, exposures and output.",
                hint="Run f2hdr prepare PLATE --render-to hdr/shot.####.exr -o shot.json first.",
            )
        texts = (self.name, self.command, self.convert_to, self.display)
        for text in (*texts, *(named.path for named in paths_in(self.shot))):
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
        """Folder of the results."""
        return os.path.dirname(self.shot.output.pattern)

    def shot_text(self) -> str:
        """Return the Shot document as text for the job's folder."""
        return document(self.shot.to_json())


def chunks(frames: FrameRange, size: int) -> list[FrameRange]:
    """Split frames into chunks of at most ``size`` consecutive frames, of sizes as equal as possible.

    These are the contiguous chunks of Open Job Description: a chunk never spans a gap.
    """
    return [part for run in _runs(frames.frames) for part in _parts(run, size)]


def span(chunk: FrameRange) -> str:
    """Return a contiguous chunk in the syntax of schedulers: ``1001-1008``, and ``7-7`` for a single frame."""
    return f"{chunk.first}-{chunk.last}"


def document(value: object) -> str:
    """Return JSON text for job folders: indented, ending with a line break."""
    return json.dumps(value, indent=2) + "\n"


def write_files(folder: Path, files: Mapping[str, str]) -> None:
    """Write the files of a job atomically: texts by name. Raises UnwritableFrame."""
    for name, text in files.items():
        write_file(folder / name, text)


def _runs(frames: tuple[int, ...]) -> list[tuple[int, ...]]:
    starts = [index for index, frame in enumerate(frames) if index == 0 or frames[index - 1] != frame - 1]
    return [frames[start:stop] for start, stop in zip(starts, [*starts[1:], len(frames)], strict=True)]


def _parts(run: tuple[int, ...], size: int) -> list[FrameRange]:
    count = -(-len(run) // size)
    edges = [-(-index * len(run) // count) for index in range(count + 1)]
    return [FrameRange(run[start:stop]) for start, stop in zip(edges, edges[1:], strict=False)]
