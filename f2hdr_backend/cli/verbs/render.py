"""``f2hdr render``: a plate, or a Shot document, to scene-linear HDR EXR frames."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Annotated

import typer

from f2hdr_backend.cli.batch_mode import AsJson, Progress, ProgressOption, show_lines, task
from f2hdr_backend.cli.command import Section
from f2hdr_backend.cli.render_progress import show_progress
from f2hdr_backend.cli.shot_options import PathMappingFile, ShotOptions, Source, path_mapping, takes_shot_options
from f2hdr_backend.cli.timeline_render import is_cut, render_timeline
from f2hdr_backend.image.decoder_processes import warm_up
from f2hdr_backend.shot.document import Shot
from f2hdr_backend.shot.errors import DocumentError
from f2hdr_backend.shot.events import Event
from f2hdr_backend.shot.naming import default_output
from f2hdr_backend.shot.plate_files import require_plate


def register(app: typer.Typer) -> None:
    """Add the verb ``render`` to the command line."""
    app.command("render", rich_help_panel=Section.RENDER)(render)


@takes_shot_options
def render(
    source: Source,
    options: ShotOptions,
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            help="EXR frames to write, such as hdr/shot.####.exr. Default: PLATE_hdr/ in the plate's folder.",
        ),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Render all frames again, and replace files that F2HDR did not write.")
    ] = False,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run", help="Write no frame: show what would be rendered, in which time and on how much disk."
        ),
    ] = False,
    preview: Annotated[
        Path | None,
        typer.Option(help="PNG to write when all is rendered: the plate and the tone-mapped result side by side."),
    ] = None,
    handles: Annotated[
        int | None, typer.Option(help="Frames before and after each clip of a timeline. Default: 8.", min=0)
    ] = None,
    rules: PathMappingFile = None,
    progress: ProgressOption = Progress.BAR,
    as_json: AsJson = False,
) -> None:
    """Reconstruct scene-linear HDR frames from a plate of alternating exposures.

    The result has one EXR per plate frame, with the same size and number. 1.0 is the clip of the long exposure; see
    --anchor. The same command again resumes where the last one stopped. A timeline (.otio, .edl, .fcpxml) renders the
    used range of every clip into its own folder below OUTPUT.
    """
    progress = Progress.JSON if as_json else progress
    with task(progress):
        plate = source[0] if len(source) == 1 else ""
        timeline = is_cut(plate, handles)
        if timeline and (dry_run or preview is not None):
            raise DocumentError(
                f'--dry-run and --preview take a plate or a Shot document, not the timeline "{plate}".',
                hint="Leave them out.",
            )
        if timeline:
            events: Iterator[Event] = render_timeline(plate, output, options, handles, rules, force=force)
        else:
            shot, found = options.shot(source, output, path_mapping(rules))
            if not shot.output.pattern:
                shot = replace(shot, output=replace(shot.output, pattern=default_output(shot.plate)))
            require_plate(shot.plate, shot.layer)
            if dry_run:
                _dry_run(shot, found, force, progress)
                return
            events = _rendered(shot, found, force, preview)
        if progress is Progress.BAR:
            show_progress(events)
        else:
            show_lines(events, progress)


def _rendered(shot: Shot, found: list[Event], force: bool, preview: Path | None) -> Iterator[Event]:
    """Yield the events of a render. torch is loaded only for a valid request that is not finished."""
    warm_up()
    from f2hdr_backend.engine.rerun import finished_before
    from f2hdr_backend.engine.settle import check_early

    yield from found
    check_early(shot)
    finished = [] if force else finished_before(shot)
    yield from finished
    if not finished:
        from f2hdr_backend.engine.renderer import Renderer

        yield from Renderer(shot.engine).render(shot, force=force)
    if preview is not None:
        from f2hdr_backend.cli.preview import write_preview

        write_preview(shot, preview)


def _dry_run(shot: Shot, found: list[Event], force: bool, progress: Progress) -> None:
    from f2hdr_backend.cli.dry_run import forecast, show_forecast
    from f2hdr_backend.engine.settle import check_early

    check_early(shot)
    events = chain(found, forecast(shot, force=force))
    if progress is Progress.BAR:
        show_forecast(events)
    else:
        show_lines(events, progress)
