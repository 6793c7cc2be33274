"""A benchmark run from files to tables, against numbers computed here from the network's own output."""

import csv
import json
import math
import multiprocessing
import os

import cv2
import numpy as np
import pytest
import torch
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from f2hdr_backend.engine.method.merge import MergeMethod
from f2hdr_backend.engine.method.network import NetworkMethod
from f2hdr_backend.evaluate.hdrvdp.hdrvdp import hdrvdp2
from f2hdr_backend.evaluate.metrics.color_video_vdp import color_video_vdp
from f2hdr_backend.evaluate.metrics.flow_scores import warp_scores
from f2hdr_backend.evaluate.paper import text_tables
from f2hdr_backend.evaluate.paper.benchmark import Benchmark, Plan
from f2hdr_backend.evaluate.paper.metric import ScoreSettings
from f2hdr_backend.evaluate.paper.results import ResultsFolder
from f2hdr_backend.evaluate.reading.dataset import read_window
from f2hdr_backend.flow.estimators import dis
from f2hdr_backend.shot.document import Engine
from f2hdr_backend.shot.errors import DeviceError, DocumentError, ImageError, ShotError
from f2hdr_backend.weights.importer import import_checkpoint
from tests.evaluate.metrics.test_color_video_vdp import needs_program
from tests.evaluate.reading import dataset_trees as trees
from tests.evaluate.reading.test_datasets import tog13
from tests.golden import published

MERGE = Engine(method="merge", device="cpu", precision="fp32")


def merge_run(name, folder, metrics=("psnr",), **options):
    scoring = ScoreSettings(metrics, **{key: options.pop(key) for key in ("reference_trust",) if key in options})
    return Benchmark(Plan(name, folder, MERGE, scoring, **options))


def finish(benchmark, results=None):
    events = list(benchmark.run(results))
    return {event.row.name: event for event in events}


def values(row):
    return {column: score.value for column, score in row.scores.items() if column not in ("seconds", "peak GiB")}


def mu_law(x):
    return np.log(1 + 5000 * x) / np.log(5001)


def composited(prediction, codes, exposure):
    """The published composite."""
    luma = 0.299 * codes[..., 0] + 0.587 * codes[..., 1] + 0.114 * codes[..., 2]
    mask = (luma < 0.2 if exposure <= 1 else luma > 0.8)[..., None]
    return np.where(mask, prediction, codes**2.2 / exposure).astype(np.float64)


def by_hand(prediction, codes, exposure, truth):
    """Results of the published program, computed by scikit-image."""
    result = composited(prediction, codes, exposure)
    truth = truth.astype(np.float64)
    scores = {"HDR-VDP-2": hdrvdp2(result, truth).value}
    for letter, (a, b) in {"L": (truth, result), "T": (mu_law(truth), mu_law(result))}.items():
        scores[f"PSNR_{letter}"] = peak_signal_noise_ratio(a, b, data_range=1)
        scores[f"SSIM_{letter}"] = structural_similarity(a, b, channel_axis=2, data_range=a.max() - a.min())
    return scores


def install_published(folder, monkeypatch):
    """Weights of the published kind on DIS flow, for speed."""
    torch.save({"state_dict": published.f2hdr_state()}, folder / "checkpoint.pth")
    monkeypatch.setenv("F2HDR_WEIGHTS", str(folder / "installed"))
    import_checkpoint(folder / "checkpoint.pth", "published")
    return Engine(weights="published", flow="dis", device="cpu", precision="fp32")


