"""Run by Nuke in every process that has this folder on its plug-in path; quick, without a window, without a backend."""

import nuke

try:
    from f2hdr_nuke import callbacks
except ImportError as error:
    nuke.tprint(f"F2HDR is not complete here ({error}); baked frames still render. Run the installer again.")
else:
    callbacks.register()
