"""Matches predictions with references by frame number, independent of the order of a directory listing."""

from __future__ import annotations

import re
from collections.abc import Iterable

from f2hdr_backend.shot.errors import DocumentError, MissingFrames

_NUMBER = re.compile(r"(\d+)\D*$")


def number_of(name: str) -> int:
    """Return the last group of digits in a file name: 10 for ``10_pred.hdr``, 7 for ``a2/plate.0007.exr``.

    Raises:
        DocumentError: the name has no number.
    """
    stem = name.replace("\\", "/").rsplit("/", 1)[-1].rsplit(".", 1)[0]
    found = _NUMBER.search(stem)
    if found is None:
        raise DocumentError(f"The file name {name!r} has no frame number.", hint="Name files like plate.0001.exr.")
    return int(found.group(1))


def pair_by_number(predictions: Iterable[str], references: Iterable[str]) -> list[tuple[int, str, str]]:
    """Return ``(number, prediction, reference)`` in the order of numbers, independent of zero padding.

    Raises:
        MissingFrames: a number has only one of the two; the fact ``frames`` lists all of them.
        DocumentError: two names have the same number, or a name has none.
    """
    predicted, truth = _by_number(predictions), _by_number(references)
    lonely = sorted(predicted.keys() ^ truth.keys())
    if lonely:
        raise MissingFrames(
            f"Frames {', '.join(map(str, lonely))} have a prediction or a reference, but not both.",
            hint="Render the missing frames, or score the frames that have both.",
            frames=lonely,
        )
    return [(number, predicted[number], truth[number]) for number in sorted(predicted)]


def _by_number(names: Iterable[str]) -> dict[int, str]:
    numbered: dict[int, str] = {}
    for name in names:
        number = number_of(name)
        if number in numbered:
            raise DocumentError(
                f"{numbered[number]!r} and {name!r} both have frame number {number}.",
                hint="Store only one sequence in a folder.",
            )
        numbered[number] = name
    return numbered
