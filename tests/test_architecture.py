"""Architecture: which package may import which, what hosts can load, the length of a module, and its test file."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = "f2hdr_backend"
MAX_LINES = 300


@dataclass(frozen=True)
class Wall:
    """What one package may import: packages of ours, and third parties."""

    ours: frozenset[str]
    third_parties: frozenset[str]


def _wall(ours: str = "", third_parties: str = "") -> Wall:
    return Wall(frozenset(ours.split()), frozenset(third_parties.split()))


WALLS = {
    "shot": _wall(),
    "client": _wall("shot"),
    "machine": _wall("shot", "torch psutil"),
    "image": _wall("shot", "numpy cv2 OpenEXR OpenImageIO av rawpy"),
    "color": _wall("shot image", "numpy OpenImageIO PyOpenColorIO av"),
    "simulation": _wall("shot image", "numpy cv2"),
    "detection": _wall("shot machine image", "numpy cv2"),
    "trust": _wall("shot image model", "numpy cv2 torch"),
    "kernels": _wall("", "torch numpy triton"),
    "model": _wall("shot kernels", "torch"),
    "weights": _wall("shot model", "torch safetensors platformdirs"),
    "flow": _wall("shot image model weights", "torch numpy cv2 blosc2 platformdirs"),
    "response": _wall("shot image color", "numpy cv2"),
    "engine": _wall("shot machine image color detection response trust model weights flow", "torch numpy cv2"),
    "timeline": _wall("shot image engine", "opentimelineio"),
    "deliver": _wall("shot machine image color engine", "numpy"),
    "server": _wall(
        "shot client image color detection flow weights engine", "fastapi pydantic uvicorn starlette numpy"
    ),
    "train": _wall("shot image simulation trust model flow weights", "torch numpy cv2 safetensors"),
    "evaluate": _wall(
        "shot machine image color simulation trust model weights flow engine train",
        "torch numpy cv2 PIL pycvvdp torchvision scipy",
    ),
    "api": _wall("shot image color detection simulation engine", "numpy"),
    "demo": _wall("shot image color simulation engine evaluate", "numpy cv2"),
    "pictures": _wall("shot image color", "numpy cv2 PyOpenColorIO moderngl psutil"),
    "panel": _wall("shot client", "qtpy PySide6 PySide2 nuke f2hdr_nuke"),
    "farm": _wall("shot", "openjd distributed"),
    "install": _wall("shot"),
}
"""By package, from the innermost outward: the packages of ours and the third parties that it may import."""
SUB_PACKAGES = {
    "cli.verbs": "cli",
    "engine.method": "",
    "evaluate.bench": "evaluate.pictures",
    "evaluate.hdrvdp": "evaluate.metrics",
    "evaluate.metrics": "",
    "evaluate.page": "evaluate.metrics",
    "evaluate.paper": "evaluate.metrics evaluate.hdrvdp evaluate.page evaluate.reading",
    "evaluate.pictures": "",
    "evaluate.reading": "evaluate.metrics",
    "evaluate.suite": "evaluate.metrics evaluate.page",
    "farm.engines": "farm.job farm.report farm.schedulers farm.dask farm.openjd_run",
    "farm.schedulers": "farm.job",
    "flow.estimators": "flow.estimator",
    "image.movie": "image.decoder_processes image.arrays image.frame image.metadata image.orientation"
    " image.display_tags image.timecode image.ycbcr",
    "model.sea_raft": "model",
}
"""Allowed imports of each sub-package within its own package."""
OPEN_PACKAGES = {"cli"}
HOST_MODULES = {"nuke", "nukescripts", "PySide2", "PySide6", "shiboken2", "shiboken6", "f2hdr_nuke"}
DOOR_FOLDERS = [ROOT / PACKAGE / name for name in ("shot", "client", "install")]
HOST_SAFE_FOLDERS = [*DOOR_FOLDERS, ROOT / PACKAGE / "panel", ROOT / "nuke_plugin", ROOT / "resolve_fuse"]
OURS = (PACKAGE, "nuke_plugin", "resolve_fuse")
SOURCES = [path for folder in OURS for path in sorted((ROOT / folder).rglob("*.py"))]
TESTS = ROOT / "tests"
HOST_SAFE = sorted(path for folder in HOST_SAFE_FOLDERS for path in folder.rglob("*.py"))

TESTED_BY = {
    # Parts of one kind, over all of which one contract test runs.
    "evaluate/paper/test_metric.py": "evaluate/paper/metrics/*",
    "evaluate/reading/test_datasets.py": "evaluate/reading/dataset evaluate/reading/datasets/*",
    "farm/test_engines.py": "farm/engines/*",
    "farm/test_schedulers.py": "farm/schedulers/*",
    "flow/test_estimators.py": "flow/estimator flow/estimators/*",
    "kernels/test_correlation.py": "kernels/*_lookup",
    "kernels/test_fused.py": "kernels/triton_fused",
    "kernels/test_triton_kernels.py": "kernels/triton_fused_kernels",
    # Parts of a network: together they are compared with the paper's equations and with the released code.
    "model/test_equations.py": "model/adapter model/fusion model/motion shot/equations",
    "model/test_golden.py": "model/f2hdr model/refine model/sea_raft/*",
    "model/test_editions.py": "model/descriptor",
    # Steps of a method and of a render: only the frame that they make together can be compared with something.
    "engine/test_pipeline.py": " ".join(
        f"engine/method/{name}"
        for name in ("base", "choose", "features", "flows", "frame", "merge", "network", "to_host")
    ),
    "engine/test_waits.py": "engine/method/attempts",
    "engine/method/test_plan.py": "engine/live",
    "engine/method/test_mergenet.py": "engine/method/trained",
    "response/test_plate.py": "engine/settle cli/verbs/response",
    # What a verb prints, and verbs that only pass their options on.
    "cli/test_doctor_checks.py": "cli/verbs/doctor",
    "cli/test_main.py": "cli/verbs/info",
    "cli/test_signals.py": "cli/batch_mode",
    "cli/verbs/test_bench.py": "cli/bench_tables",
    "cli/verbs/test_check.py": "engine/check",
    "cli/verbs/test_convert.py": "deliver/deliver",
    "engine/test_renderer.py": "engine/request",
    "farm/test_run.py": "cli/verbs/farm",
    "install/test_program.py": "cli/verbs/install",
    # A server as its clients see it, by its answers; a window as its user sees it, by keys and clicks.
    "panel/test_workspace.py": "panel/*",
    "pictures/test_requests.py": "pictures/*",
    "server/test_api.py": "server/openapi",
    "server/test_access_control.py": "server/routes",
    "server/test_jobs.py": "client/jobs server/pending_response server/service server/render_jobs",
    "server/test_memory_files.py": "server/exchange server/passed_files",
    "server/test_process.py": "cli/verbs/serve",
    # Parts of a picture or of a timing, which are only right together.
    "demo/test_scene.py": "demo/backdrop demo/props demo/solids demo/textures",
    "demo/test_demo.py": "demo/sheet",
    "evaluate/test_bench.py": "evaluate/bench/*",
    "evaluate/page/test_page.py": "evaluate/page/comparison",
    "evaluate/suite/test_report.py": "evaluate/suite/planes",
    # Numbers, interfaces, and halves of one thing: reading and writing, measuring and deciding, a step and its loop.
    "color/test_guess.py": "color/tags",
    "color/test_icc.py": "color/file_spaces",
    "detection/test_detect.py": "detection/confidence detection/measure",
    "evaluate/hdrvdp/test_steerable.py": "evaluate/hdrvdp/sp3_taps",
    "evaluate/paper/test_benchmark.py": "evaluate/paper/results evaluate/paper/scoring",
    "evaluate/paper/test_text_tables.py": "evaluate/paper/published",
    "image/movie/test_writer.py": "image/movie/boxes",
    "image/test_decoder_processes.py": "image/decoder_program image/exr_pickle image/movie/isolated_plate",
    "image/test_raw.py": "image/dng",
    "timeline/test_read.py": "timeline/render",
    "train/test_loop.py": "train/batches train/training_setup train/paper_setup",
    "train/test_synthesis.py": "train/sampling_ranges",
}
"""By test file: the modules, or patterns of them, that it tests although they do not have its name."""
PATTERNS = {pattern: test for test, patterns in TESTED_BY.items() for pattern in patterns.split()}


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def _imports(path: Path) -> Iterator[tuple[int, str]]:
    """Yield (line, dotted module) of every import in a file, at any nesting; relative ones as absolute."""
    package = path.relative_to(ROOT).with_suffix("").parts[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = list(package[: len(package) + 1 - node.level]) if node.level else []
            module = ".".join(base + ([node.module] if node.module else []))
            if module == PACKAGE:
                yield from ((node.lineno, f"{module}.{alias.name}") for alias in node.names)
            else:
                yield node.lineno, module


def _is_allowed(module: str, home: str, wall: Wall) -> bool:
    parts = module.split(".")
    if parts[0] == PACKAGE:
        leaf_of_root = len(parts) == 1 or parts[1] == "__version__"
        return leaf_of_root or parts[1] == home or parts[1] in wall.ours
    return parts[0] in sys.stdlib_module_names or parts[0] in wall.third_parties


def _trespasses(path: Path, home: str, wall: Wall) -> list[str]:
    return [
        f"{_name(path)}:{line} imports {module}"
        for line, module in _imports(path)
        if not _is_allowed(module, home, wall)
    ]


def test_every_package_is_in_the_table() -> None:
    packages = {path.name for path in (ROOT / PACKAGE).iterdir() if path.is_dir() and any(path.glob("*.py"))}
    assert packages <= WALLS.keys() | OPEN_PACKAGES


def test_importing_the_root_package_loads_nothing_but_the_standard_library() -> None:
    script = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
import f2hdr_backend
print(*sorted({{name.partition(".")[0] for name in sys.modules}}), *(n for n in sys.modules if n.startswith("f2hdr")))
"""
    ran = subprocess.run([sys.executable, "-I", "-S", "-c", script], capture_output=True, text=True, check=True)
    assert set(ran.stdout.split()) - set(sys.stdlib_module_names) <= {PACKAGE, "__main__"}


