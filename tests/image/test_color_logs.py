"""Camera logs of the shipped config against independent implementations of the manufacturers' published formulas."""

import math

import numpy as np
import pytest

from f2hdr_backend.color.config import load_config


def slog3(x):
    """Sony, Technical Summary for S-Gamut3.Cine/S-Log3 and S-Gamut3/S-Log3."""
    if x >= 0.01125:
        return (420 + math.log10((x + 0.01) / 0.19) * 261.5) / 1023
    return (x * (171.2102946929 - 95) / 0.01125 + 95) / 1023


def logc3(x):
    """ARRI, ALEXA Log C Curve, EI 800, normalized sensor signal relative to scene light."""
    if x > 0.010591:
        return 0.247190 * math.log10(5.555556 * x + 0.052272) + 0.385537
    return 5.367655 * x + 0.092809


def logc4(x):
    """ARRI LogC4 Logarithmic Color Space, Specification."""
    a, b, c = (2**18 - 16) / 117.45, (1023 - 95) / 1023, 95 / 1023
    s = 7 * math.log(2) * 2 ** (7 - 14 * c / b) / (a * b)
    t = (2 ** (14 * (-c / b) + 6) - 64) / a
    return (math.log2(a * x + 64) - 6) / 14 * b + c if x >= t else (x - t) / s


def vlog(x):
    """Panasonic, V-Log/V-Gamut Reference Manual."""
    return 5.6 * x + 0.125 if x < 0.01 else 0.241514 * math.log10(x + 0.00873) + 0.598206


def clog2(x):
    """Canon, Canon Log Gamma Curves; light is relative to 90 % reflectance."""
    return 0.24136077 * math.log10(87.099375 * x / 0.9 + 1) + 0.092864125


def clog3(x):
    """Canon, Canon Log Gamma Curves; light is relative to 90 % reflectance."""
    x /= 0.9
    if x <= 0.014:
        return 1.9754798 * x + 0.12512219
    return 0.36726845 * math.log10(x * 14.98325 + 1) + 0.12240537


def log3g10(x):
    """RED, White Paper on REDWideGamutRGB and Log3G10."""
    return 0.224282 * math.log10((x + 0.01) * 155.975327 + 1)


def bmdfilm5(x):
    """Blackmagic Design, Blackmagic Generation 5 Color Science."""
    if x < 0.005:
        return 8.283605932402494 * x + 0.09246575342465753
    return 0.08692876065491224 * math.log(x + 0.005494072432257808) + 0.5300133392291939


def davinci(x):
    """Blackmagic Design, DaVinci Resolve 17 Wide Gamut Intermediate."""
    return 10.44426855 * x if x <= 0.00262409 else 0.07329248 * (math.log2(x + 0.0075) + 7)


def apple(x):
    """Apple, Apple Log Profile White Paper."""
    if x >= 0.01:
        return 0.08550479 * math.log2(x + 0.00964052) + 0.69336945
    return 47.28711236 * (x + 0.05641088) ** 2 if x >= -0.05641088 else 0.0


CURVES = {
    "S-Log3 S-Gamut3": (slog3, 0.4106),
    "S-Log3 S-Gamut3.Cine": (slog3, 0.4106),
    "ARRI LogC3 (EI800)": (logc3, 0.3910),
    "ARRI LogC4": (logc4, 0.2784),
    "V-Log V-Gamut": (vlog, 0.4233),
    "CanonLog2 CinemaGamut D55": (clog2, 0.3983),
    "CanonLog3 CinemaGamut D55": (clog3, 0.3434),
    "Log3G10 REDWideGamutRGB": (log3g10, 0.3333),
    "BMDFilm WideGamut Gen5": (bmdfilm5, 0.3836),
    "DaVinci Intermediate WideGamut": (davinci, 0.3360),
    "Apple Log": (apple, 0.4883),
}


@pytest.mark.parametrize("space", CURVES)
def test_the_code_of_18_percent_gray_is_the_published_value(space):
    code = load_config("f2hdr").transform("ACES2065-1", space).apply(np.full((1, 1, 3), 0.18, np.float32))
    assert code == pytest.approx(CURVES[space][1], abs=6e-5)
    assert CURVES[space][0](0.18) == pytest.approx(CURVES[space][1], abs=6e-5)


@pytest.mark.parametrize("space", CURVES)
def test_the_whole_curve_is_the_published_one(space):
    light = np.array([0.0, 0.001, 0.004, 0.008, 0.012, 0.02, 0.09, 0.18, 0.5, 0.9, 1.0, 3.0, 8.0, 12.0], np.float32)
    pixels = np.repeat(light[None, :, None], 3, axis=2)
    codes = load_config("f2hdr").transform("ACES2065-1", space).apply(pixels)
    expected = [CURVES[space][0](float(value)) for value in light]
    np.testing.assert_allclose(codes[0], np.repeat(np.array(expected)[:, None], 3, axis=1), rtol=0, atol=1e-4)


@pytest.mark.parametrize(
    ("space", "code"), [("sRGB - Texture", 0.4614), ("Camera Rec.709", 0.4090), ("gamma22", 0.4587)]
)
def test_the_code_of_gray_in_display_spaces_is_the_published_value(space, code):
    found = load_config("f2hdr").transform("ACES2065-1", space).apply(np.full((1, 1, 3), 0.18, np.float32))
    assert found == pytest.approx(code, abs=1e-4)
