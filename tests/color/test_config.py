"""OCIO configs and their spaces: which one is loaded, conversions, and error messages."""

import re
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import PyOpenColorIO as ocio
import pytest

from f2hdr_backend.color.config import SHIPPED_FILE, load_config
from f2hdr_backend.color.curve import Curve
from f2hdr_backend.color.icc import IccProfile
from f2hdr_backend.color.primaries import to_aces
from f2hdr_backend.shot.errors import ColorError

STUDIO = "ocio://studio-config-v2.1.0_aces-v1.3_ocio-v2.3"
REC709 = (0.64, 0.33, 0.30, 0.60, 0.15, 0.06, 0.3127, 0.329)
AP1 = (0.713, 0.293, 0.165, 0.83, 0.128, 0.044, 0.32168, 0.33767)


@pytest.fixture(autouse=True)
def no_environment(monkeypatch):
    monkeypatch.delenv("OCIO", raising=False)


@pytest.fixture(scope="module")
def shipped():
    return load_config("f2hdr")


def chart():
    """A gray ramp of nine stops around 18 % and the patches of a color checker, as linear Rec.709."""
    ramp = 0.18 * 2.0 ** np.arange(-6, 3.01, 0.25)
    patches = [
        (0.17, 0.08, 0.05), (0.55, 0.30, 0.22), (0.11, 0.19, 0.33), (0.10, 0.15, 0.05), (0.23, 0.21, 0.42),
        (0.12, 0.50, 0.40), (0.70, 0.20, 0.03), (0.06, 0.10, 0.38), (0.55, 0.09, 0.12), (0.10, 0.04, 0.14),
        (0.34, 0.50, 0.05), (0.75, 0.35, 0.02), (0.02, 0.05, 0.28), (0.05, 0.29, 0.06), (0.43, 0.03, 0.04),
        (0.84, 0.57, 0.01), (0.50, 0.08, 0.30), (0.01, 0.23, 0.38),
    ]  # fmt: skip
    return np.concatenate([np.repeat(ramp[:, None], 3, axis=1), patches]).astype(np.float32)[None]


def all_spaces():
    return [name for name in load_config("f2hdr").names() if name != "Raw"]


@pytest.mark.parametrize("space", all_spaces())
def test_a_color_chart_is_unchanged_after_conversion_to_every_space_and_back(shipped, space):
    light = shipped.transform("Linear Rec.709 (sRGB)", "ACEScg").apply(chart())
    there = shipped.transform("ACEScg", space).apply(light)
    np.testing.assert_allclose(shipped.transform(space, "ACEScg").apply(there), light, rtol=0, atol=1e-4)


