"""Every node has its own cache folder, also after copy and paste, and after its script gets a name."""

from __future__ import annotations

import os
import shutil

import nuke

from f2hdr_backend.shot.errors import ShotError
from f2hdr_nuke import cache, knobs, paths, result


def own_cache(node: nuke.Node) -> None:
    """Give the node an id if it has none, or a new one if it is a copy of another node of the script.

    Everything that a copy must not share is in knobs of the node itself: the nodes inside may not exist yet. The knob
    ``owner`` has the name of the node that the id was made for, which distinguishes a copy from its original.
    """
    own, name = knobs.text(node, "node_id"), node.fullName()
    others = [other for other in _with_id(own) if other.fullName() != name] if own else []
    if own and (not others or knobs.text(node, "owner") == name):
        knobs.write(node, owner=name)
        return
    knobs.write(node, node_id=cache.new_id(), owner=name)
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
