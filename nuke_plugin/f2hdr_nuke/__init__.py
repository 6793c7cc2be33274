"""F2HDR's node for Nuke 14 to 17: a Group that writes its plate, asks the backend, and reads the result.

What the node's buttons call is here. Standard library only, Python 3.9; the backend is another process.
"""

from f2hdr_nuke.buttons import bake, check, clear, detect, show_log

__all__ = ["bake", "check", "clear", "detect", "show_log"]
