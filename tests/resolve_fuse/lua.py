"""The Lua interpreters that the Resolve modules must work in, and how to run a program in one."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULES = ROOT / "resolve_fuse"
INTERPRETER = ROOT / "tests" / "hosts" / "resolve" / "lua_process.py"


@dataclass(frozen=True)
class Lua:
    """One way to run Lua: ``name`` for reports, and the kind of interpreter of ``lua_process``."""

    name: str
    kind: str

    def require(self) -> None:
        """Skip the test where the installed ``lupa`` has no such interpreter. In the test's own thread only."""
        module = "lupa.lua51" if self.kind == "lua51" else "lupa.luajit21"
        if importlib.util.find_spec("lupa") is None or importlib.util.find_spec(module) is None:
            pytest.skip(f"needs {module}, of the wheel lupa (extra dev)")

    def run(
        self, program: Path, *arguments: object, env: dict[str, str] | None = None, timeout: float = 120
    ) -> subprocess.CompletedProcess[str]:
        """Run a Lua file with F2HDR's modules on its path."""
        self.require()
        return subprocess.run(
            [sys.executable, str(INTERPRETER), self.kind, str(program), *map(str, arguments)],
            capture_output=True,
            text=True,
            timeout=timeout,
            env={**os.environ, "LUA_PATH": f"{MODULES}/?.lua;;", **(env or {})},
        )

    def evaluate(self, code: str, *arguments: object, env: dict[str, str] | None = None, timeout: float = 120) -> str:
        """Run Lua code, with ``arguments`` as ``...``; returns its output, and fails the test if it fails."""
        self.require()
        ran = subprocess.run(
            [sys.executable, str(INTERPRETER), self.kind, "-", *map(str, arguments)],
            input=code,
            capture_output=True,
            text=True,
            timeout=timeout,
            env={**os.environ, "LUA_PATH": f"{MODULES}/?.lua;;", **(env or {})},
        )
        assert ran.returncode == 0, ran.stderr
        return ran.stdout


LUAJIT = Lua("luajit", "luajit")
WITHOUT_JIT = Lua("luajit without jit", "luajit-off")
WITHOUT_FFI = Lua("luajit without ffi", "luajit-no-ffi")
LUA51 = Lua("lua5.1", "lua51")
ALL = (LUAJIT, WITHOUT_JIT, WITHOUT_FFI, LUA51)
