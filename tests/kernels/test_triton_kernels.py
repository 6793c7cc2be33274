"""The Triton kernels through the real compiler: stricter than the interpreter, and it needs no GPU."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys

import pytest

if importlib.util.find_spec("triton") is None:
    pytest.skip("Triton is not installed (it comes with torch for CUDA)", allow_module_level=True)

PROGRAM = """
import json
import sys

import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource

from f2hdr_backend.kernels import triton_fused_kernels, triton_kernels

name, capability, kinds, constants = sys.argv[1], int(sys.argv[2]), json.loads(sys.argv[3]), json.loads(sys.argv[4])
kernel = getattr(triton_kernels, name, None) or getattr(triton_fused_kernels, name)
kinds |= {name: "constexpr" for name in constants}
signature = {name: kinds.get(name, "i32") for name in kernel.arg_names}
source = ASTSource(kernel, signature=signature, constexprs=constants)
print(len(triton.compile(source, target=GPUTarget("cuda", capability, 32)).asm["cubin"]))
"""

LOOKUP = {"CHANNELS": 16, "CHANNEL_BLOCK": 16, "RADIUS": 1, "SAMPLES": 3, "SIDE": 4, "RUN": 2}
END = {"CHANNELS": 48, "ELEMENTS": 1024}
SAMPLE = {"CHANNELS": 48, "CHANNEL_BLOCK": 64, "FROM_PIXEL": True, "GATED": True, "ADDED": True, "PIXELS": 32}
VARIANTS = {
    "correlate": ("correlate", LOOKUP),
    "backpropagate": ("backpropagate", LOOKUP),
    "prelu": ("finish_convolution", {**END, "ACTIVATION": "each", "ADDED": "before"}),
    "silu": ("finish_convolution", {**END, "ACTIVATION": "silu", "ADDED": "after"}),
    "leaky": ("finish_convolution", {**END, "ACTIVATION": "slopes", "ADDED": "none"}),
    "gated": ("sample", SAMPLE),
    "warp": ("sample", {**SAMPLE, "CHANNELS": 3, "CHANNEL_BLOCK": 4, "GATED": False, "ADDED": False, "PIXELS": 512}),
}


def kinds_of(precision):
    """The types of the arguments that are not 32-bit integers."""
    given = dict.fromkeys(("reference", "features", "values", "bias", "slopes", "added", "picture", "result"))
    given = dict.fromkeys(given, "*" + precision)
    whole = ("positions", "correlation", "gradient", "reference_gradient", "feature_gradient", "places", "gate")
    numbers = ("scale", "norm", "slope", "stretch_x", "stretch_y", "shift")
    return given | dict.fromkeys(whole, "*fp32") | dict.fromkeys(numbers, "fp32")


@pytest.mark.parametrize(("capability", "precision"), [("75", "fp16"), ("90", "bf16"), ("120", "fp32")])
@pytest.mark.parametrize("variant", VARIANTS)
def test_kernel_compiles_for_a_gpu(tmp_path, variant, capability, precision):
    environment = {**os.environ, "TRITON_CACHE_DIR": str(tmp_path)}
    environment.pop("TRITON_INTERPRET", None)
    name, constants = VARIANTS[variant]
    given = [name, capability, json.dumps(kinds_of(precision)), json.dumps(constants)]
    done = subprocess.run([sys.executable, "-c", PROGRAM, *given], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 0
