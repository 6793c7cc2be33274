"""Readers of benchmark datasets, on tiny trees in the published layouts."""

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
import scipy.io

from f2hdr_backend.evaluate.paper.benchmark import Benchmark, Plan
from f2hdr_backend.evaluate.paper.metric import ScoreSettings
from f2hdr_backend.evaluate.paper.scoring import default_metrics
from f2hdr_backend.evaluate.reading import datasets
from f2hdr_backend.evaluate.reading.dataset import open_dataset, read_window
from f2hdr_backend.image.write import write_exr
from f2hdr_backend.shot.document import Engine
from f2hdr_backend.shot.errors import DocumentError, ImageError, MissingFrames, ShotError
from tests.evaluate.reading import dataset_trees as trees


def kalantari(root):
    for index, gain in enumerate((1, 4, 16)):
        trees.write_picture(root / "001" / f"shot_{index}.tif", trees.coded(trees.radiance(index), gain))
    (root / "001" / "exposure.txt").write_text("-2\n0\n2\n")
    trees.write_picture(root / "001" / "HDRImg.hdr", trees.radiance(1))
    return root


def exr_pairs(root, scene=".", scale=1.0, header=None):
    folder = root / scene
    for number in range(1001, 1007):
        light = trees.radiance(number - 1001) * np.float32(2)
        gain = (8, 1)[number % 2]
        (folder / "plate").mkdir(parents=True, exist_ok=True)
        plate = np.minimum(light * gain, 1)
        write_exr(folder / "plate" / f"plate.{number}.exr", {"RGB": plate}, {}, pixel_type="float")
        truth = {"RGB": ((light - 0.01) * scale).astype(np.float32)}
        write_exr(folder / "truth" / f"truth.{number}.exr", truth, header or {}, pixel_type="float")
    (folder / "Exposures.txt").write_text("0 3")
    return root


def tog13(root, frames=7):
    folder = root / "fire"
    for index in range(frames):
        trees.write_picture(folder / f"{index}.tif", trees.coded(trees.radiance(index), (1, 8)[index % 2]))
    (folder / "img_list.txt").write_text("\n".join(f"{index}.tif" for index in range(frames)))
    (folder / "Exposures.txt").write_text("0\n3\n")
    codes = np.arange(65536) / 65535
    curve = np.stack([codes**power for power in (1.0, 2.0, 3.0)], axis=1) * 50
    scipy.io.savemat(root / "BaslerCRF.mat", {"other": 1.0, "BaslerCRF": curve}, do_compression=True)
    return root


TREES = {
    "deephdrvideo": trees.deephdrvideo,
    "real-hdrv": trees.real_hdrv,
    "cinematic": trees.cinematic,
    "tog13": tog13,
    "kalantari": kalantari,
    "exr-pairs": exr_pairs,
}


def test_every_dataset_is_tested_here():
    assert datasets.names() == sorted(TREES)


@pytest.mark.parametrize("name", TREES)
def test_windows_of_every_dataset_have_valid_shapes_and_value_ranges(name, tmp_path):
    reader = open_dataset(name, TREES[name](tmp_path))
    for files in reader.windows:
        window = read_window(reader, files)
        assert window.codes.shape == (3, 40, 48, 3)
        assert window.codes.dtype == np.float32
        assert 0 <= window.codes.min() and window.codes.max() <= 1
        assert min(files.exposures) == 1
        assert name == "tog13" or window.truth.radiance.shape == (40, 48, 3)
        assert name == "tog13" or 0 <= window.truth.radiance.min() <= window.truth.radiance.max() <= 1


@pytest.mark.parametrize("name", TREES)
def test_any_missing_file_is_refused_by_name(name, tmp_path):
    whole = TREES[name](tmp_path / "whole")
    for number, path in enumerate(sorted(path for path in whole.rglob("*") if path.is_file())):
        copy = shutil.copytree(whole, tmp_path / str(number))
        (copy / path.relative_to(whole)).unlink()
        with pytest.raises(ShotError) as refused:
            open_dataset(name, copy)
        message = refused.value.message
        lonely_frame = isinstance(refused.value, MissingFrames)
        assert lonely_frame or f"{name} expects " in message
        assert lonely_frame or path.name in message or path.parent.name in message


@pytest.mark.parametrize("name", TREES)
def test_an_empty_or_absent_folder_is_refused_with_the_layout(name, tmp_path):
    for folder in (tmp_path, tmp_path / "absent"):
        with pytest.raises(ShotError, match=rf"\b{name}\b") as refused:
            open_dataset(name, folder)
        assert str(tmp_path) in refused.value.message
        assert refused.value.exit_code == 2


