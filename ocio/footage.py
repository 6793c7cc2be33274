"""The scene-referred spaces of the shipped OCIO config, each as steps to ACES2065-1.

Names and aliases are those of the ACES studio configs if they have the space. A space without a built-in transform
in OCIO 2.3 is built from elementary transforms, with the manufacturer's published formula and primaries.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import PyOpenColorIO as ocio

from f2hdr_backend.color.primaries import BRADFORD, CAT02, D65, STANDARD, to_aces


@dataclass(frozen=True)
class Space:
    """A scene-referred space and the steps from it to ACES2065-1."""

    name: str
    aliases: tuple[str, ...]
    family: str
    encoding: str
    description: str
    steps: tuple[ocio.Transform, ...]


DIGITS = 12
"""Decimals of a matrix in the config. The last bits of a matrix product differ between processors; these do not."""


def matrix(values: np.ndarray) -> ocio.MatrixTransform:
    """Return the step that multiplies RGB by a ``(3, 3)`` matrix, rounded to DIGITS."""
    whole = np.eye(4)
    whole[:3, :3] = np.round(values, DIGITS) + 0.0  # + 0.0 turns -0.0 into 0.0
    return ocio.MatrixTransform(whole.ravel().tolist())


def from_primaries(*chromaticities: float, cones: np.ndarray = BRADFORD) -> ocio.MatrixTransform:
    """Return the step from linear RGB with these primaries and white to ACES2065-1."""
    return matrix(to_aces(chromaticities, cones))


def built_in(style: str) -> ocio.BuiltinTransform:
    """Return the built-in transform of OpenColorIO with this name."""
    return ocio.BuiltinTransform(style)


def matrix_inside(style: str) -> ocio.MatrixTransform:
    """Return the last step of a camera log's built-in transform: the matrix from its primaries to ACES2065-1."""
    config = ocio.Config.CreateRaw()
    *_, last = config.getProcessor(built_in(style)).createGroupTransform()
    return matrix(np.reshape(last.getMatrix(), (4, 4))[:3, :3])


def power(exponent: float) -> ocio.ExponentTransform:
    """Return the step that raises RGB to a power; negative values are mirrored at 0."""
    step = ocio.ExponentTransform([exponent, exponent, exponent, 1.0])
    step.setNegativeStyle(ocio.NEGATIVE_MIRROR)
    return step


def power_with_line(exponent: float, offset: float) -> ocio.ExponentWithLinearTransform:
    """Return the decoding of sRGB and similar curves: linear near 0, else ((x + offset) / (1 + offset)) ** exponent."""
    offsets = [offset, offset, offset, 0.0]
    step = ocio.ExponentWithLinearTransform([exponent, exponent, exponent, 1.0], offsets)
    step.setNegativeStyle(ocio.NEGATIVE_MIRROR)
    return step


@dataclass(frozen=True)
class LogCurve:
    """Code = log_slope * log(linear_slope * x + linear_offset) / log(base) + log_offset; a line below x = ``cut``."""

    base: float
    log_slope: float
    log_offset: float
    linear_slope: float
    linear_offset: float
    cut: float
    line_slope: float

    def decode(self) -> ocio.LogCameraTransform:
        """Return the step from code values to linear values."""
        step = ocio.LogCameraTransform([self.cut] * 3, base=self.base)
        step.setLogSideSlopeValue([self.log_slope] * 3)
        step.setLogSideOffsetValue([self.log_offset] * 3)
        step.setLinSideSlopeValue([self.linear_slope] * 3)
        step.setLinSideOffsetValue([self.linear_offset] * 3)
        step.setLinearSlopeValue([self.line_slope] * 3)
        step.setDirection(ocio.TRANSFORM_DIR_INVERSE)
        return step


DAVINCI = LogCurve(2.0, 0.07329248, 0.07329248 * 7.0, 1.0, 0.0075, 0.00262409, 10.44426855)
"""DaVinci Resolve 17, "Wide Gamut Intermediate" (Blackmagic Design)."""

BLACKMAGIC = LogCurve(
    float(np.e), 0.08692876065491224, 0.5300133392291939, 1.0, 0.005494072432257808, 0.005, 8.283605932402494
)
"""Blackmagic Generation 5 Color Science (Blackmagic Design)."""

DAVINCI_GAMUT = (0.8, 0.313, 0.1682, 0.9877, 0.079, -0.1155, *D65)
BLACKMAGIC_GAMUT = (0.7177215, 0.3171181, 0.228041, 0.861569, 0.1005841, -0.0820452, 0.312717, 0.3290312)


def apple_log() -> tuple[ocio.Transform, ...]:
    """Apple Log Profile White Paper (2023), decoding: a parabola below ``cut``, a logarithm above; in OCIO from 2.4.

    The parabola is one span of a quadratic spline, which continues above the cut as its tangent; the logarithm is
    applied to the linear value at which this tangent has that height.
    """
    zero, cut, square = -0.05641088, 0.01, 47.28711236
    offset, log_slope, log_offset = 0.00964052, 0.08550479, 0.69336945
    joint, slope = square * (cut - zero) ** 2, 2 * square * (cut - zero)
    curve = ocio.GradingBSplineCurve([zero, 0.0, cut, joint])
    curve.setSlopes([0.0, slope])
    parabola = ocio.GradingRGBCurveTransform(
        ocio.GradingRGBCurve(curve, curve, curve, ocio.GradingBSplineCurve([0.0, 0.0, 1.0, 1.0])),
        ocio.GRADING_LOG,
        dynamic=False,
        dir=ocio.TRANSFORM_DIR_INVERSE,
    )
    logarithm = LogCurve(2.0, log_slope, log_offset, 1 / slope, cut - joint / slope + offset, joint, 1.0)
    return logarithm.decode(), parabola


