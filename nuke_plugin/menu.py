"""Run by Nuke with a window only: the toolbar, and what keeps the panel of the node up to date."""

import nuke

try:
    from f2hdr_nuke import panel
except ImportError as error:
    nuke.tprint(f"F2HDR has no menu: {error}. Run the installer again.")
else:
    panel.register()
