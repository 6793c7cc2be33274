"""Processor time of one live frame in the host, in addition to the backend's work, for each way to run Lua.

    python -m tests.hosts.resolve.measure [WIDTH HEIGHT]

Processor seconds of the Fuse's Process for a frame whose result exists already: three pictures are read from the
host pixel by pixel, written as float EXR with a fingerprint of every pixel, the exposures are compared, and the result
is read and set pixel by pixel. Images are those of the stand-in host; a real host's GetPixel may be slower.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.hosts.resolve.fusion import Comp
from tests.resolve_fuse.conftest import make_backend
from tests.resolve_fuse.lua import ALL


def main(width: int, height: int) -> None:
    """Print one line a Lua."""
    with tempfile.TemporaryDirectory() as folder:
        backend = make_backend(Path(folder) / "backend")
        comp = Comp(Path(folder), facts={"keep": True})
        comp.inputs = {"Mode": "live", "Method": "merge", "Exposures": "values", "ShortEV": 0, "LongEV": 3}
        comp.shoot({time: 3.0 * (time % 2) for time in (4, 5, 6)}, height, width)
        for lua in ALL:
            report = comp.run({"time": 5}, {"time": 5}, lua=lua, env=backend.env, timeout=1000)
            seconds = [out["seconds"] for out in report["outputs"] if out.get("depth")]
            print(f"{lua.name:22} {width} x {height}: {seconds[1]:.2f} s a frame", flush=True)  # noqa: T201
        backend.end()


if __name__ == "__main__":
    main(*(int(word) for word in sys.argv[1:3] or ("1920", "1080")))
