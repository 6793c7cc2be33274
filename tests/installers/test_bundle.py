"""The installers of the offline bundle: install.sh is run on a stand-in for the bundle's Python, install.ps1 parsed."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
import tree_sitter
import tree_sitter_powershell

BUNDLE = Path(__file__).parent.parent.parent / "installers" / "bundle"
PYTHON = """#!/bin/sh
case "$*" in
  *f2hdr_backend.cli.main*) cat "$(dirname -- "$0")/version" ;;
  *" install "*) [ ! -e "$(dirname -- "$0")/broken" ] ;;
esac
"""
"""Stand-in for the bundle's Python: pip succeeds, unless a file ``broken`` exists; f2hdr prints its version."""


def make_bundle(folder, version, broken=False):
    """A bundle that is complete for install.sh, without Python and wheels."""
    texts = {
        "VERSION": version,
        "EXTRAS": "media",
        "LICENSE": "MIT",
        "licenses/numpy/LICENSE": "BSD",
        "wheels/pip-1.whl": "",
    }
    texts |= {
        "python/bin/python3": PYTHON,
        "python/bin/version": version,
        "install.sh": (BUNDLE / "install.sh").read_text(),
    }
    texts |= {"python/bin/broken": ""} if broken else {}
    for name, text in texts.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text if name.endswith((".sh", "python3")) or not text else text + "\n")
    (folder / "python/bin/python3").chmod(0o755)
    sums = [f"{hashlib.sha256((folder / name).read_bytes()).hexdigest()}  {name}\n" for name in sorted(texts)]
    (folder / "SHA256SUMS").write_text("".join(sums))
    return folder


def run(bundle, home, *words):
    environment = {"HOME": str(home), "PATH": os.environ["PATH"]}
    command = ["sh", str(bundle / "install.sh"), *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120)


def tree(folder):
    """Return every path below a folder, with the content of files and the target of links."""
    found = {}
    for path in sorted(folder.rglob("*")):
        text = os.readlink(path) if path.is_symlink() else path.read_bytes() if path.is_file() else ""
        found[str(path.relative_to(folder))] = text
    return found


@pytest.fixture
def home(tmp_path):
    folder = tmp_path / "Ana María"
    folder.mkdir()
    (folder / "plate.txt").write_text("the user's own")
    return folder


def test_a_bundle_is_installed_upgraded_and_removed_without_other_changes_in_the_home_folder(tmp_path, home):
    before = tree(home)
    old, new = make_bundle(tmp_path / "old bundle é", "1.0"), make_bundle(tmp_path / "new", "2.0")
    target = home / ".local/share/f2hdr"
    for bundle, version in ((old, "1.0"), (new, "2.0")):
        installed = run(bundle, home)
        assert installed.returncode == 0, installed.stderr
        shown = subprocess.run([home / ".local/bin/f2hdr", "--version"], capture_output=True, text=True, timeout=60)
        assert shown.stdout.strip() == version
        assert (target / "licenses/numpy/LICENSE").exists()
        (target / "of the old version").touch()
    assert sorted(path.name for path in target.parent.iterdir()) == ["f2hdr"]
    removed = subprocess.run(
        ["sh", target / "uninstall.sh", "--uninstall"],
        capture_output=True,
        text=True,
        timeout=60,
        env={"HOME": str(home), "PATH": os.environ["PATH"]},
    )
    assert removed.returncode == 0, removed.stderr
    for folder in (home / ".local/share", home / ".local"):
        folder.rmdir()
    assert tree(home) == before


def test_a_folder_with_a_slash_at_its_end_is_installed_upgraded_and_removed(tmp_path, home):
    bundle, target = make_bundle(tmp_path / "bundle", "1.0"), tmp_path / "apps" / "f2hdr"
    for _ in range(2):
        installed = run(bundle, home, "--to", f"{target}/")
        assert installed.returncode == 0, installed.stderr
    assert [path.name for path in target.parent.iterdir()] == ["f2hdr"]
    assert run(bundle, home, "--to", f"{target}/", "--uninstall").returncode == 0
    assert not target.exists() and not (home / ".local/bin").exists()


def test_uninstall_sh_removes_the_installation_that_it_is_in_and_no_other(tmp_path, home):
    bundle, target = make_bundle(tmp_path / "bundle", "1.0"), tmp_path / "apps" / "f2hdr"
    assert run(bundle, home).returncode == 0
    assert run(bundle, home, "--to", target).returncode == 0
    environment = {"HOME": str(home), "PATH": os.environ["PATH"]}
    subprocess.run(["sh", target / "uninstall.sh"], env=environment, check=True, timeout=60)
    assert not target.exists() and (home / ".local/share/f2hdr/VERSION").exists()


