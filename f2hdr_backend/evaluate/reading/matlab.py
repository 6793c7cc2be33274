"""Reads matrices from MATLAB files with SciPy (the extra ``f2hdr[datasets]``)."""

from __future__ import annotations

import struct
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from f2hdr_backend.image.decoder_processes import in_decoder_process
from f2hdr_backend.image.frame import unreadable
from f2hdr_backend.shot.errors import DocumentError
from f2hdr_backend.shot.safe_open import open_file

_DAMAGED = (struct.error, zlib.error, ValueError, TypeError, LookupError, ArithmeticError, AttributeError, RuntimeError)
"""Exceptions of SciPy for damaged files."""


@in_decoder_process
def read_matrix(path: str, name: str) -> NDArray[Any]:
    """Return the real numeric matrix called ``name``.

    Raises:
        UnreadableFrame: the file cannot be read, is damaged, is not of MATLAB version 5 to 7, or has no such matrix.
        DocumentError: SciPy is not installed.
    """
    try:
        from scipy.io import loadmat
        from scipy.io.matlab import MatReadError
    except ModuleNotFoundError as error:
        raise DocumentError(f"Reading {path} needs SciPy.", hint='Run: pip install "f2hdr[datasets]"') from error
    try:
        with open_file(path) as file:
            found = loadmat(file, variable_names=[name]).get(name)
    except NotImplementedError as error:
        raise unreadable(path, "it is of MATLAB 7.3", "Save it with MATLAB's -v7.") from error
    except (OSError, MatReadError, *_DAMAGED) as error:
        if isinstance(error, OSError) and error.strerror:
            raise unreadable(path, error.strerror, "Check the path and the permissions.") from error
        reason = "it is damaged, or is not a MATLAB file of version 5 to 7"
        raise unreadable(path, reason, "Copy it again.") from error
    if not isinstance(found, np.ndarray) or found.dtype.kind not in "iuf":
        raise unreadable(path, f"it has no matrix named {name}", "Check that it is the correct file.")
    return found
