"""The fake as a program: ``terminal.py [-F a-b] -x [script.py] shot.nk``, with plug-ins from NUKE_PATH.

With FAKE_NUKE_NO_FILE a script has no ``__file__``: whether Nuke sets it under ``-x`` is not documented.
"""

from __future__ import annotations

import os
import runpy
import sys

import nuke
from nuke import fake
from nuke.session import session


def main(arguments: list[str]) -> None:
    """Run the Python file, if there is one, then render the Writes of the script that is open."""
    fake.start(gui=False)
    session.raw_args = ["nuke", *arguments]
    for folder in filter(None, os.environ.get("NUKE_PATH", "").split(os.pathsep)):
        nuke.pluginAddPath(folder)
    frames = arguments[arguments.index("-F") + 1] if "-F" in arguments else "1-1"
    words = arguments[arguments.index("-x") + 1 :]
    if words[0].endswith(".py"):
        sys.argv = words
        if "FAKE_NUKE_NO_FILE" in os.environ:
            with open(words[0], encoding="utf-8") as file:
                exec(compile(file.read(), words[0], "exec"), {"__name__": "__main__"})
        else:
            runpy.run_path(words[0], run_name="__main__")
    else:
        nuke.scriptOpen(words[0])
    first, _, last = frames.partition("-")
    fake.render(int(first), int(last or first))


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except RuntimeError as error:
        sys.stdout.write(f"ERROR: {error}\n")
        sys.exit(1)
