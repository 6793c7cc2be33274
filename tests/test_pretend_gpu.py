"""The simulated GPU has the results of the CPU and detects every wait."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from tests.pretend_gpu import DEVICE, pretend_gpu

WAITS = {
    "a value": lambda x: x.sum().item(),
    "a comparison": lambda x: bool((x > 0).all()),
    "a copy of what is not pinned": lambda x: torch.ones(3).to(x.device, non_blocking=True),
    "a copy that is not asynchronous": lambda x: torch.ones(3).pin_memory().to(x.device),
    "a download": lambda x: x.cpu(),
    "a download to memory that is not pinned": lambda x: torch.empty_like(x, device="cpu").copy_(x, non_blocking=True),
    "a tensor from a list": lambda x: torch.tensor([1.0, 2.0], device=x.device),
    "a number that is assigned to one element": lambda x: x.__setitem__((0, 0), 2.0),
    "an index from a tuple": lambda x: x[:, (1, 0)],
    "a mask": lambda x: x[x > 0],
    "positions": lambda x: x.nonzero(),
    "a tensor of the host": lambda x: torch.take(x, torch.tensor([1, 2])),
}
NO_WAITS = {
    "arithmetic": lambda x: (2 * x + 1).relu_(),
    "a number that fills a slice": lambda x: x[:1].fill_(2.0),
    "a choice": lambda x: torch.where(x > 0, x, 0.5),
    "an index on the device": lambda x: x.take(x.argmax()),
    "an upload": lambda x: torch.ones(3).pin_memory().to(x.device, non_blocking=True),
    "a download": lambda x: torch.empty_like(x, device="cpu", pin_memory=True).copy_(x, non_blocking=True),
    "a convolution": lambda x: torch.conv2d(x[None, None], x[None, None, :2, :2]),
}


@pytest.mark.parametrize("step", WAITS)
def test_a_synchronization_is_detected(step):
    with pretend_gpu() as counted:
        picture = torch.arange(12.0, device=DEVICE).view(3, 4)
        counted.clear()
        WAITS[step](picture)
        assert counted.waits


@pytest.mark.parametrize("step", NO_WAITS)
def test_an_asynchronous_operation_is_not_a_synchronization(step):
    with pretend_gpu() as counted:
        picture = torch.arange(12.0, device=DEVICE).view(3, 4)
        counted.clear()
        NO_WAITS[step](picture)
        assert counted.waits == []


def test_results_equal_those_of_the_cpu_in_all_threads():
    layer = torch.nn.Conv2d(3, 4, 3)
    picture = torch.randn(1, 3, 8, 9)
    expected = layer(picture).relu().sum(1)
    with pretend_gpu() as counted:
        layer.to(DEVICE, memory_format=torch.channels_last)
        with ThreadPoolExecutor(1) as threads, torch.inference_mode():
            found = threads.submit(lambda: layer(picture.to(DEVICE)).relu().sum(1)).result()
        assert found.device == DEVICE and counted.launches["convolution"] == 1
        torch.testing.assert_close(found.cpu(), expected)


def test_autocast_for_cuda_applies_to_the_simulated_gpu():
    with pretend_gpu(), torch.autocast("cuda", torch.float16):
        assert torch.nn.Conv2d(1, 1, 1, device=DEVICE)(torch.ones(1, 1, 2, 2, device=DEVICE)).dtype == torch.float16
