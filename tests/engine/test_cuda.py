"""On a GPU: the CPU's pictures, from files to files, and no wait for the device within a frame."""

from __future__ import annotations

import numpy as np
import OpenEXR
import pytest
import torch

from f2hdr_backend.engine.method.choose import open_method
from f2hdr_backend.engine.method.features import NetworkFrame
from f2hdr_backend.engine.renderer import Renderer
from f2hdr_backend.evaluate.bench.random_weights import sea_raft_installed
from f2hdr_backend.image.write import write_image
from f2hdr_backend.model.transfer import Download, upload
from f2hdr_backend.shot.document import Engine, Output, Shot
from f2hdr_backend.shot.exposure import ExposurePattern
from f2hdr_backend.shot.frames import FrameRange

if not torch.cuda.is_available():
    pytest.skip("there is no CUDA device", allow_module_level=True)

LAYERS = ("flow", "mask", "coarse", "occlusion")
SIZE = (136, 200)


@pytest.fixture(autouse=True)
def untrained_flow(tmp_path, monkeypatch):
    monkeypatch.setenv("F2HDR_WEIGHTS", str(tmp_path / "weights"))
    with sea_raft_installed():
        yield


def window():
    codes = np.random.default_rng(2).random((3, *SIZE, 3), np.float32)
    return tuple(NetworkFrame(number, codes[number], (8.0, 1.0, 8.0)[number]) for number in range(3))


def rendered(folder, frames, **engine):
    shot = Shot(
        plate=str(folder / "p.#.tif"),
        exposures=ExposurePattern((3.0, 0.0), 1),
        cuts=(),
        engine=Engine(**engine),
        output=Output(str(folder / "o.#.exr"), layers=LAYERS, pixel_type="float"),
    )
    list(Renderer(shot.engine).render(shot, frames, force=True))
    return [OpenEXR.File(str(folder / f"o.{number}.exr")).channels()["RGB"].pixels for number in frames]


@pytest.mark.parametrize(
    "engine",
    [{"method": "merge"}, {"weights": "mergenet"}, {}, {"flow": "sea_raft"}, {"tile": "64"}],
    ids=["merge", "mergenet", "dis", "sea_raft", "bands"],
)
def test_the_pictures_are_those_of_the_cpu(tmp_path, engine):
    texture = np.kron(np.random.default_rng(1).uniform(0.02, 1, (SIZE[0] // 4, 60, 3)), np.ones((4, 4, 1)))
    for number in range(1, 5):
        light = texture[:, 2 * number : 2 * number + SIZE[1]] * (8 if number % 2 else 1)
        write_image(tmp_path / f"p.{number}.tif", np.clip(light, 0, 1) ** (1 / 2.2), bits=16)
    frames = FrameRange((1, 2, 3, 4))
    host = rendered(tmp_path, frames, device="cpu", precision="fp32", **engine)
    device = rendered(tmp_path, frames, device="cuda:0", precision="fp32", **engine)
    for one, other in zip(host, device, strict=True):
        assert np.median(np.abs(other - one)) < 1e-4 and np.abs(other - one).mean() < 1e-3


@pytest.mark.parametrize("flow", ["dis", "sea_raft"])
def test_a_frame_is_computed_without_synchronization(flow):
    method = open_method(Engine(device="cuda:0", flow=flow))
    known = method.flows_ahead(window(), LAYERS)
    method.reconstruct(window(), LAYERS, known)
    torch.cuda.set_sync_debug_mode("error")
    try:
        frame = method.reconstruct(window(), LAYERS, known)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert np.isfinite(frame.radiance).all()


def test_tensors_are_unchanged_after_a_copy_to_the_device_and_back():
    there = [torch.randn(300, 400), torch.arange(5, dtype=torch.int16), torch.tensor(True)]
    device = torch.device("cuda:0")
    for here, back in zip(there, Download(*(upload(each, device) for each in there)).wait(), strict=True):
        assert torch.equal(here, back)
