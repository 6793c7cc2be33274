"""Color from plate files to EXR files, with the classical merge: the path itself is tested, not the network."""

import json
from dataclasses import replace

import numpy as np
import OpenEXR
import OpenImageIO as oiio
import pytest

from f2hdr_backend.color.config import SHIPPED_FILE, load_config
from f2hdr_backend.engine.check import check
from f2hdr_backend.engine.renderer import Renderer
from f2hdr_backend.engine.settle import prepare
from f2hdr_backend.image.write import write_exr, write_image
from f2hdr_backend.shot.document import Color, Engine, Output, Shot
from f2hdr_backend.shot.errors import ColorError, MissingFrames
from f2hdr_backend.shot.events import ColorSettled, FrameDone, FrameSkipped, Warned
from f2hdr_backend.shot.exposure import ExposurePattern
from f2hdr_backend.shot.frames import FrameRange
from tests.color.test_icc import gamma, profile
from tests.engine.alternating import Scene

GAIN = 8.0
SIZE = (48, 64)
AP1 = (0.713, 0.293, 0.165, 0.83, 0.128, 0.044, 0.32168, 0.33767)
MERGE = Engine(method="merge", device="cpu", precision="fp32")


@pytest.fixture(autouse=True)
def no_environment(monkeypatch):
    monkeypatch.delenv("OCIO", raising=False)


@pytest.fixture(scope="module")
def config():
    return load_config("f2hdr")


def scene():
    """Light 0-1 in units of the short clip, colored: a ramp with texture and a warm to cold gradient."""
    height, width = SIZE
    texture = np.random.default_rng(1).uniform(0.97, 1.0, (height, width, 1))
    ramp = np.linspace(0.01, 1.0, width)[None, :, None]
    tint = np.stack([np.linspace(1, 0.6, height), np.full(height, 0.8), np.linspace(0.6, 1, height)], axis=1)
    return (ramp * texture * tint[:, None, :]).astype(np.float32)


def exposed(number, clip=1.0):
    """Light of one exposure, 1 short: clipped at ``clip``, a number or three."""
    return np.clip(scene() * (1.0 if number % 2 else GAIN), 0, 1) * np.asarray(clip, np.float32)


def shot_of(tmp_path, name, **color):
    return Shot(
        plate=str(tmp_path / name),
        exposures=ExposurePattern((0.0, 3.0), 1),
        cuts=(),
        color=Color(**color),
        engine=MERGE,
        output=Output(pattern=str(tmp_path / "hdr" / "o.#.exr"), pixel_type="float"),
    )


def write_light(tmp_path, clip=1.0, header=None):
    for number in range(1, 6):
        write_exr(tmp_path / f"lin.{number}.exr", {"RGB": exposed(number, clip)}, header or {}, pixel_type="float")
    return "lin.#.exr"


def write_codes(tmp_path, suffix, encode):
    for number in range(1, 6):
        write_image(tmp_path / f"coded.{number}{suffix}", encode(exposed(number)), bits=16)
    return f"coded.#{suffix}"


def write_profiled(tmp_path, icc, power):
    """16-bit TIFF, coded by a power and tagged with a profile, by OpenImageIO."""
    for number in range(1, 6):
        spec = oiio.ImageSpec(SIZE[1], SIZE[0], 3, "uint16")
        spec.attribute("ICCProfile", oiio.TypeDesc(f"uint8[{len(icc)}]"), np.frombuffer(icc, np.uint8))
        output = oiio.ImageOutput.create("icc.tif")
        assert output.open(str(tmp_path / f"icc.{number}.tif"), spec)
        assert output.write_image(exposed(number).astype(np.float32) ** np.float32(1 / power)) and output.close()
    return "icc.#.tif"


def render(shot):
    return list(Renderer(shot.engine).render(shot))


def result(shot, number=3):
    return OpenEXR.File(shot.output.pattern.replace("#", str(number))).channels()["RGB"].pixels


def header(shot, number=3):
    return OpenEXR.File(shot.output.pattern.replace("#", str(number)), header_only=True).header()


def warned(events):
    return {event.code: event.message for event in events if isinstance(event, Warned)}


