"""Plans fit into the given memory, and a frame is finished wherever memory runs out."""

from __future__ import annotations

import pkgutil
from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch

from f2hdr_backend.engine.live import HeldWindow, reconstruct_window
from f2hdr_backend.engine.method import plan as plans
from f2hdr_backend.engine.method.merge import MergeMethod
from f2hdr_backend.engine.method.network import NetworkMethod
from f2hdr_backend.engine.method.plan import Workload, leaner, make_plan
from f2hdr_backend.engine.renderer import Renderer
from f2hdr_backend.image.read import open_plate
from f2hdr_backend.image.write import write_image
from f2hdr_backend.model.descriptor import Descriptor
from f2hdr_backend.shot.document import Engine, Output, Shot
from f2hdr_backend.shot.errors import OutOfMemory
from f2hdr_backend.shot.events import FrameDone, RenderStarted, Warned
from f2hdr_backend.shot.exposure import ExposurePattern
from f2hdr_backend.shot.frames import FrameRange

CPU = torch.device("cpu")
UHD = Workload(3840, 2160, Descriptor(), torch.bfloat16, 600, on_host=True)
STAGES = (
    "flow_adapter.body.3",
    "fusion_net.conv5",
    "motion_mask.weight_net",
    "refine_net.enc",
    "refine_net.msrf.1.out",
    "refine_net.head",
)


def test_plenty_of_memory_means_whole_frames(monkeypatch):
    monkeypatch.setattr(plans, "free_memory", lambda device: 200 << 30)
    plan = make_plan(UHD, Engine(), CPU)
    assert plan.rows is None and plan.keep_features


def test_with_less_memory_tensors_are_freed_early_and_then_bands_are_used(monkeypatch):
    previous = None
    seen = set()
    for gigabytes in (64, 16, 12, 10, 8, 7, 6, 5):
        monkeypatch.setattr(plans, "free_memory", lambda device, free=gigabytes: free << 30)
        plan = make_plan(UHD, Engine(), CPU)
        assert previous is None or plan.bytes <= previous.bytes
        previous = plan
        seen.add((plan.keeps_freed, plan.rows is None, plan.keep_features))
    assert len(seen) >= 3


def test_a_memory_limit_that_is_too_small_is_refused_with_required_and_available_memory():
    with pytest.raises(OutOfMemory, match=r"3840 x 2160 .* \d+\.\d GB.*--memory 1G"):
        make_plan(UHD, Engine(memory="1G"), CPU)


def test_a_requested_tile_is_used():
    assert make_plan(UHD, Engine(tile="200"), CPU).rows == 208
    assert make_plan(replace(UHD, height=160), Engine(tile="200"), CPU).rows is None


def test_entries_for_the_same_device_share_its_memory(monkeypatch):
    monkeypatch.setattr(plans, "free_memory", lambda device: 60 << 30)
    for devices, share in (("cpu", 1), ("cpu, cpu", 2), ("cpu,cpu,cpu,cpu", 4), ("cuda:0", 1)):
        assert make_plan(UHD, Engine(device=devices), CPU).bytes <= 0.8 * (60 << 30) / share
    alone, shared = (make_plan(UHD, Engine(device=devices), CPU) for devices in ("cpu", "cpu,cpu,cpu,cpu"))
    assert shared.bytes < alone.bytes


def test_plans_with_less_memory_are_finite():
    plan, count = make_plan(UHD, Engine(tile="off"), CPU), 0
    while (following := leaner(UHD, plan)) is not None:
        assert following.bytes < plan.bytes
        plan, count = following, count + 1
    assert 3 <= count <= 12


def write_plate(folder):
    return plate_of(np.random.default_rng(4).uniform(0.02, 1, (192, 64, 3)), folder)


def plate_of(light, folder):
    """Four 16-bit TIFFs of ``(H, W, 3)`` light, odd frames long."""
    for number in range(1, 5):
        write_image(folder / f"p.{number}.tif", np.clip(light * (8 if number % 2 else 1), 0, 1) ** (1 / 2.2), bits=16)
    return str(folder / "p.#.tif")


@pytest.fixture
def plate(tmp_path):
    return write_plate(tmp_path)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """The first two frames in float32 without failures."""
    folder = tmp_path_factory.mktemp("undisturbed")
    shot = shot_of(write_plate(folder), folder)
    list(Renderer(shot.engine).render(shot, FrameRange((1, 2))))
    return {number: pixels(folder, number) for number in (1, 2)}


