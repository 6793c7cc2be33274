"""ICC profiles agree with littleCMS; a plate with a profile is decoded to the light that the profile describes."""

import io
import struct

import numpy as np
import pytest
from PIL import Image, ImageCms

from f2hdr_backend.color.config import load_config
from f2hdr_backend.color.icc import profile_name, read_profile
from f2hdr_backend.color.plate import open_color, settle_color
from f2hdr_backend.color.primaries import REC709, STANDARD, from_matrix
from f2hdr_backend.image.read import open_plate
from f2hdr_backend.shot.document import Color

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
CODES = np.stack(np.meshgrid(*[np.linspace(0, 255, 12)] * 2), axis=-1).round().astype(np.uint8)
PICTURE = np.dstack([CODES, CODES[..., ::-1].sum(axis=-1, dtype=np.int64).astype(np.uint8)])


def srgb_to_linear(codes):
    return np.where(codes <= 0.04045, codes / 12.92, ((codes + 0.055) / 1.055) ** 2.4)


def profile(curve, columns=None):
    """An ICC profile with one curve tag for all channels; ``columns`` are XYZ (D50) of red, green and blue."""
    columns = columns or [(0.43607, 0.22249, 0.01392), (0.38515, 0.71687, 0.09708), (0.14307, 0.06061, 0.71410)]
    points = [b"XYZ " + bytes(4) + struct.pack(">3i", *(round(value * 65536) for value in xyz)) for xyz in columns]
    name = b"desc" + bytes(4) + struct.pack(">I", 5) + b"test\0" + bytes(79)
    tags = [(b"desc", name), *zip((b"rXYZ", b"gXYZ", b"bXYZ"), points, strict=True)]
    tags += [(kind, curve) for kind in (b"rTRC", b"gTRC", b"bTRC")]
    table, body, start = b"", b"", 128 + 4 + 12 * len(tags)
    for kind, data in tags:
        table += struct.pack(">4sII", kind, start + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    head = bytearray(128)
    struct.pack_into(">I4sI4s4s4s", head, 0, start + len(body), b"lcms", 0x02400000, b"mntr", b"RGB ", b"XYZ ")
    head[36:40] = b"acsp"
    struct.pack_into(">3i", head, 68, 63190, 65536, 54061)
    return bytes(head) + struct.pack(">I", len(tags)) + table + body


def gamma(power):
    return b"curv" + bytes(4) + struct.pack(">IH", 1, round(power * 256))


CURVES = {
    "linear": (b"curv" + bytes(8), lambda code: code),
    "gamma 1.8": (gamma(1.8), lambda code: code**1.80078125),
    "table": (
        b"curv" + bytes(4) + struct.pack(">I5H", 5, 0, 4000, 16000, 36000, 65535),
        lambda code: np.interp(code, np.linspace(0, 1, 5), np.array([0, 4000, 16000, 36000, 65535]) / 65535),
    ),
    "parametric sRGB": (
        b"para" + bytes(4) + struct.pack(">HH5i", 3, 0, *(round(v * 65536) for v in (2.4, 1 / 1.055, 0.055 / 1.055)),
                                          round(65536 / 12.92), round(0.04045 * 65536)),
        srgb_to_linear,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CURVES)
def test_a_curve_has_the_values_of_its_definition(name):
    tag, decode = CURVES[name]
    found = read_profile(profile(tag))
    assert found is not None and found.name == "test"
    assert from_matrix(found.to_ap0) == pytest.approx(REC709, abs=0.001)
    codes = np.linspace(0, 1, 65536)
    curve = codes if found.curves is None else found.curves[:, 1]
    np.testing.assert_allclose(curve, decode(codes), atol=2e-5)


def test_colors_agree_with_littlecms():
    """The luminance of a picture by both; that of littleCMS is computed from 8-bit codes of Lab."""
    data = profile(gamma(1.8), [(0.51512, 0.24120, -0.00105), (0.29198, 0.69225, 0.04189), (0.15710, 0.06657, 0.78407)])
    found = read_profile(data)
    assert found is not None and from_matrix(found.to_ap0) == pytest.approx(STANDARD["lin_p3d65_scene"], abs=0.002)
    lab = ImageCms.createProfile("LAB")
    transform = ImageCms.buildTransform(ImageCms.ImageCmsProfile(io.BytesIO(data)), lab, "RGB", "LAB", 1)
    lightness = np.asarray(ImageCms.applyTransform(Image.fromarray(PICTURE), transform))[..., 0] / 2.55
    light = found.curves[np.rint(PICTURE / 255 * 65535).astype(int), [0, 1, 2]] @ found.to_ap0.T
    luminance = light @ np.array([0.3439664, 0.7281661, -0.0721325])  # Y of AP0
    expected = np.where(lightness > 8, ((lightness + 16) / 116) ** 3, lightness / 903.3)
    assert np.abs(luminance - expected).max() < 0.02


def save(path, suffix, data):
    Image.fromarray(PICTURE).save(path / f"p.1.{suffix}", icc_profile=data, quality=100, subsampling=0)
    return open_plate(str(path / f"p.#.{suffix}"))


@pytest.mark.parametrize("suffix", ["png", "tif", "jpg"])
@pytest.mark.parametrize("name", CURVES)
def test_a_plate_with_a_profile_is_converted_to_linear(tmp_path, suffix, name):
    tag, decode = CURVES[name]
    plate = save(tmp_path, suffix, profile(tag))
    color, events = settle_color(Color(), plate)
    assert color.input_space == "icc" and "test" in events[0].why
    light = open_color(color, plate).in_light(plate).read(1).pixels
    stored = plate.read(1).pixels
    np.testing.assert_allclose(light, decode(stored.astype(np.float64)), atol=2e-4)


@pytest.mark.parametrize("numbers", [(2.4, 0, 1), (-2.4, 1, 0)], ids=["division by 0", "infinity"])
def test_a_parametric_curve_that_is_not_finite_gives_no_space(numbers):
    curve = b"para" + bytes(4) + struct.pack(">HH3i", 1, 0, *(round(number * 65536) for number in numbers))
    assert read_profile(profile(curve)) is None


@pytest.mark.parametrize("data", [b"", SRGB[:200], bytes(600), SRGB.replace(b"RGB ", b"CMYK", 1)])
def test_unsupported_profiles_give_no_space(data):
    assert read_profile(data) is None
    assert isinstance(profile_name(data), str)


def test_a_profile_with_lookup_tables_is_reported_as_a_doubt(tmp_path):
    data = profile(CURVES["linear"][0]).replace(b"rTRC", b"A2B0")
    _, events = settle_color(Color(), save(tmp_path, "png", data))
    assert any(getattr(event, "code", "") == "input_space_doubtful" and "test" in event.message for event in events)


def test_the_srgb_profile_equals_srgb_of_the_config(tmp_path):
    found, config = read_profile(SRGB), load_config("f2hdr")
    assert found is not None
    codes = np.random.default_rng(2).random((8, 8, 3), np.float32)
    ours = config.transform("icc", "ACEScg", found).apply(codes)
    np.testing.assert_allclose(ours, config.transform("sRGB - Texture", "ACEScg").apply(codes), atol=1e-3)