def test_linear_srgb_log_and_icc_versions_give_the_same_radiance(tmp_path, config):
    results = {}
    versions = {"linear": ("linear", write_light(tmp_path))}
    for name, suffix, light, space in (
        ("srgb", ".png", "Linear Rec.709 (sRGB)", "sRGB - Texture"),
        ("slog3", ".tif", "Linear S-Gamut3.Cine", "S-Log3 S-Gamut3.Cine"),
        ("logc4", ".tif", "Linear ARRI Wide Gamut 4", "ARRI LogC4"),
    ):
        (tmp_path / name).mkdir()
        pattern = write_codes(tmp_path / name, suffix, config.transform(light, space).apply)
        versions[name] = (space, f"{name}/{pattern}")
    versions["icc"] = ("auto", write_profiled(tmp_path, profile(gamma(1.8)), 461 / 256))
    for name, (space, plate) in versions.items():
        shot = shot_of(tmp_path, plate, input_space=space)
        shot = replace(shot, output=replace(shot.output, pattern=str(tmp_path / "hdr" / f"{name}.#.exr")))
        render(shot)
        results[name] = result(shot)
    truth = scene() * GAIN
    for name, found in results.items():
        np.testing.assert_allclose(found, results["linear"], rtol=0.01, atol=1e-3, err_msg=name)
        np.testing.assert_allclose(found, truth, rtol=0.01, atol=0.004, err_msg=name)


def test_values_above_1_are_returned_in_the_units_of_the_plate(tmp_path):
    shot = shot_of(tmp_path, write_light(tmp_path, clip=5.25))
    events = render(shot)
    (settled,) = (event for event in events if isinstance(event, ColorSettled))
    assert settled.clip_level == (5.25,) and settled.clip_source == "seen" and not warned(events)
    np.testing.assert_allclose(result(shot), scene() * GAIN * 5.25, rtol=0.01, atol=0.02)
    assert result(shot).max() > 5.25 * 7.5


def test_channels_that_clip_at_different_levels_keep_their_white_balance(tmp_path):
    shot = shot_of(tmp_path, write_light(tmp_path, clip=(2.1, 1.0, 1.6)))
    events = render(shot)
    (settled,) = (event for event in events if isinstance(event, ColorSettled))
    assert settled.clip_level == pytest.approx((2.1, 1.0, 1.6), rel=1e-4)
    np.testing.assert_allclose(result(shot), scene() * GAIN * np.array([2.1, 1.0, 1.6]), rtol=0.01, atol=0.01)
    assert header(shot)["f2hdr/clip_level"] == pytest.approx([2.1, 1.0, 1.6], rel=1e-4)


def test_a_result_in_acescg_equals_the_truth_and_is_tagged(tmp_path, config):
    shot = shot_of(tmp_path, write_codes(tmp_path, ".tif", lambda light: light ** (1 / 2.2)), output_space="acescg")
    events = render(shot)
    assert "Rec.709" in warned(events)["primaries_assumed"]
    truth = config.transform("Linear Rec.709 (sRGB)", "ACEScg").apply(scene() * GAIN)
    for number in range(1, 6):
        np.testing.assert_allclose(result(shot, number), truth, rtol=0.01, atol=0.004)
    said = header(shot)
    assert said["chromaticities"] == pytest.approx(AP1, abs=1e-6)
    assert said["colorInteropID"] == "lin_ap1_scene"
    assert said["f2hdr/output_space"] == "ACEScg" and said["f2hdr/input_space"] == "gamma22"
    assert said["f2hdr/color_config"] == "f2hdr" and said["f2hdr/color_config_digest"] == config.digest


def test_the_coarse_layer_is_in_the_output_space(tmp_path, config):
    shot = shot_of(tmp_path, write_light(tmp_path), output_space="ACEScg")
    shot = replace(shot, output=replace(shot.output, layers=("coarse",)))
    render(shot)
    channels = OpenEXR.File(shot.output.pattern.replace("#", "3"), separate_channels=True).channels()
    coarse = np.stack([channels[f"coarse.{name}"].pixels for name in "RGB"], axis=-1)
    truth = config.transform("Linear Rec.709 (sRGB)", "ACEScg").apply(scene() * GAIN)
    assert np.median(np.abs(coarse - truth) / truth) < 0.02


def test_the_tagged_color_space_of_a_plate_is_used(tmp_path, config):
    old = {"colorInteropID": "lin_ap1_scene", "chromaticities": AP1, "owner": "me"}
    kept = shot_of(tmp_path, write_light(tmp_path, header=old))
    assert [event.input_space for event in render(kept) if isinstance(event, ColorSettled)] == ["ACEScg"]
    said = header(kept)
    assert said["f2hdr/output_space"] == "ACEScg" and said["colorInteropID"] == "lin_ap1_scene"
    np.testing.assert_allclose(result(kept), scene() * GAIN, rtol=0.01, atol=0.004)
    moved = shot_of(tmp_path, "lin.#.exr", output_space="Linear Rec.709 (sRGB)")
    render(moved)
    said = header(moved)
    assert said["colorInteropID"] == "lin_rec709_scene" and said["owner"] == "me"
    assert said["chromaticities"][:2] == pytest.approx((0.64, 0.33), abs=1e-6)
    truth = config.transform("ACEScg", "Linear Rec.709 (sRGB)").apply(scene() * GAIN)
    np.testing.assert_allclose(result(moved), truth, rtol=0.012, atol=0.02)


