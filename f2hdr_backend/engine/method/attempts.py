"""Try again with less memory when a window does not fit into it."""

from __future__ import annotations

from collections.abc import Callable, Generator
from traceback import clear_frames
from typing import TypeVar

import torch

from f2hdr_backend.shot.events import Warned

Result = TypeVar("Result")
NO_ENGINE = "unable to find an engine to execute this computation"


def fitted(attempts: Generator[Warned, None, Result], warn: Callable[[Warned], object]) -> Result:
    """What a generator such as :meth:`Method.fit` returns; ``warn`` receives its warnings."""
    while True:
        try:
            warn(next(attempts))
        except StopIteration as end:
            result: Result = end.value
            return result


def let_go(error: BaseException) -> None:
    """Free the memory of the functions that an error passed through: its traceback refers to it."""
    for each in (error, error.__cause__):
        if each is not None:
            clear_frames(each.__traceback__)


def ran_out(error: BaseException) -> bool:
    """Whether an error means that memory ran out.

    On CPUs, torch reports this only in the message text. On GPUs, cuDNN finds no engine for a convolution if none of
    them has the memory for its workspace.
    """
    if isinstance(error, (torch.OutOfMemoryError, MemoryError)):
        return True
    words = ("can't allocate memory", "not enough memory", "out of memory", "STATUS_ALLOC_FAILED", NO_ENGINE)
    return any(each in str(error) for each in words)
