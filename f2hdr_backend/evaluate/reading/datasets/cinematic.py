"""Cinematic Video (Froehlich et al. 2014, as HDR_Synthetic_Test_Dataset of DeepHDRVideo), two exposures."""

from __future__ import annotations

from collections.abc import Iterator

from f2hdr_backend.evaluate.reading import scene_lists
from f2hdr_backend.evaluate.reading.dataset import DatasetReader, WindowFiles


class Reader(DatasetReader):
    """The published windows: a scene of n frames has n - 4."""

    expects = (
        "scenes_2expo.txt (one scene per line), and in each Images/<scene> Exposures.txt (stops, one per frame of "
        "the "
        "cycle), img_list.txt (names without extension) and for each name a 16-bit .tif and a .hdr."
    )

    def _find(self) -> Iterator[WindowFiles]:
        for scene, *_ in scene_lists.lines(self, self.folder / "scenes_2expo.txt"):
            folder = self.folder / "Images" / scene
            self.require(folder)
            names = [line[0] for line in scene_lists.lines(self, folder / "img_list.txt")]
            frames = [folder / f"{name}.tif" for name in names]
            truths = [folder / f"{name}.hdr" for name in names]
            self.require(*frames, *truths)
            exposures = scene_lists.two_exposures(self, folder / "Exposures.txt", len(names))
            yield from scene_lists.windows(self, scene, frames, truths, exposures)
