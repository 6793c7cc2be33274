"""``f2hdr convert``: HDR frames to a tagged movie or to pictures, through an OCIO display."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import TYPE_CHECKING, Annotated

import typer

from f2hdr_backend.cli import terminal
from f2hdr_backend.cli.batch_mode import AsJson, Progress, show_lines, task
from f2hdr_backend.cli.command import Section
from f2hdr_backend.cli.shot_options import existing_plate
from f2hdr_backend.shot.errors import DocumentError
from f2hdr_backend.shot.events import Event, FrameDone, RenderFinished, Warned
from f2hdr_backend.shot.frames import FrameRange

if TYPE_CHECKING:
    from f2hdr_backend.deliver.deliver import DeliveryStarted, LightMeasured


def register(app: typer.Typer) -> None:
    """Add the verb ``convert`` to the command line."""
    app.command("convert", rich_help_panel=Section.DELIVER)(convert)


def convert(
    source: Annotated[
        list[str],
        typer.Argument(help="hdr.####.exr, a folder, one file or all files of a sequence, or a movie.", metavar="HDR"),
    ],
    output: Annotated[
        str, typer.Option("--output", "-o", help="out.mov (ProRes), out.mp4 (HEVC), out.####.png or out.####.tif.")
    ],
    display: Annotated[str, typer.Option(help='Display of the OCIO config, such as sRGB, "Rec.2100-PQ".')],
    view: Annotated[str, typer.Option(help="View of the display. Default: its first view.")] = "",
    frames: Annotated[str | None, typer.Option(help="Frames to convert, such as 1001-1010.")] = None,
    config: Annotated[
        str, typer.Option(help="OCIO config. Default: $OCIO, else the config that ships with F2HDR.")
    ] = "",
    input_space: Annotated[
        str, typer.Option(help="Color space of the frames; auto: from the files' tags, else linear.")
    ] = "auto",
    exposure: Annotated[float, typer.Option(help="Stops added before the view transform.", min=-30, max=30)] = 0.0,
    fps: Annotated[str | None, typer.Option(help="Frames per second, such as 25, 23.976 or 24000/1001.")] = None,
    codec: Annotated[str, typer.Option(help="prores or hevc; auto: by the movie's file name.")] = "auto",
    tags: Annotated[
        str, typer.Option(help="Color tags such as pq or srgb, if they cannot be derived from the display's name.")
    ] = "",
    mastering_nits: Annotated[
        int, typer.Option(help="Peak of the mastering display in a PQ movie's metadata, in nits.", min=1, max=10000)
    ] = 1000,
    as_json: AsJson = False,
) -> None:
    """Convert HDR frames for a display: a movie or pictures with the right color tags.

    Movies are 10-bit ProRes 422 HQ or HEVC; pictures are 16-bit PNG or TIFF. For a PQ movie all frames are measured
    first, because its metadata contains the content light level.
    """
    with task(Progress.BAR):
        named = existing_plate(source)
        from f2hdr_backend.deliver.deliver import Delivery, deliver

        delivery = Delivery(
            source=named.plate,
            output=output,
            display=display,
            view=view,
            frames=named.frames if frames is None else FrameRange.parse(frames),
            input_space=input_space,
            config=config,
            exposure=exposure,
            codec=codec,
            rate=None if fps is None else parse_rate(fps),
            tags=tags,
            mastering_nits=mastering_nits,
        )
        events = deliver(delivery)
        if as_json:
            show_lines(events, Progress.JSON)
        else:
            _show(events)


def parse_rate(text: str) -> Fraction:
    """Return frames per second; 23.976, 29.97 and similar rates mean N x 1000/1001. Raises DocumentError."""
    try:
        rate = Fraction(text) if len(text) <= 20 and "e" not in text.lower() else Fraction(0)
    except (ValueError, ZeroDivisionError):
        rate = Fraction(0)
    if not Fraction(1, 1001) <= rate <= 1000:
        raise DocumentError(
            f'The frame rate cannot be "{text}".', hint="Write it like 25, 23.976 or 24000/1001.", value=text
        )
    whole = round(rate * 1001 / 1000)
    near = Fraction(whole * 1000, 1001)
    return near if rate.denominator > 1 and abs(rate - near) < Fraction(1, 100) else rate.limit_denominator(1001)


def _show(events: Iterable[Event]) -> None:
    """Draw a progress bar on standard error."""
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn

    from f2hdr_backend.deliver.deliver import DeliveryStarted, FrameMeasured, LightMeasured

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with terminal.bars(*columns) as bar:
        shown = bar.add_task("convert", total=None, visible=False)
        paths: list[str] = []
        for event in events:
            if isinstance(event, DeliveryStarted):
                terminal.note(_started(event))
                bar.update(shown, total=event.total, visible=True)
            elif isinstance(event, FrameMeasured):
                bar.update(shown, completed=event.done, description="measure")
            elif isinstance(event, LightMeasured):
                terminal.note(_measured(event))
                bar.reset(shown, total=bar.tasks[0].total, description="convert")
            elif isinstance(event, FrameDone):
                paths.append(event.path)
                bar.update(shown, completed=event.done)
            elif isinstance(event, Warned):
                terminal.warn(event.message)
            elif isinstance(event, RenderFinished):
                terminal.note(_finished(event, paths))


def _started(event: DeliveryStarted) -> str:
    width, height = event.size
    color = f"{event.space} to {event.display}, {event.view}"
    return f"{terminal.count(event.total, 'frame')} of {width} x {height}; {color}; {event.target}"


def _finished(event: RenderFinished, paths: list[str]) -> str:
    where = "" if not paths else f": {paths[0]}" if len(set(paths)) == 1 else f"; the last is {paths[-1]}"
    return f"{terminal.count(event.rendered, 'frame')} converted in {event.seconds:.1f} s{where}"


def _measured(event: LightMeasured) -> str:
    mastering = f"mastering display {event.mastering_nits} nits"
    return f"Content light level: MaxCLL {event.max_cll} nits, MaxFALL {event.max_fall} nits, {mastering}"
