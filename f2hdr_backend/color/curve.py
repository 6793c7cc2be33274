"""Camera response curves: the linear value of each code value, the text form in a Shot, and files."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from f2hdr_backend.color.primaries import Chromaticities
from f2hdr_backend.shot.atomic import write_file
from f2hdr_backend.shot.equations import GAMMA
from f2hdr_backend.shot.errors import ColorError
from f2hdr_backend.shot.read_text import json_value
from f2hdr_backend.shot.safe_open import open_file

KNOTS = np.linspace(0, 1, 49)
"""Code values at which a curve is stored; between them linear^(1/2.2) is interpolated linearly."""
PREFIX = "curve:"
"""Prefix of a curve's text in a Shot."""
_TABLE = 65536
_LARGEST = 1e6
"""Maximum linear value of a curve, which is 1.0 at code 1."""
_LARGEST_FILE = 2**24
"""Maximum size of a response file in bytes."""


@dataclass(frozen=True)
class Curve:
    """``values`` ``(49, 3)``: linear values at ``KNOTS``, 1.0 at code 1; at least 0 and monotonic.

    ``primaries`` are those that the plate's files state; they are not part of the text and of files of the curve.
    """

    values: NDArray[np.float64]
    primaries: Chromaticities | None = None

    def light(self, codes: NDArray[Any], channel: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the linear values of ``(N,)`` codes 0-1; ``channel`` is the channel of each code."""
        roots = self.values ** (1 / GAMMA)
        found = np.stack([np.interp(codes, KNOTS, roots[:, index]) for index in range(3)], axis=-1)
        return np.asarray(found[np.arange(len(codes)), channel] ** GAMMA)

    def table(self) -> NDArray[np.float64]:
        """Return the linear values of all 16-bit codes, ``(65536, 3)``."""
        codes = np.linspace(0, 1, _TABLE)
        roots = self.values ** (1 / GAMMA)
        return np.stack([np.interp(codes, KNOTS, roots[:, index]) ** GAMMA for index in range(3)], axis=-1)

    def text(self) -> str:
        """Return the text form of the curve for a Shot."""
        return PREFIX + json.dumps([[float(f"{value:.6g}") for value in row] for row in self.values.T.tolist()])


def parse_curve(text: str) -> Curve:
    """Parse the text of a curve from ``Curve.text``. Raises ColorError."""
    try:
        return _checked(np.array(json_value(text.removeprefix(PREFIX)), np.float64).T)
    except (ValueError, TypeError, OverflowError) as error:
        hint = "Give a file written by f2hdr response."
        raise ColorError("The response in the Shot is not a curve.", hint=hint) from error


def read_curve(path: str) -> Curve:
    """Read a response file: JSON, or a 1D cube. Raises ColorError, which names the file."""
    try:
        with open_file(path) as file:
            text = file.read(_LARGEST_FILE).decode("utf-8")
        if path.lower().endswith(".cube"):
            return _checked(_from_cube(text))
        return _checked(np.array(json_value(text)["light"], np.float64))
    except OSError as error:
        raise _bad(path, error.strerror or str(error)) from error
    except (ValueError, KeyError, TypeError, OverflowError) as error:
        raise _bad(path, str(error) or "it is not a response") from error


def write_curve(path: str | os.PathLike[str], curve: Curve, facts: dict[str, Any]) -> None:
    """Write a response as JSON with ``facts`` about its measurement, or as a 1D cube, by the suffix of ``path``.

    Raises ColorError for another suffix, UnwritableFrame if the file cannot be written.
    """
    name = os.fspath(path)
    if name.lower().endswith(".cube"):
        codes = np.linspace(0, 1, 4096)
        rows = np.stack([curve.light(codes, np.full(4096, channel)) for channel in range(3)], axis=-1)
        lines = (" ".join(f"{value:.7g}" for value in row) for row in rows.tolist())
        text = "LUT_1D_SIZE 4096\n" + "\n".join(lines) + "\n"
    elif name.lower().endswith(".json"):
        document = {"kind": "f2hdr response", **facts, "codes": KNOTS.tolist(), "light": curve.values.tolist()}
        text = json.dumps(document, indent=1) + "\n"
    else:
        raise ColorError(
            f'"{name}" does not end in .json or .cube.', hint="Use a name that ends in .json or .cube.", path=name
        )
    write_file(path, text)


def _from_cube(text: str) -> NDArray[np.float64]:
    rows = [line.split() for line in text.splitlines() if line and (line[0].isdigit() or line[0] in "-.")]
    values = np.array(rows, np.float64)
    if values.ndim != 2 or values.shape[1] != 3 or len(values) < 2:
        raise ValueError("it is not a 1D cube")
    codes = np.linspace(0, 1, len(values))
    return np.stack([np.interp(KNOTS, codes, values[:, channel]) for channel in range(3)], axis=-1)


def _checked(values: NDArray[np.float64]) -> Curve:
    sound = values.shape == (len(KNOTS), 3) and np.isfinite(values).all() and (values[0] >= 0).all()
    if not sound or (np.diff(values, axis=0) < 0).any() or (values[-1] <= 0).any() or (values[-1] > _LARGEST).any():
        raise ValueError("its curves have negative, falling or very large values")
    return Curve(values)


def _bad(path: str, reason: str) -> ColorError:
    hint = "Give a file written by f2hdr response."
    return ColorError(f'The response "{path}" cannot be read: {reason}.', hint=hint, path=path)
