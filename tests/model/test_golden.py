"""Results of the released network, through the whole path of a user's imported weights."""

from pathlib import Path

import numpy as np
import pytest
import torch

from f2hdr_backend.engine.method.network import NetworkMethod
from f2hdr_backend.shot.document import Engine
from f2hdr_backend.weights.importer import import_checkpoint
from tests.golden import published

FOLDER = Path(__file__).parents[1] / "golden" / "f2hdr"
CASES = ("short_reference", "long_reference", "odd_size")


@pytest.fixture(scope="module")
def imported(tmp_path_factory):
    """Published-layout files, imported as a user would."""
    folder = tmp_path_factory.mktemp("weights")
    torch.save({"state_dict": published.f2hdr_state(), "epoch": 50}, folder / "checkpoint.pth")
    torch.save(published.sea_raft_state(), folder / "sea_raft.pth")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("F2HDR_WEIGHTS", str(folder / "installed"))
        import_checkpoint(folder / "checkpoint.pth", "published", folder / "sea_raft.pth")
        yield NetworkMethod(Engine(weights="published", precision="fp32"), torch.device("cpu"))


@pytest.mark.parametrize("case", CASES)
def test_results_of_the_released_code_are_reproduced(imported, case):
    with np.load(FOLDER / f"{case}.npz") as golden:
        codes = golden["ldr"].astype(np.float32) / 65535
        exposures = tuple(float(exposure) for exposure in golden["exposures"])
        frame = imported(codes, exposures, occlusions=False)
        for side, name in enumerate(("prev", "next")):
            np.testing.assert_allclose(np.moveaxis(frame.flows[side], -1, 0), golden[f"flow_{name}"], atol=1e-2)
            np.testing.assert_allclose(frame.masks[side], golden[f"mask_{name}"][0], atol=1e-2)
        np.testing.assert_allclose(np.moveaxis(frame.coarse, -1, 0), golden["coarse_hdr"], atol=5e-4)
        np.testing.assert_allclose(np.moveaxis(frame.radiance, -1, 0), golden["hdr"], atol=5e-4)


@pytest.mark.parametrize("case", ["short_reference", "long_reference"])
def test_results_from_released_flows_are_reproduced(imported, case, monkeypatch):
    """The engine rounds flows to 1/256 px before it keeps them; given the released flows, nothing is left to differ.

    Not for the odd size: the goldens have no flow in its borders.
    """
    with np.load(FOLDER / f"{case}.npz") as golden:
        codes = golden["ldr"].astype(np.float32) / 65535
        exposures = tuple(float(exposure) for exposure in golden["exposures"])
        flows = torch.from_numpy(np.stack([golden["coarse_flow_prev"], golden["coarse_flow_next"]]))[None].float()
        monkeypatch.setattr(imported, "_flows", lambda work, back=False: _padded(flows, work.padding))
        frame = imported(codes, exposures, occlusions=False)
        for side, name in enumerate(("prev", "next")):
            np.testing.assert_allclose(np.moveaxis(frame.flows[side], -1, 0), golden[f"flow_{name}"], atol=1e-3)
            np.testing.assert_allclose(frame.masks[side], golden[f"mask_{name}"][0], atol=1e-4)
        np.testing.assert_allclose(np.moveaxis(frame.coarse, -1, 0), golden["coarse_hdr"], atol=1e-4)
        np.testing.assert_allclose(np.moveaxis(frame.radiance, -1, 0), golden["hdr"], atol=1e-4)


def _padded(flows, padding):
    return padding.pad(flows.flatten(0, 1)).unflatten(0, (1, 2))


@pytest.mark.parametrize("case", CASES)
def test_results_of_sea_raft_are_reproduced(imported, case):
    with np.load(FOLDER / f"{case}.npz") as golden:
        frames = torch.from_numpy(golden["ldr"].astype(np.float32) / 65535).permute(0, 3, 1, 2)
        height, width = frames.shape[-2:]
        wide, high = -width % 16, -height % 16
        edges = (wide // 2, wide - wide // 2, high // 2, high - high // 2)
        padded = torch.nn.functional.pad(frames, edges, mode="replicate")
        previous, reference, following = (imported.estimator.encode(padded[i : i + 1]) for i in range(3))
        for neighbor, name in ((previous, "prev"), (following, "next")):
            with torch.inference_mode():
                flow = imported.estimator.estimate(reference, neighbor)[0]
            inside = flow[:, edges[2] : edges[2] + height, edges[0] : edges[0] + width]
            np.testing.assert_allclose(inside.numpy(), golden[f"coarse_flow_{name}"], atol=5e-3)