@pytest.mark.parametrize("home", WALLS)
def test_imports_of_a_package_are_in_the_table(home: str) -> None:
    found = [
        line for path in sorted((ROOT / PACKAGE / home).rglob("*.py")) for line in _trespasses(path, home, WALLS[home])
    ]
    assert found == []


def _of_own_package(path: Path, package: str) -> Iterator[tuple[int, str]]:
    """Yield (line, dotted module below ``f2hdr_backend``) of a file's imports from one package of ours."""
    for line, module in _imports(path):
        parts = module.split(".")
        if parts[0] == PACKAGE and len(parts) > 1 and parts[1] == package:
            yield line, ".".join(parts[1:])


def _is_within(module: str, names: Iterable[str]) -> bool:
    return any(module == name or module.startswith(f"{name}.") for name in names)


@pytest.mark.parametrize("home", SUB_PACKAGES)
def test_imports_of_a_sub_package_point_one_way(home: str) -> None:
    allowed = [home, *SUB_PACKAGES[home].split()]
    folder = ROOT.joinpath(PACKAGE, *home.split("."))
    found = [
        f"{_name(path)}:{line} imports {module}"
        for path in sorted(folder.rglob("*.py"))
        for line, module in _of_own_package(path, home.partition(".")[0])
        if not _is_within(module, allowed)
    ]
    assert found == []


