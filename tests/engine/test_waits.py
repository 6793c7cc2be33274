"""On a simulated GPU: no synchronization within a frame, few transfers, and the pixels of the CPU."""

from __future__ import annotations

import weakref
from contextlib import nullcontext
from dataclasses import replace

import numpy as np
import OpenEXR
import pytest
import torch
import torch.nn.functional as F
from torch.utils._python_dispatch import _disable_current_modes
from torch.utils._pytree import tree_map

from f2hdr_backend.engine.method.attempts import ran_out
from f2hdr_backend.engine.method.choose import open_method
from f2hdr_backend.engine.method.merge import MergeMethod
from f2hdr_backend.engine.method.network import NetworkMethod
from f2hdr_backend.engine.method.plan import LARGEST_TENSOR, Workload
from f2hdr_backend.engine.renderer import Renderer
from f2hdr_backend.evaluate.bench import methods
from f2hdr_backend.evaluate.bench.measure import NotRun
from f2hdr_backend.evaluate.bench.pan_plate import Pan
from f2hdr_backend.evaluate.bench.random_weights import sea_raft_installed
from f2hdr_backend.flow.estimators import dis
from f2hdr_backend.image.write import write_image
from f2hdr_backend.kernels import correlation, torch_lookup
from f2hdr_backend.model import blocks, warp
from f2hdr_backend.model.descriptor import Descriptor
from f2hdr_backend.model.precision import exact_float32
from f2hdr_backend.shot.document import Color, Engine, Output, Shot
from f2hdr_backend.shot.errors import OutOfMemory
from f2hdr_backend.shot.events import RenderStarted
from f2hdr_backend.shot.exposure import ExposurePattern
from f2hdr_backend.shot.frames import FrameRange
from tests.engine.windows import moving_window
from tests.pretend_gpu import DEVICE, DeviceTensor, _inner, pretend_gpu

SIZE = (96, 64)
PIXELS = SIZE[0] * SIZE[1]
LAYERS = ("flow",)
FRAMES = 5
PLAIN = Color(response="off")
ACES = Color(config="f2hdr", input_space="gamma22", output_space="ACEScg", response="off")
EVERY_LAYER = ("flow", "mask", "coarse", "occlusion")
ENGINES = {
    "merge": {"method": "merge"},
    "mergenet": {"weights": "mergenet"},
    "lite": {"weights": "lite"},
    "standard": {"weights": "standard"},
    "sea_raft": {"weights": "standard", "flow": "sea_raft"},
}
LAUNCHES = {"merge": 208, "mergenet": 853, "lite": 385, "standard": 374, "sea_raft": 825}
"""Operations of a frame in a moving window; a convolution with its bias counts as one.
That of mergenet includes soft trust, which the others apply after it."""


FUSED = {"merge": 172, "mergenet": 805, "lite": 341, "standard": 330}
"""The same with fused kernels."""


@pytest.fixture
def untrained_flow(tmp_path, monkeypatch):
    monkeypatch.setenv("F2HDR_WEIGHTS", str(tmp_path / "weights"))
    with sea_raft_installed():
        yield


@pytest.fixture
def lookup(monkeypatch):
    """Replaces the Triton kernel, which would not synchronize either."""

    def look_up(reference, pyramid, coords, radius):
        with _disable_current_modes():
            levels = tuple(level.on_cpu for level in pyramid)
            return DeviceTensor(torch_lookup.look_up(reference.on_cpu, levels, coords.on_cpu, radius))

    monkeypatch.setattr(correlation, "_made_by", lambda device: correlation._Maker(look_up, "none"))


class OneLaunchEach:
    """Stands for the fused Triton kernels: their results, by the plain steps, as one operation of the device each."""

    @staticmethod
    def _launched(step, *given, **named):
        with _disable_current_modes():
            found = DeviceTensor(step(*tree_map(_inner, given), **tree_map(_inner, named)))
        return found.add_(0)

    def finish_convolution(self, values, bias, activation, slopes, *, before=None, after=None):
        def step(values, bias, slopes, before, after):
            values = values + bias.view(1, -1, 1, 1) + (0 if before is None else before)
            if activation == "slopes":
                values = F.prelu(values, slopes if isinstance(slopes, torch.Tensor) else values.new_tensor([slopes]))
            values = F.silu(values) if activation == "silu" else values
            return values if after is None else values + after

        return self._launched(step, values, bias, slopes, before, after)

    def sample(self, picture, places, *, from_pixel=False, stretch=(1, 1), shift=0, gate=None, added=None):
        def step(picture, places, gate, added):
            found = warp.backward_warp(picture, places) if from_pixel else warp.sample(picture, places)
            found = found if gate is None else found * gate
            return (found if added is None else found + added).to(picture.dtype)

        return self._launched(step, picture, places, gate, added)


