"""The ``f2hdr`` command: finds the verbs beside this file and turns errors into words and exit codes."""

from __future__ import annotations

import importlib
import json
import pkgutil
import sys
from typing import NoReturn

import typer

import f2hdr_backend
from f2hdr_backend.cli import verbs
from f2hdr_backend.machine.cpu_setup import set_up_cpu
from f2hdr_backend.shot.errors import Cancelled, F2HDRError


def main() -> NoReturn:
    """Run the command line that this process was started with."""
    set_up_cpu()
    run(build_app())


def build_app() -> typer.Typer:
    """Return the command line with every verb: each module of ``cli.verbs``."""
    app = typer.Typer(
        name="f2hdr",
        help="Scene-linear HDR frames from footage shot with alternating exposures.",
        add_completion=False,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
    )
    app.callback()(_options)
    for found in pkgutil.iter_modules(verbs.__path__):
        module = importlib.import_module(f"{verbs.__name__}.{found.name}")
        if hasattr(module, "register"):
            module.register(app)
    return app


def run(app: typer.Typer) -> NoReturn:
    """Run a command line and exit: 0, the error's own exit code, 2 for wrong usage or 130 for Ctrl-C.

    Errors of the F2HDR family become a sentence on standard error and, with ``--json``, one event on standard
    output. Any other exception is a bug and leaves with its traceback.
    """
    try:
        app()
    except F2HDRError as error:
        _tell(error)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(Cancelled.exit_code)
    sys.exit(0)


def _tell(error: F2HDRError) -> None:
    print(f"error: {error.message}", file=sys.stderr)
    if error.hint:
        print(error.hint, file=sys.stderr)
    words = " ".join(sys.argv[1:])
    if "--json" in words or "--progress json" in words or "--progress=json" in words:
        print(json.dumps({"event": "error", **error.to_json()}), flush=True)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f2hdr_backend.__version__)
        raise typer.Exit()


def _options(
    version: bool = typer.Option(
        False, "--version", callback=_print_version, is_eager=True, help="Print the version and exit."
    ),
) -> None:
    pass
