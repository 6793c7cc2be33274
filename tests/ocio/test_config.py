"""The shipped config: what its script writes, sound, and in the package."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import PyOpenColorIO as ocio
import pytest

from f2hdr_backend.color.config import SHIPPED_FILE

ROOT = Path(__file__).parent.parent.parent


def test_it_is_what_its_script_writes():
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, str(ROOT / "ocio" / "build_config.py"), "--check"]
    assert subprocess.run(command, env=environment, check=False).returncode == 0


def test_it_is_valid_and_for_ocio_2_3():
    config = ocio.Config.CreateFromFile(str(SHIPPED_FILE))
    config.validate()
    assert (config.getMajorVersion(), config.getMinorVersion()) == (2, 3)
    assert "FileTransform" not in SHIPPED_FILE.read_text(encoding="utf-8")


def ociocheck():
    beside = Path(sys.executable).with_name("ociocheck")
    return str(beside) if beside.exists() else shutil.which("ociocheck")


@pytest.mark.skipif(ociocheck() is None, reason="ociocheck is not installed")
def test_ociocheck_passes():
    ran = subprocess.run([ociocheck(), "--iconfig", str(SHIPPED_FILE)], capture_output=True, text=True, check=False)
    if "is not supported" in ran.stdout + ran.stderr and "2.3" in ran.stdout + ran.stderr:
        pytest.skip("this ociocheck is older than OCIO 2.3")
    assert ran.returncode == 0 and "Tests complete." in ran.stdout and "ERROR" not in ran.stdout


def test_every_display_and_view_can_be_made():
    config = ocio.Config.CreateFromFile(str(SHIPPED_FILE))
    for display in ("sRGB", "Rec.709", "Display P3", "Rec.2100-PQ", "Rec.2100-HLG"):
        assert len(list(config.getViews(display))) >= 2
        for view in config.getViews(display):
            config.getProcessor(ocio.DisplayViewTransform("ACEScg", display, view)).getDefaultCPUProcessor()


def test_nothing_of_it_is_missing():
    names = set(ocio.Config.CreateFromFile(str(SHIPPED_FILE)).getColorSpaceNames())
    assert names >= {
        "S-Log3 S-Gamut3", "S-Log3 S-Gamut3.Cine", "ARRI LogC3 (EI800)", "ARRI LogC4", "V-Log V-Gamut",
        "CanonLog2 CinemaGamut D55", "CanonLog3 CinemaGamut D55", "Log3G10 REDWideGamutRGB", "BMDFilm WideGamut Gen5",
        "DaVinci Intermediate WideGamut", "Apple Log", "sRGB - Texture", "Gamma 2.2 Rec.709 - Texture",
        "Camera Rec.709", "Linear Rec.709 (sRGB)", "Linear Rec.2020", "Linear P3-D65", "ACEScg", "ACES2065-1",
        "F2HDR LDR", "Raw",
    }  # fmt: skip
