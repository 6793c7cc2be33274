"""``f2hdr simulate``: a plate with alternating exposures and its ground truth, from HDR frames or a picture."""

from __future__ import annotations

import re
from typing import Annotated

import typer

from f2hdr_backend.cli import terminal
from f2hdr_backend.cli.command import Section
from f2hdr_backend.shot.errors import DocumentError
from f2hdr_backend.shot.exposure import ExposurePattern
from f2hdr_backend.shot.frames import FrameRange
from f2hdr_backend.shot.naming import source_named


def register(app: typer.Typer) -> None:
    """Add the verb ``simulate`` to the command line."""
    app.command("simulate", rich_help_panel=Section.MEASURE)(simulate)


def simulate(
    source: Annotated[
        list[str],
        typer.Argument(help="hdr.####.exr, a folder, a movie, or one picture or panorama.", metavar="SOURCE"),
    ],
    output: Annotated[str, typer.Option("--output", "-o", help="Folder for plate, truth and shot.json.")],
    exposures: Annotated[str, typer.Option(help="Stops of each frame of the repeating cycle.")] = "0,3",
    first_exposure: Annotated[str, typer.Option(help="Exposure of the first frame: short or long.")] = "short",
    noise: Annotated[str, typer.Option(help="Sensor noise: none, low, medium or high.")] = "medium",
    seed: Annotated[
        int, typer.Option(help="Seed of the noise and of the camera move over a single picture.", min=0)
    ] = 0,
    frames: Annotated[
        str | None, typer.Option(help="Frames, such as 1-40. Default: all; 1-40 for a single picture.")
    ] = None,
    size: Annotated[
        str | None,
        typer.Option(
            help="Frame size, such as 640x360. Default: the size of the source; 640x360 for a single picture."
        ),
    ] = None,
    bits: Annotated[int, typer.Option(help="Bits of the camera's code values: 8, 10, 12 or 16.")] = 10,
) -> None:
    """Simulate a plate with alternating exposures and sensor noise.

    Float files are read as scene-linear radiance. Highlights of integer files and movies are expanded by the
    difference of the exposures. Over a single picture the camera moves; a float picture with an aspect ratio of 2:1
    is read as a lat-long panorama.
    """
    from f2hdr_backend.simulation.simulate import simulation

    named = source_named(source)
    with simulation(
        named.plate,
        output,
        exposures=ExposurePattern.parse_steps(exposures),
        first_exposure=first_exposure,
        noise=noise,
        bits=bits,
        seed=seed,
        frames=FrameRange.parse(frames) if frames else named.frames,
        size=_size(size) if size else None,
    ) as (total, written):
        for _ in terminal.track(written, "simulate", total):
            pass
    terminal.show(f"{output.rstrip('/')}/shot.json")


def _size(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"([1-9]\d{0,4})x([1-9]\d{0,4})", text, re.ASCII)
    if match is None:
        raise DocumentError(f'The size cannot be "{text}".', hint="Write it like 640x360.", value=text)
    return int(match[1]), int(match[2])