ODD = (0.7, 0.3, 0.2, 0.75, 0.14, 0.05, 0.3127, 0.329)
XYZ = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 1 / 3, 1 / 3)


@pytest.mark.parametrize("odd", [ODD, XYZ])
def test_primaries_in_the_header_are_used_if_no_space_has_them(tmp_path, config, odd):
    shot = shot_of(tmp_path, write_light(tmp_path, header={"chromaticities": odd}), output_space="ACEScg")
    assert not warned(render(shot))
    truth = config.transform("linear", "ACEScg", odd).apply(scene() * GAIN)
    np.testing.assert_allclose(result(shot), truth, rtol=0.01, atol=0.004)


def test_wrong_primaries_are_reported_and_impossible_ones_refused(tmp_path):
    write_light(tmp_path, header={"chromaticities": AP1})
    said = warned(render(shot_of(tmp_path, "lin.#.exr", input_space="Linear Rec.2020")))
    assert "lin_ap1_scene" in said["primaries_disagree"] and "Linear Rec.2020" in said["primaries_disagree"]
    write_light(tmp_path, header={"chromaticities": (0.3, 0.3) * 3 + (0.3127, 0.329)})
    with pytest.raises(ColorError, match="gamut") as caught:
        render(shot_of(tmp_path, "lin.#.exr", output_space="ACEScg"))
    assert caught.value.exit_code == 2


def test_log_footage_tagged_as_linear_is_reported(tmp_path, config):
    encode = config.transform("Linear S-Gamut3", "S-Log3 S-Gamut3").apply
    for number in range(1, 6):
        write_exr(tmp_path / f"log.{number}.exr", {"RGB": encode(exposed(number))}, {})
    said = warned(render(shot_of(tmp_path, "log.#.exr")))
    assert "camera log" in said["looks_log"] and "--input-space" in said["looks_log"]
    assert "looks_log" not in warned(render(shot_of(tmp_path, write_light(tmp_path))))


@pytest.mark.parametrize(
    ("color", "words"),
    [
        ({"input_space": "slog3"}, "S-Log3"),
        ({"output_space": "sRGB - Texture"}, "sRGB - Texture.*ACEScg.*f2hdr convert"),
        ({"output_space": "Raw"}, "data"),
        ({"output_space": "ACESgc"}, "ACESgc.*ACEScg"),
        ({"output_space": "ACEScg", "config": "/no/such.ocio"}, "/no/such.ocio"),
        ({"output_space": "ACEScg", "config": "ocio://studio-config-latest"}, "ocio://studio-config-v"),
    ],
)
def test_invalid_color_settings_are_refused_before_a_frame_is_rendered(tmp_path, color, words):
    shot = shot_of(tmp_path, write_light(tmp_path), **color)
    with pytest.raises(ColorError, match=words):
        render(shot)
    assert not (tmp_path / "hdr").exists()


def test_gamma22_and_linear_need_no_config_and_a_broken_config_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setenv("OCIO", "/no/such.ocio")
    write_light(tmp_path)
    render(shot_of(tmp_path, "lin.#.exr", input_space="linear"))
    with pytest.raises(ColorError, match=r"/no/such\.ocio.*\$OCIO"):
        render(shot_of(tmp_path, "lin.#.exr"))


def test_the_config_of_the_environment_is_written_into_the_settled_shot(tmp_path, monkeypatch):
    own = tmp_path / "own.ocio"
    own.write_bytes(SHIPPED_FILE.read_bytes())
    monkeypatch.setenv("OCIO", str(own))
    settled, _ = prepare(shot_of(tmp_path, write_light(tmp_path), output_space="lin_p3d65"))
    expected = Color(input_space="linear", output_space="Linear P3-D65", config=str(own), context=(), clip_level=(1.0,))
    assert settled.color == expected
    assert Shot.from_json(json.dumps(settled.to_json())) == settled
    monkeypatch.delenv("OCIO")
    again, reported = prepare(settled)
    assert again == settled and not any(isinstance(event, ColorSettled) for event in reported)


CONTEXT_CONFIG = """
ocio_profile_version: 2
search_path: luts
roles: {default: lin, scene_linear: lin, aces_interchange: lin}
displays: {d: [!<View> {name: v, colorspace: lin}]}
colorspaces:
  - !<ColorSpace> {name: lin, encoding: scene-linear}
  - !<ColorSpace> {name: cam, encoding: scene-linear, to_scene_reference: !<FileTransform> {src: "${SHOT}.cc"}}
  - !<ColorSpace> {name: other, to_scene_reference: !<FileTransform> {src: "$UNUSED/$SHOW.cc"}}
"""
CDL = '<ColorCorrection id="x"><SOPNode><Slope>{0} {0} {0}</Slope><Offset>0 0 0</Offset><Power>1 1 1</Power></SOPNode>'
CDL += "</ColorCorrection>"