def test_deephdrvideo_windows_are_the_published_ones(tmp_path):
    root = trees.deephdrvideo(tmp_path, frames=7, scenes=("alley", "park"))
    windows = open_dataset("deephdrvideo", root).windows
    names = [f"{scene}/000{frame}" for scene in ("alley", "park") for frame in (2, 3, 4)]
    assert [files.name for files in windows] == names
    assert windows[0].exposures == (8, 1, 8)
    assert windows[1].exposures == (1, 8, 1)
    assert windows[1].frames == tuple(str(root / "alley" / f"img_{index}.tif") for index in (2, 3, 4))
    assert windows[1].truth == str(root / "alley" / "hdr_3.hdr")


def test_pixels_are_those_of_opencv(tmp_path):
    reader = open_dataset("deephdrvideo", trees.deephdrvideo(tmp_path, peak=3.0))
    files = reader.windows[0]
    window = read_window(reader, files)
    for path, codes in zip(files.frames, window.codes, strict=True):
        np.testing.assert_allclose(codes, trees.read_codes(path), atol=1e-7)
    truth = trees.read_truth(files.truth)
    assert truth.max() > 1
    assert window.truth.divisor == pytest.approx(float(truth.max()))
    np.testing.assert_allclose(window.truth.radiance, truth / truth.max(), rtol=1e-6)


