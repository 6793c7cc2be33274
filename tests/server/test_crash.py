"""SIGKILL at any moment: clients detect it, finished frames are kept, a new request renders the rest, no files are
left.
"""

from __future__ import annotations

from pathlib import Path

from tests.server.crash import crash


def test_renders_are_resumed_after_the_server_was_killed(tmp_path: Path) -> None:
    seen = crash(tmp_path, lives=2, renders=4)
    assert seen.problems == []
    assert len(seen.rendered_before) == 8
