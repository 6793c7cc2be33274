"""MATLAB matrices, written by SciPy."""

import os

import numpy as np
import pytest
import scipy.io

from f2hdr_backend.evaluate.reading.matlab import read_matrix
from f2hdr_backend.shot.errors import UnreadableFrame


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.uint8, np.int16, np.uint16, np.int32])
def test_matrices_are_read(tmp_path, dtype, compressed):
    matrix = (np.arange(12).reshape(4, 3) * 7).astype(dtype)
    contents = {"text": "words", "a": {"field": 1.0}, "long_name_of_a_matrix": matrix, "b": np.ones((2, 2))}
    scipy.io.savemat(tmp_path / "m.mat", contents, do_compression=compressed)
    np.testing.assert_array_equal(read_matrix(str(tmp_path / "m.mat"), "long_name_of_a_matrix"), matrix)
    np.testing.assert_array_equal(read_matrix(str(tmp_path / "m.mat"), "b"), np.ones((2, 2)))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes")
def test_a_pipe_is_refused_without_waiting(tmp_path):
    os.mkfifo(tmp_path / "m.mat")
    with pytest.raises(UnreadableFrame, match=r"m\.mat"):
        read_matrix(str(tmp_path / "m.mat"), "a")


def test_unreadable_files_and_missing_matrices_are_refused(tmp_path):
    path = tmp_path / "m.mat"
    scipy.io.savemat(path, {"a": np.ones((20, 20))})
    whole = path.read_bytes()
    with pytest.raises(UnreadableFrame, match=r"m\.mat.*curve"):
        read_matrix(str(path), "curve")
    for content, reason in (
        (whole[:1000], r"m\.mat"),
        (b"MATLAB 7.3 MAT-file".ljust(124, b" ") + bytes((0, 2)) + b"IM" + bytes(400), "7.3"),
        (b"MATLAB 7.3 MAT-file".ljust(512, b"\0"), "m.mat"),
        (b"", r"m\.mat.*5 to 7"),
    ):
        path.write_bytes(content)
        with pytest.raises(UnreadableFrame, match=reason):
            read_matrix(str(path), "a")
    with pytest.raises(UnreadableFrame, match=r"absent\.mat"):
        read_matrix(str(tmp_path / "absent.mat"), "a")
