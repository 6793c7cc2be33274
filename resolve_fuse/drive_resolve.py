"""Render clips of DaVinci Resolve Studio's open timeline from outside, as the timeline script does inside.

    python drive_resolve.py [--placement track|take|pool] [--handles 8] [--method f2hdr|merge] ...

Resolve Studio must run, with Preferences > System > General > External scripting set to Local. The package
``f2hdr_backend`` (at least its parts ``shot`` and ``client``) is next to this file or installed. Python 3.9, standard
library.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import sys
from collections.abc import Sequence as Words
from typing import Any

from f2hdr_resolve.adapter import Item, Session, open_session
from f2hdr_resolve.clips import Clip, collect, describe, problem
from f2hdr_resolve.deliver import deliver

from f2hdr_backend.client.connection import rebuilt
from f2hdr_backend.client.jobs import submit
from f2hdr_backend.client.launch import connect
from f2hdr_backend.shot.document import Color, Engine, Output, Shot
from f2hdr_backend.shot.errors import Canceled, F2HDRError, ShotError
from f2hdr_backend.shot.frames import FrameRange, Sequence


def main(words: Words[str]) -> int:
    """Run the command line and return the exit code: 0, or that of the last error."""
    asked = _parser().parse_args(words)
    try:
        return run(open_session(), asked)
    except F2HDRError as error:
        _say(str(error))
        return error.exit_code


def run(session: Session, asked: argparse.Namespace) -> int:
    """Render and place each clip; one that cannot be rendered is refused with the reason, and the others follow.

    Raises ShotError if there is no clip to render, Canceled on Ctrl-C.
    """
    items, how = collect(session, asked.color)
    if not items:
        raise ShotError(
            "There is no clip to render.",
            hint=f"Select clips (Resolve 21.0.4 and later), give them the clip color {asked.color}, set in and out "
            "marks, or put the playhead on one.",
        )
    _say(f"{len(items)} {how} clip{'' if len(items) == 1 else 's'}, {session.where}")
    code = 0
    for item in items:
        try:
            _say(f"{item.name}: {_treated(session, item, asked)}")
        except Canceled:
            raise
        except F2HDRError as error:
            _say(f"{item.name}: {error}")
            code = error.exit_code
    return code


def _treated(session: Session, item: Item, asked: argparse.Namespace) -> str:
    reason = problem(item, session.rate)
    media = item.media
    if reason or media is None:
        raise ShotError(f"refused: {reason}")
    clip = describe(item, media, asked.handles)
    shot = shot_of(clip, asked, session.project_name)
    warnings = _rendered(shot, clip, asked.backend)
    result = deliver(session, clip, Sequence.parse(shot.output.pattern), asked.placement)
    return " ".join([f"done, frames {clip.first}-{clip.last}, {result.done}.", *result.notes, *warnings])


def shot_of(clip: Clip, asked: argparse.Namespace, project: str) -> Shot:
    """Return the Shot of a clip; other settings use another folder."""
    shot = Shot(
        plate=clip.plate,
        color=Color(input_space=asked.input_space),
        engine=Engine(quality=asked.quality, method=asked.method, weights=asked.weights),
        output=Output(anchor=asked.anchor),
    )
    facts = {"plate": shot.plate, **shot.pixel_digest_fields()}
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:8]
    name = _plain(clip.item.name)
    folder = os.path.join(os.path.abspath(os.path.expanduser(asked.folder)), _plain(project), f"{name}_{digest}")
    output = Output(anchor=asked.anchor, pattern=os.path.join(folder, f"{name}.######.exr").replace("\\", "/"))
    frames = FrameRange(tuple(range(clip.first, clip.last + 1)))
    return Shot(shot.plate, frames=frames, color=shot.color, engine=shot.engine, output=output)


def _rendered(shot: Shot, clip: Clip, backend: str) -> list[str]:
    """Render in the shared server, with progress; return its warnings. Ctrl-C cancels the job."""
    job = submit(connect(program=backend), shot, client="drive_resolve")
    warnings: list[str] = []
    try:
        for event in job.watch():
            _follow(event, clip, warnings)
    except KeyboardInterrupt:
        job.cancel()
        raise Canceled("Canceled; finished frames are kept.") from None
    status = job.status()
    if status.state == "canceled":
        raise Canceled("The job was canceled; finished frames are kept.")
    if status.error is not None:
        raise rebuilt(status.error)
    return warnings


def _follow(event: dict[str, Any], clip: Clip, warnings: list[str]) -> None:
    if event["event"] in ("frame_done", "frame_skipped"):
        _say(f"{clip.item.name}: frame {event['done']} of {event['total']}")
    elif event["event"] == "warned":
        warnings.append(event["message"])


def _plain(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]+", "_", re.sub(r"\.[^.]*$", "", name)).strip("_") or "clip"


def _say(words: str) -> None:
    sys.stderr.write(f"F2HDR: {words}\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Render clips of Resolve Studio's open timeline to scene-linear HDR.")
    parser.add_argument("--placement", choices=("track", "take", "pool"), default="track")
    parser.add_argument("--handles", type=int, default=8, help="frames before and after the clip (default 8)")
    parser.add_argument(
        "--color", default="Teal", help="clips of this color are rendered if nothing is selected (default Teal)"
    )
    parser.add_argument("--folder", default="~/F2HDR", help="folder for the frames (default ~/F2HDR)")
    for name in ("quality", "method", "weights"):
        field = Engine.__dataclass_fields__[name]
        choices = field.metadata.get("choices")
        parser.add_argument(f"--{name}", default=field.default, choices=choices, help=field.metadata["help"])
    parser.add_argument("--anchor", default="long", help="long, short or an EV")
    parser.add_argument("--input-space", default="auto", help="color space of the plates")
    parser.add_argument("--backend", default="", help="path of the f2hdr command; empty: as installed")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
