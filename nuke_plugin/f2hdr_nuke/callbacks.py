"""What Nuke calls in every process: a node was made or pasted; a frame is about to be rendered."""

from __future__ import annotations

import nuke

from f2hdr_backend.shot.errors import F2HDRError
from f2hdr_nuke import copies, farm, knobs


def register() -> None:
    """Ask Nuke to call; asking twice is the same as once."""
    nuke.addOnCreate(made, nodeClass="Group")
    nuke.addBeforeFrameRender(before_frame, nodeClass="Write")


def made() -> None:
    """A Group was made, pasted, undone or loaded."""
    node = nuke.thisNode()
    if knobs.is_f2hdr(node):
        copies.own_cache(node)


def before_frame() -> None:
    """A Write is about to render a frame: in terminal renders, ask the backend for what it needs.

    Raises RuntimeError, which stops the render.
    """
    write = nuke.thisNode()
    if nuke.GUI or write.name() == knobs.PLATE:
        return
    try:
        farm.provide(write, int(nuke.frame()))
    except F2HDRError as error:
        raise RuntimeError(f"F2HDR: {error}") from error
