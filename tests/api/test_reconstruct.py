"""``reconstruct`` from arrays equals a render of the same pixels, and refuses invalid input."""

from __future__ import annotations

import numpy as np
import pytest

import f2hdr_backend
from f2hdr_backend import Renderer, Shot, reconstruct
from f2hdr_backend.api import reconstruct as module
from f2hdr_backend.image.read import open_plate
from f2hdr_backend.image.write import write_image
from f2hdr_backend.shot.document import Color, Engine, Output
from f2hdr_backend.shot.errors import DocumentError, ExposureError, F2HDRError, ImageError
from f2hdr_backend.shot.exposure import ExposurePattern

STOPS = (0.0, 3.0)
MERGE = {"method": "merge", "device": "cpu", "precision": "fp32"}


def _plate(count: int = 4, size: tuple[int, int] = (48, 64)) -> list[np.ndarray]:
    """Code values of a moving ramp, shot alternately short and long."""
    y, x = np.mgrid[: size[0], : size[1]].astype(np.float32)
    frames = []
    for index in range(count):
        light = 0.02 + 0.9 * ((x + 2 * index) % size[1]) / size[1] * (0.3 + 0.7 * y / size[0])
        radiance = np.stack([light, light * 0.8, light * 0.6], -1)
        gain = 2.0 ** STOPS[index % 2]
        frames.append(np.round(np.clip(radiance * gain / 4, 0, 1) ** (1 / 2.2) * 65535).astype(np.uint16))
    return frames


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> list[np.ndarray]:
    """The same frames as a render writes them."""
    folder = tmp_path_factory.mktemp("plate")
    for index, codes in enumerate(_plate()):
        write_image(str(folder / f"p.{index:04d}.tif"), codes.astype(np.float32) / 65535, 16)
    shot = Shot(
        str(folder / "p.####.tif"),
        exposures=ExposurePattern(STOPS, 0),
        cuts=(),
        color=Color(input_space="gamma22", clip_level=(1.0,)),
        engine=Engine(method="merge", device="cpu", precision="fp32"),
        output=Output(str(folder / "o.####.exr"), pixel_type="float"),
    )
    list(Renderer(shot.engine).render(shot))
    result = open_plate(str(folder / "o.####.exr"))
    try:
        return [result.read(index).pixels for index in range(4)]
    finally:
        result.close()


def test_a_sequence_equals_a_render(rendered: list[np.ndarray]) -> None:
    result = reconstruct(_plate(), STOPS, **MERGE)
    assert result.shape == (4, 48, 64, 3) and result.dtype == np.float32
    np.testing.assert_allclose(result, np.stack(rendered), atol=1e-6)


def test_three_frames_give_the_result_of_the_middle_frame(rendered: list[np.ndarray]) -> None:
    frames = _plate()
    for types in (frames[:3], [frame.astype(np.float64) / 65535 for frame in frames[:3]]):
        result = reconstruct(types, (0, 3, 0), **MERGE)
        assert result.shape == (48, 64, 3)
        np.testing.assert_allclose(result, rendered[1], atol=1e-5)


def test_anchor_space_and_clip_level_options_change_the_result() -> None:
    frames = _plate(3)
    long_anchor = reconstruct(frames, STOPS, **MERGE)
    short_anchor = reconstruct(frames, STOPS, anchor="short", **MERGE)
    np.testing.assert_allclose(long_anchor, 8 * short_anchor, rtol=1e-5)
    linear = [(frame / 65535.0) ** 2.2 * 5 for frame in frames]
    np.testing.assert_allclose(
        reconstruct(linear, STOPS, space="linear", clip_level=5.0, **MERGE), 5 * long_anchor, rtol=2e-3, atol=1e-4
    )


def test_the_model_is_kept_between_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    module._renderer.cache_clear()
    opened = []
    monkeypatch.setattr(module, "Renderer", lambda engine: opened.append(engine) or Renderer(engine))
    for _ in range(3):
        reconstruct(_plate(3), STOPS, **MERGE)
    assert len(opened) == 1
    module._renderer.cache_clear()


@pytest.mark.parametrize(
    ("change", "error", "facts"),
    [
        ({"frames": 2}, ImageError, ("2", "3")),
        ({"first": lambda a: a[..., 0]}, ImageError, ("0", "(48, 64)")),
        ({"first": lambda a: a[..., :2]}, ImageError, ("(48, 64, 2)",)),
        ({"first": lambda a: a[:-1]}, ImageError, ("(47, 64, 3)",)),
        ({"first": lambda a: a.astype(np.int32)}, ImageError, ("int32",)),
        ({"first": lambda a: a.astype(np.float32)}, ImageError, ("0", "1")),
        ({"first": lambda a: np.full(a.shape, np.nan)}, ImageError, ("NaN",)),
        ({"exposures": (0, 3, 3)}, ExposureError, ("1 and 2", "3")),
        ({"exposures": (0, 3, 0, 3, 0)}, ExposureError, ("5", "3")),
        ({"exposures": (3,)}, ExposureError, ("1",)),
        ({"metod": "merge"}, DocumentError, ("metod", "method")),
        ({"weights": "none such", "method": "f2hdr"}, F2HDRError, ("none such",)),
        ({"space": "no space"}, F2HDRError, ("no space",)),
    ],
)
def test_wrong_arguments_get_one_clear_sentence(change: dict, error: type[Exception], facts: tuple[str, ...]) -> None:
    frames = _plate(change.pop("frames", 3))
    if "first" in change:
        frames[0] = change.pop("first")(frames[0])
    arguments = {"exposures": STOPS, **MERGE, **change}
    with pytest.raises(error) as caught:
        reconstruct(frames, **arguments)
    assert all(fact in str(caught.value) for fact in facts), str(caught.value)


def test_the_package_exports_its_functions_and_refuses_unknown_names() -> None:
    assert {"Renderer", "Shot", "detect", "reconstruct", "simulate"} <= set(dir(f2hdr_backend))
    assert callable(f2hdr_backend.detect) and callable(f2hdr_backend.simulate)
    with pytest.raises(AttributeError, match="nothing"):
        f2hdr_backend.nothing  # noqa: B018