@pytest.fixture
def fused(monkeypatch):
    kernels = OneLaunchEach()
    for module in (blocks, warp):
        monkeypatch.setattr(module, "kernels_for", lambda picture: kernels if picture.is_cuda else None)


def steady(engine, layers=LAYERS):
    """Device operations of the second of consecutive windows, and its result."""
    with pretend_gpu() as counted:
        method = open_method(Engine(device="cuda:0", **engine), DEVICE)
        frames = [frame.pinned() for frame in moving_window(SIZE, 4)]
        for start in (0, 1):
            previous, reference, following = frames[start : start + 3]
            window = previous, reference, following
            ahead = tuple(frame.bare() for frame in window)
            known = method.flows_ahead(ahead, layers) if method.works_ahead else {}
            counted.clear()
            found = method.reconstruct(window, layers, known)
        return counted, found


@pytest.mark.parametrize("name", LAUNCHES)
def test_a_frame_synchronizes_once_and_launches_a_bounded_number_of_kernels(untrained_flow, lookup, name):
    counted, _ = steady(ENGINES[name])
    assert counted.waits == counted.races == []
    assert counted.events == 1
    assert sum(counted.launches.values()) <= LAUNCHES[name]


@pytest.mark.parametrize("name", FUSED)
def test_fused_kernels_start_fewer_operations_and_give_the_same_pictures(fused, name):
    engine = ENGINES[name] | {"precision": "fp32"}
    counted, found = steady(engine, EVERY_LAYER)
    assert counted.waits == counted.races == []
    method = open_method(Engine(device="cpu", **engine))
    expected = method.reconstruct(tuple(moving_window(SIZE, 4)[1:]), EVERY_LAYER)
    for layer in ("radiance", "coarse", "flows", "masks", "occlusions"):
        np.testing.assert_allclose(getattr(found, layer), getattr(expected, layer), atol=1e-5)
    counted, _ = steady(ENGINES[name])
    assert sum(counted.launches.values()) <= FUSED[name]


@pytest.mark.parametrize("name", ["merge", "standard"])
def test_one_new_frame_and_its_flows_are_uploaded_and_requested_layers_downloaded(name):
    counted, _ = steady(ENGINES[name])
    frame, flow, slack = 12 * PIXELS, 8 * PIXELS, 1000
    assert frame + 2 * flow <= counted.up_bytes <= frame + 2 * flow + slack
    assert counted.down_bytes <= 12 * PIXELS + 2 * flow + slack


@pytest.mark.parametrize("name", ["merge", "mergenet", "lite"])
def test_the_pixels_are_those_of_the_cpu(name):
    engine = ENGINES[name] | {"precision": "fp32"}
    _, found = steady(engine, EVERY_LAYER)
    method = open_method(Engine(device="cpu", **engine))
    expected = method.reconstruct(tuple(moving_window(SIZE, 4)[1:]), EVERY_LAYER)
    for layer in ("radiance", "coarse", "flows", "masks", "occlusions"):
        np.testing.assert_allclose(getattr(found, layer), getattr(expected, layer), atol=1e-5)


def test_bands_wait_for_the_device_only_to_read_single_numbers():
    engine = ENGINES["standard"] | {"tile": "32"}
    counted, _ = steady(engine)
    assert set(counted.waits) <= {"_local_scalar_dense", "a copy of 8 bytes from the device"}


def test_bands_with_fused_kernels_never_synchronize(fused):
    """They read the neighbor's rows in place, and need not know which rows those are."""
    counted, _ = steady(ENGINES["standard"] | {"tile": "32"})
    assert counted.waits == counted.races == []


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (torch.OutOfMemoryError("CUDA out of memory."), True),
        (RuntimeError("CUDA error: out of memory"), True),
        (RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"), True),
        (RuntimeError("GET was unable to find an engine to execute this computation"), True),
        (RuntimeError("CUDA error: an illegal memory access was encountered"), False),
    ],
)
def test_errors_of_a_gpu_that_mean_out_of_memory_are_known(error, expected):
    assert ran_out(error) is expected


