"""What the installed torch was built for, for each kind of build."""

import pytest
import torch

from f2hdr_backend.machine import torch_build as module
from f2hdr_backend.shot.errors import DeviceUnavailable


@pytest.mark.parametrize(
    ("cuda", "hip", "platform", "expected"),
    [
        ("13.0", None, "linux", "CUDA 13.0"),
        (None, "7.0", "linux", "ROCm 7.0"),
        (None, None, "linux", "CPU"),
        (None, None, "win32", "CPU"),
        (None, None, "darwin", "CPU and Metal"),
    ],
)
def test_builds_of_torch_are_named(monkeypatch, cuda, hip, platform, expected):
    monkeypatch.setattr(torch.version, "cuda", cuda)
    monkeypatch.setattr(torch.version, "hip", hip, raising=False)
    monkeypatch.setattr(module.sys, "platform", platform)
    assert module.torch_build() == expected


@pytest.mark.parametrize(
    ("available", "present", "cuda", "fact", "idle"),
    [
        (True, True, "13.0", "used: Test GPU", False),
        (False, False, None, "none", False),
        (False, True, None, "built for the CPU", True),
        (False, True, "13.0", "CUDA 13.0", True),
    ],
)
def test_a_gpu_that_torch_does_not_use_is_reported(monkeypatch, available, present, cuda, fact, idle):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: available)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda index: "Test GPU")
    monkeypatch.setattr(torch.version, "cuda", cuda)
    monkeypatch.setattr(module, "_has_nvidia_gpu", lambda: present)
    monkeypatch.setattr(module, "pick_device", torch.device)
    state, found = module.gpu_state()
    assert fact in state and found is idle


def test_a_gpu_that_does_not_compute_is_not_reported_as_used(monkeypatch):
    def refuse(name):
        raise DeviceUnavailable(f"The device {name!r} is not available.", device=name)

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(module, "pick_device", refuse)
    state, found = module.gpu_state()
    assert "used:" not in state.replace("not used:", "") and "cuda:0" in state and found


def test_a_driver_is_found_by_its_program(monkeypatch, tmp_path):
    monkeypatch.setattr(module.Path, "exists", lambda self: False)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not module._has_nvidia_gpu()
    program = tmp_path / ("nvidia-smi.exe" if module.sys.platform == "win32" else "nvidia-smi")
    program.touch(0o755)
    assert module._has_nvidia_gpu()
