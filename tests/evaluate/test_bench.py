"""``f2hdr bench``: the plain run uses the same network, and the reported measurements of both are correct."""

import os
from contextlib import contextmanager

import numpy as np
import pytest
import torch

from f2hdr_backend.evaluate.bench.baseline_sea_raft import all_pairs, look_up, volume_bytes
from f2hdr_backend.evaluate.bench.breakdown import REST, PartMeter
from f2hdr_backend.evaluate.bench.chart import COLORS, draw
from f2hdr_backend.evaluate.bench.measure import Measured, NotRun
from f2hdr_backend.evaluate.bench.memory import MemoryPeak
from f2hdr_backend.evaluate.bench.methods import MERGE, OURS, PLAIN, open_bench
from f2hdr_backend.evaluate.bench.pan_plate import STEP_PX, Pan
from f2hdr_backend.evaluate.bench.random_weights import sea_raft_installed
from f2hdr_backend.evaluate.bench.report import Report
from f2hdr_backend.flow.packing import RoundedFlow
from f2hdr_backend.kernels import feature_pyramid, local_correlation
from f2hdr_backend.shot.document import Engine
from f2hdr_backend.shot.errors import WeightsMissing
from f2hdr_backend.weights import store

CPU = torch.device("cpu")
GIGA = 1e9
MIB = 2**20


@pytest.fixture(autouse=True)
def no_weights_of_the_user(tmp_path, monkeypatch):
    monkeypatch.setenv("F2HDR_WEIGHTS", str(tmp_path / "none"))


class RoundedLikeTheCache:
    """The engine rounds flows to what its cache can store; with this the plain run does too."""

    def __init__(self, inner):
        self.size, self.bytes_per_pixel = inner.size, inner.bytes_per_pixel
        self.encode, self._estimate = inner.encode, inner.estimate

    def estimate(self, reference, neighbor):
        return torch.stack([RoundedFlow.of(flow).pixels() for flow in self._estimate(reference, neighbor)])


@contextmanager
def opened(flow, **engine):
    settings = {"flow": flow, "precision": "fp32", "device": "cpu", "weights": "standard", **engine}
    with open_bench(Engine(**settings)) as bench:
        yield bench


@pytest.mark.parametrize(("flow", "size"), [("auto", (118, 70)), ("sea_raft", (134, 128))])
def test_the_baseline_network_gives_the_picture_of_the_engine(flow, size):
    with opened(flow) as bench:
        ours, plain = (bench.opening(method).open() for method in (OURS, PLAIN))
    plain.estimator = RoundedLikeTheCache(plain.estimator)
    first, second = Pan(size, 2).windows()
    ours.run(first, {})  # state that is kept must not affect the next window
    expected, found = ours.run(second, {}), plain.run(second, {})
    assert found.radiance.shape == (size[1], size[0], 3)
    assert np.ptp(found.radiance) > 0.5 and np.abs(found.flows).max() > 0.1
    np.testing.assert_allclose(found.radiance, expected.radiance, atol=1e-4)
    np.testing.assert_allclose(found.flows, expected.flows, atol=1 / 200)


def test_the_full_network_takes_less_than_250_gflop_and_the_released_organization_357():
    with opened("sea_raft") as bench:
        ours, plain = bench.count(OURS), bench.count(PLAIN)
    assert sum(ours.values()) <= 250 * GIGA
    assert sum(plain.values()) == pytest.approx(357 * GIGA, rel=0.005)
    assert plain["flow features"] == 4 * ours["flow features"] > 100 * GIGA
    assert plain["encoders"] == 3 * ours["encoders"] > 15 * GIGA
    shared = {"flow features", "flow updates", "encoders"}
    assert all(plain[part] == ours[part] for part in plain.keys() - shared)
    weights_of_adapter = 9 * (13 * 64 + 13 * 64 * 64 + 64 * 4)
    assert ours["adapter"] == 2 * weights_of_adapter * 256 * 256
    assert ours[REST] == plain[REST] == 0


@pytest.mark.parametrize("size", [(16, 16), (17, 22)])
def test_lookups_in_the_stored_volume_equal_those_of_the_kernel(size):
    random = torch.Generator().manual_seed(4)
    reference, neighbor = torch.randn(2, 1, 32, *size, generator=random)
    coords = 40 * torch.rand(1, 2, *size, generator=random) - 10
    expected = local_correlation(reference, feature_pyramid(neighbor, 4), coords, 4)
    torch.testing.assert_close(look_up(all_pairs(reference, neighbor), coords), expected, atol=1e-4, rtol=0)


def test_the_volume_of_a_uhd_pair_has_the_published_size():
    finest = 4 * (480 * 270) ** 2
    assert finest == pytest.approx(67e9, rel=0.01)
    assert volume_bytes(3840, 2160) == pytest.approx(finest * (1 + 1 / 4 + 1 / 16 + 1 / 64), rel=0.01)


def test_a_baseline_run_that_does_not_fit_into_memory_is_skipped():
    with opened("sea_raft") as bench:
        result = bench.measure(PLAIN, (3840 * 4, 2160 * 4), 1)
    assert isinstance(result, NotRun)
    assert result.bytes > 256 * 67e9
    assert "GB" in result.why
    with opened("auto", memory="50M") as bench:
        assert isinstance(bench.measure(PLAIN, (320, 192), 1), NotRun)


