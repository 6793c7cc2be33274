"""The interface of benchmark datasets, and how to open one by name."""

from __future__ import annotations

import importlib
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from f2hdr_backend.evaluate.reading import datasets
from f2hdr_backend.evaluate.reading.ground_truth import GroundTruth, normalize_reference
from f2hdr_backend.image.arrays import FloatArray
from f2hdr_backend.image.read import read_image
from f2hdr_backend.shot.errors import DocumentError, ImageError, ShotError

Exposures = tuple[float, float, float]

ALTERNATE = "alternate"
"""The reference exposures alternate as in the footage."""


@dataclass(frozen=True)
class WindowFiles:
    """The files of a window: three consecutive frames, of which the middle one is the reference."""

    scene: str
    frame: int
    """Number of the reference frame: from its file name, or its index in the scene's list, starting at 0."""
    frames: tuple[str, str, str]
    exposures: Exposures
    """Relative exposures of ``frames``; 1 is the scene's shortest."""
    truth: str | None = None
    """Ground truth of the reference frame."""
    neighbor_truths: tuple[str, str] | None = None
    """Ground truth of the two neighbors, if flow can be scored with it."""
    same_exposure: tuple[str, str] | None = None
    """The two neighbors at the reference's exposure, if the dataset has every frame at both exposures."""

    @property
    def name(self) -> str:
        """Name of the window, such as ``scene/0007``."""
        return f"{self.scene}/{self.frame:04d}"

    def paths(self) -> tuple[str, ...]:
        """Return every file that scores may depend on."""
        truth = () if self.truth is None else (self.truth,)
        return (*self.frames, *truth, *(self.neighbor_truths or ()), *(self.same_exposure or ()))


@dataclass(frozen=True)
class Window:
    """The images of a window."""

    codes: FloatArray
    """``(3, H, W, 3)`` gamma-2.2 code values 0-1 of previous, reference, next."""
    exposures: Exposures
    truth: GroundTruth | None
    """Ground truth of the reference frame; 1 is the clip of the shortest exposure. None if the dataset has none."""


class DatasetReader(ABC):
    """A dataset on disk. Each module of ``evaluate/reading/datasets`` defines one subclass named ``Reader``."""

    expects: ClassVar[str]
    """The folder layout, as the end of a sentence that starts with "expects"."""
    references: ClassVar[tuple[str, ...]] = (ALTERNATE,)
    """Values for ``--ref-exposure``."""
    cycle: ClassVar[int] = 2
    """Number of exposures."""

    def __init__(self, folder: Path, reference: str = ALTERNATE) -> None:
        """Find the windows of all scenes.

        Args:
            folder: the dataset's root.
            reference: one of ``references``.

        Raises:
            ShotError: a file or folder is missing; the message names it and describes the layout.
        """
        self.folder = folder.resolve()
        self.reference = reference
        if not folder.is_dir():
            raise self.missing(folder)
        self.windows = tuple(self._find())
        if not self.windows:
            raise self.missing(folder / "a scene with enough frames for a window")

    def shared(self) -> tuple[str, ...]:
        """Return files, besides those of a window, that the scores of all windows depend on."""
        return ()

    @abstractmethod
    def _find(self) -> Iterator[WindowFiles]:
        """Yield the windows in the order of scenes and frames."""

    def codes(self, path: str) -> FloatArray:
        """Return the gamma-2.2 code values 0-1 of a frame, ``(H, W, 3)``. Raises UnreadableFrame."""
        return read_image(path).pixels

    def truth(self, path: str) -> GroundTruth:
        """Return a ground-truth frame, normalized by the published rule. Raises UnreadableFrame."""
        return normalize_reference(read_image(path).pixels)

    def missing(self, path: Path) -> ShotError:
        """Return the error for a dataset that lacks ``path``."""
        return self.refusal(f"{path} does not exist", str(path))

    def refusal(self, what: str, path: str) -> ShotError:
        """Return the error for an invalid dataset; ``what`` describes the problem and names the file."""
        name = type(self).__module__.rsplit(".", 1)[-1].replace("_", "-")
        return ShotError(f"{what}; {name} expects {self.expects}", hint="Fix the folder layout.", path=path)

    def require(self, *paths: Path) -> None:
        """Raise ShotError unless all files and folders exist."""
        for path in paths:
            if not path.exists():
                raise self.missing(path)


def open_dataset(name: str, folder: Path, reference: str = ALTERNATE) -> DatasetReader:
    """Open the dataset called ``name`` (``real-hdrv`` or ``real_hdrv``) at ``folder``.

    Raises:
        DocumentError: the name is unknown, or the dataset does not offer these reference exposures.
        ShotError: the folder's layout is not the dataset's.
    """
    dashed = name.replace("_", "-")
    if dashed not in datasets.names():
        raise DocumentError(f"There is no dataset {name!r}.", hint=f"Use one of {', '.join(datasets.names())}.")
    module = importlib.import_module(f"{datasets.__name__}.{dashed.replace('-', '_')}")
    kind: type[DatasetReader] = module.Reader
    if reference not in kind.references:
        raise DocumentError(
            f"{dashed} has no reference exposures {reference!r}.", hint=f"Use {' or '.join(kind.references)}."
        )
    return kind(folder, reference)


def read_window(reader: DatasetReader, files: WindowFiles) -> Window:
    """Read the images of a window.

    Raises:
        UnreadableFrame: a file cannot be read.
        ImageError: the images differ in size.
    """
    frames = [reader.codes(path) for path in files.frames]
    truth = None if files.truth is None else reader.truth(files.truth)
    pictures = [*zip(files.frames, frames, strict=True)]
    if truth is not None:
        pictures.append((str(files.truth), truth.radiance))
    for path, picture in pictures:
        if picture.shape != frames[1].shape:
            raise ImageError(
                f'"{path}" is {picture.shape[1]} x {picture.shape[0]}, but its window\'s reference frame is '
                f"{frames[1].shape[1]} x {frames[1].shape[0]}.",
                hint="Resize all images of a scene to one size.",
                path=path,
            )
    return Window(np.stack(frames), files.exposures, truth)
