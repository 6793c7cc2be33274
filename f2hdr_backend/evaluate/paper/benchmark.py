"""Runs a benchmark: reconstructs and scores a dataset's windows, in one or several processes; can resume."""

from __future__ import annotations

import json
import multiprocessing
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import groupby
from pathlib import Path
from typing import Any, Literal

import cv2
import torch

from f2hdr_backend.engine.method.choose import open_method
from f2hdr_backend.engine.method.frame import HdrFrame
from f2hdr_backend.engine.method.network import NetworkMethod
from f2hdr_backend.engine.method.to_host import digest_of
from f2hdr_backend.evaluate.paper.cost import measure, measured_on
from f2hdr_backend.evaluate.paper.metric import SceneFrame, Scored, Scores, ScoreSettings, load_metric, with_trust
from f2hdr_backend.evaluate.paper.progress import FrameScored, Progress
from f2hdr_backend.evaluate.paper.results import FrameRow, ResultsFolder, Rows, SceneRow
from f2hdr_backend.evaluate.paper.scene_pass import score_scene
from f2hdr_backend.evaluate.paper.scoring import require_metrics, scene_metrics, score_frame, with_reference
from f2hdr_backend.evaluate.paper.summary import Summary, summarize
from f2hdr_backend.evaluate.reading.dataset import (
    ALTERNATE,
    DatasetReader,
    Window,
    WindowFiles,
    open_dataset,
    read_window,
)
from f2hdr_backend.image.frame import file_identity
from f2hdr_backend.machine.cpu_setup import set_up_cpu
from f2hdr_backend.machine.device import pick_device
from f2hdr_backend.shot.document import Engine
from f2hdr_backend.shot.errors import DeviceError, ImageError
from f2hdr_backend.trust.published import well_exposed

SCORING_VERSION = 2
"""Incremented when the same files and settings would give different scores."""

Chunk = tuple[WindowFiles, ...]


@dataclass(frozen=True)
class Plan:
    """The settings of a benchmark run."""

    dataset: str
    """Name of the dataset; see :func:`open_dataset`."""
    folder: Path
    engine: Engine
    """Method, weights, flow, precision and device; its reference trust is ignored."""
    scoring: ScoreSettings
    reference: str = ALTERNATE
    jobs: int = 1
    """Number of processes; each loads the weights."""


