"""F2HDR's node for Nuke 14 to 17: a Group that writes its plate, has the backend render it, and reads the result.

The functions here are called by the node's buttons. Standard library only, Python 3.9; the backend is another process.
"""

from f2hdr_nuke.buttons import bake, bake_frame, check, clear, detect, show_log

__all__ = ["bake", "bake_frame", "check", "clear", "detect", "show_log"]
