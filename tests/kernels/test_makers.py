"""Which implementations of local correlation the other tests of this folder run over: a missing one is one skip."""

from __future__ import annotations

import pytest

from tests.kernels.conftest import HAS_TRITON, MAKERS, instruction_sets


def test_the_compiled_kernel_is_tested() -> None:
    if not instruction_sets():
        pytest.skip("the C++ kernel was not built (install a C++ compiler, then make clean)")
    assert {"torch", "plain"} <= set(MAKERS)


def test_the_triton_kernel_is_tested() -> None:
    if not HAS_TRITON:
        pytest.skip("Triton is not installed (it comes with torch for CUDA)")
    assert "triton" in MAKERS
