"""Requests on a real plate and results, checked against pixels computed here."""

import base64
import mmap

import numpy as np
import pytest

from f2hdr_backend.image.write import write_exr, write_image
from f2hdr_backend.pictures.draw import MARKS
from f2hdr_backend.pictures.requests import MAPPED_BYTES, Budget, Requests
from f2hdr_backend.shot.document import Color, Output, Shot
from f2hdr_backend.shot.errors import F2HDRError, MissingFrames

WIDTH, HEIGHT = 64, 48
EXPOSURES = {"cycle": [0.0, 3.0], "start": 1, "exceptions": []}
RAW = {"display": "sRGB", "view": "Un-tone-mapped"}


def scene():
    """Radiance on the scale of the long exposure: 1.0 is its clip, 8.0 that of the short one."""
    ramp = np.geomspace(0.002, 16, WIDTH, dtype=np.float32)
    return np.broadcast_to(ramp[None, :, None], (HEIGHT, WIDTH, 3)) * np.array([1.0, 0.8, 0.6], np.float32)


@pytest.fixture
def shot(tmp_path):
    """Frame 1 short, frame 2 long, results of both."""
    for number, gain in ((1, 1 / 8), (2, 1)):
        codes = np.clip(scene() * gain, 0, 1) ** (1 / 2.2)
        write_image(tmp_path / f"p.{number:04d}.tif", codes, bits=16)
        flow = np.zeros((HEIGHT, WIDTH), np.float32)
        layers = {name: flow + (20.0 if name.endswith("u") else 0) for name in ("forward.u", "forward.v")}
        write_exr(tmp_path / f"h.{number:04d}.exr", {"RGB": np.minimum(scene(), 8), **layers}, {})
    return Shot(str(tmp_path / "p.####.tif"), output=Output(pattern=str(tmp_path / "h.####.exr")))


@pytest.fixture
def asked(shot):
    with mmap.mmap(-1, MAPPED_BYTES) as mapped:
        requests = Requests(mapped, Budget.of(1 << 28))
        requests.mapped = mapped
        requests.facts = requests.call("open", {"shot": shot.to_json()})
        yield requests


def view(asked, **changes):
    """The picture of a view, (H, W, 4)."""
    wanted = {"frame": 1, "crop": [0, 0, WIDTH, HEIGHT], "scale": 1.0, "exposures": EXPOSURES, "look": dict(RAW)}
    answer = asked.call("view", {**wanted, **changes})
    size = answer["height"], answer["width"], 4
    return np.frombuffer(asked.mapped[: np.prod(size)], np.uint8).reshape(size), answer


def test_the_facts_of_a_plate_are_returned(asked):
    assert asked.facts["frames"] == "1-2" and asked.facts["size"] == [WIDTH, HEIGHT]
    assert asked.facts["input_space"] == "gamma22" and asked.facts["space"] == "linear"


def test_matched_plate_and_result_show_equal_radiance(asked):
    plate, _ = view(asked, match=True)
    result, _ = view(asked, mode="result")
    seen = scene().max(axis=2)[0] < 7.5
    assert np.abs(plate[:, seen, :3].astype(int) - result[:, seen, :3]).max() <= 2


def test_the_difference_is_black_except_where_the_plate_clips(asked):
    brightest = scene().max(axis=2)[0]
    long, _ = view(asked, frame=2, mode="difference")
    assert long[:, brightest < 0.9, :3].max() <= 8
    assert long[:, (brightest > 3), :3].min(axis=2).min() > 60
    short, _ = view(asked, frame=1, mode="difference")
    assert short[:, (brightest > 0.1) & (brightest < 7.5), :3].max() <= 30


def test_a_short_frame_that_is_not_rendered_is_shown_on_the_scale_of_the_result(asked, tmp_path):
    result, _ = view(asked, frame=1, mode="result")
    result = result.copy()
    (tmp_path / "h.0001.exr").unlink()
    plate, answer = view(asked, frame=1, mode="result")
    seen = scene().max(axis=2)[0] < 7.5
    assert "1" in answer["note"] and np.abs(plate[:, seen, :3].astype(int) - result[:, seen, :3]).max() <= 2


def test_a_wipe_has_the_plate_on_its_left_and_the_result_on_its_right(asked):
    wiped, _ = view(asked, frame=2, mode="wipe", wipe=0.75)
    plate, _ = view(asked, frame=2, match=True)
    plate = plate.copy()
    result, _ = view(asked, frame=2, mode="result")
    wiped, _ = view(asked, frame=2, mode="wipe", wipe=0.75)
    assert np.array_equal(wiped[:, :48], plate[:, :48]) and np.array_equal(wiped[:, 48:], result[:, 48:])


