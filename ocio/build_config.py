"""Builds the OCIO config that ships with F2HDR, from OpenColorIO's built-in transforms.

python ocio/build_config.py            writes f2hdr_backend/color/ocio/f2hdr.ocio
python ocio/build_config.py --check    exits with 1 if that file differs from what would be written
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import PyOpenColorIO as ocio
from footage import Space, alias, built_in, matrix, scene_spaces

TARGET = Path(__file__).parent.parent / "f2hdr_backend" / "color" / "ocio" / "f2hdr.ocio"
PROFILE = (2, 3)
REFERENCE = "ACES2065-1"
XYZ = "CIE-XYZ-D65"
TO_XYZ = "UTILITY - ACES-AP0_to_CIE-XYZ-D65_BFD"
UN_TONE_MAPPED, WHITE_203 = "Un-tone-mapped", "Reference white 203 nits"
ACES_SDR, ACES_HDR = "ACES 1.0 - SDR Video", "ACES 1.1 - HDR Video (1000 nits & Rec.2020 lim)"
SDR_VIEWS, HDR_VIEWS = (ACES_SDR, UN_TONE_MAPPED), (WHITE_203, UN_TONE_MAPPED, ACES_HDR)

DISPLAYS = (
    ("sRGB", "sRGB", "srgb_rec709_display", SDR_VIEWS),
    ("Rec.709", "REC.1886-REC.709", "g24_rec709_display", SDR_VIEWS),
    ("Display P3", "DisplayP3", "srgb_p3d65_display", SDR_VIEWS),
    ("Rec.2100-PQ", "REC.2100-PQ", "pq_rec2020_display", HDR_VIEWS),
    ("Rec.2100-HLG", "REC.2100-HLG-1000nit", "hlg_rec2020_display", HDR_VIEWS),
)
"""Name, OpenColorIO's name, interop identifier and views; the first view is the default."""
DISPLAY_SPACES = {"Rec.709": "Rec.1886 Rec.709 - Display"}
"""Names of display color spaces that differ from the name of the display."""

VIEWS = (
    (UN_TONE_MAPPED, (built_in(TO_XYZ),), "Colors as they are: 1.0 is the white of the display, or 100 nits."),
    (WHITE_203, (matrix(np.eye(3) * 2.03), built_in(TO_XYZ)), "1.0 is 203 nits, as ITU-R BT.2408 has diffuse white."),
    (ACES_SDR, (built_in("ACES-OUTPUT - ACES2065-1_to_CIE-XYZ-D65 - SDR-VIDEO_1.0"),), "ACES for 100 nits."),
    (
        ACES_HDR,
        (built_in("ACES-OUTPUT - ACES2065-1_to_CIE-XYZ-D65 - HDR-VIDEO-1000nit-15nit-REC2020lim_1.1"),),
        "ACES for 1000 nits.",
    ),
)
ROLES = {
    "aces_interchange": REFERENCE, "cie_xyz_d65_interchange": XYZ, "scene_linear": "ACEScg", "default": REFERENCE,
    "compositing_log": "ACEScct", "color_timing": "ACEScct", "matte_paint": "sRGB - Texture",
    "texture_paint": "sRGB - Texture", "color_picking": "sRGB - Texture", "data": "Raw",
}  # fmt: skip


def build() -> ocio.Config:
    """Return the whole config; raises if OCIO finds it invalid."""
    config = ocio.Config()
    config.setVersion(*PROFILE)
    config.setName("f2hdr")
    config.setDescription("F2HDR: footage in, scene-linear light out, displays to look at it. By ocio/build_config.py.")
    config.setSearchPath("")
    config.setStrictParsingEnabled(True)
    _add_reference(config)
    for space in scene_spaces():
        _add_scene_space(config, space)
    _add_raw(config)
    _add_displays(config)
    for role, name in ROLES.items():
        config.setRole(role, name)
    rules = ocio.FileRules()
    rules.insertPathSearchRule(0)
    rules.setDefaultRuleColorSpace(REFERENCE)
    config.setFileRules(rules)
    config.validate()
    return config


def _add_reference(config: ocio.Config) -> None:
    reference = ocio.ColorSpace(ocio.REFERENCE_SPACE_SCENE, REFERENCE, ["lin_ap0", "lin_ap0_scene"])
    reference.setFamily("ACES")
    reference.setEncoding("scene-linear")
    reference.setDescription("ACES2065-1 (AP0): what the other spaces convert through.")
    config.addColorSpace(reference)


def _add_scene_space(config: ocio.Config, space: Space) -> None:
    entry = ocio.ColorSpace(ocio.REFERENCE_SPACE_SCENE, space.name, list(space.aliases))
    entry.setFamily(space.family)
    entry.setEncoding(space.encoding)
    entry.setDescription(space.description)
    transform = space.steps[0] if len(space.steps) == 1 else ocio.GroupTransform(list(space.steps))
    entry.setTransform(transform, ocio.COLORSPACE_DIR_TO_REFERENCE)
    config.addColorSpace(entry)


def _add_raw(config: ocio.Config) -> None:
    raw = ocio.ColorSpace(ocio.REFERENCE_SPACE_SCENE, "Raw", isData=True)
    raw.setDescription("Data, not color: never converted.")
    config.addColorSpace(raw)


def _add_displays(config: ocio.Config) -> None:
    xyz = ocio.ColorSpace(ocio.REFERENCE_SPACE_DISPLAY, XYZ)
    xyz.setEncoding("display-linear")
    config.addColorSpace(xyz)
    for name, steps, text in VIEWS:
        view = ocio.ViewTransform(ocio.REFERENCE_SPACE_SCENE, name)
        view.setDescription(text)
        view.setTransform(
            steps[0] if len(steps) == 1 else ocio.GroupTransform(list(steps)), ocio.VIEWTRANSFORM_DIR_FROM_REFERENCE
        )
        config.addViewTransform(view)
    config.setDefaultViewTransformName(UN_TONE_MAPPED)
    for display, style, interop, views in DISPLAYS:
        name = DISPLAY_SPACES.get(display, f"{display} - Display")
        space = ocio.ColorSpace(ocio.REFERENCE_SPACE_DISPLAY, name, [alias(name.replace(" - ", " ")), interop])
        space.setFamily("Display")
        space.setEncoding("hdr-video" if views is HDR_VIEWS else "sdr-video")
        space.setTransform(built_in(f"DISPLAY - CIE-XYZ-D65_to_{style}"), ocio.COLORSPACE_DIR_FROM_REFERENCE)
        config.addColorSpace(space)
        for view in views:
            config.addDisplayView(display=display, view=view, viewTransform=view, displayColorSpaceName=name)


def main(arguments: list[str]) -> int:
    """Write the config; with ``--check`` write nothing and return 1 if the file differs from what would be written."""
    parser = argparse.ArgumentParser(description="Build the OCIO config that ships with F2HDR.")
    parser.add_argument("--check", action="store_true", help=f"write nothing; exit with 1 if {TARGET.name} differs")
    check = parser.parse_args(arguments).check
    text = build().serialize()
    if not check:
        TARGET.write_text(text, encoding="utf-8")
        return 0
    present, new = ocio.Config.CreateFromFile(str(TARGET)), ocio.Config.CreateFromStream(text)
    if present.serialize() == new.serialize():
        return 0
    print(f"{TARGET} differs from the output of ocio/build_config.py; run it without --check.", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
