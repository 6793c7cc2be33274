"""Frames from the plate to the files: order, concurrency, and no unrequested work."""

from __future__ import annotations

import threading
from contextlib import nullcontext

import numpy as np
import OpenEXR
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from f2hdr_backend.engine.method.base import Method
from f2hdr_backend.engine.method.choose import open_method
from f2hdr_backend.engine.method.features import NetworkFrame
from f2hdr_backend.engine.renderer import Renderer
from f2hdr_backend.evaluate.bench.random_weights import sea_raft_installed
from f2hdr_backend.flow.cache import FlowCache
from f2hdr_backend.flow.estimators import dis, sea_raft
from f2hdr_backend.image.read import SequencePlate
from f2hdr_backend.image.write import write_image
from f2hdr_backend.model.sea_raft import network as sea_raft_network
from f2hdr_backend.shot.cancellation import stoppable
from f2hdr_backend.shot.document import Color, Engine, Output, Shot
from f2hdr_backend.shot.errors import Canceled
from f2hdr_backend.shot.events import FrameDone, RenderStarted, Warned
from f2hdr_backend.shot.exposure import ExposurePattern
from f2hdr_backend.shot.frames import FrameRange

LAYERS = {"flow": "flows", "mask": "masks", "coarse": "coarse", "occlusion": "occlusions"}
"""Layers as users name them, and where they are in an HdrFrame."""
SIZE = (128, 136)
ALL = FrameRange(tuple(range(20)))
FEW = FrameRange((0, 1, 2))