def test_six_frames_with_golden_weights_score_as_computed_by_hand(tmp_path, monkeypatch):
    """On DIS flow, for speed: the network that SEA-RAFT feeds is held against its own results in tests/model."""
    engine = install_published(tmp_path, monkeypatch)
    root = trees.real_hdrv(tmp_path / "tree", frames=8, size=(64, 64), peak=1.5)
    benchmark = Benchmark(Plan("real-hdrv", root, engine, ScoreSettings(("psnr", "ssim", "hdrvdp"))))
    rows = {event.row.frame: event.row for event in benchmark.run()}

    network = NetworkMethod(engine, torch.device("cpu"))
    streams = {1.0: "Input_0", 8.0: "Input_1"}
    expected = {}
    for frame in range(1, 7):
        exposures = (1.0, 8.0, 1.0) if frame % 2 == 0 else (8.0, 1.0, 8.0)
        numbered = zip(exposures, (frame - 1, frame, frame + 1), strict=True)
        codes = np.stack([trees.read_codes(root / "night" / streams[e] / f"frame_{n:02d}.tif") for e, n in numbered])
        truth = trees.read_truth(root / "night" / "GT" / f"GT_frame_{frame:02d}.hdr")
        prediction = network(codes, exposures, occlusions=False).radiance
        assert np.ptp(prediction) > 0
        expected[frame] = by_hand(prediction, codes[1], exposures[1], truth / max(1, truth.max()))
    assert sorted(rows) == sorted(expected)
    for frame, row in rows.items():
        assert values(row) == pytest.approx(expected[frame], abs=2e-5)

    summary = benchmark.summary()
    assert len(summary.rescaled) == 6
    for column in expected[1]:
        for means, frames in ((summary.all, range(1, 7)), (summary.low, (1, 3, 5)), (summary.high, (2, 4, 6))):
            mean = math.fsum(expected[frame][column] for frame in frames) / len(frames)
            assert means[column].score.value == pytest.approx(mean, abs=2e-5)
    lines = list(text_tables.published_lines("real-hdrv", summary, ablation=benchmark.is_ablation))
    ours = next(line for line in lines if line.startswith("this run")).split()[2:]
    columns = ("PSNR_T", "SSIM_T", "HDR-VDP-2", "PSNR_L", "SSIM_L")
    shown = [summary.all[column].score.value for column in columns]
    assert [float(number) for number in ours] == pytest.approx(shown, abs=5e-3)
    paper = next(line for line in lines if line.startswith("F2HDR (paper)")).split()[2:]
    assert paper == ["41.01", "0.9538", "76.93", "50.51", "0.9949"]


def test_every_trust_mode_scores_its_own_picture(tmp_path):
    root = trees.deephdrvideo(tmp_path, frames=5)
    codes = np.stack([trees.read_codes(root / "alley" / f"img_{n}.tif") for n in (1, 2, 3)])
    prediction = MergeMethod(MERGE, torch.device("cpu"))(codes, (8.0, 1.0, 8.0), occlusions=False).radiance
    truth = trees.read_truth(root / "alley" / "hdr_2.hdr")
    bare = peak_signal_noise_ratio(truth, prediction.astype(np.float64), data_range=1)
    found = {}
    for trust in ("hard", "soft", "off"):
        (event,) = finish(merge_run("deephdrvideo", root, reference_trust=trust)).values()
        found[trust] = event.row.scores["PSNR_L"].value
        assert ("reference_trust", trust) in event.row.scores["PSNR_L"].parameters
    assert found["off"] == pytest.approx(bare, abs=1e-5)
    assert found["hard"] == pytest.approx(by_hand(prediction, codes[1], 1, truth)["PSNR_L"], abs=1e-5)
    assert len(set(found.values())) == 3


def test_existing_rows_are_kept_and_changed_files_scored_again(tmp_path):
    root = trees.deephdrvideo(tmp_path / "tree", frames=7)
    first = merge_run("deephdrvideo", root)
    run = first.run(ResultsFolder(tmp_path / "out", first.settings))
    stopped_after = next(run).row
    run.close()

    second = merge_run("deephdrvideo", root)
    events = finish(second, ResultsFolder(tmp_path / "out", second.settings))
    assert {name: event.kept for name, event in events.items()} == {
        "alley/0002": True, "alley/0003": False, "alley/0004": False,
    }  # fmt: skip
    assert events["alley/0002"].row == stopped_after
    whole = merge_run("deephdrvideo", root)
    assert {n: values(e.row) for n, e in finish(whole).items()} == {n: values(e.row) for n, e in events.items()}

    os.utime(root / "alley" / "img_5.tif", ns=(1, 1))
    third = merge_run("deephdrvideo", root)
    events = finish(third, ResultsFolder(tmp_path / "out", third.settings))
    assert {name: event.kept for name, event in events.items()} == {
        "alley/0002": True, "alley/0003": True, "alley/0004": False,
    }  # fmt: skip


def test_other_exposures_or_another_curve_are_scored_again(tmp_path):
    root = trees.deephdrvideo(tmp_path / "tree", frames=5)
    finish(first := merge_run("deephdrvideo", root), ResultsFolder(tmp_path / "out", first.settings))
    (root / "alley" / "Exposures.txt").write_text("0\n2\n")
    (event,) = finish(merge_run("deephdrvideo", root), ResultsFolder(tmp_path / "out", first.settings)).values()
    assert not event.kept

    (tmp_path / "camera").mkdir()
    camera = tog13(tmp_path / "camera")
    finish(first := merge_run("tog13", camera, ("flicker",)), ResultsFolder(tmp_path / "curve", first.settings))
    os.utime(camera / "BaslerCRF.mat", ns=(1, 1))
    again = finish(merge_run("tog13", camera, ("flicker",)), ResultsFolder(tmp_path / "curve", first.settings))
    assert not any(event.kept for event in again.values())