def test_a_reduced_view_is_the_mean_of_what_it_covers(asked):
    small, answer = view(asked, frame=2, mode="result", scale=0.5)
    assert (answer["width"], answer["height"]) == (WIDTH // 2, HEIGHT // 2)
    means = np.minimum(scene(), 8).reshape(HEIGHT // 2, 2, WIDTH // 2, 2, 3).mean(axis=(1, 3))
    from f2hdr_backend.color.config import load_config

    exact = np.clip(load_config("f2hdr").display("linear", "sRGB", "Un-tone-mapped").apply(means), 0, 1) * 255
    assert np.abs(small[..., :3] - exact).max() <= 2


def test_clipped_and_dark_pixels_are_marked(asked):
    marked, _ = view(asked, frame=2, overlay="clip")
    light = scene()[0]
    clipped = np.flatnonzero(light.min(axis=1) >= 1)
    dark = np.flatnonzero(light.max(axis=1) < 2.0**-8.5)
    middle = np.flatnonzero((light.max(axis=1) > 0.01) & (light.max(axis=1) < 0.9))
    assert (marked[:, clipped, :3] == MARKS["all clip"]).all() and len(clipped) > 3
    assert (marked[:, dark, :3] == MARKS["noise"]).all() and len(dark) > 2
    assert (marked[:, middle, 0] == marked[:, middle, 2]).all()


def test_a_layer_is_drawn_over_the_result_and_a_missing_one_reported(asked):
    plain, _ = view(asked, mode="result")
    plain = plain.copy()
    flow, answer = view(asked, mode="result", overlay="flow")
    assert answer["note"] == "" and not np.array_equal(flow, plain)
    _, answer = view(asked, mode="result", overlay="occlusion")
    assert "occlusion" in answer["note"] and "output." not in answer["note"]


def test_a_frame_without_a_result_shows_the_plate_with_a_note(asked, tmp_path):
    (tmp_path / "h.0002.exr").unlink()
    shown, answer = view(asked, frame=2, mode="result")
    assert "2" in answer["note"] and not answer["has_result"]
    shown = shown.copy()
    plate, _ = view(asked, frame=2, match=True)
    assert np.array_equal(shown, plate)


def test_a_rewritten_result_is_shown_again(asked, tmp_path):
    before, _ = view(asked, mode="result")
    before = before.copy()
    write_exr(tmp_path / "h.0001.exr", {"RGB": np.full((HEIGHT, WIDTH, 3), 0.5, np.float32)}, {})
    after, _ = view(asked, mode="result")
    assert not np.array_equal(before, after) and (after[..., :3] == after[0, 0, 0]).all()


def test_a_probe_gives_scene_linear_values_of_plate_and_result(asked):
    answer = asked.call("probe", {"frame": 2, "x": 20, "y": 5})
    assert answer["plate"] == pytest.approx(scene()[5, 20], rel=2e-3)
    assert answer["result"] == pytest.approx(scene()[5, 20], rel=2e-3)


def test_thumbnails_fit_their_size_and_scopes_report_the_clipped_fraction(asked):
    thumb = asked.call("thumb", {"frame": 2, "width": 32, "height": 32})
    assert (thumb["width"], thumb["height"]) == (32, 24)
    assert len(base64.b64decode(thumb["rgba"])) == 32 * 24 * 4
    scope = asked.call("scope", {"frame": 2, "clip_level": [1.0]})
    expected = (scene() >= 1).mean(axis=(0, 1))
    assert scope["clipped"] == pytest.approx(expected, abs=0.03)


def test_errors_are_f2hdr_errors_and_name_the_frame(asked):
    with pytest.raises(MissingFrames) as caught:
        view(asked, frame=7)
    assert caught.value.frames == (7,)
    with pytest.raises(F2HDRError):
        asked.call("dance", {})


def test_a_result_of_another_size_is_reported_by_its_path(asked, tmp_path):
    write_exr(tmp_path / "h.0001.exr", {"RGB": np.zeros((10, 10, 3), np.float32)}, {})
    with pytest.raises(F2HDRError, match="h.0001.exr"):
        view(asked, mode="result")


def test_another_input_space_changes_the_radiance(shot, asked):
    from dataclasses import replace

    asked.call("open", {"shot": replace(shot, color=Color(input_space="linear")).to_json()})
    answer = asked.call("probe", {"frame": 2, "x": 20, "y": 5})
    assert answer["plate"] == pytest.approx(scene()[5, 20] ** (1 / 2.2), rel=2e-3)