def test_deephdrvideo_reads_eight_bits_and_scenes_without_truth(tmp_path):
    root = trees.deephdrvideo(tmp_path)
    scene = root / "alley"
    (scene / "img_hdr_list.txt").unlink()
    for index in range(6):
        trees.write_picture(scene / f"img_{index}.png", (trees.coded(trees.radiance(index), 1) // 257).astype(np.uint8))
    (scene / "img_list.txt").write_text("\n".join(f"img_{index}.png" for index in range(6)))
    reader = open_dataset("deephdrvideo", root)
    window = read_window(reader, reader.windows[0])
    assert window.truth is None
    stored = cv2.imread(str(scene / "img_2.png"), -1)[..., ::-1] / 255
    np.testing.assert_allclose(window.codes[1], stored, atol=1e-7)


@pytest.mark.parametrize("text", ["0\n3\n6\n", "0 0", "3", "zero three", "nan 3", ""])
def test_exposures_that_do_not_alternate_between_two_values_are_refused(tmp_path, text):
    root = trees.deephdrvideo(tmp_path)
    (root / "alley" / "Exposures.txt").write_text(text)
    with pytest.raises(ShotError, match="Exposures.txt"):
        open_dataset("deephdrvideo", root)


def test_real_hdrv_selects_streams_by_mode(tmp_path):
    root = trees.real_hdrv(tmp_path, scenes=("night", "square"))
    expected = {
        "alternate": [(8, 1, 8), (1, 8, 1)] * 3,
        "low": [(8, 1, 8)] * 6,
        "high": [(1, 8, 1)] * 6,
    }
    for mode, exposures in expected.items():
        windows = open_dataset("real_hdrv", root, mode).windows
        assert [files.frame for files in windows] == [1, 2, 3, 4, 5, 6] * 2
        assert [files.exposures for files in windows[:6]] == exposures
        for files in windows:
            streams = ["Input_1" if exposure == 8 else "Input_0" for exposure in files.exposures]
            assert all(f"/{stream}/" in path for stream, path in zip(streams, files.frames, strict=True))
            assert all(f"/{streams[1]}/" in path for path in files.same_exposure)
            assert files.truth.endswith(f"GT/GT_frame_{files.frame:02d}.hdr")


def test_real_hdrv_with_a_frame_gone_everywhere_is_refused(tmp_path):
    root = trees.real_hdrv(tmp_path)
    for path in root.rglob("*frame_03.*"):
        path.unlink()
    with pytest.raises(ShotError, match="frame_03.tif"):
        open_dataset("real-hdrv", root)


def test_real_hdrv_with_a_frame_of_a_huge_number_is_refused_without_counting_to_it(tmp_path):
    root = trees.real_hdrv(tmp_path)
    for path in sorted(root.rglob("*frame_03.*")):
        path.rename(path.with_name(path.name.replace("frame_03", "frame_" + "9" * 30)))
    with pytest.raises(ShotError, match="frame_03.tif"):
        open_dataset("real-hdrv", root)


def test_a_reference_mode_of_real_hdrv_is_refused_for_deephdrvideo(tmp_path):
    with pytest.raises(DocumentError, match="low"):
        open_dataset("deephdrvideo", trees.deephdrvideo(tmp_path), "low")


def test_tog13_is_linearized_with_the_curve_of_each_channel(tmp_path):
    reader = open_dataset("tog13", tog13(tmp_path))
    window = read_window(reader, reader.windows[0])
    codes = trees.read_codes(reader.windows[0].frames[1]).astype(np.float64)
    for channel, power in enumerate((1.0, 2.0, 3.0)):
        expected = np.clip(codes[..., channel] ** power, 1e-8, 1) ** (1 / 2.2)
        np.testing.assert_allclose(window.codes[1][..., channel], expected, atol=1e-5)


def test_kalantari_is_one_window_with_the_middle_exposure_as_reference(tmp_path):
    (files,) = open_dataset("kalantari", kalantari(tmp_path)).windows
    assert files.exposures == (1, 4, 16)
    assert [path[-5] for path in files.frames] == ["0", "1", "2"]


def test_exr_pairs_stay_on_the_scale_of_the_plate(tmp_path):
    exr_pairs(tmp_path, "one")
    reader = open_dataset("exr-pairs", exr_pairs(tmp_path, "two"))
    assert [files.name for files in reader.windows] == [
        f"{scene}/{frame}" for scene in ("one", "two") for frame in range(1002, 1006)
    ]
    window = read_window(reader, reader.windows[0])
    assert window.exposures == (1, 8, 1)
    light = trees.radiance(1) * np.float32(2)
    assert window.truth.divisor == 1
    np.testing.assert_allclose(window.truth.radiance, np.clip(light - 0.01, 0, 1), atol=1e-6)
    np.testing.assert_allclose(window.codes[1], np.minimum(light * 8, 1) ** (1 / 2.2), atol=1e-5)


def test_exr_pairs_with_ground_truth_from_f2hdr_are_scaled_by_its_header(tmp_path):
    own = open_dataset("exr-pairs", exr_pairs(tmp_path / "a"))
    scaled = open_dataset("exr-pairs", exr_pairs(tmp_path / "b", scale=8.0, header={"f2hdr/anchor_gain": 8.0}))
    first, second = (read_window(reader, reader.windows[0]).truth.radiance for reader in (own, scaled))
    np.testing.assert_allclose(second, first, rtol=2e-3)


def test_exr_pairs_name_frames_that_have_no_pair(tmp_path):
    exr_pairs(tmp_path)
    (tmp_path / "truth" / "truth.1006.exr").unlink()
    with pytest.raises(MissingFrames) as refused:
        open_dataset("exr-pairs", tmp_path)
    assert refused.value.frames == [1006]


def test_an_unknown_dataset_is_refused_with_the_known_ones(tmp_path):
    with pytest.raises(DocumentError) as refused:
        open_dataset("sintel", tmp_path)
    assert all(name in refused.value.hint for name in TREES)


def test_pictures_of_two_sizes_are_refused_by_name(tmp_path):
    reader = open_dataset("deephdrvideo", trees.deephdrvideo(tmp_path))
    trees.write_picture(tmp_path / "alley" / "hdr_2.hdr", trees.radiance(0, (50, 40)))
    with pytest.raises(ImageError, match="hdr_2.hdr"):
        read_window(reader, reader.windows[0])


@pytest.mark.parametrize("name", TREES)
def test_every_dataset_runs_with_its_default_metrics(name, tmp_path):
    reader = open_dataset(name, TREES[name](tmp_path))
    metrics = tuple(metric for metric in default_metrics(reader) if metric != "hdrvdp")
    engine = Engine(method="merge", device="cpu", precision="fp32")
    benchmark = Benchmark(Plan(name, tmp_path, engine, ScoreSettings(metrics)), reader)
    for _ in benchmark.run():
        pass
    column = "flicker" if name == "tog13" else "PSNR_T"
    assert np.isfinite(benchmark.summary().all[column].score.value)


def test_a_scene_too_short_for_a_window_is_refused_by_name(tmp_path):
    root = trees.deephdrvideo(tmp_path / "listed", frames=7, scenes=("alley", "park"))
    (root / "park" / "img_hdr_list.txt").write_text("\n".join(f"img_{index}.tif hdr_{index}.hdr" for index in range(4)))
    with pytest.raises(ShotError, match="park.* 4 .* 5"):
        open_dataset("deephdrvideo", root)
    root = trees.real_hdrv(tmp_path / "real", frames=4, scenes=("night", "square"))
    for path in (root / "square").rglob("*.tif"):
        path.unlink()
    with pytest.raises(ShotError, match="square.* 0 "):
        open_dataset("real-hdrv", root)
    root = exr_pairs(exr_pairs(tmp_path / "pairs", "one"), "two")
    for path in (root / "two").rglob("*.exr"):
        if path.name[-5] > "2":
            path.unlink()
    with pytest.raises(ShotError, match="two.* 2 "):
        open_dataset("exr-pairs", root)


def test_a_scene_list_that_is_not_text_is_refused_by_name(tmp_path):
    root = trees.deephdrvideo(tmp_path)
    (root / "scene_all.txt").write_bytes(b"all\xe9e\n")
    with pytest.raises(ShotError, match="scene_all.txt.*UTF-8"):
        open_dataset("deephdrvideo", root)


def test_the_name_of_the_current_folder_is_used(tmp_path, monkeypatch):
    monkeypatch.chdir(exr_pairs(tmp_path))
    assert open_dataset("exr-pairs", Path()).windows[0].name == f"{tmp_path.name}/1002"
