"""Install F2HDR's files for resolve, or remove them: the same as ``f2hdr install resolve``, in any Python from 3.9."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from f2hdr_backend.install.program import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main("resolve", sys.argv[1:]))
