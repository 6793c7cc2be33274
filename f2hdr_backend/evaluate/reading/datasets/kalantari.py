"""Still images in the layout of Kalantari and Ramamoorthi (SIGGRAPH 2017): three exposures of a moving scene."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from f2hdr_backend.evaluate.reading import scene_lists
from f2hdr_backend.evaluate.reading.dataset import DatasetReader, WindowFiles

TRUTHS = ("HDRImg.hdr", "HDRImg.exr")
EXPOSURES = "exposure.txt"


class Reader(DatasetReader):
    """One window per scene: the middle exposure is the reference, the short and the long one are its neighbors."""

    expects = (
        "folders at any depth that each contain exposure.txt (three stops, in the order of the image names), three "
        ".tif images and HDRImg.hdr (or .exr), the radiance of the middle one."
    )
    cycle = 3

    def _find(self) -> Iterator[WindowFiles]:
        listed = sorted(self.folder.rglob(EXPOSURES))
        if not listed:
            raise self.missing(self.folder / "<scene>" / EXPOSURES)
        for path in listed:
            yield self._window(path.parent)

    def _window(self, folder: Path) -> WindowFiles:
        frames = sorted(path for path in folder.iterdir() if path.suffix.lower() in (".tif", ".tiff"))
        stops = scene_lists.stops_of(self, folder / EXPOSURES)
        if len(frames) != 3 or len(stops) != 3 or not stops[0] < stops[1] < stops[2]:
            what = f"{folder} has {len(frames)} .tif images and the stops {', '.join(f'{stop:g}' for stop in stops)}"
            raise self.refusal(f"{what}, not three of each in ascending order", str(folder))
        truth = next((folder / name for name in TRUTHS if (folder / name).exists()), folder / TRUTHS[0])
        self.require(truth)
        first, own, last = (2.0 ** (stop - stops[0]) for stop in stops)
        short, middle, long = (str(frame) for frame in frames)
        scene = str(folder.relative_to(self.folder)) if folder != self.folder else folder.name
        return WindowFiles(scene, 1, (short, middle, long), (first, own, last), str(truth))
