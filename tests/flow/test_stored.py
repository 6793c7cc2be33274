"""Flows from the cache are those that were estimated, and nothing is estimated twice."""

from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pytest
import torch

from f2hdr_backend.flow.cache import FlowCache
from f2hdr_backend.flow.estimator import load_estimator
from f2hdr_backend.flow.stored import StoredFlows, frame_identity

CPU = torch.device("cpu")
SIZE = (48, 64)
PLENTY = 10**9


@dataclass(frozen=True)
class Frame:
    identity: str
    exposure: float


A, B, C = (Frame(letter * 64, exposure) for letter, exposure in (("a", 1.0), ("b", 8.0), ("c", 1.0)))


class Network:
    """Stand-in for a flow network: counts its calls, and returns a different flow each time."""

    def __init__(self):
        self.estimated = 0

    def __call__(self, count):
        self.estimated += count
        flow = torch.randn(count, 2, *SIZE, generator=torch.Generator().manual_seed(self.estimated)) * 9
        return flow


@pytest.fixture
def network():
    return Network()


def flows_in(folder, *, limit=PLENTY, estimator="net/1", alignment="brightest"):
    return StoredFlows(FlowCache(folder, limit), estimator, alignment, CPU)


def recall(stored, network, *pairs, size=SIZE):
    flows = stored.recall(pairs, size, partial(network, len(pairs)))
    stored.finish()
    return flows


def test_cached_flows_are_not_estimated_again_and_equal(tmp_path, network):
    cold = recall(flows_in(tmp_path), network, (B, A), (B, C))
    assert network.estimated == 2
    warm = recall(flows_in(tmp_path), network, (B, A), (B, C))
    assert network.estimated == 2
    for one, other in zip(cold, warm, strict=True):
        assert one.shape == (1, 2, *SIZE) and one.dtype == torch.float32
        assert torch.equal(one, other)


def test_flows_without_a_cache_equal_cached_ones(tmp_path):
    kept = recall(flows_in(tmp_path / "a"), Network(), (B, A))
    off = recall(flows_in(tmp_path / "b", limit=0), Network(), (B, A))
    (tmp_path / "c").write_text("no folder")
    unusable = recall(flows_in(tmp_path / "c"), Network(), (B, A))
    assert torch.equal(kept[0], off[0]) and torch.equal(kept[0], unusable[0])
    assert not (tmp_path / "b").exists()


def test_the_rounding_error_of_stored_flow_is_small(tmp_path):
    exact = Network()(1)
    (kept,) = recall(flows_in(tmp_path), Network(), (B, A))
    assert 0 < (kept - exact).abs().max() <= 1 / 512


def test_if_one_of_a_batch_is_missing_the_batch_is_estimated_whole(tmp_path, network):
    recall(flows_in(tmp_path), network, (B, A))
    recall(flows_in(tmp_path), network, (B, A), (B, C))
    assert network.estimated == 1 + 2


@pytest.mark.parametrize(
    ("pair", "settings"),
    [
        ((A, B), {}),
        ((B, replace(A, identity="d" * 64)), {}),
        ((replace(B, identity="d" * 64), A), {}),
        ((replace(B, exposure=4.0), A), {}),
        ((B, A), {"size": (64, 48)}),
        ((B, A), {"estimator": "net/2"}),
        ((B, A), {"alignment": "none"}),
        ((B, A), {"alignment": "eq2"}),
    ],
)
def test_every_input_of_a_flow_changes_the_key(tmp_path, network, pair, settings):
    recall(flows_in(tmp_path), network, (B, A))
    size = settings.pop("size", SIZE)
    flow = partial(torch.zeros, 1, 2, *size)
    calls = []
    stored = flows_in(tmp_path, **settings)
    stored.recall([pair], size, lambda: calls.append(1) or flow())
    stored.finish()
    assert calls == [1]


def test_half_precision_has_another_key(tmp_path, network):
    recall(flows_in(tmp_path), network, (B, A))
    with torch.autocast("cpu", torch.bfloat16):
        recall(flows_in(tmp_path), network, (B, A))
    assert network.estimated == 2


