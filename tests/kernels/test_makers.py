"""Which implementations of local correlation the other tests of this folder run over: a missing one is one skip."""

from __future__ import annotations

from tests.kernels.conftest import MAKERS, needs_kernel, needs_triton


@needs_kernel
def test_the_compiled_kernel_is_tested() -> None:
    assert {"torch", "plain"} <= set(MAKERS)


@needs_triton
def test_the_triton_kernel_is_tested() -> None:
    assert "triton" in MAKERS
