"""What a machine lacks is one skipped test, however many tests need it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
OWN_SETTINGS = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": ""}
"""The inner run does not take the plugins and options of the outer one."""
MODULE = """
import pytest

needs_printer = pytest.mark.skipif(True, reason="needs a printer")

@needs_printer
@pytest.mark.parametrize("number", range(5))
def test_light(number):
    assert False

@pytest.mark.skipif(False, reason="needs a hand")
def test_touch():
    pass

@needs_printer
@pytest.mark.skipif(True, reason="needs a cable")
def test_current():
    assert False

@pytest.mark.skipif(True, reason="needs a cable")
def test_cable():
    assert False
"""


def test_each_reason_is_skipped_once_and_tests_without_one_run(tmp_path: Path) -> None:
    (tmp_path / "test_a.py").write_text(MODULE)
    (tmp_path / "test_b.py").write_text("import test_a\n\n@test_a.needs_printer\ndef test_more():\n    assert False\n")
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-rs", "-p", "tests.one_skip", "-p", "no:cacheprovider", str(tmp_path)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{tmp_path}", **OWN_SETTINGS},
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "1 passed, 2 skipped, 6 deselected" in ran.stdout
    assert ran.stdout.count("needs a printer") == ran.stdout.count("needs a cable") == 1