def test_an_upgrade_removes_files_of_the_old_version(tmp_path, home):
    old, new = make_bundle(tmp_path / "old", "1.0"), make_bundle(tmp_path / "new", "2.0")
    target = tmp_path / "apps" / "f2hdr"
    assert run(old, home, "--to", target).returncode == 0
    (target / "python" / "module_of_1.py").touch()
    assert run(new, home, "--to", target).returncode == 0
    assert not (target / "python" / "module_of_1.py").exists()


def test_an_upgrade_that_fails_leaves_the_old_version(tmp_path, home):
    target = tmp_path / "f2hdr"
    assert run(make_bundle(tmp_path / "old", "1.0"), home, "--to", target).returncode == 0
    before = tree(target)
    assert run(make_bundle(tmp_path / "new", "2.0", broken=True), home, "--to", target).returncode != 0
    assert tree(target) == before and not (tmp_path / "f2hdr.installing").exists()


def test_the_old_version_is_restored_after_an_installation_was_killed_between_its_renames(tmp_path, home):
    target, work = tmp_path / "f2hdr", tmp_path / "f2hdr.installing"
    assert run(make_bundle(tmp_path / "old", "1.0"), home, "--to", target).returncode == 0
    work.mkdir()
    target.rename(work / "old")
    with subprocess.Popen(["true"]) as ended:
        (work / "process").write_text(str(ended.pid))
    assert run(make_bundle(tmp_path / "new", "2.0", broken=True), home, "--to", target).returncode != 0
    assert (target / "VERSION").read_text().strip() == "1.0" and not work.exists()


def test_two_simultaneous_installations_to_one_folder_do_not_mix(tmp_path, home):
    target, work = tmp_path / "f2hdr", tmp_path / "f2hdr.installing"
    work.mkdir()
    (work / "process").write_text(str(os.getpid()))
    bundle = make_bundle(tmp_path / "bundle", "1.0")
    refused = run(bundle, home, "--to", target)
    assert refused.returncode == 1 and str(os.getpid()) in refused.stderr and not target.exists()
    (work / "process").unlink()
    (work / "shot.exr").write_text("pixels")
    refused = run(bundle, home, "--to", target)
    assert refused.returncode == 1 and str(work) in refused.stderr
    assert tree(work) == {"shot.exr": b"pixels"}


def test_a_damaged_bundle_is_refused_before_anything_is_written(tmp_path, home):
    bundle, before = make_bundle(tmp_path / "bundle", "1.0"), tree(home)
    (bundle / "licenses/numpy/LICENSE").write_text("another")
    refused = run(bundle, home)
    assert refused.returncode == 1 and "damaged" in refused.stderr
    assert tree(home) == before


@pytest.mark.parametrize("words", [(), ("--uninstall",)])
def test_a_folder_of_the_user_is_never_replaced_or_removed(tmp_path, home, words):
    bundle, target = make_bundle(tmp_path / "bundle", "1.0"), tmp_path / "renders"
    target.mkdir()
    (target / "shot.exr").write_text("pixels")
    refused = run(bundle, home, "--to", target, *words)
    assert refused.returncode == 1 and str(target) in refused.stderr
    assert tree(target) == {"shot.exr": b"pixels"}


@pytest.mark.parametrize("name", ["install.sh", "install.command"])
def test_the_shell_scripts_are_valid(name):
    checked = subprocess.run(["sh", "-n", BUNDLE / name], capture_output=True, text=True, timeout=60)
    assert checked.returncode == 0, checked.stderr


def test_the_powershell_script_is_valid():
    source = (BUNDLE / "install.ps1").read_bytes()
    assert source.isascii()  # Windows PowerShell reads a file without a byte order mark in the system's code page
    parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_powershell.language()))
    assert not parser.parse(source).root_node.has_error
    assert parser.parse(source.replace(b"}", b"", 1)).root_node.has_error


def test_a_folder_without_the_python_of_the_platform_is_refused_before_anything_is_built(tmp_path):
    words = ["windows-x86_64", "--python", tmp_path, "--output", tmp_path / "out"]
    refused = subprocess.run([sys.executable, BUNDLE / "build.py", *words], capture_output=True, text=True, timeout=60)
    assert refused.returncode == 2 and "python.exe" in refused.stderr and not (tmp_path / "out").exists()
