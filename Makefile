# make demo   renders the built-in demo shot into demo/
# make test   runs the tests          make lint   runs ruff and mypy
# make fuzz   reads 20,000 mutated files (COUNT=...) with every reader
# make lock   updates constraints.txt after a change in pyproject.toml (needs uv); versions that still fit stay
# make ofx    builds the OpenFX effect into build/ofx (needs CMake and a C++17 compiler)
# make clean  removes the environment and everything built
#
# The first call makes .venv with PYTHON (3.11 or newer):  make test PYTHON=python3.12
# TORCH_INDEX is a package index to take torch from, such as PyTorch's own for CPUs; without it, pip's usual build.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
BUILT_FROM := pyproject.toml constraints.txt $(wildcard CMakeLists.txt f2hdr_backend/kernels/src/*)

NUKE := nuke_plugin/f2hdr_nuke nuke_plugin/init.py nuke_plugin/menu.py nuke_plugin/f2hdr_farm.py

.PHONY: demo test lint lock ofx ofx-windows clean

demo: $(VENV)/ready
	$(BIN)/f2hdr demo demo

test: $(VENV)/ready-dev
	$(BIN)/python -m pytest -q -n 2

COUNT ?= 20000

fuzz: $(VENV)/ready-dev
	$(BIN)/python -m tests.fuzz.harness --count $(COUNT)

lint: $(VENV)/ready-dev
	$(BIN)/ruff check .
	$(BIN)/mypy
	MYPYPATH=nuke_plugin $(BIN)/mypy --strict --untyped-calls-exclude nuke $(NUKE)
	MYPYPATH=nuke_plugin:tests/hosts/stubs $(BIN)/mypy --strict $(NUKE)

lock:
	UV_CUSTOM_COMPILE_COMMAND='make lock' uv pip compile pyproject.toml --all-extras --group build --universal \
	  --python-version 3.11 --no-annotate --no-emit-index-url --no-emit-find-links --quiet --output-file constraints.txt

ofx:
	@command -v cmake >/dev/null || { echo "make ofx needs CMake 3.18 or newer and a C++17 compiler." >&2; exit 1; }
	cmake -S ofx_plugin -B build/ofx -D CMAKE_BUILD_TYPE=Release
	cmake --build build/ofx --parallel 2

# For Windows, on Linux with mingw-w64 (Debian: g++-mingw-w64-x86-64-posix).
ofx-windows:
	cmake -S ofx_plugin -B build/ofx-windows -D CMAKE_BUILD_TYPE=Release \
	  -D CMAKE_TOOLCHAIN_FILE=$(CURDIR)/ofx_plugin/mingw-w64.cmake
	cmake --build build/ofx-windows --parallel 2

clean:
	rm -rf $(VENV) build dist demo .mypy_cache .pytest_cache .ruff_cache .hypothesis

$(BIN)/python:
	@command -v $(PYTHON) >/dev/null || { \
	  echo "F2HDR needs Python 3.11 or newer, and there is no $(PYTHON). Try: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "F2HDR needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) -V). Try: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
	  echo "$(PYTHON) cannot make an environment. Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
	$(if $(TORCH_INDEX),$(INSTALL) torch --index-url $(TORCH_INDEX))

$(VENV)/ready: $(BUILT_FROM) | $(BIN)/python
	@echo 'Installing F2HDR and torch into $(VENV). This takes some minutes, and 1.4 GB with torch for CPUs.'
	@$(INSTALL) --editable '.[media]'
	@touch $@

$(VENV)/ready-dev: $(BUILT_FROM) | $(BIN)/python
	@echo 'Installing F2HDR, torch and the tools of the tests into $(VENV). This takes some minutes, and about 2 GB.'
	@$(INSTALL) --editable '.[media,raw,timeline,farm,lan,train,datasets,cvvdp,ui,dev]'
	@touch $@ $(VENV)/ready
