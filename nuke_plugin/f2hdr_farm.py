"""Bake, then render: ``nuke -F 1001-1010 -x f2hdr_farm.py shot.nk``.

Nuke runs this file first and then renders the Writes of the script that it opened, for the same frames.
"""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from f2hdr_nuke import farm  # noqa: E402

farm.main(sys.argv)
