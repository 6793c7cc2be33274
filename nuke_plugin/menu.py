"""Run by Nuke with a window only: the toolbar, and what keeps the node's panel true."""

import nuke

try:
    from f2hdr_nuke import panel
except ImportError as error:
    nuke.tprint(f"F2HDR has no menu: {error}. Run its installer again.")
else:
    panel.register()
