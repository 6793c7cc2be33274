"""What every test process needs before its first import of torch or Qt."""

import os

if "PYTEST_XDIST_WORKER" in os.environ:
    # Workers share the cores: one thread each, for torch, OpenMP kernels and OpenCV alike.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.setdefault("OPENCV_FOR_THREADS_NUM", "1")
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
# No test fills the cache of whoever runs it; those of the cache set a folder of their own.
os.environ.setdefault("F2HDR_CACHE_SIZE", "0")