def test_an_engine_with_too_little_memory_is_reported():
    with opened("auto", memory="1M") as bench:
        assert isinstance(bench.measure(OURS, (64, 48), 1), NotRun)


def test_every_method_is_measured():
    with opened("auto") as bench:
        results = {method: bench.measure(method, (64, 48), 3) for method in (OURS, MERGE, PLAIN)}
    for method, result in results.items():
        assert (result.method, result.size) == (method, (64, 48))
        assert result.first_s > result.open_s > 0 and result.seconds > 0
        assert result.process_bytes > result.host_bytes >= 0 and result.device_bytes is None
        assert sum(result.shares.values()) == pytest.approx(1)
    assert [len(results[method].steady_s) for method in results] == [3, 3, 2]
    assert min(results[OURS].shares.values()) > 0
    assert {part for part, share in results[MERGE].shares.items() if share} == {
        "flow features", "flow updates", REST,
    }  # fmt: skip


def test_a_benchmark_does_not_use_the_flow_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("F2HDR_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("F2HDR_CACHE_SIZE", "1G")
    with opened("auto") as bench:
        bench.measure(MERGE, (64, 48), 1)
    assert not (tmp_path / "cache").exists()


def test_random_weights_replace_missing_sea_raft_weights_during_a_benchmark(monkeypatch):
    before = os.environ["F2HDR_WEIGHTS"]
    with sea_raft_installed() as untrained:
        assert untrained
        tensors = store.load(store.find(store.SEA_RAFT)).tensors
        with sea_raft_installed() as again:
            assert not again
    assert os.environ["F2HDR_WEIGHTS"] == before
    with pytest.raises(WeightsMissing):
        store.find(store.SEA_RAFT)
    with sea_raft_installed():
        repeated = store.load(store.find(store.SEA_RAFT)).tensors
    assert all(torch.equal(tensor, repeated[name]) for name, tensor in tensors.items())
    assert tensors["fnet.conv1.weight"].std() > 0


def test_windows_of_a_pan_share_frames_and_move_at_alternating_exposures():
    windows = list(Pan((80, 60), 3).windows())
    assert [[frame.number for frame in window] for window in windows] == [[0, 1, 2], [1, 2, 3], [2, 3, 4]]
    assert windows[0][1] is windows[1][0] and windows[0][2] is windows[2][0]
    assert [frame.exposure for frame in windows[0]] == [1, 8, 1]
    x, y = (2 * step for step in STEP_PX)
    np.testing.assert_array_equal(windows[0][0].codes[y:, x:], windows[0][2].codes[:-y, :-x])
    short, long = (frame.codes for frame in windows[0][:2])
    assert short.max() < 1 and 0.02 < (long == 1).mean() < 0.7
    np.testing.assert_array_equal(short, next(Pan((80, 60), 3).windows())[0].codes)


def test_a_part_excludes_what_its_inner_parts_take():
    readings = iter([10.0, 11.0, 13.0, 16.0, 20.0, 25.0])
    meter = PartMeter(lambda: next(readings))

    def run():
        with meter.part("refinement"), meter.part("encoders"):
            pass

    found = {part: amount for part, amount in meter.over(run).items() if amount}
    assert found == {REST: 1 + 5, "refinement": 2 + 4, "encoders": 3}


def test_the_peak_of_memory_is_measured_despite_cached_free_memory():
    for _ in range(2):
        with MemoryPeak(CPU) as peak:
            blocks = [np.ones(MIB // 8) for _ in range(150)]
            del blocks
        assert 140 * MIB < peak.host_growth < 250 * MIB


def measured(method, size, seconds):
    memory = 3 * 2**30, 4 * 2**30, None
    return Measured(method, size, 0.1, 2.0, (9.0, seconds, seconds), (9.0, 1.5, 1.6), *memory, {REST: 1.0}, "whole")


def test_a_report_has_ratios_to_the_baseline_of_the_same_size():
    small, large = (960, 540), (1920, 1080)
    report = Report({"flow": "dis"}, [measured(OURS, small, 2.0), measured(PLAIN, small, 11.0)])
    report.results += [measured(OURS, large, 8.0), NotRun(PLAIN, large, 9 * 2**30, "needs 9 GB")]
    stated = report.to_json()
    assert [result.get("plain_ratio") for result in stated["results"]] == [5.5, 1.0, None, None]
    assert stated["results"][0]["seconds_per_frame"] == 2.0
    assert stated["results"][0]["processor_seconds_per_frame"] == 1.6
    assert stated["results"][3]["why"] == "needs 9 GB"


def test_the_chart_shows_every_method_and_marks_what_could_not_run():
    report = Report({}, [measured(OURS, (960, 540), 2.0), measured(MERGE, (960, 540), 0.2)])
    alone = draw(report, "facts")
    report.results.append(NotRun(PLAIN, (960, 540), 90 * 2**30, "needs 90 GB"))
    chart = draw(report, "facts")
    assert chart.shape == alone.shape and chart.dtype == np.uint8
    for picture, shown in ((alone, {OURS, MERGE}), (chart, {OURS, MERGE, PLAIN})):
        assert {method for method, color in COLORS.items() if (picture == color).all(-1).any()} == shown
