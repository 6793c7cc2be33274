"""Runs the real Fuse in the stand-in for Fusion (``fusion.lua``) and reads the result."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import OpenEXR

from tests.resolve_fuse.lua import LUAJIT, MODULES, Lua

HOST = Path(__file__).parent / "fusion.lua"
GAMMA = np.float32(2.2)


def radiance(number: int, height: int = 48, width: int = 64) -> np.ndarray:
    """A textured scene, ``(H, W, 3)`` float32, 1.0 = clip of the short exposure, that moves one pixel a frame."""
    rng = np.random.default_rng(3)
    waves = rng.normal(size=(6, 2)) * 0.25
    y, x = np.mgrid[:height, :width].astype(np.float32)
    texture = sum(np.sin((x + number) * a + y * b + index) for index, (a, b) in enumerate(waves))
    base = 2.0 ** (-3.5 + 0.8 * np.asarray(texture))
    return np.stack([base, base * 0.8, base * 0.6], axis=-1).astype(np.float32)


def code_values(number: int, ev: float, height: int = 48, width: int = 64) -> np.ndarray:
    """Frame of ``radiance`` recorded by the camera: clipped, gamma 2.2, 8 bits, ``(H, W, 3)`` float32 0 to 1."""
    light = np.clip(radiance(number, height, width) * np.float32(2.0**ev), 0, 1)
    return (np.round(light ** (1 / GAMMA) * 255) / 255).astype(np.float32)


def write_exr(path: Path, pixels: np.ndarray) -> None:
    """Write ``(H, W, 3)`` as uncompressed EXR."""
    header = {"compression": OpenEXR.NO_COMPRESSION, "type": OpenEXR.scanlineimage}
    with OpenEXR.File(header, {"RGB": np.ascontiguousarray(pixels)}) as file:
        file.write(str(path))


def read_exr(path: Path | str) -> dict[str, np.ndarray]:
    """Return the channels of an EXR, RGB or RGBA as one."""
    with OpenEXR.File(str(path)) as file:
        return {name: np.array(channel.pixels) for name, channel in file.channels().items()}


@dataclass
class Comp:
    """A composition with one F2HDR tool: ``frames`` are upstream's pictures by time."""

    folder: Path
    frames: dict[int, Path] = field(default_factory=dict)
    inputs: dict[str, Any] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    fuse: Path = MODULES / "F2HDR.fuse"

    def shoot(self, evs: dict[int, float], height: int = 48, width: int = 64) -> None:
        """Record the scene at these times, each with its exposure in stops."""
        for number, ev in evs.items():
            self.frames[number] = self.folder / f"upstream.{number}.exr"
            write_exr(self.frames[number], code_values(number, ev, height, width))

    def run(
        self, *events: dict[str, Any], lua: Lua = LUAJIT, env: dict[str, str] | None = None, timeout: float = 120
    ) -> dict[str, Any]:
        """Load the Fuse, run events and return the host's report."""
        scenario = {
            "fuse": str(self.fuse),
            "frames": {str(time): str(path) for time, path in self.frames.items()},
            "inputs": {"Folder": str(self.folder / "cache"), **self.inputs},
            "events": list(events),
            **self.facts,
        }
        question, answer = self.folder / "scenario.json", self.folder / "report.json"
        answer.unlink(missing_ok=True)
        question.write_text(json.dumps(scenario), encoding="utf-8")
        ran = lua.run(HOST, question, answer, env=env, timeout=timeout)
        assert answer.exists(), ran.stderr
        report: dict[str, Any] = json.loads(answer.read_text(encoding="utf-8"))
        return report

    def frame(self, time: float, **more: Any) -> dict[str, Any]:
        """An event: Fusion requests a frame, and the picture is stored."""
        return {"time": time, "save": str(self.folder / f"out.{time}.exr"), **more}

    def picture(self, time: float) -> np.ndarray:
        """The picture of ``frame``, ``(H, W, 4)``."""
        return read_exr(self.folder / f"out.{time}.exr")["RGBA"]
