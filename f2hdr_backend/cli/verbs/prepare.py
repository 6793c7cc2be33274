"""``f2hdr prepare``: write a Shot document with everything settled, for rendering in chunks."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from f2hdr_backend.cli.batch_mode import AsJson, Progress, ProgressOption, show_lines, task
from f2hdr_backend.cli.command import Section
from f2hdr_backend.cli.render_progress import show_settled
from f2hdr_backend.cli.shot_options import (
    PathMappingFile,
    ShotOptions,
    Source,
    is_document,
    path_mapping,
    read_shot,
    takes_shot_options,
)
from f2hdr_backend.shot.document import Shot
from f2hdr_backend.shot.plate_files import require_plate


def register(app: typer.Typer) -> None:
    """Add the verb ``prepare`` to the command line."""
    app.command("prepare", rich_help_panel=Section.SHARE)(prepare)


@takes_shot_options
def prepare(
    source: Source,
    options: ShotOptions,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="SHOT.json", help="Shot document to write.")],
    render_to: Annotated[
        str | None, typer.Option(help="EXR frames to write when the Shot is rendered, such as hdr/shot.####.exr.")
    ] = None,
    rules: PathMappingFile = None,
    progress: ProgressOption = Progress.BAR,
    as_json: AsJson = False,
) -> None:
    """Settle a Shot: exposures, cuts, color, frames and absolute paths.

    Renders of the document estimate nothing again, so that one render and chunks on many machines give the same
    frames. With --path-mapping the document keeps its original paths.
    """
    progress = Progress.JSON if as_json else progress
    with task(progress):
        mapping = path_mapping(rules)
        shot, measured = options.shot(source, render_to, mapping)
        require_plate(shot.plate, shot.layer)
        from f2hdr_backend.engine.settle import prepare as settled

        shot, events = settled(shot)
        events = [*measured, *events]
        if progress is Progress.BAR:
            for event in events:
                show_settled(event)
        else:
            show_lines(events, progress)
        if rules and len(source) == 1 and is_document(source[0]):
            shot = _with_paths(shot, read_shot(source[0]), "config" in options.given, render_to)
        write_shot(output, shot)


def write_shot(path: Path, shot: Shot) -> None:
    """Write a Shot document atomically. Raises UnwritableFrame."""
    from f2hdr_backend.shot.atomic import write_file

    write_file(path, json.dumps(shot.to_json(), indent=2) + "\n")


def _with_paths(shot: Shot, written: Shot, config_given: bool, render_to: str | None) -> Shot:
    """Return the Shot with the paths of the document it was read from; paths given as options stay."""
    own_config = "" if config_given else written.color.config
    own_pattern = written.output.pattern if render_to is None else ""
    return replace(
        shot,
        plate=written.plate,
        color=replace(shot.color, config=own_config or shot.color.config),
        output=replace(shot.output, pattern=own_pattern or shot.output.pattern),
    )