@pytest.mark.parametrize("space", [name for name in all_spaces() if name not in ("Apple Log", "F2HDR LDR")])
def test_spaces_agree_with_the_aces_studio_config(shipped, space):
    """Two independent configs; the studio config of this version has no Apple Log."""
    codes = np.random.default_rng(0).uniform(0.1, 0.9, (4, 50, 3)).astype(np.float32)
    theirs = load_config(STUDIO).transform(space, "ACES2065-1").apply(codes)
    ours = shipped.transform(space, "ACES2065-1").apply(codes)
    np.testing.assert_allclose(ours, theirs, rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize("space", [name for name in all_spaces() if not name.startswith("Rec.2100-HLG")])
def test_a_space_is_a_curve_and_a_matrix_of_its_primaries(shipped, space):
    """The curve keeps channels separate; curve and matrix together equal the conversion of the config."""
    linear = shipped.linear(space)
    assert linear.own
    codes = np.random.default_rng(1).uniform(0.1, 0.9, (3, 20, 3)).astype(np.float32)
    light = codes if linear.decode is None else linear.decode.apply(codes)
    expected = shipped.transform(space, "ACES2065-1").apply(codes)
    np.testing.assert_allclose(light @ linear.matrix.T, expected, rtol=1e-4, atol=1e-4)
    red_only = codes * np.array([1, 0, 0], np.float32) + np.array([0, 0.5, 0.5], np.float32)
    if linear.decode is not None:
        moved = linear.decode.apply(red_only)
        assert np.ptp(moved[..., 1]) < 1e-4 * max(1, moved[..., 1].max())
        np.testing.assert_allclose(moved[..., 0], light[..., 0], rtol=1e-4, atol=1e-5)


def test_gray_is_unchanged_and_colors_keep_their_largest_channel_in_linear_spaces(shipped):
    pixels = np.array([[[0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.1, 0.1, 0.8], [0.5, 0.5, 0.5]]], np.float32)
    for space in shipped.linear_names():
        converted = shipped.transform("Linear Rec.709 (sRGB)", space).apply(pixels)[0]
        assert [int(color.argmax()) for color in converted[:3]] == [0, 1, 2]
        np.testing.assert_allclose(converted[3], 0.5, atol=1e-5)


def test_chromaticities_of_common_spaces_are_exact(shipped):
    assert shipped.chromaticities("ACEScg") == AP1
    assert shipped.chromaticities("sRGB - Texture") == REC709
    assert shipped.chromaticities("linear") == REC709
    assert shipped.chromaticities("Linear Rec.2020")[:6] == (0.708, 0.292, 0.17, 0.797, 0.131, 0.046)
    assert shipped.linear_in(AP1) == "ACEScg"
    vgamut = (0.73, 0.28, 0.165, 0.84, 0.1, -0.03, 0.3127, 0.329)
    assert shipped.chromaticities("V-Log V-Gamut") == pytest.approx(vgamut, abs=1e-4)


def test_linear_and_gamma22_are_available_with_every_config():
    studio = load_config(STUDIO)
    codes = np.array([[[0.5, 0.25, 1.0]]], np.float32)
    light = studio.transform("gamma22", "Linear Rec.709 (sRGB)").apply(codes)
    np.testing.assert_allclose(light, codes**2.2, rtol=1e-4)
    np.testing.assert_allclose(studio.transform("linear", "linear", AP1).apply(light).sum(), light.sum(), rtol=0.5)
    as_acescg = studio.transform("linear", "ACEScg", AP1).apply(light)
    np.testing.assert_allclose(as_acescg, light, rtol=1e-5, atol=1e-6)


def test_conversion_does_not_depend_on_bands_threads_and_strides(shipped):
    transform = shipped.transform("S-Log3 S-Gamut3.Cine", "ACEScg")
    codes = np.random.default_rng(2).uniform(0.1, 0.9, (101, 37, 6)).astype(np.float32)[:, :, ::2]
    before = codes.copy()
    whole = np.ascontiguousarray(codes)
    transform.processor.apply(ocio.PackedImageDesc(whole, 37, 101, 3))
    with ThreadPoolExecutor(4) as pool:
        for result in pool.map(transform.apply, [codes] * 8):
            np.testing.assert_array_equal(result, whole)
    np.testing.assert_array_equal(codes, before)


def test_the_config_is_the_setting_or_the_environment_or_the_built_in_one(tmp_path, monkeypatch):
    own = tmp_path / "own.ocio"
    own.write_text(SHIPPED_FILE.read_text(encoding="utf-8").replace("lin_rec2020,", "mine,"), encoding="utf-8")
    assert load_config().source == "f2hdr"
    monkeypatch.setenv("OCIO", str(own))
    assert load_config().source == str(own) and load_config().space("Mine") == "Linear Rec.2020"
    assert load_config("f2hdr").source == "f2hdr"
    assert load_config(STUDIO).source == STUDIO
    assert len({load_config(name).digest for name in ("", "f2hdr", STUDIO)}) == 3


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("/there/is/none.ocio", r"/there/is/none\.ocio.*No such file"),
        ("ocio://nonsense", "nonsense"),
        ("ocio://studio-config-latest", r"ocio://studio-config-v\d"),
        ("ocio://default", r"ocio://cg-config-v\d"),
    ],
)
def test_missing_and_invalid_configs_are_refused(name, words, monkeypatch):
    with pytest.raises(ColorError, match=words) as caught:
        load_config(name)
    assert caught.value.exit_code == 2
    monkeypatch.setenv("OCIO", name)
    with pytest.raises(ColorError, match=r"\$OCIO"):
        load_config()


