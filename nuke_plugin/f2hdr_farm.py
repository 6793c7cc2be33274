"""Bake, then render: ``nuke -F 1001-1010 -x f2hdr_farm.py shot.nk``.

Nuke runs this file first, and then renders the Writes of the script that was opened, for the same frames.
"""

import os
import sys

# Not every version of Nuke gives a script that it runs with -x the name of its file; its arguments have it then.
sys.path.insert(0, os.path.dirname(os.path.abspath(globals().get("__file__") or sys.argv[0])))

from f2hdr_nuke import farm  # noqa: E402

farm.main(sys.argv)
