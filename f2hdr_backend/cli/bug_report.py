"""A zip for a bug report: the doctor's report and the logs, without user names, tokens and home folders."""

from __future__ import annotations

import json
import os
import re
import zipfile
from collections.abc import Sequence
from pathlib import Path

from f2hdr_backend.cli.doctor_checks import Item
from f2hdr_backend.cli.log import log_file
from f2hdr_backend.cli.user import user_name
from f2hdr_backend.client import runtime
from f2hdr_backend.shot.atomic import atomic_file

_SECRET = re.compile(r"\b[0-9a-fA-F]{32,}\b|(?i:(?<=token[=: ])|(?<=bearer ))[^\s\"',]{8,}")
"""Long hexadecimal words (tokens and digests), and words after ``token`` and ``bearer``."""


def write_bug_report(path: Path, items: Sequence[Item]) -> list[str]:
    """Write the zip atomically and return the names of its files. Raises UnwritableFrame."""
    texts = {"doctor.json": json.dumps([item.to_json() for item in items], indent=1)}
    server_log = Path(runtime.runtime_folder()) / "server.log"
    for log in (log_file(), log_file().with_suffix(".1.log"), server_log):
        if log.is_file():
            texts[log.name] = log.read_text(encoding="utf-8", errors="replace")
    with atomic_file(path) as archive, zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for name, text in texts.items():
            file.writestr(name, redacted(text))
    return list(texts)


def redacted(text: str) -> str:
    """Return a text with the home folder as ``~``, the user's name as ``USER`` and secrets as ``SECRET``."""
    for home in {str(Path.home()), os.path.realpath(Path.home())}:
        text = text.replace(home, "~").replace(home.replace("\\", "\\\\"), "~")
    name = user_name()
    if name:
        text = re.sub(rf"(?<![A-Za-z0-9]){re.escape(name)}(?![A-Za-z0-9])", "USER", text)
    return _SECRET.sub("SECRET", text)
