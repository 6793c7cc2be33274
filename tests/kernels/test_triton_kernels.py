"""The Triton kernels through the real compiler: stricter than the interpreter, and it needs no GPU."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys

import pytest

if importlib.util.find_spec("triton") is None:
    pytest.skip("Triton is not installed (it comes with torch for CUDA)", allow_module_level=True)

PROGRAM = """
import sys

import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource

from f2hdr_backend.kernels import triton_kernels

kernel, capability, precision = getattr(triton_kernels, sys.argv[1]), int(sys.argv[2]), sys.argv[3]
constants = dict(CHANNELS=16, CHANNEL_BLOCK=16, RADIUS=1, SAMPLES=3, SIDE=4, RUN=2)
kinds = dict(reference="*" + precision, features="*" + precision, scale="fp32", norm="fp32")
pointers = ("positions", "correlation", "gradient", "reference_gradient", "feature_gradient")
kinds |= {name: "*fp32" for name in pointers} | {name: "constexpr" for name in constants}
signature = {name: kinds.get(name, "i32") for name in kernel.arg_names}
source = ASTSource(kernel, signature=signature, constexprs=constants)
print(len(triton.compile(source, target=GPUTarget("cuda", capability, 32)).asm["cubin"]))
"""


@pytest.mark.parametrize(("capability", "precision"), [("75", "fp16"), ("90", "bf16")])
@pytest.mark.parametrize("kernel", ["correlate", "backpropagate"])
def test_the_kernel_compiles_for_a_gpu(tmp_path, kernel, capability, precision):
    environment = {**os.environ, "TRITON_CACHE_DIR": str(tmp_path)}
    environment.pop("TRITON_INTERPRET", None)
    command = [sys.executable, "-c", PROGRAM, kernel, capability, precision]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 0
