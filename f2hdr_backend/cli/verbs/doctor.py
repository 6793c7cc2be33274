"""``f2hdr doctor``: check this installation, item by item, with the next step where something is wrong."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from f2hdr_backend.cli import terminal
from f2hdr_backend.cli.command import Section
from f2hdr_backend.cli.doctor_checks import Item, State, examine
from f2hdr_backend.shot.printable import escaped

COLORS = {State.GREEN: "32", State.YELLOW: "33", State.RED: "31"}
"""ANSI colors, for terminals; the word is always written too."""


def register(app: typer.Typer) -> None:
    """Add the verb ``doctor`` to the command line."""
    app.command("doctor", rich_help_panel=Section.START)(doctor)


def doctor(
    bundle: Annotated[
        Path | None, typer.Option(help="ZIP to write for a bug report: this report and the logs, without user names.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line on standard output.")] = False,
) -> None:
    """Check this installation: Python, torch, GPU, weights, color, disk, server and hosts.

    Each item is green, yellow (works with limits) or red, with the next step. The exit code is 1 if an item is red.
    """
    found: list[Item] = []
    for item in examine():
        found.append(item)
        print(json.dumps({"event": "checked", **item.to_json()}) if as_json else _line(item), flush=True)
    if bundle is not None:
        from f2hdr_backend.cli.bug_report import write_bug_report

        names = write_bug_report(bundle, found)
        terminal.note(f"{bundle}: {', '.join(names)}. Look through it before you send it.")
    if any(item.state is State.RED for item in found):
        raise typer.Exit(1)


def _line(item: Item) -> str:
    state = f"{item.state.value:<7}"
    if sys.stdout.isatty():
        state = f"\x1b[{COLORS[item.state]}m{state}\x1b[0m"
    step = f"\n                 next: {item.next}" if item.next else ""
    return f"{state} {escaped(f'{item.name:<8} {item.text}{step}')}"
