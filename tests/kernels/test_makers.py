"""Which implementations of local correlation the other tests of this folder run over: a missing one is one skip."""

from __future__ import annotations

import pytest

from tests.kernels.conftest import MAKERS, instruction_sets, needs_triton


@pytest.mark.skipif(
    not instruction_sets(), reason="the C++ kernel was not built (install a C++ compiler, then make clean)"
)
def test_the_compiled_kernel_is_tested() -> None:
    assert {"torch", "plain"} <= set(MAKERS)


@needs_triton
def test_the_triton_kernel_is_tested() -> None:
    assert "triton" in MAKERS
