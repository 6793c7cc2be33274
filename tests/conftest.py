"""What every test process needs before its first import of torch or Qt, whatever shell it was started from."""

import os
import signal
import tempfile
import threading

from hypothesis import HealthCheck, settings

if "PYTEST_XDIST_WORKER" in os.environ:
    # Workers share the cores: one thread each, for torch, OpenMP kernels and OpenCV alike.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.setdefault("OPENCV_FOR_THREADS_NUM", "1")
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

# Settings of the user's shell would change the tested behavior. F2HDR_TEST_* are programs that only some machines
# have.
for name in list(os.environ):
    if name.startswith("F2HDR_") and not name.startswith("F2HDR_TEST_"):
        del os.environ[name]
for name in ("OCIO", "FORCE_COLOR", "TTY_COMPATIBLE", "NO_COLOR", "COLUMNS", "LINES", "_F2HDR_COMPLETE"):
    os.environ.pop(name, None)
_USER = os.getuid() if hasattr(os, "getuid") else os.environ.get("USERNAME", "")
# No test fills the cache or the log of whoever runs it; those of the cache set a folder of their own.
os.environ["F2HDR_CACHE_SIZE"] = "0"
os.environ["F2HDR_LOGS"] = os.path.join(tempfile.gettempdir(), f"f2hdr-test-logs-{_USER}")

# A shell without job control starts background jobs with Ctrl-C ignored, nohup with the hangup, and children inherit
# that. A handler, unlike "ignore", is not inherited: the tests' children start with the system's default, and this
# process stays alive.
for _name in ("SIGINT", "SIGHUP"):
    _number = getattr(signal, _name, None)
    if threading.current_thread() is threading.main_thread() and _number is not None:
        if signal.getsignal(_number) is signal.SIG_IGN:
            signal.signal(_number, lambda number, frame: None)


# The same examples in every run, however slow the machine is.
settings.register_profile("tests", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("tests")


def _has_qt() -> bool:
    """Whether Qt's windows can be used: the packages are installed, and the system's libraries that they need."""
    try:
        import qtpy.QtWidgets  # noqa: F401
    except ImportError:
        return False
    return True


pytest_plugins = ["tests.one_skip", *(["pytestqt.plugin"] if _has_qt() else [])]
