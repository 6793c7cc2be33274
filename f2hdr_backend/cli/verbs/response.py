"""``f2hdr response``: a camera's response curve, recovered from a plate or a bracket of one scene."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from f2hdr_backend.cli import terminal
from f2hdr_backend.cli.command import Section
from f2hdr_backend.cli.shot_options import existing_plate
from f2hdr_backend.shot.errors import ExposureError
from f2hdr_backend.shot.exposure import ExposurePattern

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from f2hdr_backend.image.frame import Plate
    from f2hdr_backend.response.fit import Recovered


def register(app: typer.Typer) -> None:
    """Add the verb ``response`` to the command line."""
    app.command("response", rich_help_panel=Section.RENDER)(response)


def response(
    plate: Annotated[
        list[str],
        typer.Argument(help="plate.####.jpg, a folder, a movie, or a bracket of any number of files.", metavar="PLATE"),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="File to write: camera.json or camera.cube.")],
    exposures: Annotated[
        str | None,
        typer.Option(help="Stops of each frame of the repeating cycle, such as 0,2; not given: from the file headers."),
    ] = None,
    plot: Annotated[Path | None, typer.Option(help="PNG to draw the curve into.")] = None,
) -> None:
    """Recover the response of a camera, for render --response FILE.

    The frames have to show one scene, their exposures have to be known: from --exposures (the first value is that of
    the first frame) or from the file headers. From pixels alone the curve and the exposures can only be determined
    together, up to one number.
    """
    named = existing_plate(plate)
    from f2hdr_backend.color.curve import write_curve
    from f2hdr_backend.image.read import open_plate
    from f2hdr_backend.response.fit import spread
    from f2hdr_backend.response.plate import MOST_FRAMES, recover_from, sampled_codes

    opened = open_plate(named.plate)
    try:
        stops = _stops(opened, exposures)
        numbers = list(named.frames or opened.frames)[:MOST_FRAMES]
        found, matches = recover_from([(sampled_codes(opened, number), stops[number]) for number in numbers])
    finally:
        opened.close()
    if plot is not None:
        _draw(found, plot)
    left = spread(matches, found.curve)
    if found.reason:
        reason = f"The response could not be recovered: {found.reason}."
        raise ExposureError(reason, hint="Give more exposures of one scene.")
    facts = {"plate": opened.name, "residual_stops": round(found.residual, 4), "spread_stops": round(left, 4)}
    write_curve(output, found.curve, {**facts, "coverage": round(found.coverage, 3)})
    terminal.show(
        f"{output}: the exposures agree within {found.residual:.2f} stops; gamma 2.2 leaves a spread of "
        f"{spread(matches):.2f} stops over brightness, this curve {left:.2f}"
    )


def _stops(plate: Plate, exposures: str | None) -> dict[int, float]:
    if exposures is not None:
        pattern = ExposurePattern(ExposurePattern.parse_steps(exposures), plate.frames.first)
        return {number: pattern.ev(number) for number in plate.frames}
    stated = plate.exposure_metadata()
    if stated is None:
        raise ExposureError(
            f"The files of {plate.name} do not state their exposures.",
            hint="Give them with --exposures, such as 0,2: the pixels determine them only together with the curve.",
        )
    return stated


def _draw(found: Recovered, path: Path) -> None:
    """Draw light over code value, both 0-1, with gamma 2.2 as a gray line."""
    import numpy as np
    from PIL import Image, ImageDraw

    from f2hdr_backend.color.curve import KNOTS
    from f2hdr_backend.image.write import write_image
    from f2hdr_backend.shot.equations import GAMMA

    size, margin = 600, 40
    picture = Image.new("RGB", (size, size), "white")
    pen = ImageDraw.Draw(picture)

    def line(values: NDArray[Any], color: str) -> None:
        across, up = (margin + axis * (size - 2 * margin) for axis in (KNOTS, values))
        points = [(float(x), float(size - y)) for x, y in zip(across, up, strict=True)]
        pen.line(points, fill=color, width=2)

    for step in range(11):
        at = margin + step * (size - 2 * margin) / 10
        pen.line([(at, margin), (at, size - margin)], fill="#e8e8e8")
        pen.line([(margin, at), (size - margin, at)], fill="#e8e8e8")
        pen.text((at - 6, size - margin + 6), f"{step / 10:g}", fill="black")
        pen.text((8, size - at - 6), f"{step / 10:g}", fill="black")
    pen.text((size // 2 - 30, size - 16), "code value", fill="black")
    pen.text((8, 8), "linear light; gray: gamma 2.2", fill="black")
    line(KNOTS**GAMMA, "#999999")
    for channel, color in enumerate(("#cc2222", "#229922", "#2244cc")):
        line(found.curve.values[:, channel], color)
    write_image(path, np.asarray(picture), 8)