def test_context_variables_are_those_of_the_settled_shot(tmp_path, monkeypatch):
    (tmp_path / "luts").mkdir()
    for name, slope in (("sh010", 2), ("sh020", 0.5)):
        (tmp_path / "luts" / f"{name}.cc").write_text(CDL.format(slope), encoding="utf-8")
    (tmp_path / "c.ocio").write_text(CONTEXT_CONFIG, encoding="utf-8")
    wanted = shot_of(
        tmp_path, write_light(tmp_path), input_space="cam", output_space="lin", config=str(tmp_path / "c.ocio")
    )
    monkeypatch.setenv("SHOT", "sh010")
    monkeypatch.setenv("SHOW", "of no interest")
    monkeypatch.delenv("UNUSED", raising=False)
    settled, _ = prepare(wanted)
    assert settled.color.context == ("SHOT=sh010", "SHOW=of no interest")
    assert Shot.from_json(json.dumps(settled.to_json())) == settled
    for value in ("sh020", None):
        monkeypatch.setenv("SHOT", value) if value else monkeypatch.delenv("SHOT")
        render(replace(settled, output=replace(settled.output, pattern=str(tmp_path / f"{value}.#.exr"))))
        found = OpenEXR.File(str(tmp_path / f"{value}.3.exr")).channels()["RGB"].pixels
        np.testing.assert_allclose(found, scene() * GAIN * 2, rtol=0.01, atol=0.004)
    last = replace(settled, output=replace(settled.output, pattern=str(tmp_path / "None.#.exr")))
    assert [event.problem for event in check(last)] == [""] * 5


def test_another_config_or_space_renders_again_and_an_equal_one_does_not(tmp_path):
    own = tmp_path / "own.ocio"
    own.write_bytes(SHIPPED_FILE.read_bytes())
    shot = shot_of(tmp_path, write_light(tmp_path), output_space="ACEScg", config=str(own))

    def done():
        events = render(shot)
        return [sum(isinstance(event, kind) for event in events) for kind in (FrameDone, FrameSkipped)]

    assert done() == [5, 0]
    assert done() == [0, 5]
    own.write_text(own.read_text(encoding="utf-8") + "\n# changed\n", encoding="utf-8")
    assert done() == [5, 0]
    shot = replace(shot, color=replace(shot.color, output_space="Linear Rec.2020"))
    assert done() == [5, 0]


def test_chunks_have_one_clip_level_even_if_only_one_clips(tmp_path):
    """The clip level is the plate's, not the chunk's: frame 5 is brighter than all others."""
    for number in range(1, 6):
        light = exposed(number) * np.float32(0.4)
        light[:20] *= 6.0 if number == 5 else 1.0
        write_exr(tmp_path / f"lin.{number}.exr", {"RGB": light}, {}, pixel_type="float")
    whole = shot_of(tmp_path, "lin.#.exr")
    render(whole)
    chunk = replace(whole, output=replace(whole.output, pattern=str(tmp_path / "chunk" / "o.#.exr")))
    list(Renderer(chunk.engine).render(chunk, FrameRange((2,))))
    np.testing.assert_array_equal(result(chunk, 2), result(whole, 2))


def test_a_requested_frame_whose_file_is_missing_is_refused(tmp_path):
    write_light(tmp_path)
    (tmp_path / "lin.3.exr").unlink()
    with pytest.raises(MissingFrames):
        list(Renderer(MERGE).render(shot_of(tmp_path, "lin.#.exr"), FrameRange((3,))))


def test_exposures_of_a_log_plate_are_detected_in_linear_values(tmp_path, config):
    encode = config.transform("Linear ARRI Wide Gamut 3", "ARRI LogC3 (EI800)").apply
    for index in range(10):
        light = np.clip(Scene(1).radiance(index) * (GAIN if index % 2 else 1.0), 0, 1) * np.float32(4.0)
        write_image(tmp_path / f"log.{index + 1:02d}.tif", encode(light), bits=16)
    shot = Shot(
        plate=str(tmp_path / "log.##.tif"),
        color=Color(input_space="ARRI LogC3 (EI800)"),
        output=Output(pattern=str(tmp_path / "hdr.##.exr")),
    )
    settled, _ = prepare(shot)
    assert settled.exposures.cycle == pytest.approx((0.0, 3.0), abs=0.1)
    assert settled.exposures.ev(1) < settled.exposures.ev(2)
    assert settled.color.clip_level == (pytest.approx(4.0, rel=0.01),)
