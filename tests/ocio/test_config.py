"""The shipped config: equal to what its script writes, valid, and in the package."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import PyOpenColorIO as ocio
import pytest

from f2hdr_backend.color.config import SHIPPED_FILE

ROOT = Path(__file__).parent.parent.parent


def build_config(*arguments, **environment):
    """Run the script that writes the config, as a user does."""
    command = [sys.executable, str(ROOT / "ocio" / "build_config.py"), *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("arithmetic", ["", "Prescott", "Haswell", "SkylakeX"])
def test_the_config_equals_the_output_of_its_script_for_any_arithmetic(arithmetic):
    """The names are OpenBLAS's for processors whose matrix products round differently; others ignore them."""
    ran = build_config("--check", **({"OPENBLAS_CORETYPE": arithmetic} if arithmetic else {}))
    assert ran.returncode == 0, ran.stderr


def test_matrix_numbers_of_the_config_have_at_most_12_decimals():
    matrices = re.findall(r"matrix: \[([^]]+)\]", SHIPPED_FILE.read_text(encoding="utf-8"))
    numbers = [number for matrix in matrices for number in matrix.split(", ")]
    assert len(numbers) >= 16 * 15
    assert all(len(number.partition(".")[2]) <= 12 and "e" not in number for number in numbers)


def test_the_script_with_arguments_does_not_write_the_config():
    before = SHIPPED_FILE.stat().st_mtime_ns
    for arguments, code in ((["--help"], 0), (["--nosuch"], 2), (["somewhere.ocio"], 2), (["--check"], 0)):
        assert build_config(*arguments).returncode == code
    assert SHIPPED_FILE.stat().st_mtime_ns == before


def test_the_config_is_valid_for_ocio_2_3():
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


def test_every_display_and_view_has_a_processor():
    config = ocio.Config.CreateFromFile(str(SHIPPED_FILE))
    for display in ("sRGB", "Rec.709", "Display P3", "Rec.2100-PQ", "Rec.2100-HLG"):
        assert len(list(config.getViews(display))) >= 2
        for view in config.getViews(display):
            config.getProcessor(ocio.DisplayViewTransform("ACEScg", display, view)).getDefaultCPUProcessor()


def test_the_config_has_all_camera_and_delivery_spaces():
    names = set(ocio.Config.CreateFromFile(str(SHIPPED_FILE)).getColorSpaceNames())
    assert names >= {
        "S-Log3 S-Gamut3", "S-Log3 S-Gamut3.Cine", "ARRI LogC3 (EI800)", "ARRI LogC4", "V-Log V-Gamut",
        "CanonLog2 CinemaGamut D55", "CanonLog3 CinemaGamut D55", "Log3G10 REDWideGamutRGB", "BMDFilm WideGamut Gen5",
        "DaVinci Intermediate WideGamut", "Apple Log", "sRGB - Texture", "Gamma 2.2 Rec.709 - Texture",
        "Camera Rec.709", "Linear Rec.709 (sRGB)", "Linear Rec.2020", "Linear P3-D65", "ACEScg", "ACES2065-1",
        "F2HDR LDR", "Raw",
    }  # fmt: skip
