"""``f2hdr convert`` as a command: contents of the file, compared with independent ST 2084, BT.2100 and BT.709
formulas.
"""

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from fractions import Fraction

import cv2
import numpy as np
import OpenEXR
import pytest

from f2hdr_backend.cli.main import build_app, run
from f2hdr_backend.cli.verbs.convert import parse_rate
from f2hdr_backend.image.write import write_exr
from f2hdr_backend.shot.errors import DocumentError

av = pytest.importorskip("av")

PATCH = 32
LIGHT = np.array(
    [
        [[0.0] * 3, [0.001] * 3, [0.18] * 3, [1.0] * 3, [5.0] * 3],
        [[0.5, 0.1, 0.1], [0.1, 0.5, 0.1], [0.1, 0.1, 0.5], [2.0, 1.5, 0.3], [0.02, 0.05, 0.03]],
        [[9.0] * 3, [0.01] * 3, [0.3, 0.4, 0.7], [3.0, 0.5, 1.0], [0.05] * 3],
    ]
)
"""Linear Rec.709."""
REC709, REC2020 = ((0.64, 0.33), (0.30, 0.60), (0.15, 0.06)), ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046))
RED_BLUE = {1: (0.2126, 0.0722), 9: (0.2627, 0.0593)}
MASTERING = [(34000, 16000), (13250, 34500), (7500, 3000), (15635, 16450)]


MAIN = "from f2hdr_backend.cli.main import main; main()"