@pytest.mark.parametrize(
    ("alignment", "pair"),
    [
        ("none", (replace(B, exposure=2.0), replace(A, exposure=16.0))),
        ("brightest", (replace(B, exposure=2.0), replace(A, exposure=0.25))),
        ("eq2", (replace(B, exposure=16.0), replace(A, exposure=2.0))),
    ],
)
def test_exposures_with_equal_inputs_of_the_estimator_have_one_key(tmp_path, network, alignment, pair):
    """The flow sees only how far frames are raised: where a shot's stops start does not matter."""
    recall(flows_in(tmp_path, alignment=alignment), network, (B, A))
    recall(flows_in(tmp_path, alignment=alignment), network, pair)
    assert network.estimated == 1


def test_a_damaged_flow_is_estimated_again_with_an_equal_result(tmp_path):
    (cold,) = recall(flows_in(tmp_path), Network(), (B, A))
    (path,) = (path for path in tmp_path.rglob("*.flow"))
    whole = path.read_bytes()
    for position in np.random.default_rng(0).integers(0, len(whole), 30):
        damaged = bytearray(whole)
        damaged[position] ^= 0xFF
        path.write_bytes(damaged)
        stored, network = flows_in(tmp_path), Network()
        (again,) = recall(stored, network, (B, A))
        assert network.estimated == 1 and torch.equal(again, cold)
        assert [notice.code for notice in stored.cache.take_notices()] == ["flow_cache_damaged"]
        assert path.read_bytes() == whole


def test_an_intact_file_without_a_flow_is_estimated_again(tmp_path, network):
    cold = recall(flows_in(tmp_path), network, (B, A))
    (path,) = (path for path in tmp_path.rglob("*.flow"))
    FlowCache(tmp_path, PLENTY).put(path.stem, b"something else")
    assert recall(flows_in(tmp_path), network, (B, A))[0].shape == cold[0].shape
    assert network.estimated == 2


def test_nonfinite_flow_is_returned_and_not_stored(tmp_path):
    broken = torch.zeros(1, 2, *SIZE)
    broken[0, 1, 3, 4] = float("nan")
    stored = flows_in(tmp_path)
    (flow,) = stored.recall([(B, A)], SIZE, lambda: broken)
    stored.finish()
    assert torch.equal(flow.isnan(), broken.isnan()) and not list(tmp_path.rglob("*.flow"))


def test_half_precision_flows_are_returned_as_float32(tmp_path):
    half = Network()(1).half()
    (flow,) = flows_in(tmp_path).recall([(B, A)], SIZE, lambda: half)
    assert flow.dtype == torch.float32


@torch.inference_mode()
def test_flows_estimated_in_inference_mode_are_stored_and_found(tmp_path):
    estimator = load_estimator("dis", CPU)
    random = torch.from_numpy(np.random.default_rng(3).random((1, 3, 30, 40), np.float32))
    big = torch.nn.functional.interpolate(random, scale_factor=4, mode="bicubic").clamp(0, 1)
    frames = [big[..., 10 : 10 + SIZE[0], left : left + SIZE[1]] for left in (20, 24)]
    seen = [Frame(frame_identity(frame[0].permute(1, 2, 0).numpy()), 1.0) for frame in frames]
    one, other = (estimator.encode(frame) for frame in frames)
    stored = StoredFlows(FlowCache(tmp_path, PLENTY), estimator.digest, "none", CPU)
    (cold,) = stored.recall([(seen[0], seen[1])], SIZE, lambda: estimator.estimate(one, other))
    stored.finish()
    again = StoredFlows(FlowCache(tmp_path, PLENTY), estimator.digest, "none", CPU)
    (warm,) = again.recall([(seen[0], seen[1])], SIZE, lambda: pytest.fail("estimated again"))
    assert torch.equal(cold, warm)
    assert warm[0, 0].median().item() == pytest.approx(-4, abs=0.2)
    assert (warm - estimator.estimate(one, other)).abs().max() <= 1 / 512


def test_the_identity_of_a_frame_is_its_content_and_size():
    codes = np.random.default_rng(0).random((6, 8, 3), np.float32)
    assert frame_identity(codes) == frame_identity(codes.copy())
    assert frame_identity(codes) == frame_identity(np.asfortranarray(codes))
    assert frame_identity(np.ascontiguousarray(codes[::-1])) == frame_identity(codes[::-1])
    changed = codes.copy()
    changed[5, 7, 2] = np.nextafter(changed[5, 7, 2], np.float32(2))
    distinct = [codes, changed, codes[::-1], codes.reshape(8, 6, 3), codes.astype(np.float16)]
    assert len({frame_identity(each) for each in distinct}) == len(distinct)
