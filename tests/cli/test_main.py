"""The command from a shell: standard output, standard error and exit codes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import f2hdr_backend
from f2hdr_backend.shot import errors

COMMAND = "from f2hdr_backend.cli.main import main; main()"
HEAVY = ("torch", "numpy", "cv2", "OpenEXR", "OpenImageIO", "PyOpenColorIO", "av", "safetensors", "blosc2")

# A command line of one verb that raises the given error.
RAISING = """
from f2hdr_backend.cli.command import App
from f2hdr_backend.cli.main import run
from f2hdr_backend.cli.batch_mode import AsJson
from f2hdr_backend.shot import errors

app = App()

@app.command()
def fail(name: str, as_json: AsJson = False) -> None:
    if name == "KeyboardInterrupt":
        raise KeyboardInterrupt
    if name == "ValueError":
        raise ValueError("a bug")
    if name == "OSError":
        open("/dev/null/a", "wb")
    if name == "MemoryError":
        raise MemoryError
    if name != "nothing":
        raise getattr(errors, name)("It broke.", hint="Fix it.", frames=(3, 4))

run(app)
"""


def _python(code: str, *args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code, *args], capture_output=True, text=True, timeout=120)


def test_help_names_the_verbs_and_exits_0() -> None:
    ran = _python(COMMAND, "--help")
    assert ran.returncode == 0
    assert "info" in ran.stdout


def test_help_loads_no_large_library() -> None:
    code = f"""
import sys
from f2hdr_backend.cli.main import main
try:
    main()
except SystemExit:
    print("loaded:", *[name for name in {HEAVY!r} if name in sys.modules])
"""
    ran = _python(code, "--help")
    assert ran.stdout.splitlines()[-1].strip() == "loaded:"


def test_the_version_is_printed() -> None:
    ran = _python(COMMAND, "--version")
    assert (ran.returncode, ran.stdout.strip()) == (0, f2hdr_backend.__version__)


@pytest.mark.parametrize("args", [["no-such-verb"], ["info", "--no-such-option"]])
def test_wrong_usage_exits_with_2_and_a_message_on_standard_error(args: list[str]) -> None:
    ran = _python(COMMAND, *args)
    assert ran.returncode == 2
    assert ran.stdout == ""
    assert args[-1] in ran.stderr


@pytest.mark.parametrize(
    ("name", "exit_code"),
    [
        ("ShotError", 2),
        ("MissingFrames", 2),
        ("UnreadableFrame", 3),
        ("WeightsMissing", 4),
        ("OutOfMemory", 5),
        ("VersionMismatch", 6),
        ("Canceled", 130),
        ("KeyboardInterrupt", 130),
        ("nothing", 0),
    ],
)
def test_each_error_family_exits_with_its_code(name: str, exit_code: int) -> None:
    assert _python(RAISING, name).returncode == exit_code


def test_an_error_is_two_lines_on_standard_error() -> None:
    ran = _python(RAISING, "MissingFrames")
    assert ran.stdout == ""
    assert ran.stderr == "error: It broke.\nFix it.\n"


def test_an_error_is_one_event_with_json() -> None:
    ran = _python(RAISING, "MissingFrames", "--json")
    assert [json.loads(line) for line in ran.stdout.splitlines()] == [
        {
            "event": "error",
            "code": errors.MissingFrames.code,
            "message": "It broke.",
            "hint": "Fix it.",
            "facts": {"frames": [3, 4]},
            "exit_code": 2,
        }
    ]


def test_an_unexpected_exception_shows_its_traceback() -> None:
    ran = _python(RAISING, "ValueError")
    assert ran.returncode == 1
    assert "Traceback" in ran.stderr
    assert "ValueError: a bug" in ran.stderr


def test_a_system_error_is_one_sentence_with_the_path_and_a_json_event() -> None:
    ran = _python(RAISING, "OSError", "--json")
    assert ran.returncode == 1 and "Traceback" not in ran.stderr
    assert json.loads(ran.stdout)["facts"]["path"] == "/dev/null/a" and "/dev/null/a" in ran.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no output that is always full")
@pytest.mark.parametrize("full", ["stdout", "stderr"])
@pytest.mark.parametrize("name", ["MissingFrames", "OSError"])
def test_a_full_output_keeps_the_exit_code_and_the_other_output(full: str, name: str) -> None:
    usual = _python(RAISING, name, "--json")
    with open("/dev/full", "w") as output:
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, full: output}
        ran = subprocess.run([sys.executable, "-c", RAISING, name, "--json"], **streams, text=True, timeout=120)
    assert ran.returncode == usual.returncode
    assert (ran.stdout, ran.stderr) == ((None, usual.stderr) if full == "stdout" else (usual.stdout, None))


def test_memory_that_the_system_refuses_is_one_sentence_and_no_traceback() -> None:
    ran = _python(RAISING, "MemoryError")
    assert ran.returncode == 5 and len(ran.stderr.splitlines()) == 2 and "memory" in ran.stderr


def test_info_is_printed_as_text_and_as_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("F2HDR_WEIGHTS", "/some/weights")
    monkeypatch.setenv("F2HDR_CACHE", "/some/cache")
    facts = json.loads(_python(COMMAND, "info", "--json").stdout)
    assert facts["version"] == f2hdr_backend.__version__
    assert facts["devices"][0] == "cpu"
    assert list(facts["correlation"]) == [name.split()[0] for name in facts["devices"]]
    assert facts["correlation"]["cpu"].startswith(("C++ (", "torch (the C++ kernel was not built"))
    assert (facts["weights_folder"], facts["cache_folder"]) == ("/some/weights", "/some/cache")
    words = _python(COMMAND, "info")
    assert words.returncode == 0
    assert "/some/cache" in words.stdout


@pytest.mark.skipif(sys.platform == "win32", reason="users of POSIX")
def test_a_user_id_without_a_name_can_run_commands():
    """As a container's with a random user ID: no name, no home folder."""
    unlisted = """
import os, pwd
def missing(user):
    raise KeyError(user)
pwd.getpwuid = missing
for name in ("HOME", "LOGNAME", "USER", "LNAME", "USERNAME"):
    os.environ.pop(name, None)
"""
    named = _python(f"{unlisted}from f2hdr_backend.cli.user import user_name; print(repr(user_name()))")
    assert named.stdout.strip() == "''", named.stderr
    listed = _python(unlisted + COMMAND, "weights", "list", "--json")
    assert listed.returncode == 0 and "mergenet" in listed.stdout, listed.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="Windows programs have no numbered outputs to close")
def test_a_closed_standard_output_is_no_error():
    ran = subprocess.run(["sh", "-c", 'exec "$@" >&-', "sh", sys.executable, "-c", COMMAND, "weights", "list"],
                         capture_output=True, text=True)  # fmt: skip
    assert ran.returncode == 0 and "Traceback" not in ran.stderr, ran.stderr