def test_results_of_another_job_count_are_refused(tmp_path):
    root = trees.deephdrvideo(tmp_path / "tree", frames=5)
    finish(first := merge_run("deephdrvideo", root), ResultsFolder(tmp_path / "out", first.settings))
    shared = merge_run("deephdrvideo", root, jobs=2)
    with pytest.raises(ShotError, match="measured_on.*'cpu'.*'cpu, 2 processes'"):
        finish(shared, ResultsFolder(tmp_path / "out", shared.settings))


def test_results_of_other_settings_and_damaged_results_are_refused(tmp_path):
    root = trees.deephdrvideo(tmp_path / "tree", frames=5)
    finish(first := merge_run("deephdrvideo", root), ResultsFolder(tmp_path / "out", first.settings))
    before = (tmp_path / "out" / "scores.json").read_bytes()
    other = merge_run("deephdrvideo", root, reference_trust="off")
    with pytest.raises(ShotError, match="reference_trust.*'hard'.*'off'"):
        finish(other, ResultsFolder(tmp_path / "out", other.settings))
    assert (tmp_path / "out" / "scores.json").read_bytes() == before
    (tmp_path / "out" / "scores.json").write_text("[]")
    with pytest.raises(DocumentError, match="scores.json"):
        finish(other, ResultsFolder(tmp_path / "out", other.settings))


def test_scores_are_written_to_files(tmp_path):
    root = trees.real_hdrv(tmp_path / "tree", frames=5, scenes=("night", "square"))
    benchmark = merge_run("real-hdrv", root, ("psnr", "flicker"))
    rows = finish(benchmark, ResultsFolder(tmp_path / "out", benchmark.settings))
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["frames.csv", "scenes.csv", "scores.json"]
    with (tmp_path / "out" / "frames.csv").open() as file:
        lines = list(csv.DictReader(file))
    assert [(line["scene"], int(line["frame"])) for line in lines] == [
        (scene, frame) for scene in ("night", "square") for frame in (1, 2, 3)
    ]
    assert [float(line["exposure"]) for line in lines] == [1, 8, 1] * 2
    for line in lines:
        row = rows[f"{line['scene']}/000{line['frame']}"].row
        assert float(line["PSNR_T"]) == pytest.approx(row.scores["PSNR_T"].value, rel=1e-8)
    with (tmp_path / "out" / "scenes.csv").open() as file:
        scenes = {line["scene"]: line for line in csv.DictReader(file)}
    mean = math.fsum(float(line["PSNR_T"]) for line in lines[:3]) / 3
    assert float(scenes["night"]["PSNR_T"]) == pytest.approx(mean, rel=1e-7)
    record = json.loads((tmp_path / "out" / "scores.json").read_text())
    assert record["summary"]["all"]["flicker"] == pytest.approx(
        math.fsum(float(scenes[scene]["flicker"]) for scene in scenes) / 2
    )
    assert record["settings"]["reference_trust"] == "hard"

    again = merge_run("real-hdrv", root, ("psnr", "flicker"))
    assert all(event.kept for event in finish(again, ResultsFolder(tmp_path / "out", again.settings)).values())
    assert again.rows == benchmark.rows


