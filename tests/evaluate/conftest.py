"""The golden pairs of radiance frames, with the scores that a correct implementation must return for them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

GOLDEN = Path(__file__).parent.parent / "golden" / "hdrvdp2"
VALUES: dict[str, Any] = json.loads((GOLDEN / "values.json").read_text(encoding="utf-8"))["pairs"]
Pair = tuple[NDArray[np.float64], NDArray[np.float64]]


@pytest.fixture(scope="session")
def golden_values() -> dict[str, Any]:
    """By pair name: sizes, PSNR and SSIM with and without the composite, and the HDR-VDP cases."""
    return VALUES


@pytest.fixture(scope="session")
def golden_pair() -> Callable[[str], Pair]:
    """``pair(name)`` returns (test, reference), float64 (H, W, 3) in 0 to 1."""

    def load(name: str) -> Pair:
        with np.load(GOLDEN / f"{name}.npz") as arrays:
            return arrays["test"].astype(np.float64), arrays["reference"].astype(np.float64)

    return load


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that names ``pair`` on every pair, and one that names ``case`` too on every HDR-VDP case."""
    if "case" in metafunc.fixturenames:
        cases = [(pair, case) for pair, values in VALUES.items() for case in values["hdrvdp"]]
        metafunc.parametrize(("pair", "case"), cases)
    elif "pair" in metafunc.fixturenames:
        metafunc.parametrize("pair", list(VALUES))
