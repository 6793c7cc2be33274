"""``f2hdr panel`` on a machine without a display."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

COMMAND = "from f2hdr_backend.cli.main import main; main()"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems always have a display")
def test_without_a_display_the_reason_is_stated():
    shown = {"DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"}
    environment = {name: value for name, value in os.environ.items() if name not in shown}
    command = [sys.executable, "-c", COMMAND, "panel"]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, env=environment)
    assert ran.returncode == 1 and "DISPLAY" in ran.stderr and "Traceback" not in ran.stderr