def test_warp_and_epe_score_the_final_flow(tmp_path):
    root = trees.real_hdrv(tmp_path, frames=3, size=(96, 80))
    (event,) = finish(merge_run("real-hdrv", root, ("warp", "epe"))).values()
    frames = [root / "night" / stream / f"frame_0{n}.tif" for n, stream in enumerate(("Input_1", "Input_0", "Input_1"))]
    codes = np.stack([trees.read_codes(path) for path in frames])
    flows = MergeMethod(MERGE, torch.device("cpu"))(codes, (8.0, 1.0, 8.0), occlusions=False).flows
    grid = np.stack(np.meshgrid(np.arange(96), np.arange(80)), -1).astype(np.float32)
    truths = [mu_law(trees.read_truth(root / "night" / "GT" / f"GT_frame_0{n}.hdr")) for n in range(3)]
    gray = [np.rint(truth @ (0.299, 0.587, 0.114) * 255).astype(np.uint8) for truth in truths]
    quality, lengths = [], []
    for flow, n in zip(flows, (0, 2), strict=True):
        neighbor = trees.read_codes(root / "night" / "Input_0" / f"frame_0{n}.tif")
        x, y = np.moveaxis(grid + flow, -1, 0)
        warped = cv2.remap(neighbor, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
        quality.append(peak_signal_noise_ratio(codes[1], warped, data_range=1))
        label = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM).calc(gray[1], gray[n], None)
        lengths.append(np.hypot(*np.moveaxis(flow - label, -1, 0)).mean())
    assert event.row.scores["warp PSNR"].value == pytest.approx(np.mean(quality), abs=0.3)  # cv2 samples to 1/32 px
    assert event.row.scores["EPE"].value == pytest.approx(np.mean(lengths), abs=0.02)


def test_warp_uses_the_warping_of_the_weights(tmp_path, monkeypatch):
    engine = install_published(tmp_path, monkeypatch)
    root = trees.real_hdrv(tmp_path / "tree", frames=3, size=(64, 64))
    benchmark = Benchmark(Plan("real-hdrv", root, engine, ScoreSettings(("warp",))))
    (event,) = finish(benchmark).values()
    (files,) = benchmark.reader.windows
    window = read_window(benchmark.reader, files)
    flows = NetworkMethod(engine, torch.device("cpu"))(window.codes, window.exposures, occlusions=False).flows
    sides = [
        warp_scores(trees.read_codes(path), window.codes[1], np.moveaxis(flow, -1, 0), "released").psnr.value
        for path, flow in zip(files.same_exposure, flows, strict=True)
    ]
    assert event.row.scores["warp PSNR"].value == pytest.approx(np.mean(sides), abs=1e-4)
    assert ("warp", "released") in event.row.scores["warp PSNR"].parameters


def test_a_scene_whose_flicker_cannot_be_measured_is_named_and_its_frames_are_kept(tmp_path):
    root = trees.deephdrvideo(tmp_path / "tree", frames=7, scenes=("alley", "park"))
    for index in range(7):
        trees.write_picture(root / "alley" / f"img_{index}.tif", np.zeros((40, 48, 3), np.uint16))
    benchmark = merge_run("deephdrvideo", root, ("psnr", "flicker"))
    with pytest.raises(ImageError, match=r"alley.*flicker.*--metrics"):
        finish(benchmark, ResultsFolder(tmp_path / "out", benchmark.settings))
    record = json.loads((tmp_path / "out" / "scores.json").read_text())
    assert [row["scene"] for row in record["frames"]] == ["alley"] * 3 + ["park"] * 3
    assert [row["scene"] for row in record["scenes"]] == ["park"]


@needs_program
def test_scenes_are_scored_as_videos_and_kept(tmp_path):
    root = trees.real_hdrv(tmp_path / "tree", frames=5, scenes=("night", "square"))
    benchmark = merge_run("real-hdrv", root, ("flicker", "cvvdp"))
    rows = finish(benchmark, ResultsFolder(tmp_path / "out", benchmark.settings))
    assert len(rows) == 6
    for scene in benchmark.rows.scenes:
        pairs = []
        for n in (1, 2, 3):
            streams = ("Input_1", "Input_0", "Input_1") if n % 2 else ("Input_0", "Input_1", "Input_0")
            exposures = (8.0, 1.0, 8.0) if n % 2 else (1.0, 8.0, 1.0)
            paths = [root / scene.scene / s / f"frame_0{n + i}.tif" for s, i in zip(streams, (-1, 0, 1), strict=True)]
            codes = np.stack([trees.read_codes(path) for path in paths])
            prediction = MergeMethod(MERGE, torch.device("cpu"))(codes, exposures, occlusions=False).radiance
            truth = trees.read_truth(root / scene.scene / "GT" / f"GT_frame_0{n}.hdr")
            pairs.append((composited(prediction, codes[1], exposures[1]).astype(np.float32), truth))
        expected = color_video_vdp(iter(pairs), 3, torch.device("cpu"))
        found = scene.scores["ColorVideoVDP"]
        assert found.value == pytest.approx(expected.value, abs=1e-3)
        assert found.parameters == (*expected.parameters, ("reference_trust", "hard"))
        assert scene.scores["flicker"].value >= 0
    again = merge_run("real-hdrv", root, ("flicker", "cvvdp"))
    assert all(event.kept for event in finish(again, ResultsFolder(tmp_path / "out", again.settings)).values())
    text = "\n".join(text_tables.parameter_lines(benchmark.summary()))
    assert "ColorVideoVDP (JOD): display=standard_hdr_linear, peak_cd/m2=1500" in text
    assert "frames_per_second=30" in text