@pytest.fixture(scope="module")
def plate(tmp_path_factory):
    """Twenty 16-bit TIFFs of a texture that moves 2 px a frame; even frames long."""
    folder = tmp_path_factory.mktemp("plate")
    height, width = SIZE
    texture = np.random.default_rng(1).uniform(0.02, 1, (height // 4, width, 3))
    light = np.kron(texture, np.ones((4, 4, 1)))
    for number in ALL:
        moved = light[:, 2 * number : 2 * number + width] * (1 if number % 2 else 8)
        write_image(folder / f"p.{number:04d}.tif", np.clip(moved, 0, 1) ** (1 / 2.2), bits=16)
    return str(folder / "p.####.tif")


@pytest.fixture(autouse=True)
def no_weights_of_the_user(tmp_path, monkeypatch):
    monkeypatch.setenv("F2HDR_WEIGHTS", str(tmp_path / "weights"))


def shot_of(plate, folder, *layers, **engine):
    return Shot(
        plate=plate,
        exposures=ExposurePattern((3.0, 0.0), 0),
        cuts=(),
        color=Color(response="off"),  # nothing is read but the windows
        engine=Engine(**{"device": "cpu", "method": "merge", **engine}),
        output=Output(str(folder / "o.####.exr"), layers=layers, pixel_type="float", compression="none"),
    )


def render(shot, frames=ALL):
    return list(Renderer(shot.engine).render(shot, frames, force=True))


def frames_done(events):
    return [event for event in events if isinstance(event, FrameDone)]


def channels(shot, number):
    with OpenEXR.File(shot.output.pattern.replace("####", f"{number:04d}"), separate_channels=True) as file:
        return {name: channel.pixels for name, channel in file.channels().items()}


def same(one, other, frames=ALL):
    for number in frames:
        expected, found = channels(one, number), channels(other, number)
        assert expected.keys() == found.keys()
        assert all(np.array_equal(expected[name], found[name]) for name in expected)


def window():
    codes = np.random.default_rng(2).random((3, *SIZE, 3), np.float32)
    return tuple(NetworkFrame(number, codes[number], (8.0, 1.0, 8.0)[number]) for number in range(3))


@pytest.mark.parametrize("method", ["merge", "f2hdr"])
def test_only_requested_layers_are_copied_from_the_device(method):
    opened = open_method(Engine(method=method, device="cpu", precision="fp32"))
    everything = opened.reconstruct(window(), LAYERS)
    for asked in [(), *((layer,) for layer in LAYERS)]:
        found = opened.reconstruct(window(), asked)
        np.testing.assert_array_equal(found.radiance, everything.radiance)
        for layer, field in LAYERS.items():
            assert (getattr(found, field).size > 0) == (layer in asked)
            if layer in asked:
                np.testing.assert_array_equal(getattr(found, field), getattr(everything, field))


@pytest.mark.parametrize(
    ("trust", "written", "wanted"),
    [("off", (), set()), ("hard", ("coarse",), {"coarse"}), ("soft", ("mask",), {"mask", "flow"})],
)
def test_a_render_requests_written_layers_and_those_that_the_blend_needs(
    plate, tmp_path, monkeypatch, trust, written, wanted
):
    asked = []
    launch = Method.launch

    def noted(self, frames, layers, known, finishing):
        asked.append(set(layers))
        return launch(self, frames, layers, known, finishing)

    monkeypatch.setattr(Method, "launch", noted)
    render(shot_of(plate, tmp_path, *written, reference_trust=trust), FEW)
    assert asked == [wanted] * len(FEW)


class HostReads(TorchDispatchMode):
    """Counts how often the host reads a computed number, which would synchronize with a GPU."""

    LOOKS = (torch.ops.aten.item, torch.ops.aten.is_nonzero, torch.ops.aten._local_scalar_dense)
    count = 0

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        self.count += operation.overloadpacket in self.LOOKS
        return operation(*args, **(kwargs or {}))


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("flow", ["dis", "sea_raft"])
def test_there_is_one_synchronization_per_frame(flow, precision, monkeypatch):
    def look_up(reference, pyramid, coords, radius):  # as a kernel on the device: nothing is looked at
        batch, _, height, width = reference.shape
        return reference.new_zeros(batch, len(pyramid) * (2 * radius + 1) ** 2, height, width)

    monkeypatch.setattr(sea_raft_network, "local_correlation", look_up)
    with sea_raft_installed() if flow == "sea_raft" else nullcontext():
        opened = open_method(Engine(device="cpu", precision=precision, flow=flow))
    with HostReads() as reads:
        opened.reconstruct(window(), LAYERS)
    assert reads.count == 1


def test_the_first_frame_is_reported_before_the_second_starts(plate, tmp_path, monkeypatch):
    begun = []
    launch = Method.launch

    def noted(self, frames, layers, known, finishing):
        begun.append(frames[1].number)
        return launch(self, frames, layers, known, finishing)

    monkeypatch.setattr(Method, "launch", noted)
    shot = shot_of(plate, tmp_path)
    events = Renderer(shot.engine).render(shot)
    first = next(event for event in events if isinstance(event, FrameDone))
    assert first.frame == 0 and begun == [0]
    events.close()


@pytest.mark.parametrize("devices", ["cpu", "cpu,cpu", "cpu,cpu,cpu"])
def test_frames_are_in_order_and_the_plate_is_read_once_for_any_devices(plate, tmp_path, monkeypatch, devices):
    numbers = []
    read = SequencePlate.read
    monkeypatch.setattr(SequencePlate, "read", lambda self, number: numbers.append(number) or read(self, number))
    shot = shot_of(plate, tmp_path / "some", device=devices)
    events = []
    for event in Renderer(shot.engine).render(shot, ALL, force=True):
        if isinstance(event, RenderStarted):
            numbers.clear()  # what was read to settle the shot
        events.append(event)
    done = frames_done(events)
    assert [event.frame for event in done] == list(ALL)
    assert [event.done for event in done] == list(range(1, len(ALL) + 1))
    assert numbers == [1, 0, *range(2, len(ALL))]  # the first window is mirrored; a movie is never sought in
    alone = shot_of(plate, tmp_path / "alone")
    render(alone)
    same(alone, shot)


def test_an_unreadable_frame_stops_all_devices(plate, tmp_path, monkeypatch):
    read = SequencePlate.read

    def broken(self, number):
        if number == 12:
            raise OSError("frame 12")
        return read(self, number)

    monkeypatch.setattr(SequencePlate, "read", broken)
    with pytest.raises(OSError, match="frame 12"):
        render(shot_of(plate, tmp_path, device="cpu,cpu"))
    assert not [thread.name for thread in threading.enumerate() if thread.name.startswith(("read", "make", "write"))]


@pytest.mark.parametrize("devices", ["cpu", "cpu,cpu"])
def test_stopping_stops_all_devices_and_leaves_complete_files(plate, tmp_path, devices):
    shot = shot_of(plate, tmp_path, device=devices)
    events = Renderer(shot.engine).render(shot)
    next(event for event in events if isinstance(event, FrameDone))
    events.close()
    kinds = ("read", "make", "write", "Thread-")
    assert not [thread.name for thread in threading.enumerate() if thread.name.startswith(kinds)]
    made = list(tmp_path.iterdir())
    assert 0 < len(made) < len(ALL)
    for path in made:
        with OpenEXR.File(str(path)) as file:
            assert file.channels()["RGB"].pixels.shape == (*SIZE, 3)


class StopAt(threading.Event):
    """A request to stop that begins with one of its looks."""

    def __init__(self, look):
        super().__init__()
        self.left = look
        self.counting = threading.Lock()

    def is_set(self):
        with self.counting:
            self.left -= 1
            return self.left < 0


@pytest.mark.parametrize("engine", [{"method": "merge"}, {"method": "f2hdr", "weights": "lite"}])
def test_a_render_stops_during_a_frame_and_leaves_complete_files(plate, tmp_path, monkeypatch, engine):
    monkeypatch.delenv("F2HDR_WEIGHTS")
    renderer = Renderer(shot_of(plate, tmp_path, **engine).engine)
    list(renderer.render(shot_of(plate, tmp_path / "before", "flow", **engine), FEW))
    whole = StopAt(10**9)  # with flows from the cache, every render looks equally often
    with stoppable(whole):
        list(renderer.render(shot_of(plate, tmp_path / "whole", "flow", **engine), FEW))
    looks = 10**9 - whole.left
    assert looks > 3 * 20  # many within each of the three frames
    there = set()
    for look in {round(looks * share) for share in (0.02, 0.4, 0.95)}:
        folder = tmp_path / f"at{look}"
        with stoppable(StopAt(look)), pytest.raises(Canceled):
            list(renderer.render(shot_of(plate, folder, "flow", **engine), FEW))
        for path in sorted(folder.glob("*")):
            with OpenEXR.File(str(path)) as found, OpenEXR.File(str(tmp_path / "whole" / path.name)) as expected:
                assert np.array_equal(found.channels()["RGB"].pixels, expected.channels()["RGB"].pixels)
        there.add(len(list(folder.glob("*"))))
    assert 0 in there and max(there) < 3


@pytest.fixture
def estimating(monkeypatch):
    """The kinds of threads in which flows were estimated."""
    threads = []
    for module in (dis, sea_raft):

        def noted(self, reference, neighbor, estimate=module.Estimator.estimate):
            threads.append(threading.current_thread().name.split("_")[0])
            return estimate(self, reference, neighbor)

        monkeypatch.setattr(module.Estimator, "estimate", noted)
    return threads


@pytest.mark.parametrize(
    ("engine", "frames"),
    [({}, ALL), ({"device": "cpu,cpu"}, ALL), ({"weights": "lite", "precision": "bf16"}, FEW)],
    ids=["merge", "two devices", "network"],
)
def test_with_a_gpu_flows_of_the_cpu_are_computed_ahead_and_equal(
    plate, tmp_path, monkeypatch, estimating, engine, frames
):
    engine = {"reference_trust": "off", **engine}  # soft trust on a device rounds otherwise than on the host
    plain, ahead = (shot_of(plate, tmp_path / name, *LAYERS, **engine) for name in ("plain", "ahead"))
    render(plain, frames)
    assert "make-ahead" not in estimating
    estimating.clear()
    monkeypatch.setattr(Method, "on_host", False)
    render(ahead, frames)
    assert set(estimating) == {"make-ahead"}
    same(plain, ahead, frames)


def test_with_a_gpu_cached_flows_are_decompressed_ahead(plate, tmp_path, monkeypatch, estimating):
    monkeypatch.setenv("F2HDR_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("F2HDR_CACHE_SIZE", "1G")
    monkeypatch.setattr(Method, "on_host", False)
    asked = []
    get = FlowCache.get
    monkeypatch.setattr(
        FlowCache, "get", lambda self, key: asked.append(threading.current_thread().name) or get(self, key)
    )
    with sea_raft_installed():
        cold, warm = (shot_of(plate, tmp_path / name, *LAYERS, flow="sea_raft") for name in ("cold", "warm"))
        render(cold, FEW)
        assert set(estimating) == {threading.current_thread().name}
        estimating.clear()
        asked.clear()
        render(warm, FEW)
    assert estimating == []
    assert asked and all(thread.startswith("make-ahead") for thread in asked)
    same(cold, warm, FEW)


def test_a_missing_kernel_is_reported_once_per_render(plate, tmp_path, monkeypatch):
    with sea_raft_installed():
        shot = shot_of(plate, tmp_path, flow="sea_raft")
        renderer = Renderer(shot.engine)
        for lacking, times in (("no compiler here", 1), ("no compiler here", 1), ("", 0)):
            monkeypatch.setattr(sea_raft, "lacking_kernel", lambda device, lacking=lacking: lacking)
            events = list(renderer.render(shot, FrameRange((1,))))
            reported = [event for event in events if isinstance(event, Warned) and event.code == "slow_flow"]
            assert len(reported) == times
            assert all("no compiler here" in event.message and event.frame is None for event in reported)
