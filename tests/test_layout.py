"""A test is found by its module's name: ``tests/PACKAGE/test_MODULE.py`` for ``f2hdr_backend/PACKAGE/MODULE.py``."""

from __future__ import annotations

from fnmatch import fnmatch
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
PACKAGE = TESTS.parent / "f2hdr_backend"

TESTED_BY = {
    # Parts of one kind, over all of which one contract test runs.
    "evaluate/paper/test_metric.py": "evaluate/paper/metrics/*",
    "evaluate/reading/test_datasets.py": "evaluate/reading/dataset evaluate/reading/datasets/*",
    "farm/test_engines.py": "farm/engines/*",
    "farm/test_schedulers.py": "farm/schedulers/*",
    "flow/test_estimators.py": "flow/estimator flow/estimators/*",
    "kernels/test_correlation.py": "kernels/*_lookup",
    # Parts of a network: together they are compared with the paper's equations and with the released code.
    "model/test_equations.py": "model/adapter model/fusion model/motion shot/equations",
    "model/test_golden.py": "model/f2hdr model/refine model/sea_raft/*",
    "model/test_editions.py": "model/blocks model/descriptor",
    "model/test_mergenet.py": "model/merge",
    # Steps of a method and of a render: only the frame that they make together can be compared with something.
    "engine/test_pipeline.py": " ".join(
        f"engine/method/{name}" for name in ("base", "choose", "features", "flows", "merge", "network", "pictures")
    ),
    "engine/method/test_plan.py": "engine/live",
    "engine/method/test_mergenet.py": "engine/method/trained",
    "response/test_plate.py": "engine/settle cli/verbs/response",
    # What a verb prints, and verbs that only pass their options on.
    "cli/test_health.py": "cli/verbs/doctor",
    "cli/test_main.py": "cli/verbs/info",
    "cli/test_signals.py": "cli/task",
    "cli/verbs/test_bench.py": "cli/bench_tables",
    "cli/verbs/test_check.py": "engine/check",
    "cli/verbs/test_convert.py": "deliver/deliver",
    "farm/test_run.py": "cli/verbs/farm farm/dask",
    "install/test_program.py": "cli/verbs/install",
    # A server as its clients see it, by its answers; a window as its user sees it, by keys and clicks.
    "panel/test_command_line.py": "cli/verbs/panel",
    "panel/test_workspace.py": "panel/*",
    "pictures/test_requests.py": "pictures/*",
    "server/test_api.py": "server/description",
    "server/test_door.py": "server/listener",
    "server/test_jobs.py": "client/jobs server/service server/work",
    "server/test_process.py": "cli/verbs/serve",
    # Parts of a picture or of a timing, which are only right together.
    "demo/test_scene.py": "demo/backdrop demo/props demo/solids demo/textures",
    "demo/test_demo.py": "demo/sheet",
    "evaluate/test_bench.py": "evaluate/bench/*",
    "evaluate/page/test_page.py": "evaluate/page/comparison",
    "evaluate/suite/test_report.py": "evaluate/suite/planes",
    "train/test_scene_layers.py": "train/scene",
    # Numbers, interfaces, and halves of one thing: reading and writing, measuring and deciding, a step and its loop.
    "color/test_config.py": "color/files",
    "color/test_guess.py": "color/tags",
    "color/test_icc.py": "color/own",
    "detection/test_detect.py": "detection/measure detection/verdict",
    "evaluate/hdrvdp/test_steerable.py": "evaluate/hdrvdp/sp3_taps",
    "evaluate/paper/test_benchmark.py": "evaluate/paper/results evaluate/paper/scoring",
    "evaluate/paper/test_text_tables.py": "evaluate/paper/published",
    "image/movie/test_plate.py": "image/movie/frames image/movie/ycbcr",
    "image/movie/test_writer.py": "image/movie/boxes",
    "image/test_exr.py": "image/exr_structure",
    "timeline/test_read.py": "timeline/media timeline/render",
    "train/test_loop.py": "train/batches train/course train/paper_course",
    "train/test_synthesis.py": "train/style",
}
"""By test file: the modules, or patterns of them, that it tests although they do not have its name."""
PATTERNS = {pattern: test for test, patterns in TESTED_BY.items() for pattern in patterns.split()}


def _modules() -> list[str]:
    paths = (path for path in PACKAGE.rglob("*.py") if path.name not in ("__init__.py", "__main__.py"))
    return sorted(path.relative_to(PACKAGE).with_suffix("").as_posix() for path in paths)


def _own_test(module: str) -> Path:
    folder, _, name = module.rpartition("/")
    return TESTS / folder / f"test_{name}.py"


WITHOUT = [module for module in _modules() if not _own_test(module).exists()]


@pytest.mark.parametrize("module", WITHOUT)
def test_a_module_has_a_test_of_its_name_or_a_reason(module: str) -> None:
    assert any(fnmatch(module, pattern) for pattern in PATTERNS), f"write {_own_test(module).relative_to(TESTS)}"


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_reason_is_still_needed_and_leads_to_a_test(pattern: str) -> None:
    assert any(fnmatch(module, pattern) for module in WITHOUT)
    assert (TESTS / PATTERNS[pattern]).is_file()