def test_memory_of_a_frame_that_did_not_fit_is_free_before_the_next_try(monkeypatch):
    """The error's traceback refers to the tensors of the failed frame; the allocator cannot give them back."""
    held = []

    def fails(self, work):
        picture = np.zeros((4, 4))  # unlike a tensor, it can be watched without keeping it
        held.append(weakref.ref(picture))
        raise torch.OutOfMemoryError("CUDA out of memory.")

    alive = []
    with pretend_gpu():
        monkeypatch.setattr(torch.cuda, "empty_cache", lambda: alive.extend(each() is not None for each in held))
        monkeypatch.setattr(NetworkMethod, "_reconstruct", fails)
        method = open_method(Engine(device="cuda:0", weights="lite"), DEVICE)
        with pytest.raises(OutOfMemory) as caught:
            list(method.fit(tuple(moving_window(SIZE, 3)), LAYERS, {}))
    assert alive and not any(alive)
    assert isinstance(caught.value.__cause__, torch.OutOfMemoryError)


def test_frames_of_more_elements_than_32_bits_count_are_computed_in_bands_on_a_gpu():
    large = Workload(8192, 4320, Descriptor(), torch.float16, 60, on_host=False)
    assert next(large.plans("auto")).rows is not None
    assert all(plan.rows is not None for plan in large.plans("auto"))
    whole = replace(large, width=4096, height=2160)
    assert 4096 * 2160 * 96 < LARGEST_TENSOR and next(whole.plans("auto")).rows is None
    assert next(replace(large, on_host=True).plans("auto")).rows is None


@pytest.fixture
def tf32():
    """TF32 is on, torch's default for convolutions; returns a function that reads the setting."""
    backends = (torch.backends.cuda.matmul, torch.backends.cudnn)
    before = [backend.allow_tf32 for backend in backends]
    for backend in backends:
        backend.allow_tf32 = True
    yield lambda: [backend.allow_tf32 for backend in backends]
    for backend, was in zip(backends, before, strict=True):
        backend.allow_tf32 = was


def test_tf32_is_disabled_while_a_window_is_computed_and_restored(monkeypatch, tf32):
    seen = []
    computed = MergeMethod._reconstruct
    monkeypatch.setattr(MergeMethod, "_reconstruct", lambda *args: (seen.append(tf32()), computed(*args))[1])
    with pretend_gpu():
        method = open_method(Engine(device="cuda:0", method="merge"), DEVICE)
        assert tf32() == [True, True]
        method.reconstruct(tuple(moving_window(SIZE, 3)), LAYERS)
    assert seen == [[False, False]] and tf32() == [True, True]


def test_tf32_is_restored_after_the_last_user(tf32):
    with exact_float32(DEVICE):
        with exact_float32(DEVICE):
            assert tf32() == [False, False]
        assert tf32() == [False, False]
    with exact_float32(torch.device("cpu")):
        assert tf32() == [True, True]


def test_flows_computed_ahead_are_in_pinned_memory():
    with pretend_gpu():
        method = open_method(Engine(device="cuda:0", method="merge"), DEVICE)
        known = method.flows_ahead(tuple(moving_window(SIZE, 3)), LAYERS)
        assert len(known) == 4 and all(flow.is_pinned() for flow in known.values())


def test_a_benchmark_feeds_a_gpu_as_a_render_does():
    """With pinned frames, and with flows that were computed ahead."""
    windows = list(Pan(SIZE, 3).windows())
    with pretend_gpu() as counted, methods.open_bench(Engine(device="cuda:0", weights="lite")) as bench:
        contender = bench.opening(methods.MERGE).open()
        with contender.feed(windows) as ready:
            for frames, known in ready:
                assert all(torch.from_numpy(frame.codes).is_pinned() for frame in frames)
                assert len(known) == 4 and all(flow.is_pinned() for flow in known.values())
                counted.clear()
                contender.run(frames, known)
                assert counted.waits == [] and counted.events == 1


def test_a_baseline_run_that_cudnn_cannot_sample_is_reported(untrained_flow):
    with pretend_gpu(), methods.open_bench(Engine(device="cuda:0", weights="lite", flow="sea_raft")) as bench:
        found = bench.measure(methods.PLAIN, (3840, 2160), 1)
    assert isinstance(found, NotRun) and "cuDNN" in found.why


def rendered(folder, device, engine=ENGINES["merge"], color=PLAIN, **output):
    """The pictures of a small moving plate of FRAMES frames by channel, and what the device was asked for."""
    for number, frame in enumerate(moving_window(SIZE, FRAMES), 1):
        write_image(folder / f"p.{number}.tif", frame.codes, bits=16)
    shot = Shot(
        plate=str(folder / "p.#.tif"),
        exposures=ExposurePattern((0.0, 3.0), 1),
        cuts=(),
        color=color,
        engine=Engine(device=device, **engine),
        output=Output(str(folder / device / "o.#.exr"), **{"pixel_type": "float", **output}),
    )
    with pretend_gpu() if device != "cpu" else nullcontext() as counted:
        for event in Renderer(shot.engine).render(shot, FrameRange(tuple(range(1, FRAMES + 1)))):
            if counted and isinstance(event, RenderStarted):
                counted.clear()
    paths = [shot.output.pattern.replace("#", str(number)) for number in range(1, FRAMES + 1)]
    return [{name: each.pixels for name, each in OpenEXR.File(path).channels().items()} for path in paths], counted


