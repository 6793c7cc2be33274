"""What the plug-in imports, its start without the client, and its types."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
PLUGIN = ROOT / "nuke_plugin"

BARE_HOST = f"""
import sys, types, threading
nuke = types.ModuleType("nuke")
nuke.GUI = False
nuke.Node = nuke.Group = nuke.File_Knob = nuke.Enumeration_Knob = nuke.Script_Knob = nuke.EvalString_Knob = object
nuke.addOnCreate = nuke.addBeforeFrameRender = lambda call, nodeClass: None
nuke.addOnScriptLoad = nuke.addOnScriptSave = lambda call: None
sys.modules["nuke"] = nuke
sys.path[:0] = [{str(PLUGIN)!r}, {str(ROOT)!r}]
exec(compile(open({str(PLUGIN / "init.py")!r}).read(), "init.py", "exec"))
import f2hdr_nuke, f2hdr_nuke.panel, f2hdr_nuke.farm
print(len(threading.enumerate()), *sorted({{name.partition(".")[0] for name in sys.modules}}))
"""


def test_the_plugin_imports_only_the_standard_library_and_itself() -> None:
    ran = subprocess.run([sys.executable, "-I", "-S", "-c", BARE_HOST], capture_output=True, text=True, check=True)
    threads, *loaded = ran.stdout.split()
    assert threads == "1"
    assert set(loaded) - set(sys.stdlib_module_names) <= {"nuke", "f2hdr_nuke", "f2hdr_backend", "__main__"}
    assert "f2hdr_nuke" in loaded


def test_nuke_without_the_client_starts_with_one_line_of_output(tmp_path: Path) -> None:
    """init.py alone, as after a broken copy: Nuke must start."""
    script = f"""
import sys, types
nuke = types.ModuleType("nuke")
nuke.tprint = print
sys.modules["nuke"] = nuke
exec(compile(open({str(PLUGIN / "init.py")!r}).read(), "init.py", "exec"))
"""
    ran = subprocess.run([sys.executable, "-I", "-S", "-c", script], capture_output=True, text=True, check=True)
    assert ran.stdout.count("\n") == 1
    assert "installer" in ran.stdout
    assert "Error:" not in ran.stdout


@pytest.mark.parametrize(
    ("stubs", "options"),
    [([], ["--untyped-calls-exclude", "nuke"]), ([ROOT / "tests" / "hosts" / "stubs"], [])],
    ids=["types-nuke", "our own, without its holes"],
)
def test_the_plugin_passes_mypy_strict(stubs: list[Path], options: list[str]) -> None:
    pytest.importorskip("mypy")
    environment = {**os.environ, "MYPYPATH": os.pathsep.join(map(str, [PLUGIN, *stubs]))}
    targets = [str(PLUGIN / name) for name in ("f2hdr_nuke", "init.py", "menu.py", "f2hdr_farm.py")]
    ran = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", *options, *targets],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.stdout == ""
    assert ran.returncode == 0
