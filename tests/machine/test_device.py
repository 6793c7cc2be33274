"""Device names and precisions; no GPU is needed."""

import psutil
import pytest
import torch

from f2hdr_backend.machine import device as devices
from f2hdr_backend.machine.device import free_memory, lanes_on, pick_device, pick_devices, pick_precision, used_memory
from f2hdr_backend.shot.errors import DeviceUnavailable

CPU = torch.device("cpu")


@pytest.fixture
def gpu(monkeypatch):
    """A CUDA device, as far as choosing one goes."""
    ones = torch.ones
    monkeypatch.setattr(torch, "ones", lambda *size, device: ones(*size))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)


@pytest.mark.parametrize("name", ["auto", "cuda:0"])
def test_auto_selects_a_gpu_if_there_is_one(gpu, name):
    assert pick_device(name) == torch.device("cuda:0")


@pytest.mark.parametrize("name", ["cuda:77", "abacus", "", "meta"])
def test_a_missing_device_is_refused_by_name(name):
    with pytest.raises(DeviceUnavailable) as caught:
        pick_device(name)
    assert repr(name) in caught.value.message
    assert "f2hdr info" in caught.value.hint


def fail_on_gpu(monkeypatch, words):
    """Let torch see a GPU on which every operation raises an error of these words."""

    def fails(*size, device):
        raise RuntimeError(words)

    monkeypatch.setattr(torch, "ones", fails)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)


def test_a_gpu_that_torch_has_no_code_for_is_named_with_what_torch_was_built_for(monkeypatch):
    fail_on_gpu(monkeypatch, "CUDA error: no kernel image is available for execution on the device\nCUDA kernel errors")
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (6, 1))
    monkeypatch.setattr(torch.cuda, "get_arch_list", lambda: ["sm_75", "sm_90"])
    with pytest.raises(DeviceUnavailable) as caught:
        pick_device("auto")
    assert "sm_75, sm_90" in caught.value.message and "6.1" in caught.value.message
    assert "--device cpu" in caught.value.hint


def test_a_gpu_that_fails_is_named_with_its_error(monkeypatch):
    fail_on_gpu(monkeypatch, "CUDA error: device is busy\nmore lines")
    with pytest.raises(DeviceUnavailable) as caught:
        pick_device("cuda:0")
    assert "device is busy" in caught.value.message and "more lines" not in caught.value.message


def test_several_devices_are_given_with_commas():
    assert pick_devices("cpu, cpu") == [CPU, CPU]
    assert lanes_on(CPU, "cpu, cpu") == 2
    assert lanes_on(CPU, "auto") == 1


@pytest.mark.parametrize(
    ("name", "device", "native", "picked"),
    [
        ("auto", "cuda:0", False, torch.float16),
        ("auto", "cpu", True, torch.bfloat16),
        ("auto", "cpu", False, torch.float32),
        ("fp32", "cuda:0", True, torch.float32),
        ("bf16", "cpu", False, torch.bfloat16),
        ("fp16", "cpu", False, torch.float16),
    ],
)
def test_auto_is_half_precision_only_if_the_device_supports_it(monkeypatch, name, device, native, picked):
    monkeypatch.setattr(devices, "_has_bfloat16", lambda: native)
    assert pick_precision(name, torch.device(device)) is picked


@pytest.mark.parametrize("left", [None, 12345])
def test_free_memory_is_within_the_containers_limit(monkeypatch, left):
    monkeypatch.setattr(devices, "container_memory_left", lambda: left)
    free = free_memory(CPU)
    assert free == left if left else 0 < free <= psutil.virtual_memory().total


def test_used_memory_is_that_of_this_process():
    assert 0 < used_memory(CPU) < psutil.virtual_memory().total
