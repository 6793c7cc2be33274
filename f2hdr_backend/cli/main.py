"""The ``f2hdr`` command: every module of ``cli.verbs`` is a verb."""

from __future__ import annotations

import importlib
import os
import pkgutil
import sys
from typing import NoReturn

import typer

import f2hdr_backend
from f2hdr_backend.cli import verbs
from f2hdr_backend.cli.command import App, report
from f2hdr_backend.cli.log import log_bug, start_log
from f2hdr_backend.image.decoder_processes import use_decoders
from f2hdr_backend.machine.cpu_setup import set_up_cpu
from f2hdr_backend.shot.errors import Canceled, F2HDRError
from f2hdr_backend.shot.system_errors import system_error


def main() -> NoReturn:
    """Run the command line that this process was started with."""
    if sys.stdout is not None:  # it is None where the program that started this one has closed it
        sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # names in an older encoding
    os.environ["PYTHONSAFEPATH"] = "1"  # no child imports modules from the current folder
    if os.path.expanduser("~") == "~":
        os.environ["HOME"] = os.sep  # as container runtimes do for a user that the system does not list
    set_up_cpu()
    start_log()
    use_decoders()
    run(build_app())


def build_app() -> App:
    """Return the command line with every verb: each module of ``cli.verbs`` that offers ``register(app)``."""
    app = App(
        name="f2hdr",
        help="Scene-linear HDR frames from footage shot with alternating exposures.",
        epilog="f2hdr COMMAND --help explains a command.",
    )
    app.callback()(_options)
    for found in pkgutil.iter_modules(verbs.__path__):
        module = importlib.import_module(f"{verbs.__name__}.{found.name}")
        if hasattr(module, "register"):
            module.register(app)
    return app


def run(app: typer.Typer) -> NoReturn:
    """Run a command line and exit: 0, the error's own exit code, 2 for wrong usage or 130 for Ctrl-C.

    Errors of F2HDR and of the operating system become a sentence on standard error and, with ``--json``, one event on
    standard output. Any other exception is a bug: it is logged and leaves with its traceback.
    """
    try:
        app()
    except F2HDRError as error:
        report(error)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(Canceled.exit_code)
    except (OSError, MemoryError) as error:
        log_bug(error)
        refused = system_error(error)
        report(refused)
        sys.exit(refused.exit_code)
    except Exception as error:
        log_bug(error)
        raise
    sys.exit(0)


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
