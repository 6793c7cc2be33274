"""Every node has its own cache folder, also after copy and paste, and after its script gets a name."""

from __future__ import annotations

import os
import shutil

import nuke

from f2hdr_backend.shot.errors import ShotError
from f2hdr_nuke import cache, knobs, paths, result


def own_cache(node: nuke.Node) -> None:
    """Give the node an id if it has none, or a new one if another node of the script has the same.

    Everything that a copy must not share is in knobs of the node itself: the nodes inside may not exist yet.
    """
    own = knobs.text(node, "node_id")
    if own and not any(other.fullName() != node.fullName() for other in _with_id(own)):
        return
    with knobs.without_undo():
        knobs.write(node, node_id=cache.new_id())
    if own:
        result.forget(node)


def leave_unsaved(node: nuke.Node) -> None:
    """Move the node's cache out of the temporary folder of a script without a name, once the script has one.

    Raises ShotError if it cannot be moved; it then stays where it is.
    """
    record = result.baked(node)
    if record is None or not paths.is_unsaved(record["folder"]):
        return
    target = paths.node_folder(node)
    if paths.is_unsaved(target):
        return
    try:
        if not os.path.isdir(target):
            os.makedirs(os.path.dirname(target), exist_ok=True)
            shutil.move(record["folder"], target)
    except OSError as error:
        raise ShotError(
            f"The frames in {record['folder']} cannot be moved to {target}: {error.strerror or error}.",
            hint="Check the folder's permissions, or choose a cache folder (tab Files) and bake again.",
        ) from error
    result.moved(node, record, target)


def _with_id(name: str) -> list[nuke.Node]:
    return [node for node in knobs.all_nodes() if knobs.text(node, "node_id") == name]
