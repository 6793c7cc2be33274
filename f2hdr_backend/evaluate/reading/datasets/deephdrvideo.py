"""DeepHDRVideo (Chen et al., ICCV 2021), two exposures: the dynamic and the static release."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from f2hdr_backend.evaluate.reading import scene_lists
from f2hdr_backend.evaluate.reading.dataset import DatasetReader, WindowFiles


class Reader(DatasetReader):
    """Windows of three frames, the middle of the published windows of five: a scene of n frames has n - 4."""

    expects = (
        "scene_all.txt (one scene folder per line), and in each scene Exposures.txt (stops, one per frame of the "
        "cycle) "
        "and img_hdr_list.txt (an image and its .hdr per line) or, without ground truth, img_list.txt."
    )

    def _find(self) -> Iterator[WindowFiles]:
        for scene, *_ in scene_lists.lines(self, self.folder / "scene_all.txt"):
            folder = self.folder / scene
            self.require(folder)
            frames, truths = self._pictures(folder)
            self.require(*frames, *(truths or ()))
            exposures = scene_lists.two_exposures(self, folder / "Exposures.txt", len(frames))
            yield from scene_lists.windows(self, scene, frames, truths, exposures)

    def _pictures(self, folder: Path) -> tuple[list[Path], list[Path] | None]:
        pairs = folder / "img_hdr_list.txt"
        if not pairs.exists() and (folder / "img_list.txt").exists():
            return [folder / line[0] for line in scene_lists.lines(self, folder / "img_list.txt")], None
        listed = scene_lists.lines(self, pairs)
        if any(len(line) != 2 for line in listed):
            raise self.refusal(f"{pairs} has lines that do not contain two names", str(pairs))
        return [folder / line[0] for line in listed], [folder / line[1] for line in listed]
