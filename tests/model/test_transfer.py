"""Copies to and from a device; test_cuda.py checks on a GPU that they do not wait."""

import torch

from f2hdr_backend.model.transfer import Download, upload

CPU = torch.device("cpu")


def test_on_the_cpu_nothing_is_copied():
    tensor = torch.rand(2, 3)
    assert upload(tensor, CPU) is tensor
    (arrived,) = Download(tensor).wait()
    assert arrived.data_ptr() == tensor.data_ptr()


def test_all_tensors_are_copied_in_order_also_after_repeated_waits():
    tensors = [torch.rand(2), torch.arange(3), torch.rand(1).half()]
    download = Download(*tensors)
    for _ in range(2):
        assert all(torch.equal(one, other) for one, other in zip(download.wait(), tensors, strict=True))
    assert Download().wait() == []
