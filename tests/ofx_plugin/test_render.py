"""Pixels: the effect returns those of ``f2hdr render`` for the same frames."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import OpenEXR
import pytest

from f2hdr_backend.client.jobs import submit
from f2hdr_backend.image.write import write_exr
from f2hdr_backend.shot.document import Shot
from tests.ofx_plugin.fake_backend import FakeBackend
from tests.ofx_plugin.host import Host
from tests.ofx_plugin.plates import Pixels, plate, plate_frame
from tests.ofx_plugin.suites import IMAGE_FORMAT, OK
from tests.server.running import LONG_S, Served

FIRST, LAST = 1, 6
Load = Callable[..., Host]


def shot_of(folder: Path, method: str) -> Shot:
    """The Shot of a float EXR plate with the settings of ``plate``, so that nothing is measured."""
    for number, pixels in plate(FIRST, LAST).items():
        write_exr(folder / f"p.{number:04d}.exr", {"RGB": pixels[..., :3]}, {}, pixel_type="float")
    document = {
        "plate": str(folder / "p.####.exr"),
        "exposures": {"cycle": [0, 3], "start": 1},
        "cuts": [],
        "color": {"input_space": "linear", "clip_level": [1.0]},
        "engine": {"method": method},
        "output": {"pattern": str(folder / method / "o.####.exr"), "pixel_type": "float"},
    }
    return Shot.from_json(document)


def rendered(shot: Shot, number: int) -> Pixels:
    with OpenEXR.File(shot.output.pattern.replace("####", f"{number:04d}")) as file:
        return file.channels()["RGB"].pixels.copy()


@pytest.fixture(scope="module")
def merged(backend: Served, tmp_path_factory: pytest.TempPathFactory) -> Shot:
    """The plate, rendered from its files."""
    shot = shot_of(tmp_path_factory.mktemp("merge"), "merge")
    assert list(submit(backend.connection, shot).watch(LONG_S))[-1]["event"] == "render_finished"
    return shot


@pytest.mark.parametrize("transport", ["of the system", "files"])
def test_every_frame_equals_a_render_of_the_same_frames(
    served: Load, merged: Shot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, transport: str
) -> None:
    if transport == "files":
        monkeypatch.setenv("F2HDR_BUFFERS", str(tmp_path))
    effect = served().create(method="merge")
    effect.clips["Source"].show(plate(FIRST, LAST))
    for number in range(FIRST, LAST + 1):
        status, pixels = effect.render(number)
        assert status == OK, effect.messages
        assert np.abs(pixels[..., :3] - rendered(merged, number)).max() < 1e-6
        assert (pixels[..., 3] == 1).all()
    assert not effect.messages
    assert "3 stops" in effect.parameters["status"].value or effect.press("check") == OK


def test_frames_of_a_network_equal_a_render(served: Load, backend: Served, tmp_path: Path) -> None:
    shot = shot_of(tmp_path, "f2hdr")
    assert list(submit(backend.connection, shot).watch(LONG_S))[-1]["event"] == "render_finished"
    effect = served().create("OfxImageEffectContextGeneral", method="f2hdr")
    effect.clips["Source"].show(plate(FIRST, LAST))
    for number in (1, 4):
        status, pixels = effect.render(number)
        assert status == OK, effect.messages
        assert np.abs(pixels[..., :3] - rendered(shot, number)).max() < 1e-6


@pytest.mark.parametrize("beyond", ["hold", "missing"])
@pytest.mark.parametrize("reported", [(FIRST, LAST), (FIRST - 2, LAST + 2)], ids=["exact range", "range too long"])
def test_neighbors_are_mirrored_at_both_ends_of_a_clip(
    served: Load, merged: Shot, beyond: str, reported: tuple[int, int]
) -> None:
    effect = served().create(method="merge")
    source = effect.clips["Source"]
    source.show(plate(FIRST, LAST), *reported)
    source.beyond = beyond
    for number in (FIRST, LAST):
        status, pixels = effect.render(number)
        assert status == OK, effect.messages
        assert np.abs(pixels[..., :3] - rendered(merged, number)).max() < 1e-6


LAYOUTS = {
    "padded rows": {"padding": 48},
    "negative rows": {"top_down": True},
    "negative padded rows": {"top_down": True, "padding": 64},
    "an origin that is not zero": {"origin": (-7, 11)},
    "anamorphic pixels": {"aspect": 2.0},
    "image identifiers": {"has_identifiers": True},
}


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_every_memory_layout_of_a_host_is_supported(served: Load, merged: Shot, layout: dict[str, object]) -> None:
    effect = served().create(method="merge")
    effect.clips["Source"].show(plate(FIRST, LAST))
    for clip in effect.clips.values():
        vars(clip).update(layout)
    for number in (3, 4, 5, 4):
        status, pixels = effect.render(number)
        assert status == OK, effect.messages
        assert np.abs(pixels[..., :3] - rendered(merged, number)).max() < 1e-6


def test_frames_without_alpha_are_rendered(served: Load, merged: Shot) -> None:
    effect = served().create(method="merge")
    effect.clips["Source"].show(plate(FIRST, LAST, channels=3))
    status, pixels = effect.render(3)
    assert status == OK and pixels.shape[2] == 3
    assert np.abs(pixels - rendered(merged, 3)).max() < 1e-6


def test_alpha_is_unchanged_and_premultiplied_color_is_divided(load: Load, fake: FakeBackend) -> None:
    effect = load().create()
    frames = plate(1, 3)
    alpha = np.linspace(0, 1, 96, dtype=np.float32)[None, :, None] * np.ones((64, 1, 1), np.float32)
    given = {number: np.dstack([pixels[..., :3] * alpha, alpha]) for number, pixels in frames.items()}
    effect.clips["Source"].show(given)
    effect.clips["Source"].premultiplication = "OfxImageAlphaPremultiplied"
    status, pixels = effect.render(2)
    assert status == OK, effect.messages
    sent = fake.windows[0][1][1]
    assert np.allclose(sent[:, 1:], frames[2][:, 1:, :3], atol=1e-6)
    assert np.array_equal(pixels[..., 3:], alpha)
    assert np.allclose(pixels[..., :3], 2 * given[2][..., :3], atol=1e-6)


@pytest.mark.parametrize("premultiplication", ["OfxImageUnPreMultiplied", "OfxImageAlphaPremultiplied"])
@pytest.mark.parametrize("place", [(0, 0), (10, 37), (31, 94), (63, 93)])
def test_the_alpha_of_a_single_pixel_is_unchanged(
    load: Load, fake: FakeBackend, place: tuple[int, int], premultiplication: str
) -> None:
    """Also in the second render, for which the frame is known; rows are not aligned."""
    effect = load().create()
    frames = plate(1, 3, size=(95, 64))
    frames[2] = frames[2].copy()
    frames[2][place] *= np.float32(0.25)
    source = effect.clips["Source"]
    source.has_identifiers, source.premultiplication = True, premultiplication
    source.show(frames)
    for _ in range(2):
        status, pixels = effect.render(2)
        assert status == OK, effect.messages
        assert np.array_equal(pixels[..., 3], frames[2][..., 3])
        assert np.allclose(pixels[..., :3], 2 * frames[2][..., :3], atol=1e-6)
    sent, color = fake.windows[1][1][1], frames[2][..., :3].copy()
    if premultiplication == "OfxImageAlphaPremultiplied":
        color[place] /= np.float32(0.25)
    assert np.allclose(sent, color, atol=1e-6)


def test_a_smaller_neighbor_is_filled_with_pixels_of_the_reference(load: Load, fake: FakeBackend) -> None:
    effect = load().create(exposures="given", phase="odd frames are short")
    frames = plate(1, 3)
    frames[3] = frames[3][16:, :64]  # the lower left part
    effect.clips["Source"].show(frames)
    status, _ = effect.render(2)
    assert status == OK, effect.messages
    following = fake.windows[0][2][1]
    assert np.array_equal(following[16:, :64], frames[3][..., :3])
    assert np.array_equal(following[:16], frames[2][:16, :, :3])
    assert np.array_equal(following[:, 64:], frames[2][:, 64:, :3])


def test_pixels_of_the_window_outside_the_source_are_black(load: Load, fake: FakeBackend) -> None:
    effect = load().create()
    effect.clips["Source"].show(plate(1, 3))
    status, pixels = effect.render(2, size=(120, 80))
    assert status == OK, effect.messages
    assert np.array_equal(pixels[16:, :96, :3], 2 * plate_frame(2)[..., :3])
    assert not pixels[:16].any() and not pixels[:, 96:].any()


def test_proxies_are_sent_with_their_size(load: Load, fake: FakeBackend) -> None:
    effect = load().create()
    effect.clips["Source"].show(plate(1, 3, size=(48, 32)))
    effect.scale = 0.5
    assert effect.render(2)[0] == OK
    assert fake.windows[0][1][1].shape == (32, 48, 3)
    effect.press("status")
    assert "proxy" in effect.parameters["status"].value


@pytest.mark.parametrize("has_identifiers", [True, False])
def test_a_frame_that_is_known_keeps_its_stamp(load: Load, fake: FakeBackend, has_identifiers: bool) -> None:
    """Each render writes one new frame, and every window still has the right pixels.

    In memory files, which cost the backend nothing, frames without identifiers are written again and not compared.
    """
    effect = load().create()
    frames = plate(1, 6)
    effect.clips["Source"].show(frames)
    effect.clips["Source"].has_identifiers = has_identifiers
    before: dict[int, int] = {}
    for number, written in ((2, 3), (3, 1), (4, 1), (3, 1), (2, 1), (2, 0), (5, 3)):
        assert effect.render(number)[0] == OK
        window = fake.windows[-1]
        assert [frame for frame, _ in window] == [number - 1, number, number + 1]
        assert all(np.array_equal(pixels, frames[frame][..., :3]) for frame, pixels in window)
        stamps = dict(zip(range(number - 1, number + 2), fake.stamps[-1], strict=True))
        assert 0 not in stamps.values()
        is_compared = has_identifiers or not fake.in_memory
        assert len(set(stamps.values()) - set(before.values())) == (written if is_compared else 3)
        before = stamps
    paths = {path for request in fake.requests for path in request["buffers"]}
    assert len(paths) == 3
    frames[5] = frames[5].copy()
    frames[5][1, 1, 0] += 1e-3  # an edit upstream, between the samples that exposures are measured from
    assert effect.render(5)[0] == OK
    assert np.array_equal(fake.windows[-1][1][1], frames[5][..., :3])
    stamps = dict(zip((4, 5, 6), fake.stamps[-1], strict=True))
    if is_compared:
        assert {frame for frame, stamp in stamps.items() if stamp != before[frame]} == {5}


def test_renders_of_alternating_sizes_have_the_right_pixels(load: Load, fake: FakeBackend) -> None:
    effect = load().create()
    for size in ((96, 64), (48, 32), (96, 64)):
        frames = plate(1, 3, size=size)
        effect.clips["Source"].show(frames)
        status, pixels = effect.render(2)
        assert status == OK, effect.messages
        assert np.array_equal(pixels[..., :3], 2 * frames[2][..., :3])


def test_frames_that_cannot_be_rendered_are_refused(load: Load, fake: FakeBackend) -> None:
    effect = load().create()
    source = effect.clips["Source"]
    source.show(plate(1, 3))
    cases: list[tuple[str, dict[str, object], dict[str, object], int]] = [
        ("OfxBitDepthByte", {"depth": "OfxBitDepthByte"}, {}, IMAGE_FORMAT),
        ("field", {}, {"field": "OfxFieldLower"}, 1),
        ("field", {"field": "OfxFieldUpper"}, {}, 1),
        ("part of the frame", {}, {"window": (0, 0, 96, 32)}, 1),
        ("part of the frame", {"whole": (0, 0, 96, 128)}, {}, 1),
        ("no image", {"frames": {}, "beyond": "missing"}, {"size": (96, 64)}, 1),
    ]
    for words, layout, arguments, wanted in cases:
        before = {name: vars(source)[name] for name in layout}
        vars(source).update(layout)
        status, pixels = effect.render(2, **arguments)  # type: ignore[arg-type]
        assert status == wanted, words
        assert words in effect.texts()[-1]
        assert np.isnan(pixels).all()
        vars(source).update(before)
    effect.clips["Source"].properties["OfxImageClipPropFieldOrder"] = ["OfxFieldLower"]
    assert effect.render(2, field="OfxFieldBoth")[0] == 1
    assert not fake.requests


def test_a_time_between_two_frames_is_refused(load: Load, fake: FakeBackend) -> None:
    effect = load().create()
    effect.clips["Source"].show(plate(1, 3))
    assert effect.render(1.5)[0] == 1
    assert "1.5" in effect.texts()[-1]


def test_the_fields_of_the_shot_are_sent_as_set(load: Load, fake: FakeBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OCIO", "ocio://default")
    effect = load().create(
        exposures="given", ratio=2.5, phase="odd frames are short", anchor="EV", anchor_ev=1.1, clip_level=0.5,
        weights='a "name" \\ with é', method="merge", reference_trust="hard",
    )  # fmt: skip
    effect.clips["Source"].show({number: plate_frame(number, stops=2.5) for number in (1, 2, 3)})
    assert effect.render(2)[0] == OK, effect.messages
    shot = fake.requests[0]["shot"]
    assert shot["exposures"] == {"cycle": [0, 2.5], "start": 1}
    assert shot["output"]["anchor"] == "1.1"
    assert shot["color"] == {
        "input_space": "auto",
        "clip_level": [0.5],
        "output_space": "linear",
        "config": "ocio://default",
    }
    assert shot["engine"]["weights"] == 'a "name" \\ with é'
    assert (shot["engine"]["method"], shot["engine"]["reference_trust"]) == ("merge", "hard")
    assert Shot.from_json(shot).engine.device == "auto"