def shot_of(plate, tmp_path, **engine):
    return Shot(
        plate=plate, exposures=ExposurePattern((3.0, 0.0), 1), cuts=(),
        engine=Engine(**{"device": "cpu", "precision": "fp32", "weights": "standard", **engine}),
        output=Output(pattern=str(tmp_path / "hdr" / "o.#.exr"), pixel_type="float"),
    )  # fmt: skip


def pixels(tmp_path, number=2):
    import OpenEXR

    return OpenEXR.File(str(tmp_path / "hdr" / f"o.{number}.exr")).channels()["RGB"].pixels


def test_tiled_and_whole_frames_agree(plate, tmp_path, undisturbed):
    tiled = shot_of(plate, tmp_path, tile="64")
    events = list(Renderer(tiled.engine).render(tiled, FrameRange((2,))))
    started = next(event for event in events if isinstance(event, RenderStarted))
    assert started.plan.startswith("bands of 64 rows")
    np.testing.assert_allclose(pixels(tmp_path), undisturbed[2], atol=1e-3)


def test_bands_leave_no_seams_in_a_smooth_sky(tmp_path):
    """Most of it is brighter than the long exposure can record: a step of a code value would show."""
    down, across = np.meshgrid(np.linspace(0, 1, 208), np.linspace(0, 1, 80), indexing="ij")
    light = (0.02 + 0.9 * down**2 * (0.9 + 0.1 * across))[..., None] * np.array([0.7, 0.85, 1.0])
    plate = plate_of(light, tmp_path)
    found = {}
    for tile in ("off", "64"):
        shot = shot_of(plate, tmp_path / tile, tile=tile)
        list(Renderer(shot.engine).render(shot, FrameRange((2, 3))))
        found[tile] = [pixels(tmp_path / tile, number) for number in (2, 3)]
    for whole, tiled in zip(found["off"], found["64"], strict=True):
        assert whole.max() > 2
        np.testing.assert_allclose(tiled, whole, atol=1e-3)


@pytest.mark.parametrize("stage", STAGES)
def test_out_of_memory_at_any_stage_still_finishes_the_frame(plate, tmp_path, stage, undisturbed):
    shot = shot_of(plate, tmp_path)
    renderer = Renderer(shot.engine)
    error = torch.OutOfMemoryError("CUDA out of memory") if STAGES.index(stage) % 2 else MemoryError()
    fail_once(renderer.methods[0], stage, error)
    events = list(renderer.render(shot, FrameRange((1, 2))))
    warned = [event for event in events if isinstance(event, Warned) and event.code == "smaller_plan"]
    assert len(warned) == 1 and "computed again" in warned[0].message
    assert [event.frame for event in events if isinstance(event, FrameDone)] == [1, 2]
    for number, picture in undisturbed.items():
        np.testing.assert_allclose(pixels(tmp_path, number), picture, atol=1e-4)


@pytest.mark.parametrize(
    ("place", "error"),
    [
        ("f2hdr_backend.flow.estimators.dis.Estimator.encode", MemoryError()),
        ("f2hdr_backend.flow.estimators.dis.Estimator.estimate", torch.OutOfMemoryError("CUDA out of memory")),
        ("f2hdr_backend.engine.method.to_host.Download", RuntimeError("CUDA error: out of memory")),
        ("f2hdr_backend.engine.method.base.upload", RuntimeError("CUDA error: out of memory")),
    ],
)
def test_out_of_memory_around_the_network_still_finishes_the_frame(
    plate, tmp_path, monkeypatch, undisturbed, place, error
):
    owner, name = place.rsplit(".", 1)
    calls = []
    original = pkgutil.resolve_name(place)

    def scarce(*given, **named):
        calls.append(1)
        if len(calls) == 2:
            raise error
        return original(*given, **named)

    monkeypatch.setattr(pkgutil.resolve_name(owner), name, scarce)
    shot = shot_of(plate, tmp_path)
    events = list(Renderer(shot.engine).render(shot, FrameRange((1, 2))))
    assert len([event for event in events if isinstance(event, Warned) and event.code == "smaller_plan"]) == 1
    for number, picture in undisturbed.items():
        np.testing.assert_allclose(pixels(tmp_path, number), picture, atol=1e-4)