def test_a_video_of_one_frame_or_without_truth_is_refused(tmp_path):
    root = trees.deephdrvideo(tmp_path / "short", frames=5)
    with pytest.raises(DocumentError, match="cvvdp.* 2 .*alley.* 1"):
        merge_run("deephdrvideo", root, ("cvvdp",))
    (tmp_path / "camera").mkdir()
    with pytest.raises(DocumentError, match="cvvdp.*ground truth.*fire/0002"):
        merge_run("tog13", tog13(tmp_path / "camera"), ("cvvdp",))


def test_costs_are_reported_for_every_frame(tmp_path):
    benchmark = merge_run("deephdrvideo", trees.deephdrvideo(tmp_path, frames=5), ())
    (event,) = finish(benchmark).values()
    seconds, peak = event.row.scores["seconds"], event.row.scores["peak GiB"]
    assert seconds.value > 0
    assert 0.01 < peak.value < 1000
    assert ("size", "48x40") in seconds.facts


def test_cached_flows_do_not_lower_the_measured_cost(tmp_path, monkeypatch):
    monkeypatch.setenv("F2HDR_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("F2HDR_CACHE_SIZE", "1G")
    benchmark = merge_run("deephdrvideo", trees.deephdrvideo(tmp_path / "tree", frames=5), ())
    window = read_window(benchmark.reader, benchmark.reader.windows[0])
    render = MergeMethod(MERGE, torch.device("cpu"))
    render(window.codes, window.exposures, occlusions=False)
    render.stored.finish()
    assert any(path.is_file() for path in (tmp_path / "cache").rglob("*"))
    estimated, estimate = [], dis.Estimator.estimate
    monkeypatch.setattr(dis.Estimator, "estimate", lambda *given: estimated.append(1) or estimate(*given))
    finish(benchmark)
    assert estimated


def test_a_metric_whose_data_is_missing_is_refused_before_any_work(tmp_path):
    root = trees.deephdrvideo(tmp_path, frames=6)
    for metrics, what in ((("warp",), "warp"), (("flicker",), "flicker.* 3 "), (("psnr", "fid"), "fid")):
        with pytest.raises(DocumentError, match=what):
            merge_run("deephdrvideo", root, metrics)
    (root / "alley" / "img_list.txt").write_text("\n".join(f"img_{index}.tif" for index in range(6)))
    (root / "alley" / "img_hdr_list.txt").unlink()
    with pytest.raises(DocumentError, match="psnr.*ground truth.*alley/0002"):
        merge_run("deephdrvideo", root)


def test_a_frame_that_cannot_be_scored_is_named_and_the_others_kept(tmp_path):
    root = trees.deephdrvideo(tmp_path / "tree", frames=6)
    (root / "alley" / "hdr_3.hdr").write_bytes(b"no picture")
    benchmark = merge_run("deephdrvideo", root)
    with pytest.raises(ImageError, match="alley/0003: .*hdr_3.hdr"):
        finish(benchmark, ResultsFolder(tmp_path / "out", benchmark.settings))
    record = json.loads((tmp_path / "out" / "scores.json").read_text())
    assert [row["frame"] for row in record["frames"]] == [2]


def test_several_processes_give_the_same_rows(tmp_path):
    root = trees.deephdrvideo(tmp_path, frames=6)
    alone, shared = (finish(merge_run("deephdrvideo", root, jobs=jobs)) for jobs in (1, 2))
    assert sorted(shared) == sorted(alone)
    for name, event in shared.items():
        assert values(event.row) == pytest.approx(values(alone[name].row), abs=1e-4)
        assert ("where", "cpu, 2 processes") in event.row.scores["seconds"].parameters


def test_a_worker_process_that_dies_is_reported_in_one_sentence(tmp_path):
    root = trees.deephdrvideo(tmp_path, frames=30, scenes=("alley", "bridge", "park"))
    run = merge_run("deephdrvideo", root, jobs=2).run()
    next(run)
    for process in multiprocessing.active_children():
        process.kill()
    with pytest.raises(DeviceError, match=r"\b2\b.*--jobs"):
        list(run)