def few_differ(found, expected):
    """Soft trust differs in few pixels: see the module trust/device."""
    for one, other in zip(found, expected, strict=True):
        assert one.keys() == other.keys()
        for name in one:
            assert one[name].dtype == other[name].dtype
            off = np.abs(one[name] - other[name].astype(np.float32)) > 1e-4 + 2e-3 * np.abs(other[name])
            assert off.mean() < 0.02


def test_with_soft_trust_a_frame_synchronizes_once_and_equals_that_of_the_cpu(tmp_path):
    expected, _ = rendered(tmp_path, "cpu")
    found, counted = rendered(tmp_path, "cuda:0")
    assert counted.waits == []
    assert counted.events == FRAMES
    assert counted.down_bytes < FRAMES * (12 * PIXELS + 100)  # radiance alone: flows stay on the device
    few_differ(found, expected)


@pytest.mark.parametrize("trust", ["soft", "hard", "off"])
def test_the_device_computes_the_file_values_and_half_floats_are_downloaded(tmp_path, trust):
    engine = ENGINES["merge"] | {"reference_trust": trust}
    output = {"pixel_type": "half", "anchor": "short", "layers": ("coarse",)}
    expected, _ = rendered(tmp_path, "cpu", engine, ACES, **output)
    found, counted = rendered(tmp_path, "cuda:0", engine, ACES, **output)
    assert counted.waits == counted.races == []
    radiance, coarse = 6 * PIXELS, 12 * PIXELS
    assert counted.down_bytes < FRAMES * (radiance + coarse + 100)
    assert found[0]["RGB"].dtype == np.float16
    few_differ(found, expected)


@pytest.mark.parametrize("name", ["merge", "mergenet"])
def test_the_next_frame_is_queued_before_the_host_waits_for_one(tmp_path, name):
    _, counted = rendered(tmp_path, "cuda:0", ENGINES[name])
    steps = " ".join(counted.order).split("event")
    launches, uploads = ([step.count(kind) for step in steps] for kind in ("launch", "up"))
    assert len(steps) == FRAMES + 1  # the host waits once for each frame
    assert launches[0] > launches[1]  # two frames before the first wait, then one more before each
    assert all(launches[1 : FRAMES - 1]) and all(uploads[1 : FRAMES - 1])
    assert launches[FRAMES - 1 :] == [0, 0]  # the last frame was queued before the wait for the one before
    assert counted.waits == counted.races == []


def test_each_flow_is_computed_once_although_windows_share_it(tmp_path, monkeypatch):
    """Forward and backward, between each two frames."""
    computed = []
    estimate = dis.Estimator.estimate
    monkeypatch.setattr(dis.Estimator, "estimate", lambda *args: (computed.append(len(args[1])), estimate(*args))[1])
    rendered(tmp_path, "cuda:0")
    assert sum(computed) == 2 * (FRAMES - 1)


def test_a_frame_that_overflows_in_half_precision_is_computed_again_while_the_next_one_is_queued(tmp_path, monkeypatch):
    """Frame 2 alone: the others are as they were, and all arrive in order."""
    expected, _ = rendered(tmp_path, "cuda:0", ENGINES["lite"])
    computed, types = NetworkMethod._reconstruct, []

    def overflows(self, work):
        found = computed(self, work)
        types.append((work.frames[1].number, work.precision))
        if work.frames[1].number == 2 and work.precision == torch.float16:
            found.layers["radiance"] = found.layers["radiance"] * float("nan")
        return found

    monkeypatch.setattr(NetworkMethod, "_reconstruct", overflows)
    (tmp_path / "again").mkdir()
    found, _ = rendered(tmp_path / "again", "cuda:0", ENGINES["lite"])
    half, whole = torch.float16, torch.float32
    assert types == [(1, half), (2, half), (3, half), (2, whole), (4, half), (5, half)]
    assert all(np.isfinite(frame["RGB"]).all() for frame in found)
    for index in (0, 2, 3, 4):
        np.testing.assert_array_equal(found[index]["RGB"], expected[index]["RGB"])
