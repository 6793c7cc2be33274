"""``f2hdr install`` and the scripts in ``installers/`` do the same."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from f2hdr_backend.install.program import PRODUCTS

ROOT = Path(__file__).parent.parent.parent
COMMAND = [sys.executable, "-c", "from f2hdr_backend.cli.main import main; main()", "install"]


def listing(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def run(words: list[str]) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(words, capture_output=True, text=True, check=False, env=environment)


@pytest.mark.parametrize("product", ["nuke", "resolve"])
def test_the_verb_and_the_script_write_the_same_files(product: str, tmp_path: Path) -> None:
    backend = tmp_path / "f2hdr"
    backend.write_text(f"#!{sys.executable}\nimport f2hdr_backend; print(f2hdr_backend.__version__)\n")
    backend.chmod(0o755)
    options = ["--backend", str(backend)]
    by_verb, by_script = tmp_path / "verb", tmp_path / "script"
    shown = run([*COMMAND, product, "--to", str(by_verb), *options, "--dry-run"])
    assert shown.returncode == 0 and not by_verb.exists()
    made = run([*COMMAND, product, "--to", str(by_verb), *options])
    assert made.returncode == 0 and made.stdout.count("\n") < 10
    script = [sys.executable, str(ROOT / "installers" / product / "install.py")]
    assert run([*script, "--to", str(by_script), *options]).returncode == 0
    assert listing(by_verb) == listing(by_script) != {}
    installed = [name for name in listing(by_verb) if not name.endswith("-installed.json")]
    planned = [line.removeprefix("would install ") for line in shown.stdout.splitlines() if "would install " in line]
    assert {str(by_verb / name) for name in installed} - {str(by_verb / "init.py")} == set(planned)
    assert str(len(planned)) in made.stdout and str(by_verb) in made.stdout
    assert run([*COMMAND, product, "--to", str(by_verb), "--uninstall"]).returncode == 0
    assert not by_verb.exists()
    refused = run([*COMMAND, product, "--to", str(by_verb), "--uninstall"])
    assert refused.returncode == 3 and str(by_verb) in refused.stderr and "Traceback" not in refused.stderr


def test_each_file_that_uninstall_keeps_is_named(tmp_path: Path) -> None:
    backend = tmp_path / "f2hdr"
    backend.write_text(f"#!{sys.executable}\nimport f2hdr_backend; print(f2hdr_backend.__version__)\n")
    backend.chmod(0o755)
    target = tmp_path / "target"
    assert run([*COMMAND, "resolve", "--to", str(target), "--backend", str(backend)]).returncode == 0
    changed = [path for path in sorted(target.rglob("*.lua"))][:2]
    for path in changed:
        path.write_text("-- mine")
    removed = run([*COMMAND, "resolve", "--to", str(target), "--uninstall"])
    assert removed.returncode == 0
    assert all(str(path) in removed.stdout and path.exists() for path in changed)


@pytest.mark.parametrize("product", PRODUCTS)
def test_every_product_has_a_script(product: str) -> None:
    ran = run([sys.executable, str(ROOT / "installers" / product / "install.py"), "--help"])
    assert ran.returncode == 0 and "--uninstall" in ran.stdout
