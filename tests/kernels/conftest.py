"""Every maker of local correlation that this machine can run, and the stored volume they are held to."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import product

import pytest
import torch
from torch import Tensor

from f2hdr_backend.kernels import torch_lookup

INTERPRETED = not torch.cuda.is_available()
if INTERPRETED:
    os.environ["TRITON_INTERPRET"] = "1"  # Triton reads it when it is first imported


@dataclass(frozen=True)
class Maker:
    """One implementation, and the device of its tensors."""

    look_up: Callable[[Tensor, tuple[Tensor, ...], Tensor, int], Tensor]
    device: str = "cpu"
    interpreted: bool = False


def instruction_sets() -> tuple[str, ...]:
    """Those of the C++ kernel that this build and CPU have; none where it was not built."""
    try:
        from f2hdr_backend.kernels import _core
    except ImportError:
        return ()
    return tuple(_core.instruction_sets())


HAS_TRITON = importlib.util.find_spec("triton") is not None
needs_triton = pytest.mark.skipif(not HAS_TRITON, reason="Triton is not installed (it comes with torch for CUDA)")
needs_kernel = pytest.mark.skipif(
    not instruction_sets(), reason="the C++ kernel was not built (install a C++ compiler, then make clean)"
)
MAKERS = ("torch", *instruction_sets(), *(["triton"] if HAS_TRITON else []))


@pytest.fixture(params=MAKERS)
def maker(request: pytest.FixtureRequest) -> Maker:
    if request.param == "torch":
        return Maker(torch_lookup.look_up)
    return _triton() if request.param == "triton" else _compiled(request.param)


@pytest.fixture(params=instruction_sets() or (None,))
def compiled(request: pytest.FixtureRequest) -> Maker:
    """For tests with the mark :data:`needs_kernel`."""
    return _compiled(request.param)


def _compiled(instruction_set: str) -> Maker:
    from f2hdr_backend.kernels import cpu_lookup

    return Maker(partial(cpu_lookup.look_up, instruction_set=instruction_set))


def _triton() -> Maker:
    from f2hdr_backend.kernels import triton_lookup

    return Maker(triton_lookup.look_up, "cpu" if INTERPRETED else "cuda", INTERPRETED)


@dataclass(frozen=True)
class Problem:
    """Arguments of a lookup."""

    reference: Tensor
    pyramid: tuple[Tensor, ...]
    coords: Tensor
    radius: int

    def on(self, maker: Maker) -> Tensor:
        """The maker's answer, on the CPU."""
        pyramid = tuple(level.to(maker.device) for level in self.pyramid)
        coords = self.coords.to(maker.device)
        return maker.look_up(self.reference.to(maker.device), pyramid, coords, self.radius).cpu()


@pytest.fixture
def stored_volume() -> Callable[[Problem], Tensor]:
    return _stored_volume


def _stored_volume(problem: Problem) -> Tensor:
    """All pairs, then every sample on its own: float64, differentiable, nothing shared between samples."""
    offsets = range(-problem.radius, problem.radius + 1)
    channels = []
    for index, features in enumerate(problem.pyramid):
        volume = torch.einsum("bcij,bcyx->bijyx", problem.reference.double(), features.double())
        volume = volume / problem.reference.shape[1] ** 0.5
        x, y = (problem.coords.double() / 2**index).unbind(1)
        channels += [_sample(volume, x + dx, y + dy) for dx, dy in product(offsets, offsets)]
    return torch.stack(channels, 1)


def _sample(volume: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Bilinear, zeros outside: the four corners one by one."""
    height, width = volume.shape[-2:]
    total = torch.zeros_like(x)
    known = x.isfinite() & y.isfinite() & (x.abs() < 1e6) & (y.abs() < 1e6)
    x, y = x.where(known, -9.0), y.where(known, -9.0)
    for column, row in product((x.floor(), x.floor() + 1), (y.floor(), y.floor() + 1)):
        inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
        weight = (1 - (x - column).abs()) * (1 - (y - row).abs()) * inside
        flat = row.clamp(0, height - 1).long() * width + column.clamp(0, width - 1).long()
        total = total + weight * volume.flatten(-2).gather(-1, flat[..., None])[..., 0]
    return total


def random_problem(
    size: tuple[int, int, int, int], levels: tuple[tuple[int, int], ...], radius: int, seed: int = 0
) -> Problem:
    """Features of any size, and positions inside, near and outside the picture."""
    random = torch.Generator().manual_seed(seed)
    batch, channels, height, width = size
    reference = torch.randn(size, generator=random)
    pyramid = tuple(torch.randn(batch, channels, *level, generator=random) for level in levels)
    spread = torch.tensor([levels[0][1], levels[0][0]]).view(1, 2, 1, 1) + 2 * radius
    coords = torch.rand(batch, 2, height, width, generator=random) * spread * 1.5 - spread * 0.25
    return Problem(reference, pyramid, coords, radius)


@pytest.fixture
def make_problem() -> Callable[..., Problem]:
    return random_problem