def test_a_memory_error_of_opencv_is_out_of_memory(monkeypatch):
    class Search:
        def calc(self, *pictures):
            error = cv2.error("Failed to allocate")
            error.code = cv2.Error.StsNoMem
            raise error

    monkeypatch.setattr(cv2.DISOpticalFlow, "create", lambda preset: Search())
    method = MergeMethod(Engine(method="merge"), CPU)
    with pytest.raises(OutOfMemory):
        method(np.zeros((3, 48, 64, 3), np.float32), (8.0, 1.0, 8.0), occlusions=False)


def fail_once(method, stage, error):
    """Let one layer of the network run out of memory at its second call."""
    assert isinstance(method, NetworkMethod)
    calls = []

    def hook(module, inputs):
        calls.append(1)
        if len(calls) == 2:
            raise error

    method._network.get_submodule(stage).register_forward_pre_hook(hook)


def test_if_no_plan_fits_the_error_names_size_and_device_and_no_file_is_written(plate, tmp_path):
    shot = shot_of(plate, tmp_path)
    renderer = Renderer(shot.engine)
    method = renderer.methods[0]

    def hook(module, inputs):
        raise MemoryError

    method._network.get_submodule("fusion_net").register_forward_pre_hook(hook)
    with pytest.raises(OutOfMemory, match="64 x 192.* cpu"):
        list(renderer.render(shot))
    assert not list((tmp_path / "hdr").glob("*"))


def test_other_errors_of_the_network_are_not_out_of_memory(plate, tmp_path):
    shot = shot_of(plate, tmp_path)
    renderer = Renderer(shot.engine)

    def hook(module, inputs):
        raise RuntimeError("something else")

    renderer.methods[0]._network.get_submodule("fusion_net").register_forward_pre_hook(hook)
    with pytest.raises(RuntimeError, match="something else"):
        list(renderer.render(shot))


@pytest.mark.parametrize("tile", ["off", "64"])
def test_a_frame_or_a_band_that_overflows_in_half_precision_is_computed_in_float32(plate, tmp_path, undisturbed, tile):
    shot = shot_of(plate, tmp_path, tile=tile)
    half = replace(shot, engine=replace(shot.engine, precision="bf16"))
    renderer = Renderer(half.engine)
    halves = []

    def hook(module, inputs, output):
        if output.dtype == torch.bfloat16:
            halves.append(1)
        return output * float("nan") if len(halves) == 1 and output.dtype == torch.bfloat16 else None

    renderer.methods[0]._network.get_submodule("refine_net.head").register_forward_hook(hook)
    events = list(renderer.render(half, FrameRange((1, 2))))
    warned = [event for event in events if isinstance(event, Warned) and event.code == "redone_fp32"]
    assert [event.frame for event in warned] == [1]
    np.testing.assert_allclose(pixels(tmp_path, 1), undisturbed[1], atol=1e-4)
    np.testing.assert_allclose(pixels(tmp_path, 2), undisturbed[2], atol=0.3)


def test_two_devices_give_the_frames_of_one(plate, tmp_path):
    shot = shot_of(plate, tmp_path)
    list(Renderer(shot.engine).render(shot))
    expected = {number: pixels(tmp_path, number) for number in range(1, 5)}
    both = replace(shot, engine=replace(shot.engine, device="cpu,cpu"))
    events = list(Renderer(both.engine).render(both, force=True))
    done = [event for event in events if isinstance(event, FrameDone)]
    assert sorted(event.frame for event in done) == [1, 2, 3, 4]
    assert [event.done for event in done] == [1, 2, 3, 4]
    for number, picture in expected.items():
        np.testing.assert_array_equal(pixels(tmp_path, number), picture)


def test_a_window_in_memory_that_runs_out_of_memory_is_computed_again(plate, tmp_path):
    shot = shot_of(plate, tmp_path)
    pictures = open_plate(plate)
    first, middle, last = (pictures.read(number).pixels for number in (1, 2, 3))
    window = HeldWindow((1, 2, 3), (first, middle, last))
    wanted = reconstruct_window(Renderer(shot.engine), shot, window)
    short_of_memory = Renderer(shot.engine)
    fail_once(short_of_memory.methods[0], "fusion_net", MemoryError())
    np.testing.assert_allclose(reconstruct_window(short_of_memory, shot, window), wanted, atol=1e-4)
