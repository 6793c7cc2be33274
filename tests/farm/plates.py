"""Small plates on disk, prepared for a farm."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
from typer.testing import CliRunner

from f2hdr_backend.cli.main import build_app
from f2hdr_backend.image.write import write_image

HEIGHT, WIDTH = 48, 64


def make_plate(folder: Path, count: int) -> str:
    """A texture that drifts, odd frames short: ``folder/p.####.tif`` from 1001."""
    texture = np.random.default_rng(1).uniform(0.5, 1.0, (HEIGHT, WIDTH + 2 * count, 3))
    light = np.linspace(0.01, 1.0, WIDTH + 2 * count)[None, :, None] * texture
    for index in range(count):
        exposed = np.clip(light[:, 2 * index : 2 * index + WIDTH] * (8.0 if index % 2 else 1.0), 0, 1)
        write_image(folder / f"p.{1001 + index:04d}.tif", exposed ** (1 / 2.2), bits=16)
    return str(folder / "p.####.tif")


def f2hdr(*words):
    """Run the command line in this process."""
    return CliRunner().invoke(build_app(), [str(word) for word in words])


def prepared(folder: Path, count: int, *options: str) -> Path:
    """A prepared Shot of a new plate in ``folder``, rendered to ``folder/hdr``."""
    plate = make_plate(folder / "plate", count)
    shot, hdr = folder / "shot.json", folder / "hdr" / "o.####.exr"
    words = ("--method", "merge", "--exposures", "0,3", "--first-exposure", "short")
    result = f2hdr("prepare", plate, "-o", shot, "--render-to", hdr, *words, *options)
    assert result.exit_code == 0, result.output
    return shot


def digests(folder: Path) -> dict[str, str]:
    """Content of every frame in a folder."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.glob("*.exr"))}


def document(path: Path) -> dict:
    return json.loads(path.read_text(encoding="utf-8"))