def scene_linear() -> Iterator[Space]:
    """Yield the scene-linear spaces with display primaries."""
    gamuts = (
        ("Linear Rec.709 (sRGB)", ("lin_rec709_srgb", "lin_rec709", "lin_srgb"), "lin_rec709_scene"),
        ("Linear Rec.2020", ("lin_rec2020",), "lin_rec2020_scene"),
        ("Linear P3-D65", ("lin_p3d65",), "lin_p3d65_scene"),
    )
    for name, aliases, interop in gamuts:
        steps = (from_primaries(*STANDARD[interop]),)
        yield Space(name, (*aliases, interop), "Linear", "scene-linear", "Scene-linear light, white D65.", steps)


def cameras() -> Iterator[Space]:
    """Yield the log space and the scene-linear space of every camera."""
    made = (
        ("Sony", "S-Log3 S-Gamut3", "Linear S-Gamut3", "SONY_SLOG3-SGAMUT3_to_ACES2065-1"),
        ("Sony", "S-Log3 S-Gamut3.Cine", "Linear S-Gamut3.Cine", "SONY_SLOG3-SGAMUT3.CINE_to_ACES2065-1"),
        ("ARRI", "ARRI LogC3 (EI800)", "Linear ARRI Wide Gamut 3", "ARRI_ALEXA-LOGC-EI800-AWG_to_ACES2065-1"),
        ("ARRI", "ARRI LogC4", "Linear ARRI Wide Gamut 4", "ARRI_LOGC4_to_ACES2065-1"),
        ("Panasonic", "V-Log V-Gamut", "Linear V-Gamut", "PANASONIC_VLOG-VGAMUT_to_ACES2065-1"),
        ("Canon", "CanonLog2 CinemaGamut D55", "", "CANON_CLOG2-CGAMUT_to_ACES2065-1"),
        ("Canon", "CanonLog3 CinemaGamut D55", "Linear CinemaGamut D55", "CANON_CLOG3-CGAMUT_to_ACES2065-1"),
        ("RED", "Log3G10 REDWideGamutRGB", "Linear REDWideGamutRGB", "RED_LOG3G10-RWG_to_ACES2065-1"),
    )
    for maker, log, linear, style in made:
        yield _log(log, maker, (built_in(style),))
        if linear:
            yield _light(linear, maker, matrix_inside(style))
    blackmagic = from_primaries(*BLACKMAGIC_GAMUT, cones=CAT02)
    yield _log("BMDFilm WideGamut Gen5", "BlackmagicDesign", (BLACKMAGIC.decode(), blackmagic))
    yield _light("Linear BMD WideGamut Gen5", "BlackmagicDesign", blackmagic)
    davinci = from_primaries(*DAVINCI_GAMUT, cones=CAT02)
    yield _log("DaVinci Intermediate WideGamut", "BlackmagicDesign", (DAVINCI.decode(), davinci))
    yield _light("Linear DaVinci WideGamut", "BlackmagicDesign", davinci)
    yield _log("Apple Log", "Apple", (*apple_log(), from_primaries(*STANDARD["lin_rec2020_scene"])))


def _log(name: str, maker: str, steps: tuple[ocio.Transform, ...]) -> Space:
    return Space(name, (alias(name),), f"Input/{maker}", "log", f"{name}, code values of the camera.", steps)


def _light(name: str, maker: str, step: ocio.Transform) -> Space:
    text = f"{name}: scene-linear light in the camera's primaries."
    return Space(name, (alias(name).replace("linear_", "lin_"),), f"Input/{maker}", "scene-linear", text, (step,))


def alias(name: str) -> str:
    """Return a name as an identifier: lower case, digits and underscores."""
    words = name.lower().replace("(", "").replace(")", "").replace(".", "").replace("-", "")
    return words.replace(" ", "_")


def display_coded() -> Iterator[Space]:
    """Yield the display-encoded spaces, and the encoding of the network."""
    rec709 = from_primaries(*STANDARD["lin_rec709_scene"])
    coded = (
        ("sRGB - Texture", ("srgb_tx", "srgb_texture", "srgb_rec709_scene"), power_with_line(2.4, 0.055)),
        ("Gamma 2.2 Rec.709 - Texture", ("g22_rec709_tx", "g22_rec709", "g22_rec709_scene"), power(2.2)),
        ("Camera Rec.709", ("camera_rec709", "rec709_camera"), power_with_line(1 / 0.45, 0.099)),
    )
    for name, aliases, curve in coded:
        text = f"{name}: Rec.709 primaries, undone without any picture rendering."
        yield Space(name, aliases, "Utility", "sdr-video", text, (curve, rec709))
    text = "What the network sees: light relative to the clip, to the power 1/2.2; 0 to 1."
    yield Space("F2HDR LDR", ("f2hdr_ldr",), "F2HDR", "sdr-video", text, (power(2.2), rec709))


def scene_spaces() -> Iterator[Space]:
    """Yield all scene-referred spaces except the reference."""
    aliases = ("lin_ap1", "lin_ap1_scene")
    yield Space("ACEScg", aliases, "ACES", "scene-linear", "ACEScg (AP1).", (built_in("ACEScg_to_ACES2065-1"),))
    yield Space("ACEScct", ("acescct_ap1",), "ACES", "log", "ACEScct (AP1).", (built_in("ACEScct_to_ACES2065-1"),))
    yield from scene_linear()
    yield from cameras()
    yield from display_coded()
