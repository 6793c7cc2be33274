"""``f2hdr convert``: HDR frames to a tagged movie or to pictures, through an OCIO display."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import TYPE_CHECKING, Annotated

import typer

from f2hdr_backend.cli.task import AsJson, Progress, show_lines, task
from f2hdr_backend.shot.errors import DocumentError
from f2hdr_backend.shot.events import Event, FrameDone, RenderFinished, Warned
from f2hdr_backend.shot.frames import FrameRange

if TYPE_CHECKING:
    from f2hdr_backend.deliver.deliver import DeliveryStarted, LightMeasured


def register(app: typer.Typer) -> None:
    """Add the verb ``convert`` to the command line."""
    app.command("convert")(convert)


def convert(
    source: Annotated[str, typer.Argument(help="hdr.####.exr, or a movie.", metavar="HDR")],
    output: Annotated[
        str, typer.Option("--output", "-o", help="out.mov (ProRes), out.mp4 (HEVC), out.####.png or out.####.tif.")
    ],
    display: Annotated[str, typer.Option(help='Display of the OCIO config, such as sRGB, "Rec.2100-PQ".')],
    view: Annotated[str, typer.Option(help="View of the display; by default its first.")] = "",
    frames: Annotated[str | None, typer.Option(help="Frames to convert, such as 1001-1010.")] = None,
    config: Annotated[str, typer.Option(help="OCIO config; by default $OCIO, else the one that comes along.")] = "",
    input_space: Annotated[
        str, typer.Option(help="Color space of the frames; auto: as the files say, else linear.")
    ] = "auto",
    exposure: Annotated[float, typer.Option(help="Stops added to the light before the view.", min=-30, max=30)] = 0.0,
    fps: Annotated[str | None, typer.Option(help="Frames a second, such as 25, 23.976 or 24000/1001.")] = None,
    codec: Annotated[str, typer.Option(help="prores or hevc; auto: by the name of the movie.")] = "auto",
    tags: Annotated[str, typer.Option(help="Color tags if the display's name tells none, such as pq or srgb.")] = "",
    mastering_nits: Annotated[
        int, typer.Option(help="Peak of the mastering display that a PQ movie names.", min=1, max=10000)
    ] = 1000,
    as_json: AsJson = False,
) -> None:
    """Convert HDR frames to what a display shows, with the right tags in the file.

    Movies are 10-bit ProRes 422 HQ or HEVC, pictures 16-bit PNG or TIFF. A PQ movie is measured first: it begins with
    the light level of its content.
    """
    with task(Progress.BAR):
        from f2hdr_backend.deliver.deliver import Delivery, deliver

        delivery = Delivery(
            source=source,
            output=output,
            display=display,
            view=view,
            frames=None if frames is None else FrameRange.parse(frames),
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
    """Read frames a second; 23.976, 29.97 and the like mean the thousandths of NTSC. Raises DocumentError."""
    try:
        rate = Fraction(text)
    except (ValueError, ZeroDivisionError):
        rate = Fraction(0)
    if not 0 < rate <= 1000:
        raise DocumentError(
            f'The frame rate cannot be "{text}".', hint="Write it like 25, 23.976 or 24000/1001.", value=text
        )
    whole = round(rate * 1001 / 1000)
    near = Fraction(whole * 1000, 1001)
    return near if rate.denominator > 1 and abs(rate - near) < Fraction(1, 100) else rate.limit_denominator(1001)


def _show(events: Iterable[Event]) -> None:
    """Draw a progress bar on standard error."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from f2hdr_backend.deliver.deliver import DeliveryStarted, FrameMeasured, LightMeasured

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as bar:
        shown = bar.add_task("convert", total=None)
        for event in events:
            if isinstance(event, DeliveryStarted):
                console.print(_started(event), highlight=False, markup=False)
                bar.update(shown, total=event.total)
            elif isinstance(event, FrameMeasured):
                bar.update(shown, completed=event.done, description="measure")
            elif isinstance(event, LightMeasured):
                console.print(_measured(event), highlight=False)
                bar.reset(shown, total=bar.tasks[0].total, description="convert")
            elif isinstance(event, FrameDone):
                bar.update(shown, completed=event.done)
            elif isinstance(event, Warned):
                console.print(f"warning: {event.message}", style="yellow", highlight=False, markup=False)
            elif isinstance(event, RenderFinished):
                console.print(f"{event.rendered} frames converted in {event.seconds:.1f} s", highlight=False)


def _started(event: DeliveryStarted) -> str:
    width, height = event.size
    color = f"{event.space} to {event.display}, {event.view}"
    return f"{event.total} frames of {width} x {height}; {color}; {event.target}"


def _measured(event: LightMeasured) -> str:
    mastering = f"mastering display {event.mastering_nits} nits"
    return f"light level: brightest {event.max_cll} nits, brightest average {event.max_fall} nits, {mastering}"
