"""Writing one frame of the input to a file, with the Write inside the node."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import nuke

from f2hdr_backend.shot.errors import ShotError
from f2hdr_nuke import graph, knobs
from f2hdr_nuke.plan import Plan


def write_one(plan: Plan, view: str, frame: int, path: str) -> None:
    """Render the picture that arrives at the node, in full size, to ``path``.

    Raises ShotError if the input is not the one that the plan was made for, RuntimeError if Nuke cannot render or is
    stopped.
    """
    node = knobs.find(plan.node)
    if graph.look(node).digest != plan.input_digest:
        raise ShotError(
            f"The input of {plan.node} was changed during the bake.", hint="Bake again; finished frames are kept."
        )
    with knobs.without_undo(), knobs.full_size(), _open_write(node, path) as write:
        nuke.execute(write, frame, frame, 1, views=[view])


@contextlib.contextmanager
def _open_write(node: nuke.Node, path: str) -> Iterator[nuke.Node]:
    """The Write inside the node, enabled for one file."""
    write = knobs.inner(node, knobs.PLATE)
    if write.knob("write_hash") is not None:
        write["write_hash"].setValue(False)
    write["file"].setValue(path)
    write["disable"].setValue(False)
    try:
        yield write
    finally:
        write["disable"].setValue(True)
        write["file"].setValue("")
