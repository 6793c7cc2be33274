"""Behavior shared by all verbs: sections in ``--help``, ``-h``, ``-q`` and ``-v``, and errors as sentences or as
JSON.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import json
import re
import sys
from collections.abc import Callable
from enum import StrEnum
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from f2hdr_backend.cli import terminal
from f2hdr_backend.cli.batch_mode import Progress
from f2hdr_backend.cli.log import log_error
from f2hdr_backend.shot.errors import F2HDRError

Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Show only warnings, errors and results.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Also show the log.")]
KINDS = {
    "str": "TEXT",
    "path": "FILE",
    "file": "FILE",
    "int": "N",
    "int range": "N",
    "float": "NUMBER",
    "float range": "NUMBER",
}
"""Names of the value types in the help."""
SENTENCE = 200
"""Most characters of a command's first sentence in the list of commands."""
MOST_PROCESSES = 1024
"""Most processes that one command starts, by its options."""
CONTEXT = {"help_option_names": ["-h", "--help"], "show_default": True}


class Section(StrEnum):
    """The sections of ``f2hdr --help``, in this order; a verb belongs to one."""

    START = "First steps"
    RENDER = "Render a plate"
    DELIVER = "Look at results and deliver them"
    SHARE = "Server and farm"
    MEASURE = "Evaluate and train"
    MANAGE = "Manage this installation"


class App(typer.Typer):
    """A command line, or a verb's group of commands, in which every command is a :class:`Verb`."""

    def __init__(self, **settings: Any) -> None:
        """Take what ``typer.Typer`` takes."""
        defaults = {"no_args_is_help": True, "rich_markup_mode": None, "context_settings": CONTEXT}
        super().__init__(**{"cls": Verbs, "pretty_exceptions_enable": False, **defaults, **settings})

    def command(self, name: str | None = None, **settings: Any) -> Callable[[Any], Any]:
        """Add a verb, with ``-q`` and ``-v``; ``rich_help_panel`` is its Section."""
        add = super().command(name, **{"cls": Verb, "context_settings": CONTEXT, **settings})

        def decorate(verb: Callable[..., None]) -> Callable[..., None]:
            add(_with_verbosity(verb))
            return verb

        return decorate


class Verb(TyperCommand):
    """A command: one file of ``cli.verbs``, or a command of its group."""

    def invoke(self, ctx: Any) -> Any:
        """Run the verb, and store the requested format of errors."""
        terminal.want_json(_answers_in_json(ctx.params))
        return super().invoke(ctx)

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the arguments, then the options by section."""
        _write_options(self, ctx, formatter)


class Verbs(TyperGroup):
    """A group of commands, listed by section."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the commands by section, then the options."""
        self.format_commands(ctx, formatter)
        _write_options(self, ctx, formatter)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write every command with the first sentence of its help."""
        rows: dict[str, list[tuple[str, str]]] = {section: [] for section in Section}
        for name, command in sorted(self.commands.items()):
            panel = getattr(command, "rich_help_panel", None)
            if not command.hidden:
                sentence = command.get_short_help_str(SENTENCE)
                rows.setdefault(panel if isinstance(panel, str) else "Commands", []).append((name, sentence))
        for section, commands in rows.items():
            if commands:
                with formatter.section(section):
                    formatter.write_dl(commands)


def report(error: F2HDRError) -> None:
    """Write an error and its hint to standard error, and with ``--json`` also as an event to standard output.

    An output that is full or closed does not change the exit code: the error stays in the log and in the other output.
    """
    log_error(error)
    with contextlib.suppress(OSError):
        print(f"error: {error.message}", *([error.hint] if error.hint else []), sep="\n", file=sys.stderr, flush=True)
    if terminal.wants_json():
        with contextlib.suppress(OSError):
            print(json.dumps({"event": "error", **error.to_json()}), flush=True)


def _answers_in_json(values: dict[str, Any]) -> bool:
    """Whether the user asked for events as JSON: by the flag ``--json`` or by ``--progress json``."""
    return values.get("as_json") is True or values.get("progress") is Progress.JSON


def _with_verbosity(verb: Callable[..., None]) -> Callable[..., None]:
    """Return the verb with the options ``-q`` and ``-v``, for typer to read."""
    own = [
        parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)
        for parameter in inspect.signature(verb, eval_str=True).parameters.values()
    ]
    shared = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=False, annotation=option)
        for name, option in (("quiet", Quiet), ("verbose", Verbose))
    ]

    @functools.wraps(verb)
    def call(*, quiet: bool, verbose: bool, **given: Any) -> None:
        terminal.be_quiet(quiet)
        if verbose:
            terminal.be_verbose()
        try:
            verb(**given)
        finally:
            terminal.be_quiet(False)  # a setting of this command alone

    call.__annotations__ = {parameter.name: parameter.annotation for parameter in (*own, *shared)}
    call.__signature__ = inspect.Signature([*own, *shared])  # type: ignore[attr-defined]
    return call


def _write_options(command: Any, ctx: Any, formatter: Any) -> None:
    """Write a command's parameters by section. Names are never truncated: a long one has its own line."""
    sections: dict[str, list[tuple[str, str]]] = {"Arguments": [], "Options": []}
    for param in command.get_params(ctx):
        record = param.get_help_record(ctx)
        if record is not None:
            general = "Arguments" if param.param_type_name == "argument" else "Options"
            sections.setdefault(getattr(param, "rich_help_panel", None) or general, []).append(_plain(record))
    for section, records in sections.items():
        if records:
            with formatter.section(section):
                formatter.write_dl(records, col_max=formatter.width // 3)


def _plain(record: tuple[str, str]) -> tuple[str, str]:
    """A parameter's line with the type of its value; the name of an argument is sufficient."""
    name, text = record
    if not name.startswith("-"):
        return name.partition(" <")[0], text
    return re.sub("<([^>]+)>", lambda kind: KINDS.get(kind[1], kind[1]), name), text
