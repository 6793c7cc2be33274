"""The standalone application: which f2hdr command it uses, and what garbage collections leave out."""

import os
import subprocess
import sys

import pytest

CODE = """
import gc, os
from qtpy import QtWidgets
from f2hdr_backend.panel import app
def shown(*_):
    print("uses", os.environ.get("F2HDR_BACKEND"))
    print("left out:", gc.get_freeze_count() > len(gc.get_objects()))
    return 7
QtWidgets.QApplication.exec = shown
app.run([], "/opt/own/f2hdr")
"""


@pytest.mark.parametrize("named, used", [("", "/opt/own/f2hdr"), ("/opt/named/f2hdr", "/opt/named/f2hdr")])
def test_the_command_that_opened_the_panel_is_its_backend_unless_the_environment_names_one(tmp_path, named, used):
    environment = {
        **os.environ, "QT_QPA_PLATFORM": "offscreen", "XDG_CONFIG_HOME": str(tmp_path), "F2HDR_BACKEND": named,
        "F2HDR_RUNTIME": str(tmp_path),
    }  # fmt: skip
    if not named:
        del environment["F2HDR_BACKEND"]
    ran = subprocess.run([sys.executable, "-c", CODE], env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 7, ran.stderr
    assert f"uses {used}\nleft out: True\n" == ran.stdout