def test_every_sub_package_is_in_the_table() -> None:
    found = {
        ".".join(folder.relative_to(ROOT / PACKAGE).parts)
        for folder in (ROOT / PACKAGE).glob("*/*")
        if folder.is_dir() and any(folder.glob("*.py"))
    }
    assert found == SUB_PACKAGES.keys()


def test_the_nuke_plugin_imports_only_host_safe_packages_and_its_host() -> None:
    wall = Wall(frozenset({"shot", "client"}), frozenset(HOST_MODULES))
    plugin = sorted((ROOT / "nuke_plugin").rglob("*.py"))
    assert [line for path in plugin for line in _trespasses(path, "nuke_plugin", wall)] == []


def test_only_the_verb_imports_the_panel() -> None:
    verb = ROOT / PACKAGE / "cli" / "verbs" / "panel.py"
    found = [
        f"{_name(path)}:{line}"
        for path in SOURCES
        if path != verb and not path.is_relative_to(ROOT / PACKAGE / "panel")
        for line, module in _imports(path)
        if _is_within(module, [f"{PACKAGE}.panel"])
    ]
    assert found == []


def test_the_resolve_scripts_import_only_host_safe_packages_and_their_host() -> None:
    wall = Wall(frozenset({"shot", "client"}), frozenset({"f2hdr_resolve", "DaVinciResolveScript", "fusionscript"}))
    driver = sorted((ROOT / "resolve_fuse").rglob("*.py"))
    assert [line for path in driver for line in _trespasses(path, "resolve_fuse", wall)] == []


