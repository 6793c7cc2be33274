"""One contract for every flow estimator found in the package."""

import numpy as np
import pytest
import torch

from f2hdr_backend.engine.method.merge import MergeMethod
from f2hdr_backend.evaluate.bench.random_weights import sea_raft_installed
from f2hdr_backend.flow import estimators
from f2hdr_backend.flow.estimator import SizeRequirement, estimator_names, load_estimator
from f2hdr_backend.flow.occlusion import occlusion
from f2hdr_backend.flow.window import estimate_flows, flow_inputs
from f2hdr_backend.shot.document import Engine
from f2hdr_backend.shot.errors import DocumentError, WeightsMissing

CPU = torch.device("cpu")
WEIGHTLESS = ["dis"]


def texture(height, width, seed=3):
    """Smooth random texture, ``(1, 3, H, W)`` in 0-1."""
    random = torch.from_numpy(np.random.default_rng(seed).random((1, 3, height // 4, width // 4), np.float32))
    return torch.nn.functional.interpolate(random, (height, width), mode="bicubic").clamp(0, 1)


def test_the_shipped_estimators_are_found():
    assert set(estimator_names()) >= {"dis", "sea_raft"}


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(DocumentError, match="dis.*sea_raft"):
        load_estimator("raft9000", CPU)


def test_missing_sea_raft_weights_are_reported_with_the_import_command(tmp_path, monkeypatch):
    monkeypatch.setenv("F2HDR_WEIGHTS", str(tmp_path))
    with pytest.raises(WeightsMissing, match="f2hdr weights import"):
        load_estimator("sea_raft", CPU)


@pytest.mark.parametrize("name", WEIGHTLESS)
def test_a_shifted_picture_gives_that_shift_toward_the_neighbor(name):
    estimator = load_estimator(name, CPU)
    big = texture(160, 200)
    reference, neighbor = big[..., 16:144, 16:176], big[..., 13:141, 21:181]
    features = estimator.encode(reference), estimator.encode(neighbor)
    flow = estimator.estimate(*features)
    assert flow.shape == (1, 2, 128, 160) and flow.dtype == torch.float32
    inner = flow[0, :, 16:-16, 16:-16].flatten(1)
    assert inner.median(1).values.tolist() == pytest.approx([-5, 3], abs=0.2)
    assert torch.equal(flow, estimator.estimate(*features))
    assert name in estimator.digest


@pytest.fixture(scope="module", params=estimator_names())
def estimator(request):
    """Every estimator that exists; a network gets untrained weights, since its contract does not depend on them."""
    with sea_raft_installed():
        yield load_estimator(request.param, CPU)


def test_every_estimator_returns_flow_in_pixels_and_is_deterministic(estimator):
    side = estimator.size.padded(96)
    reference, neighbor = texture(side, side, 1), texture(side, side, 2)
    features = estimator.encode(reference), estimator.encode(neighbor)
    with torch.inference_mode():
        flow = estimator.estimate(*features)
        assert flow.shape == (1, 2, side, side) and flow.dtype == torch.float32 and flow.isfinite().all()
        assert torch.equal(flow, estimator.estimate(*features))


def test_every_estimator_takes_batches_of_frames(estimator):
    side = estimator.size.padded(96)
    frames = [texture(side, side, seed) for seed in (1, 2)]
    encoded = [estimator.encode(frame) for frame in frames]
    with torch.inference_mode():
        single = torch.cat([estimator.estimate(encoded[0], encoded[1]), estimator.estimate(encoded[1], encoded[0])])
        both = estimator.estimate(estimator.batch(encoded), estimator.batch(encoded[::-1]))
    assert both.shape == single.shape
    torch.testing.assert_close(both, single, atol=0.05, rtol=0.01)


def test_every_estimator_declares_its_digest_and_requirements(estimator):
    assert estimator.digest and estimator.bytes_per_pixel > 0
    assert isinstance(estimator.caution, str) and isinstance(estimator.on_host, bool)
    assert estimator.size.padded(1) >= 1


def test_a_new_estimator_is_one_file(tmp_path, monkeypatch):
    (tmp_path / "still.py").write_text(
        "import torch\n"
        "from f2hdr_backend.flow.estimator import SizeRequirement\n"
        "class Estimator:\n"
        "    size, bytes_per_pixel, on_host, caution, digest = SizeRequirement(), 8, False, '', 'still-1'\n"
        "    def __init__(self, device): pass\n"
        "    def encode(self, frames): return frames\n"
        "    def batch(self, encoded): return torch.cat(list(encoded))\n"
        "    def estimate(self, reference, neighbor): return torch.zeros_like(reference[:, :2])\n",
        encoding="utf-8",
    )
    monkeypatch.setattr(estimators, "__path__", [*estimators.__path__, str(tmp_path)])
    assert "still" in estimator_names()
    method = MergeMethod(Engine(method="merge", flow="still", device="cpu"), CPU)
    codes = np.full((3, 32, 40, 3), 0.5, np.float32)
    frame = method(codes, (1.0, 8.0, 1.0), occlusions=False)
    assert method.flow_name == "still" and not frame.flows.any()


def test_sizes_are_rounded_up_to_the_requirement_of_the_network():
    requirement = SizeRequirement(multiple_of=8, minimum=128)
    assert [requirement.padded(side) for side in (1, 128, 129, 1080)] == [128, 128, 136, 1080]


@pytest.mark.parametrize("gains", [(1.0, 8.0), (8.0, 1.0)])
def test_alignment_brings_the_pair_to_one_exposure(gains):
    light = torch.linspace(0.001, 0.12, 32).view(1, 1, 1, 32).expand(1, 3, 4, 32)
    reference, neighbor = ((light * gain).clamp(0, 1) ** (1 / 2.2) for gain in gains)
    exposures = torch.tensor([gains[0]]), torch.tensor([gains[1]])
    for alignment in ("eq2", "brightest"):
        one, other = flow_inputs(reference, neighbor, exposures, alignment)
        torch.testing.assert_close(one, other)
    untouched = flow_inputs(reference, neighbor, exposures, "none")
    assert torch.equal(untouched[0], reference) and torch.equal(untouched[1], neighbor)


def test_flows_of_a_window_do_not_depend_on_the_exposure_change():
    big = texture(96, 160) * 0.12
    frames = torch.stack([big[..., 16:80, 16 + shift : 144 + shift] for shift in (-4, 0, 4)], 1)
    gains = torch.tensor([[1.0, 8.0, 1.0]])
    codes = (frames * gains.view(1, 3, 1, 1, 1)).clamp(0, 1) ** (1 / 2.2)
    flows = estimate_flows(codes, gains, load_estimator("dis", CPU), "brightest")
    median = flows[0, :, 0, 12:-12, 12:-12].flatten(1).median(1).values
    assert median.tolist() == pytest.approx([4, -4], abs=0.2)


def test_pixels_whose_backward_flow_does_not_return_are_occluded():
    flow = torch.zeros(1, 2, 20, 40)
    flow[:, 0] = 3
    hidden = occlusion(flow, -flow)
    assert hidden[..., :-3].sum() == 0 and (hidden[..., -3:] == 1).all()
    back = -flow.clone()
    back[:, 0, 5:10, 10:20] = 6
    found = occlusion(flow, back)[0, 0]
    assert (found[5:10, 7:17] == 1).all() and found[12:, :30].sum() == 0