def test_a_file_that_is_not_a_config_is_refused(tmp_path):
    (tmp_path / "no.ocio").write_text("this: is\n  not: [a config", encoding="utf-8")
    with pytest.raises(ColorError, match=r"no\.ocio"):
        load_config(str(tmp_path / "no.ocio"))


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("slog3", "S-Log3 S-Gamut3.Cine"),
        ("logc4", "ARRI LogC4"),
        ("ACESgc", "ACEScg"),
        ("Linear Rec 709", "Linear Rec.709 (sRGB)"),
    ],
)
def test_unknown_spaces_are_refused_with_similar_names(shipped, name, near):
    with pytest.raises(ColorError, match=re.escape(f'"{name}"')) as caught:
        shipped.space(name)
    assert near in caught.value.near and near in caught.value.hint


def test_aliases_and_roles_are_accepted_and_data_spaces_refused(shipped):
    assert shipped.space("slog3_sgamut3cine") == "S-Log3 S-Gamut3.Cine"
    assert shipped.space("scene_linear") == "ACEScg"
    with pytest.raises(ColorError, match="data"):
        shipped.space("Raw")


def test_displays_and_views_are_resolved_and_unknown_ones_refused_with_known_names(shipped):
    assert shipped.display_view("rec.2100-pq") == ("Rec.2100-PQ", "Reference white 203 nits")
    with pytest.raises(ColorError, match="Rec.2100-PQ"):
        shipped.display_view("PQ")
    with pytest.raises(ColorError, match="Un-tone-mapped"):
        shipped.display_view("sRGB", "untonemapped")
    white = np.ones((1, 1, 3), np.float32)
    assert shipped.display("ACEScg", "sRGB", "Un-tone-mapped").apply(white) == pytest.approx(1.0, abs=1e-4)
    assert shipped.display("ACEScg", "Rec.2100-PQ").apply(white) == pytest.approx(pq(203), abs=2e-4)
    assert shipped.display("ACEScg", "Rec.2100-PQ", "Un-tone-mapped").apply(white) == pytest.approx(pq(100), abs=2e-4)
    assert shipped.display("ACEScg", "Rec.2100-HLG").apply(white) == pytest.approx(0.75, abs=2e-3)


def pq(nits):
    """SMPTE ST 2084."""
    power = (nits / 10000) ** (2610 / 16384)
    return ((3424 / 4096 + 2413 / 128 * power) / (1 + 2392 / 128 * power)) ** (2523 / 32)


def config_with(tmp_path, transform, **reference):
    """A config of one strange space beside ACEScg."""
    config = ocio.Config.CreateFromFile(str(SHIPPED_FILE))
    config.setSearchPath(str(tmp_path))
    space = ocio.ColorSpace(ocio.REFERENCE_SPACE_SCENE, "Strange", **reference)
    space.setTransform(transform, ocio.COLORSPACE_DIR_TO_REFERENCE)
    config.addColorSpace(space)
    path = tmp_path / "strange.ocio"
    path.write_text(config.serialize(), encoding="utf-8")
    return load_config(str(path))


CLF = """<?xml version="1.0" encoding="UTF-8"?>
<ProcessList id="strange" compCLFversion="3"><LUT1D inBitDepth="32f" outBitDepth="32f"><Array dim="2 1">
{0}
1.0
</Array></LUT1D></ProcessList>
"""


def test_a_missing_or_broken_lookup_table_is_named(tmp_path):
    config = config_with(tmp_path, ocio.FileTransform("curve.clf"))
    with pytest.raises(ColorError, match="curve.clf"):
        config.linear("Strange")
    (tmp_path / "curve.clf").write_text("<nonsense>", encoding="utf-8")
    with pytest.raises(ColorError, match=r"Strange.*curve.clf") as caught:
        load_config(config.source).transform("Strange", "ACEScg")
    assert caught.value.exit_code == 2


def test_a_lookup_table_with_bytes_that_are_not_utf_8_is_named(tmp_path):
    config = config_with(tmp_path, ocio.FileTransform("table.cube"))
    (tmp_path / "table.cube").write_bytes(b"LUT_1D_SIZE \xff\xfe\n")
    with pytest.raises(ColorError, match="table.cube") as caught:
        config.transform("Strange", "ACEScg")
    assert "codec" not in str(caught.value)


def test_lookup_tables_are_named_where_opencolorio_gives_no_reason(tmp_path, monkeypatch):
    """As on Python 3.11.2, if the message has bytes that are not UTF-8."""
    config = config_with(tmp_path, ocio.FileTransform("table.cube"))
    (tmp_path / "table.cube").write_bytes(b"LUT_1D_SIZE nonsense")
    monkeypatch.setattr("f2hdr_backend.color.config._sentence", lambda reason: "")
    with pytest.raises(ColorError, match="table.cube"):
        config.transform("Strange", "ACEScg")