class Benchmark:
    """A benchmark run whose dataset was found complete, whose method is loaded, and whose metrics match both."""

    def __init__(self, plan: Plan, reader: DatasetReader | None = None) -> None:
        """Open the dataset and method of the plan, or use ``reader`` for the dataset.

        Raises the errors of :func:`open_dataset`, :func:`require_metrics` and :func:`open_method`.
        """
        self.plan = plan
        self.reader = reader or open_dataset(plan.dataset, plan.folder, plan.reference)
        require_metrics(self.reader, plan.scoring)
        self._device = pick_device(plan.engine.device)
        self._where = measured_on(self._device, plan.jobs)
        self._method = open_method(plan.engine)
        self._method.stored.disable_cache()  # so that every flow is estimated and timed
        self._seen_sizes: set[tuple[int, ...]] = set()
        self.flow = self._method.flow_name
        self.precision = self._method.precision
        self.rows = Rows()
        """All scores; set when :meth:`run` has finished."""

    @property
    def is_ablation(self) -> bool:
        """Whether the weights omit or replace a part of the method, as those of Table 5 do."""
        if not isinstance(self._method, NetworkMethod):
            return False
        reading = self._method.descriptor
        return not (reading.adapter and reading.refine and reading.mask == "physical")

    @property
    def _reading(self) -> Literal["exact", "released"]:
        """The method's own warping along its flows."""
        return self._method.descriptor.warp if isinstance(self._method, NetworkMethod) else "exact"

    @cached_property
    def settings(self) -> dict[str, Any]:
        """Everything besides the dataset's files that the scores depend on, as JSON."""
        scoring, engine = self.plan.scoring, self.plan.engine
        of_metrics = {name: load_metric(name).settings(scoring) for name in scoring.metrics}
        return {
            "dataset": self.plan.dataset.replace("_", "-"),
            "folder": str(self.plan.folder.resolve()),
            "reference_exposure": self.plan.reference,
            "method": engine.method,
            "weights": engine.weights if engine.method == "f2hdr" else None,
            "flow": self.flow,
            "precision": self.precision,
            "reference_trust": scoring.reference_trust,
            "metrics": list(scoring.metrics),
            "metric_settings": {name: value for name, value in of_metrics.items() if value is not None},
            "method_digest": self._method.digest,
            "measured_on": self._where,
            "scoring": SCORING_VERSION,
        }

    def run(self, results: ResultsFolder | None = None) -> Iterator[FrameScored]:
        """Score every window that ``results`` does not contain yet, and add the rows to it.

        Raises:
            ImageError: an image cannot be read or scored; names the frame. Or a scene cannot be scored by a metric of
                scenes; raised after all windows have been scored.
            DeviceError: one of several processes ended unexpectedly.
            UnwritableFrame: the folder cannot be written to.
        """
        kept, todo = self._kept(results.load() if results else Rows())
        progress = Progress([files.name for files in self.reader.windows], results, kept)
        refused: list[ImageError] = []
        try:
            for place, row in enumerate(progress.rows.frames):
                yield FrameScored(row, True, place + 1, len(self.reader.windows))
            for rows in self._scored(todo):
                yield from progress.add(rows)
                refused.extend(rows.refused)
        finally:
            progress.write()
        if refused:
            raise refused[0]
        self.rows = progress.rows

    def summary(self) -> Summary:
        """Return the means of the finished run."""
        return summarize(self.rows)

    def score(self, chunk: Chunk) -> Rows:
        """Return the rows of some windows: of one, or of a whole scene if a metric needs that."""
        frames: list[FrameRow] = []
        samples = self._samples(chunk, frames)
        if not self._by_scene:
            for _ in samples:
                pass
            return Rows(tuple(frames))
        scoring = self.plan.scoring
        name = chunk[0].scene
        try:
            found = score_scene(samples, len(chunk), list(scene_metrics(scoring.metrics).values()), self._device)
            scores = with_trust(found, scoring.reference_trust)
        except ImageError as error:
            if len(frames) < len(chunk):
                raise
            names = " and ".join(scene_metrics(scoring.metrics))
            named = ImageError(f"{name}: {error.message}", hint=f"Leave {names} out of --metrics.", **error.facts)
            return Rows(tuple(frames), refused=(named,))
        return Rows(tuple(frames), (SceneRow(name, digest_of(*(row.digest for row in frames)), scores),))

    @property
    def _by_scene(self) -> bool:
        """Whether a metric needs whole scenes."""
        return bool(scene_metrics(self.plan.scoring.metrics))

    def _samples(self, chunk: Chunk, frames: list[FrameRow]) -> Iterator[SceneFrame]:
        """Score the windows one by one, append them to ``frames``, and yield the input of the metrics of scenes."""
        for files in chunk:
            try:
                row, sample = self._row(files)
            except ImageError as error:
                raise type(error)(f"{files.name}: {error.message}", hint=error.hint, **error.facts) from error
            frames.append(row)
            yield sample

    def reconstruct(self, files: WindowFiles) -> tuple[Scored, Scores]:
        """Reconstruct a window; return the input of the metrics, and the costs. Raises the errors of
        :func:`read_window`.
        """
        window = read_window(self.reader, files)
        frame, costs = self._reconstruct(window)
        result = with_reference(window, frame, self.plan.scoring.reference_trust, self.reader.cycle)
        scored = Scored(self.reader, files, window, frame, result, self.plan.scoring, self._device, self._reading)
        return scored, costs

    def _row(self, files: WindowFiles) -> tuple[FrameRow, SceneFrame]:
        scored, costs = self.reconstruct(files)
        truth = scored.window.truth
        divisor = 1.0 if truth is None else truth.divisor
        scores = score_frame(scored) | costs
        row = FrameRow(files.scene, files.frame, files.exposures[1], divisor, self._digest(files), scores)
        exposed = well_exposed(scored.window.codes[1])
        return row, SceneFrame(scored.result, exposed, None if truth is None else truth.radiance)

    def _reconstruct(self, window: Window) -> tuple[HdrFrame, Scores]:
        """Return radiance and cost of a window. On CUDA, the first window of each size runs once before, to exclude
        set-up.
        """

        def call() -> HdrFrame:
            return self._method(window.codes, window.exposures, occlusions=False)

        height, width = window.codes.shape[1:3]
        if self._device.type == "cuda" and (height, width) not in self._seen_sizes:
            call()
        self._seen_sizes.add((height, width))
        frame, cost = measure(call, self._device)
        return frame, cost.scores(self._where, (width, height))

    def _kept(self, rows: Rows) -> tuple[Rows, list[Chunk]]:
        """Return the rows that are still valid, and the chunks that have to be scored."""
        there = {(row.name, row.digest): row for row in rows.frames}
        scenes = {(row.scene, row.digest): row for row in rows.scenes}
        kept, todo = Rows(), []
        for chunk in self._chunks():
            digests = [self._digest(files) for files in chunk]
            keys = [(files.name, digest) for files, digest in zip(chunk, digests, strict=True)]
            frames = [there[key] for key in keys if key in there]
            scene = scenes.get((chunk[0].scene, digest_of(*digests)))
            if len(frames) < len(chunk) or (self._by_scene and scene is None):
                todo.append(chunk)
            else:
                kept += Rows(tuple(frames), () if scene is None else (scene,))
        return kept, todo

    def _chunks(self) -> list[Chunk]:
        if not self._by_scene:
            return [(files,) for files in self.reader.windows]
        return [tuple(windows) for _, windows in groupby(self.reader.windows, key=lambda files: files.scene)]

    def _digest(self, files: WindowFiles) -> str:
        identities = [file_identity(path) for path in (*files.paths(), *self.reader.shared())]
        return digest_of(json.dumps(self.settings, sort_keys=True), json.dumps(files.exposures), *identities)

    def _scored(self, todo: list[Chunk]) -> Iterator[Rows]:
        if self.plan.jobs == 1 or len(todo) < 2:
            yield from (self.score(chunk) for chunk in todo)
            return
        threads = max(1, (os.cpu_count() or 1) // self.plan.jobs)
        context = multiprocessing.get_context("spawn")
        pool = ProcessPoolExecutor(self.plan.jobs, context, _share_cores, (threads,))
        try:
            for future in as_completed([pool.submit(_score, self.plan, chunk) for chunk in todo]):
                yield future.result()
        except BrokenProcessPool as error:
            raise DeviceError(
                f"One of the {self.plan.jobs} processes of --jobs ended unexpectedly, probably because memory ran out.",
                hint="With -o the same command resumes; fewer --jobs, which need another folder, use less memory.",
                jobs=self.plan.jobs,
            ) from error
        finally:
            pool.shutdown(cancel_futures=True)


@lru_cache(maxsize=1)
def _opened(plan: Plan) -> Benchmark:
    """The benchmark of a worker process, opened once."""
    return Benchmark(plan)


def _score(plan: Plan, chunk: Chunk) -> Rows:
    return _opened(plan).score(chunk)


def _share_cores(threads: int) -> None:
    """Set up a worker process to use ``threads`` threads."""
    set_up_cpu()
    torch.set_num_threads(threads)
    cv2.setNumThreads(threads)
