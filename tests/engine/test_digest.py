"""A frame's digest changes with everything its pixels depend on, and with nothing else."""

from dataclasses import replace

from f2hdr_backend.engine.digest import frame_digest
from f2hdr_backend.engine.window import window_of
from f2hdr_backend.shot.document import Engine, Output, Shot
from f2hdr_backend.shot.exposure import ExposurePattern
from f2hdr_backend.shot.frames import FrameRange

SHOT = Shot("/a/p.####.exr", exposures=ExposurePattern((3.0, 0.0), 1), cuts=())
PLATE = FrameRange((1, 2, 3, 4))
WINDOW = window_of(2, SHOT, PLATE)
FILES = ["x", "y", "z"]


def digest(shot=SHOT, window=WINDOW, method="m", files=FILES, color=""):
    return frame_digest(shot, window, method, files, color)


def test_paths_devices_and_memory_do_not_change_the_digest():
    moved = replace(SHOT, plate="/b/p.####.exr", engine=Engine(device="cpu", memory="8G"), output=Output("/o.#.exr"))
    assert digest(moved) == digest()


def test_trust_window_method_files_and_color_change_the_digest():
    others = [
        digest(replace(SHOT, engine=Engine(reference_trust="off"))),
        digest(window=window_of(3, SHOT, PLATE)),
        digest(window=replace(WINDOW, exposures=(4.0, 1.0, 8.0))),
        digest(method="n"),
        digest(files=["x", "y", "w"]),
        digest(color="c"),
    ]
    assert len({digest(), *others}) == len(others) + 1