def test_the_verb_submit_imports_only_host_safe_packages() -> None:
    verb = ROOT / PACKAGE / "cli" / "verbs" / "submit.py"
    wall = _wall("shot client", "typer rich")
    assert not verb.exists() or _trespasses(verb, "cli", wall) == []


def test_a_forbidden_import_is_found(tmp_path: Path) -> None:
    assert not _is_allowed("torch.nn", "shot", WALLS["shot"])
    assert not _is_allowed("f2hdr_backend.engine", "model", WALLS["model"])
    assert _is_allowed("f2hdr_backend.kernels.lookup", "model", WALLS["model"])
    assert _is_allowed("json", "shot", WALLS["shot"])


@pytest.mark.parametrize("path", HOST_SAFE, ids=_name)
def test_host_safe_code_is_python_3_9(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 9))
    later_keywords = {"dataclass": {"slots", "kw_only", "match_args"}, "zip": {"strict"}}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            used = {keyword.arg for keyword in node.keywords}
            assert not used & later_keywords.get(node.func.id, set()), f"line {node.lineno}"


@pytest.mark.parametrize("path", HOST_SAFE, ids=_name)
def test_host_safe_annotations_do_not_use_the_union_operator(path: Path) -> None:
    """``get_type_hints`` evaluates a field's annotation, and Python 3.9 cannot evaluate ``X | None``."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.AnnAssign):
            bars = [part for part in ast.walk(node.annotation) if isinstance(part, ast.BitOr)]
            assert not bars, f"line {node.lineno}"


def test_host_safe_packages_are_imported_without_third_party_packages() -> None:
    modules = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for path in HOST_SAFE
        if any(path.is_relative_to(folder) for folder in DOOR_FOLDERS)
    ]
    script = f"""
import importlib, sys
sys.path.insert(0, {str(ROOT)!r})
for name in {modules!r}:
    importlib.import_module(name)
print(*sorted({{name.partition(".")[0] for name in sys.modules}}))
"""
    ran = subprocess.run([sys.executable, "-I", "-S", "-c", script], capture_output=True, text=True, check=True)
    loaded = set(ran.stdout.split())
    assert PACKAGE in loaded
    assert loaded - set(sys.stdlib_module_names) <= {PACKAGE, "__main__"}


@pytest.mark.parametrize("path", SOURCES, ids=_name)
def test_modules_have_at_most_300_lines(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MAX_LINES


def _modules() -> list[str]:
    paths = (path for path in (ROOT / PACKAGE).rglob("*.py") if path.name not in ("__init__.py", "__main__.py"))
    return sorted(path.relative_to(ROOT / PACKAGE).with_suffix("").as_posix() for path in paths)


def _own_test(module: str) -> Path:
    folder, _, name = module.rpartition("/")
    return TESTS / folder / f"test_{name}.py"


WITHOUT = [module for module in _modules() if not _own_test(module).exists()]


@pytest.mark.parametrize("module", WITHOUT)
def test_a_module_has_a_test_of_its_name_or_a_reason(module: str) -> None:
    assert any(fnmatch(module, pattern) for pattern in PATTERNS), f"write {_own_test(module).relative_to(TESTS)}"


@pytest.mark.parametrize("pattern", PATTERNS)
def test_every_entry_of_the_table_is_needed_and_names_an_existing_test(pattern: str) -> None:
    assert any(fnmatch(module, pattern) for module in WITHOUT)
    assert (TESTS / PATTERNS[pattern]).is_file()
