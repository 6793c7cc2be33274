"""A Lua interpreter as a program, from the wheel ``lupa``: ``lua_process.py KIND (FILE | -) ARGUMENT...``.

KIND is ``lua51``, or ``luajit`` with its compiler; ``luajit-off`` has it switched off, ``luajit-no-ffi`` has no ffi.
The file (``-`` is standard input) runs as with the command line interpreters: with ``arg``, its arguments as ``...``,
and modules from LUA_PATH. An error goes to standard error, and the exit code is 1.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

NO_FFI = b'package.loaded.ffi = nil; package.preload.ffi = function() error("no ffi here") end; ffi = nil'


def main(words: list[str]) -> int:
    """Run the program that the words name; returns the exit code."""
    kind, program, *arguments = words
    module: Any = importlib.import_module("lupa.lua51" if kind == "lua51" else "lupa.luajit21")
    lua = module.LuaRuntime(encoding=None, register_eval=False, register_builtins=False)
    if kind == "luajit-off":
        lua.execute(b"jit.off()")
    if kind == "luajit-no-ffi":
        lua.execute(NO_FFI)
    given = lua.table_from({0: program.encode(), **{at: word.encode() for at, word in enumerate(arguments, 1)}})
    lua.globals()[b"arg"] = given
    text = sys.stdin.buffer.read() if program == "-" else Path(program).read_bytes()
    load = lua.eval(b"function(text, name) return assert(loadstring(text, name)) end")
    run = lua.eval(b"function(f, words) return xpcall(function() f(unpack(words)) end, debug.traceback) end")
    answer = run(load(text, b"@" + program.encode()), given)
    if answer is True or answer[0] is True:
        return 0
    sys.stderr.write(f"{answer[1].decode(errors='replace')}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