@dataclass
class Ran:
    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def f2hdr(monkeypatch, capsys):
    """The command line in this process: no second for starting another."""

    def call(*words):
        monkeypatch.setattr(sys, "argv", ["f2hdr", *map(str, words)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            run(build_app())
        return Ran(ended.value.code, *capsys.readouterr())

    return call


def to_xyz(primaries, white=(0.3127, 0.3290)):
    def xyz(x, y):
        return np.array([x / y, 1, (1 - x - y) / y])

    columns = np.stack([xyz(*point) for point in primaries], axis=1)
    return columns * np.linalg.solve(columns, xyz(*white))


def to_rec2020(rgb):
    return np.maximum(rgb @ (np.linalg.inv(to_xyz(REC2020)) @ to_xyz(REC709)).T, 0)


def pq(nits):
    m1, m2, c1, c2, c3 = 2610 / 16384, 2523 / 32, 3424 / 4096, 2413 / 128, 2392 / 128
    y = (np.clip(nits, 0, 10000) / 10000) ** m1
    return ((c1 + c2 * y) / (1 + c3 * y)) ** m2


def hlg(nits, peak=1000, gamma=1.2):
    """BT.2100 table 5: the inverse OOTF of a display of 1000 nits, then the OETF."""
    luminance = (nits @ np.array([0.2627, 0.6780, 0.0593]))[..., None]
    with np.errstate(divide="ignore", invalid="ignore"):
        scene = np.where(luminance > 0, nits / peak * (luminance / peak) ** (1 / gamma - 1), 0)
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    upper = a * np.log(np.maximum(12 * scene - b, 1e-9)) + c
    return np.clip(np.where(scene <= 1 / 12, np.sqrt(3 * scene), upper), 0, 1)


def srgb(light):
    light = np.clip(light, 0, 1)
    return np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


def rec709(light):
    return np.clip(light, 0, 1) ** (1 / 2.4)


def codes_of(rgb, matrix):
    """10-bit limited-range Y', Cb, Cr."""
    red, blue = RED_BLUE[matrix]
    luma = rgb @ np.array([red, 1 - red - blue, blue])
    cb, cr = (rgb[..., 2] - luma) / (2 - 2 * blue), (rgb[..., 0] - luma) / (2 - 2 * red)
    return np.stack([64 + 876 * luma, 512 + 896 * cb, 512 + 896 * cr], axis=-1)


def write_frames(folder, numbers=(1001, 1002, 1003), header=None):
    pixels = np.kron(LIGHT, np.ones((PATCH, PATCH, 1))).astype(np.float32)
    for number in numbers:
        write_exr(folder / f"hdr.{number}.exr", {"RGB": pixels}, header or {}, pixel_type="float")
    return folder / "hdr.####.exr"


@pytest.fixture
def hdr(tmp_path):
    return write_frames(tmp_path)


def decoded(path):
    with av.open(str(path)) as movie:
        stream = movie.streams.video[0]
        return list(movie.decode(video=0)), stream.average_rate, stream.codec_context


def patch_codes(frame):
    """Y', Cb and Cr in the middle of every patch, as the file stores them."""
    planes = []
    for component, plane in zip(frame.format.components, frame.planes, strict=True):
        codes = np.frombuffer(plane, "<u2").reshape(-1, plane.line_size // 2)[: component.height, : component.width]
        rows, columns = PATCH * component.height // frame.height, PATCH * component.width // frame.width
        planes.append(codes[rows // 2 :: rows, columns // 2 :: columns])
    return np.stack(planes, axis=-1).astype(int)


CASES = {
    "pq": ("Rec.2100-PQ", "Un-tone-mapped", (9, 16, 9), lambda light: pq(100 * to_rec2020(light))),
    "hlg": ("Rec.2100-HLG", "Un-tone-mapped", (9, 18, 9), lambda light: hlg(100 * to_rec2020(light))),
    "rec709": ("Rec.709", "Un-tone-mapped", (1, 1, 1), rec709),
    "srgb": ("sRGB", "Un-tone-mapped", (1, 13, 1), srgb),
}


@pytest.mark.parametrize("name", ["a.mov", "a.mp4"])
@pytest.mark.parametrize("case", CASES)
def test_movies_have_the_codes_and_color_tags_of_the_standards(f2hdr, hdr, tmp_path, case, name):
    display, view, tags, curve = CASES[case]
    ran = f2hdr("convert", hdr, "-o", tmp_path / name, "--display", display, "--view", view, "--fps", "23.976")
    assert ran.returncode == 0, ran.stderr
    frames, rate, codec = decoded(tmp_path / name)
    assert len(frames) == 3 and rate == Fraction(24000, 1001)
    layout = {"a.mov": ("prores", "apch", "yuv422p10le"), "a.mp4": ("hevc", "hvc1", "yuv420p10le")}[name]
    assert (codec.name, codec.codec_tag, frames[0].format.name) == layout
    for answer in (codec, *frames):
        assert tuple(int(tag) for tag in (answer.color_primaries, answer.color_trc, answer.colorspace)) == tags
        assert int(answer.color_range) == 1
    expected = codes_of(curve(LIGHT), tags[2])
    for frame in frames:
        off = np.abs(patch_codes(frame) - expected)
        assert off.max() <= 2, off.max(axis=(0, 1))


@pytest.mark.parametrize(("name", "codec"), [("a.mov", "prores"), ("a.mp4", "hevc"), ("b.mov", "hevc")])
def test_pq_movies_have_light_level_metadata(f2hdr, hdr, tmp_path, name, codec):
    words = ("--display", "Rec.2100-PQ", "--view", "Un-tone-mapped", "--codec", codec, "--mastering-nits", "600")
    ran = f2hdr("convert", hdr, "-o", tmp_path / name, *words, "--json")
    assert ran.returncode == 0, ran.stderr
    events = [json.loads(line) for line in ran.stdout.splitlines()]
    brightest = to_rec2020(LIGHT).max(axis=-1) * 100
    light = next(event for event in events if event["event"] == "light_measured")
    assert abs(light["max_cll"] - brightest.max()) <= 1 and abs(light["max_fall"] - brightest.mean()) <= 1
    assert any(event.get("code") == "above_mastering" for event in events)
    side = {data.type.name: bytes(data) for data in decoded(tmp_path / name)[0][0].side_data}
    level = np.frombuffer(side["CONTENT_LIGHT_LEVEL"], np.uint32)
    assert tuple(level) == (light["max_cll"], light["max_fall"])
    display = np.frombuffer(side["MASTERING_DISPLAY_METADATA"], np.int32)[:20].reshape(10, 2)
    assert (display[:8, 0] / display[:8, 1] * 50000).round().astype(int).reshape(4, 2).tolist() == [
        list(point) for point in MASTERING
    ]
    assert (display[8:, 0] / display[8:, 1]).tolist() == pytest.approx([0.0001, 600])
    content = (tmp_path / name).read_bytes()
    assert content.count(b"mdcv") == content.count(b"clli") == 1


def test_hlg_movies_have_no_light_level_metadata(f2hdr, hdr, tmp_path):
    ran = f2hdr("convert", hdr, "-o", tmp_path / "a.mp4", "--display", "Rec.2100-HLG")
    assert ran.returncode == 0 and str(tmp_path / "a.mp4") in ran.stderr.splitlines()[-1]
    names = {data.type.name for data in decoded(tmp_path / "a.mp4")[0][0].side_data}
    assert not names & {"CONTENT_LIGHT_LEVEL", "MASTERING_DISPLAY_METADATA"}


@pytest.mark.parametrize(("display", "curve", "tags"), [("sRGB", srgb, (1, 13)), ("Rec.2100-PQ", None, (9, 16))])
def test_pictures_are_16_bit_numbered_as_the_frames_and_tagged(f2hdr, hdr, tmp_path, display, curve, tags):
    curve = curve or (lambda light: pq(100 * to_rec2020(light)))
    words = ("--display", display, "--view", "Un-tone-mapped", "--frames", "1002-1003")
    for pattern in ("out/p.####.png", "out/p.####.tif"):
        ran = f2hdr("convert", hdr, "-o", tmp_path / pattern, *words)
        assert ran.returncode == 0, ran.stderr
        assert str(tmp_path / pattern.replace("####", "1003")) in ran.stderr
    assert sorted(os.listdir(tmp_path / "out")) == ["p.1002.png", "p.1002.tif", "p.1003.png", "p.1003.tif"]
    for name in os.listdir(tmp_path / "out"):
        pixels = cv2.imread(str(tmp_path / "out" / name), cv2.IMREAD_UNCHANGED)[..., ::-1]
        assert pixels.dtype == np.uint16
        off = np.abs(pixels[PATCH // 2 :: PATCH, PATCH // 2 :: PATCH] - curve(LIGHT) * 65535)
        assert off.max() < 4
    png = (tmp_path / "out" / "p.1002.png").read_bytes()
    assert png[png.index(b"cICP") + 4 :][:4] == bytes((*tags, 0, 1))


def test_exposure_scales_the_radiance_and_primaries_are_those_of_the_files(f2hdr, tmp_path):
    header = {"chromaticities": (*np.ravel(REC2020).tolist(), 0.3127, 0.3290), "framesPerSecond": Fraction(25)}
    hdr = write_frames(tmp_path, header=header)
    words = ("--display", "Rec.2100-PQ", "--view", "Un-tone-mapped", "--exposure", "-2")
    ran = f2hdr("convert", hdr, "-o", tmp_path / "a.mov", *words)
    assert ran.returncode == 0 and "Linear Rec.2020" in ran.stderr, ran.stderr
    frames, rate, _ = decoded(tmp_path / "a.mov")
    assert rate == 25
    assert np.abs(patch_codes(frames[0]) - codes_of(pq(25 * LIGHT), 9)).max() <= 2


def test_odd_frame_sizes_are_allowed_for_prores_and_refused_for_hevc(f2hdr, tmp_path):
    pixels = np.full((47, 65, 3), 0.18, np.float32)
    write_exr(tmp_path / "hdr.1.exr", {"RGB": pixels}, {})
    words = ("convert", tmp_path / "hdr.#.exr", "--display", "sRGB")
    assert f2hdr(*words, "-o", tmp_path / "a.mov").returncode == 0
    frame = decoded(tmp_path / "a.mov")[0][0]
    assert (frame.width, frame.height) == (65, 47)
    refused = f2hdr(*words, "-o", tmp_path / "a.mp4")
    assert refused.returncode == 3 and "65 x 47" in refused.stderr and "ProRes" in refused.stderr


@pytest.mark.parametrize(
    ("words", "code", "answer"),
    [
        (("-o", "a.mov", "--display", "sRBG"), 2, "sRGB"),
        (("-o", "a.mov", "--display", "sRGB", "--view", "Flim"), 2, "Flim"),
        (("-o", "a.mov", "--display", "sRGB", "--tags", "pcu"), 2, "hlg"),
        (("-o", "a.mov", "--display", "sRGB", "--frames", "1003-1005"), 2, "1004-1005"),
        (("-o", "a.mov", "--display", "sRGB", "--fps", "fast"), 2, '"fast"'),
        (("-o", "a.mov", "--display", "sRGB", "--config", "none.ocio"), 2, "none.ocio"),
        (("-o", "a.mov", "--display", "sRGB", "--input-space", "ACESgc"), 2, "ACEScg"),
        (("-o", "a.mov", "--display", "sRGB", "--input-space", "sRGB - Texture", "--exposure", "1"), 2, "linear"),
        (("-o", "a.mp4", "--display", "sRGB", "--codec", "prores"), 3, "hevc in .mp4"),
        (("-o", "a.exr", "--display", "sRGB"), 2, "a.mov"),
    ],
)
def test_a_wrong_request_is_one_sentence_and_leaves_no_file(f2hdr, hdr, tmp_path, words, code, answer):
    before = sorted(os.listdir(tmp_path))
    words = [str(tmp_path / word) if word.startswith("a.") else word for word in words]
    ran = f2hdr("convert", hdr, *words)
    assert ran.returncode == code and answer in ran.stderr and "Traceback" not in ran.stderr, ran.stderr
    assert sorted(os.listdir(tmp_path)) == before


def test_non_finite_pixels_are_reported_once_and_counted(f2hdr, tmp_path):
    pixels = np.ones((PATCH, PATCH, 3), np.float32)
    pixels[3, 4] = np.nan
    for number in (1001, 1002, 1003):
        write_exr(tmp_path / f"hdr.{number}.exr", {"RGB": pixels}, {}, pixel_type="float")
    ran = f2hdr("convert", tmp_path / "hdr.####.exr", "-o", tmp_path / "a.mov", "--display", "sRGB", "--json")
    warned = [event for event in map(json.loads, ran.stdout.splitlines()) if event.get("code") == "nonfinite"]
    assert ran.returncode == 0 and [event.get("frame") for event in warned] == [1001, None]
    assert "3 frames: 1001-1003" in warned[1]["message"]


def test_a_damaged_frame_stops_the_conversion_without_a_partial_movie(f2hdr, hdr, tmp_path):
    whole = (tmp_path / "hdr.1003.exr").read_bytes()
    (tmp_path / "hdr.1003.exr").write_bytes(whole[: len(whole) // 2])
    before = sorted(os.listdir(tmp_path))
    ran = f2hdr("convert", hdr, "-o", tmp_path / "a.mp4", "--display", "sRGB")
    assert ran.returncode == 3 and "hdr.1003.exr" in ran.stderr
    assert sorted(os.listdir(tmp_path)) == before


def test_a_failed_conversion_keeps_the_older_movie(f2hdr, hdr, tmp_path):
    (tmp_path / "a.mov").write_bytes(b"older")
    (tmp_path / "hdr.1002.exr").write_bytes(b"no picture")
    assert f2hdr("convert", hdr, "-o", tmp_path / "a.mov", "--display", "sRGB").returncode == 3
    assert (tmp_path / "a.mov").read_bytes() == b"older"


def test_ctrl_c_leaves_no_partial_movie(tmp_path):
    hdr = write_frames(tmp_path, range(1001, 1301))
    before = sorted(os.listdir(tmp_path))
    words = ("convert", hdr, "-o", tmp_path / "a.mp4", "--display", "sRGB", "--json")
    command = [sys.executable, "-c", MAIN, *map(str, words)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            if json.loads(line)["event"] == "frame_done":
                break
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=120)
    assert process.returncode == 130
    assert sorted(os.listdir(tmp_path)) == before


def test_the_source_is_never_overwritten(f2hdr, tmp_path):
    for number in (1, 2):
        cv2.imwrite(str(tmp_path / f"p.{number}.png"), np.full((16, 16, 3), 99, np.uint8))
    ran = f2hdr("convert", tmp_path / "p.#.png", "-o", tmp_path / "p.#.png", "--display", "sRGB")
    assert ran.returncode == 2 and "overwrite" in ran.stderr


@pytest.mark.parametrize(
    ("text", "rate"),
    [("25", 25), ("24.0", 24), ("60", 60), ("12.5", Fraction(25, 2)), ("24000/1001", Fraction(24000, 1001))]
    + [("23.976", Fraction(24000, 1001)), ("29.97", Fraction(30000, 1001)), ("59.94", Fraction(60000, 1001))],
)
def test_common_names_of_frame_rates_are_parsed(text, rate):
    assert parse_rate(text) == rate


@pytest.mark.parametrize("text", ["", "0", "-25", "1/0", "nan", "inf", "4000", "1e-9", "1/99999", "1e999999999"])
def test_an_invalid_frame_rate_is_refused(text):
    with pytest.raises(DocumentError):
        parse_rate(text)


def test_a_movie_keeps_timecode_rate_and_pixel_shape_and_shows_the_display_window(tmp_path, f2hdr):
    from f2hdr_backend.image.frame import Windows

    header = {"timeCode": OpenEXR.TimeCode(1, 2, 3, 4, *[0] * 14), "framesPerSecond": Fraction(24000, 1001)}
    for number in (1, 2):
        pixels = np.full((48, 64, 3), 0.2, np.float32)
        windows = Windows((-8, -8, 55, 39), (0, 0, 47, 31))
        write_exr(tmp_path / f"h.{number}.exr", {"RGB": pixels}, {**header, "pixelAspectRatio": 2.0}, windows=windows)
    ran = f2hdr("convert", tmp_path / "h.#.exr", "-o", tmp_path / "o.mov", "--display", "Rec.709")
    assert ran.returncode == 0, ran.stderr
    with av.open(str(tmp_path / "o.mov")) as movie:
        stream = movie.streams.video[0]
        assert stream.metadata["timecode"] == "01:02:03:04"
        assert (stream.sample_aspect_ratio, stream.average_rate) == (2, Fraction(24000, 1001))
        assert (stream.width, stream.height) == (48, 32)


def test_every_second_frame_gives_half_the_frame_rate_and_a_matching_timecode(tmp_path, f2hdr):
    header = {"timeCode": OpenEXR.TimeCode(1, 2, 3, 14, *[0] * 14), "framesPerSecond": Fraction(24)}
    write_frames(tmp_path, (1002, 1004, 1006), header)
    for words, rate, time in (((), 12, "01:02:03:07"), (("--fps", "24"), 24, "01:02:03:07")):
        ran = f2hdr("convert", tmp_path / "hdr.####.exr", "-o", tmp_path / "o.mov", "--display", "Rec.709", *words)
        assert ran.returncode == 0, ran.stderr
        with av.open(str(tmp_path / "o.mov")) as movie:
            stream = movie.streams.video[0]
            assert (stream.frames, stream.average_rate, stream.metadata["timecode"]) == (3, rate, time)
    write_frames(tmp_path, (1001, 1002, 1003, 1004, 1005, 1006), header)
    words = ("--frames", "1001-1005x2", "--display", "Rec.709", "-o", tmp_path / "p.mov")
    assert f2hdr("convert", tmp_path / "hdr.1001.exr", *words).returncode == 0
    with av.open(str(tmp_path / "p.mov")) as movie:
        assert (movie.streams.video[0].frames, movie.streams.video[0].average_rate) == (3, 12)


def test_missing_frames_of_a_sequence_without_a_step_are_named(tmp_path, f2hdr):
    write_frames(tmp_path, (1001, 1002, 1004))
    ran = f2hdr("convert", tmp_path / "hdr.####.exr", "-o", tmp_path / "o.mov", "--display", "Rec.709")
    assert ran.returncode == 2 and "1003" in ran.stderr


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_pictures_keep_the_pixel_shape(tmp_path, f2hdr, suffix):
    oiio = pytest.importorskip("OpenImageIO")
    source = write_frames(tmp_path, (1,), {"pixelAspectRatio": 2.0}).with_name("hdr.#.exr")
    assert f2hdr("convert", source, "-o", tmp_path / f"o.#.{suffix}", "--display", "sRGB").returncode == 0
    assert oiio.ImageInput.open(str(tmp_path / f"o.1.{suffix}")).spec().getattribute("PixelAspectRatio") == 2
    square = write_frames(tmp_path, (2,)).with_name("hdr.#.exr")
    words = ("--frames", "2", "-o", tmp_path / f"s.#.{suffix}", "--display", "sRGB")
    assert f2hdr("convert", square, *words).returncode == 0
    assert oiio.ImageInput.open(str(tmp_path / f"s.2.{suffix}")).spec().getattribute("PixelAspectRatio") in (None, 1)
