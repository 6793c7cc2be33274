"""Every node has a folder of its own, also after copy and paste."""

from __future__ import annotations

import nuke

from f2hdr_nuke import cache, knobs, result


def own_cache(node: nuke.Node) -> None:
    """Give the node an id if it has none, or a new one if another node of the script has the same."""
    own = knobs.text(node, "node_id")
    if own and not any(other.fullName() != node.fullName() for other in _with_id(own)):
        return
    with knobs.without_undo():
        node["node_id"].setValue(cache.new_id())
    if own:
        result.forget(node)


def _with_id(name: str) -> list[nuke.Node]:
    return [node for node in knobs.all_nodes() if knobs.text(node, "node_id") == name]
