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

capability, variants = int(sys.argv[1]), json.loads(sys.argv[2])
for variant, (name, kinds, constants) in variants.items():
    kernel = getattr(triton_kernels, name, None) or getattr(triton_fused_kernels, name)
    kinds |= {name: "constexpr" for name in constants}
    signature = {name: kinds.get(name, "i32") for name in kernel.arg_names}
    source = ASTSource(kernel, signature=signature, constexprs=constants)
    print(variant, len(triton.compile(source, target=GPUTarget("cuda", capability, 32)).asm["cubin"]))
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
    # Triton compiles arguments that are 1 as constants.
    "lookup in one pixel": ("correlate", {**LOOKUP, "pixels": 1, "level_height": 1, "level_width": 1}),
    "one pixel": ("finish_convolution", {**END, "ACTIVATION": "silu", "ADDED": "none", "count": 1}),
    "one column": ("sample", {**SAMPLE, "height": 1, "width": 1, "count": 1, "columns": 1, "column_stride": 1}),
}
LARGE = ("count", "batch_stride", "channel_stride", "row_stride", "result_channel_stride", "pixels", "stride")
"""Numbers that are above 32 bits for large pictures."""
TARGETS = [
    ("75", "fp16"), ("75", "bf16"), ("80", "bf16"), ("86", "fp16"), ("89", "bf16"), ("90", "fp16"), ("90", "fp32"),
    ("100", "fp16"), ("120", "fp16"),
]  # fmt: skip
"""Compute capabilities of GPUs from Turing to Blackwell, and types of the pictures."""


def kinds_of(precision):
    """The types of the arguments that are not 32-bit integers."""
    given = dict.fromkeys(("reference", "features", "values", "bias", "slopes", "added", "picture", "result"))
    given = dict.fromkeys(given, "*" + precision)
    whole = ("positions", "correlation", "gradient", "reference_gradient", "feature_gradient", "places", "gate")
    numbers = ("scale", "norm", "slope", "stretch_x", "stretch_y", "shift")
    return given | dict.fromkeys(whole, "*fp32") | dict.fromkeys(numbers, "fp32")


def compiled(folder, capability, kinds):
    """The variants that compile, with the sizes of their machine code."""
    environment = {**os.environ, "TRITON_CACHE_DIR": str(folder)}
    environment.pop("TRITON_INTERPRET", None)
    variants = {variant: (name, kinds, constants) for variant, (name, constants) in VARIANTS.items()}
    command = [sys.executable, "-c", PROGRAM, capability, json.dumps(variants)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return {variant: int(size) for variant, size in (line.rsplit(maxsplit=1) for line in done.stdout.splitlines())}


@pytest.mark.parametrize(("capability", "precision"), TARGETS)
def test_every_kernel_compiles_for_a_gpu(tmp_path, capability, precision):
    sizes = compiled(tmp_path, capability, kinds_of(precision))
    assert sizes.keys() == VARIANTS.keys() and all(sizes.values())


def test_every_kernel_compiles_for_pictures_whose_sizes_need_64_bits(tmp_path):
    sizes = compiled(tmp_path, "90", kinds_of("fp16") | dict.fromkeys(LARGE, "i64"))
    assert sizes.keys() == VARIANTS.keys() and all(sizes.values())
