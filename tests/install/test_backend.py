"""The backend that host files start: found, asked for its version, and reached from a bare interpreter."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import f2hdr_backend
from f2hdr_backend.install import backend as backends
from f2hdr_backend.install.backend import client_files, find_backend
from f2hdr_backend.install.files import InstallError, install_files


def program(folder: Path, answer: str) -> Path:
    path = folder / "f2hdr"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{answer}\n")
    path.chmod(0o755)
    return path


@pytest.mark.skipif(os.name == "nt", reason="a shell script stands for the backend")
class TestFindBackend:
    def test_a_backend_is_found_by_command_or_by_the_folder_of_its_environment(self, tmp_path: Path) -> None:
        path = program(tmp_path / "bin", f"echo {f2hdr_backend.__version__}")
        assert find_backend(str(path)) == find_backend(str(tmp_path)) == [str(path)]

    def test_the_default_backend_is_the_one_next_to_this_python(self) -> None:
        assert find_backend(None) == [str(Path(sys.executable).parent / "f2hdr")]

    def test_otherwise_the_backend_on_the_path_is_used(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        path = program(tmp_path, f"echo {f2hdr_backend.__version__}")
        monkeypatch.setattr(backends.sys, "executable", str(tmp_path / "elsewhere" / "python"))
        monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
        assert find_backend(None) == [str(path)]
        path.unlink()
        monkeypatch.setenv("PATH", str(tmp_path))
        with pytest.raises(InstallError) as caught:
            find_backend(None)
        assert "--backend" in caught.value.hint

    def test_a_backend_that_does_not_run_is_refused(self, tmp_path: Path) -> None:
        path = program(tmp_path, "exit 3")
        with pytest.raises(InstallError) as caught:
            find_backend(str(path))
        assert str(path) in caught.value.message and "exit status 3" in caught.value.message

    def test_a_backend_of_another_version_is_refused(self, tmp_path: Path) -> None:
        path = program(tmp_path, "echo 9.9.9")
        with pytest.raises(InstallError, match="9.9.9"):
            find_backend(str(path))

    def test_a_missing_backend_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(InstallError) as caught:
            find_backend(str(tmp_path))
        assert str(tmp_path) in caught.value.message


def test_the_backend_is_found_without_third_party_packages(tmp_path: Path) -> None:
    staging, root = tmp_path / "staging", tmp_path / "host"
    staging.mkdir()
    root.mkdir()
    command = ["/opt/f2hdr/bin/f2hdr"]
    install_files(client_files(command, staging, "below"), root, product="host", version="1", dry_run=False)
    script = (
        f"import sys; sys.path.insert(0, {str(root / 'below')!r})\n"
        "from f2hdr_backend.client import launch\nfrom f2hdr_backend.shot.document import Shot\n"
        "import f2hdr_backend\nprint(f2hdr_backend.__version__, *launch.backend_command())"
    )
    environment = {name: value for name, value in os.environ.items() if name != "F2HDR_BACKEND"}
    ran = subprocess.run(
        [sys.executable, "-I", "-S", "-c", script], capture_output=True, text=True, check=True, env=environment
    )
    assert ran.stdout.split() == [f2hdr_backend.__version__, *command]