def test_the_digest_changes_with_the_lookup_tables(tmp_path):
    config = config_with(tmp_path, ocio.FileTransform("curve.clf"))
    digests = set()
    for black in ("0.0", "0.1", "0.0"):
        (tmp_path / "curve.clf").write_text(CLF.format(black), encoding="utf-8")
        ocio.ClearAllCaches()
        config = load_config(config.source)
        digests.add(config.digest_with(config.transform("Strange", "ACEScg"), None))
    assert len(digests) == 2


def test_a_space_without_an_inverse_can_be_read_and_not_written(tmp_path):
    gray = [0.3, 0.6, 0.1, 0.0] * 3 + [0.0, 0.0, 0.0, 1.0]
    config = config_with(tmp_path, ocio.MatrixTransform(gray))
    assert config.transform("Strange", "ACEScg").apply(np.ones((1, 1, 3), np.float32)).shape == (1, 1, 3)
    with pytest.raises(ColorError, match='"ACEScg".*"Strange"'):
        config.transform("ACEScg", "Strange")


def test_spaces_that_mix_channels_are_converted_through_the_interchange_space(tmp_path):
    mixing = ocio.GroupTransform(
        [ocio.MatrixTransform([0.6, 0.3, 0.1, 0, 0.2, 0.7, 0.1, 0, 0, 0.2, 0.8, 0, 0, 0, 0, 1.0]),
         ocio.ExponentTransform([2.0, 2.0, 2.0, 1.0])]
    )  # fmt: skip
    linear = config_with(tmp_path, mixing).linear("Strange")
    assert not linear.own
    np.testing.assert_array_equal(linear.matrix, np.eye(3))


def test_a_config_without_interchange_role_uses_scene_linear(tmp_path):
    old = ocio.Config.CreateRaw()
    old.setMajorVersion(1)
    for name, exponent in (("lin", 1.0), ("vid", 2.0)):
        space = ocio.ColorSpace(ocio.REFERENCE_SPACE_SCENE, name)
        space.setTransform(ocio.ExponentTransform([exponent] * 3 + [1.0]), ocio.COLORSPACE_DIR_TO_REFERENCE)
        old.addColorSpace(space)
    old.setRole("scene_linear", "lin")
    path = tmp_path / "old.ocio"
    path.write_text(old.serialize(), encoding="utf-8")
    config = load_config(str(path))
    half = np.full((1, 1, 3), 0.5, np.float32)
    np.testing.assert_allclose(config.linear("vid").decode.apply(half), 0.25, rtol=1e-4)
    assert config.is_scene_linear("lin") and not config.is_scene_linear("vid")
    assert config.chromaticities("lin") is None
    with pytest.raises(ColorError, match="aces_interchange"):
        config.transform("gamma22", "lin")


def test_broken_primaries_are_refused(shipped):
    with pytest.raises(ColorError, match="gamut"):
        shipped.transform("linear", "ACEScg", (0.3, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3127, 0.329))


@pytest.mark.parametrize("context", [None, ()])
def test_each_curve_of_a_file_is_used_even_if_another_one_was_used_before(context):
    """Two plates in one process, with response curves or ICC profiles of equal length and range."""
    knots, codes = np.linspace(0, 1, 49), np.linspace(0, 1, 65536)
    half = np.full((1, 1, 3), 0.5, np.float32)
    digests = set()
    for exponent in (1.5, 3.0):
        curve = Curve(np.repeat(knots[:, None] ** exponent, 3, axis=1))
        profile = IccProfile("test", np.repeat(codes[:, None] ** exponent, 3, axis=1), to_aces(REC709))
        for name, own in (("response", curve), ("icc", profile)):
            config = load_config("f2hdr", context)
            decode = config.linear(name, own).decode
            np.testing.assert_allclose(decode.apply(half), 0.5**exponent, rtol=2e-3)
            transform = config.transform(name, "linear", own)
            np.testing.assert_allclose(transform.apply(half), 0.5**exponent, rtol=2e-3)
            digests.add(decode.digest)
    assert len(digests) >= 2
