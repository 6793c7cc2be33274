"""The Lua interpreters that the Resolve door must work in, and how to run a program in one."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULES = ROOT / "resolve_fuse"
HIDE_FFI = 'package.loaded.ffi = nil; package.preload.ffi = function() error("no ffi here") end; ffi = nil'


@dataclass(frozen=True)
class Lua:
    """One way to run Lua: ``name`` for reports and the command line of the interpreter."""

    name: str
    command: tuple[str, ...]

    def run(
        self, program: Path, *arguments: object, env: dict[str, str] | None = None, timeout: float = 120
    ) -> subprocess.CompletedProcess[str]:
        """Run a Lua file with the door's modules on its path."""
        if shutil.which(self.command[0]) is None:
            pytest.skip(f"needs {self.command[0]} from the distribution's packages (luajit and lua5.1)")
        return subprocess.run(
            [*self.command, str(program), *map(str, arguments)],
            capture_output=True,
            text=True,
            timeout=timeout,
            env={**os.environ, "LUA_PATH": f"{MODULES}/?.lua;;", **(env or {})},
        )

    def evaluate(self, code: str, *arguments: object, env: dict[str, str] | None = None, timeout: float = 120) -> str:
        """Run Lua code, with ``arguments`` as ``...``; returns what it prints and fails the test if it fails."""
        if shutil.which(self.command[0]) is None:
            pytest.skip(f"needs {self.command[0]} from the distribution's packages (luajit and lua5.1)")
        ran = subprocess.run(
            [*self.command, "-", *map(str, arguments)],
            input=code,
            capture_output=True,
            text=True,
            timeout=timeout,
            env={**os.environ, "LUA_PATH": f"{MODULES}/?.lua;;", **(env or {})},
        )
        assert ran.returncode == 0, ran.stderr
        return ran.stdout


LUAJIT = Lua("luajit", ("luajit",))
WITHOUT_JIT = Lua("luajit without jit", ("luajit", "-joff"))
WITHOUT_FFI = Lua("luajit without ffi", ("luajit", "-e", HIDE_FFI))
LUA51 = Lua("lua5.1", ("lua5.1",))
ALL = (LUAJIT, WITHOUT_JIT, WITHOUT_FFI, LUA51)
