"""Make an offline installer of F2HDR for one platform: Python, wheels, weights, host files, checksums and licenses.

    python installers/bundle/build.py linux-x86_64
    python installers/bundle/build.py windows-x86_64 --python FOLDER
    python installers/bundle/build.py macos-arm64 --wheels-only        # only resolve and download the wheels

FOLDER is an unpacked, relocatable CPython 3.11 of the platform, such as python-build-standalone's "install_only". For
the Linux of this machine, --python may be left out: the running interpreter is copied with the libraries it needs. The
bundle then needs a glibc at least as new as the one here.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
HERE = Path(__file__).resolve().parent
EXTRAS = "media,raw,timeline,ui"
PYTHON = "3.11"
MACOS = "14.0"
"""Oldest macOS that torch supports."""
SYSTEM_LIBRARIES = re.compile(r"lib(c|m|dl|pthread|rt|util|resolv)\.so|ld-linux|linux-vdso")
"""Parts of glibc: they belong to the target system and are not copied."""
LICENSES = re.compile(r"(?i)(^|/)(licen[cs]es?|copying|notice|authors)([^/]*$|/)")


@dataclass(frozen=True)
class Target:
    """A platform: its name in uv, its wheel tags, newest first, and the files that start the installation.

    ``python`` is the path of the interpreter in the folder of Python, and ``system`` are packages with libraries of the
    system that other wheels need and that not every machine has.
    """

    uv: str
    tags: tuple[str, ...]
    starters: tuple[str, ...]
    python: str = "bin/python3"
    system: tuple[str, ...] = ()
    archive: str = "tar.gz"


TARGETS = {
    "linux-x86_64": Target(
        "x86_64-manylinux_2_34",
        tuple(f"manylinux_2_{minor}_x86_64" for minor in range(36, 4, -1)) + ("manylinux2014_x86_64", "linux_x86_64"),
        ("install.sh",),
    ),
    "linux-aarch64": Target(
        "aarch64-manylinux_2_39",
        tuple(f"manylinux_2_{minor}_aarch64" for minor in range(39, 16, -1))
        + ("manylinux2014_aarch64", "linux_aarch64"),
        ("install.sh",),
    ),
    "windows-x86_64": Target(
        "x86_64-pc-windows-msvc",
        ("win_amd64",),
        ("install.ps1", "install.cmd"),
        python="python.exe",
        system=("msvc-runtime==14.44.35112",),  # torch does not include msvcp140.dll
        archive="zip",
    ),
    "macos-arm64": Target(
        "aarch64-apple-darwin",
        tuple(f"macosx_{major}_0_{kind}" for major in range(14, 10, -1) for kind in ("arm64", "universal2")),
        ("install.command", "install.sh"),
    ),
}


def main() -> int:
    """Build the bundle from command-line arguments."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("target", choices=TARGETS)
    parser.add_argument("--python", type=Path, help="an unpacked relocatable CPython 3.11 of the platform")
    parser.add_argument("--output", type=Path, default=ROOT / "dist", help="folder of the bundle (default: dist)")
    parser.add_argument("--extras", default=EXTRAS, help=f"extras of F2HDR to include (default: {EXTRAS})")
    parser.add_argument("--wheels-only", action="store_true", help="only resolve and download the wheels")
    asked = parser.parse_args()
    target, own = TARGETS[asked.target], asked.target == own_target()
    if not asked.wheels_only and asked.python is None and not own:
        parser.error(f"--python is required: this machine cannot provide the Python of {asked.target}")
    if asked.python is not None and not (asked.python / target.python).is_file():
        parser.error(f"{asked.python} is not a Python of {asked.target}: there is no {target.python}")
    folder = asked.output / f"f2hdr-{version()}-{asked.target}"
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "wheels").mkdir(parents=True)
    download_wheels(folder / "wheels", target, asked.extras, own=own)
    if asked.wheels_only:
        print(f"{folder / 'wheels'}: {len(list((folder / 'wheels').iterdir()))} wheels")
        return 0
    if asked.python is not None:
        shutil.copytree(asked.python, folder / "python", symlinks=True)
    else:
        copy_own_python(folder / "python")
    for refusal in (folder / "python").rglob("EXTERNALLY-MANAGED"):  # pip would not install into it
        refusal.unlink()
    for name in target.starters:
        shutil.copy2(HERE / name, folder / name)
    (folder / "VERSION").write_text(version() + "\n", encoding="utf-8")
    (folder / "EXTRAS").write_text(asked.extras + "\n", encoding="utf-8")
    (folder / "LONGEST").write_text(f"{longest_name(folder / 'wheels')}\n", encoding="utf-8")
    shutil.copy2(ROOT / "LICENSE", folder / "LICENSE")
    collect_licenses(folder / "wheels", folder / "licenses")
    write_checksums(folder)
    print(pack(folder, target.archive))
    return 0


def own_target() -> str:
    """Return the name of the platform of this machine; only Linux can provide its own Python."""
    return f"linux-{platform.machine()}" if sys.platform == "linux" else ""


def version() -> str:
    """Return the version of this checkout."""
    text = (ROOT / "f2hdr_backend" / "__init__.py").read_text(encoding="utf-8")
    found = re.search(r'__version__ = "([^"]+)"', text)
    assert found is not None
    return found[1]


def download_wheels(folder: Path, target: Target, extras: str, *, own: bool) -> None:
    """Build F2HDR's wheel, and download every wheel that it needs on the target, including pip.

    pip evaluates the conditions of requirements for the system that it runs on, so that for another system uv selects
    the packages.
    """
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    environment = {**os.environ, **({} if own else {"F2HDR_PURE": "1"})}
    subprocess.run([*pip, "wheel", "--quiet", "--no-deps", "-w", folder, ROOT], check=True, env=environment)
    (wheel,) = folder.glob("f2hdr-*.whl")
    tags = [word for tag in (*target.tags, "any") for word in ("--platform", tag)]
    command = [*pip, "download", "--quiet", "--only-binary=:all:", "--implementation", "cp", "--python-version", PYTHON]
    command += ["--abi", "cp311", "--abi", "abi3", "--abi", "none", *tags, "-c", ROOT / "constraints.txt"]
    wanted = [f"f2hdr[{extras}] @ {wheel.as_uri()}"] if own else ["--no-deps", *packages_on(target, extras)]
    subprocess.run([*command, "-d", folder, *wanted, *target.system, "pip"], check=True)


def packages_on(target: Target, extras: str) -> list[str]:
    """Return every package with its version, such as ``numpy==2.4.6``, that F2HDR needs on another system."""
    uv = shutil.which("uv")
    if uv is None:
        raise SystemExit("A bundle for another system needs uv, which selects its packages. Run: pip install uv")
    command = [uv, "pip", "compile", ROOT / "pyproject.toml", "--python-platform", target.uv, "--only-binary=:all:"]
    command += ["--python-version", PYTHON, "--constraint", ROOT / "constraints.txt", "--no-annotate", "--no-header"]
    command += ["--quiet", *(word for extra in extras.split(",") for word in ("--extra", extra))]
    environment = {**os.environ, "MACOSX_DEPLOYMENT_TARGET": MACOS}
    listed = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment).stdout
    return [line.partition(";")[0].strip() for line in listed.splitlines() if "==" in line]


def copy_own_python(folder: Path) -> None:
    """Copy the running interpreter, its standard library, and the shared libraries it needs except glibc."""
    if sys.version_info[:2] != (3, 11):
        raise SystemExit(f"The bundle needs Python {PYTHON}; run this with it, or give --python.")
    library = Path(sysconfig.get_path("stdlib"))
    skipped = shutil.ignore_patterns("__pycache__", "site-packages", "dist-packages", "test", "idlelib", "config-*")
    shutil.copytree(library, folder / "lib" / library.name, ignore=skipped)
    (folder / "bin").mkdir()
    program = folder / "bin" / f"python{PYTHON}"
    shutil.copy2(Path(sys.base_prefix) / "bin" / f"python{PYTHON}", program, follow_symlinks=True)
    (folder / "bin" / "python3").symlink_to(program.name)
    extensions = list((folder / "lib").rglob("*.so"))
    shared = folder / "lib" / "shared"
    shared.mkdir()
    for needed in {path for binary in (program, *extensions) for path in needed_libraries(binary)}:
        shutil.copy2(needed, shared / needed.name, follow_symlinks=True)


def needed_libraries(binary: Path) -> Iterator[Path]:
    """Yield the shared libraries that a program loads, except glibc."""
    listed = subprocess.run(["ldd", binary], capture_output=True, text=True, check=False).stdout
    for found in re.findall(r"^\s*(\S+) => (/\S+)", listed, re.MULTILINE):
        if not SYSTEM_LIBRARIES.match(found[0]):
            yield Path(found[1]).with_name(found[0])


def collect_licenses(wheels: Path, folder: Path) -> None:
    """Copy the license texts of every wheel into a folder of its own."""
    for wheel in sorted(wheels.glob("*.whl")):
        with zipfile.ZipFile(wheel) as file:
            for name in file.namelist():
                if ".dist-info/" in name and (LICENSES.search(name) or name.endswith("/METADATA")):
                    path = folder / wheel.name.split("-")[0] / Path(name).name
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_bytes(file.read(name))


def longest_name(wheels: Path) -> int:
    """Return the length of the longest path in any wheel: Windows limits the lengths of paths."""
    return max(len(name) for wheel in wheels.glob("*.whl") for name in zipfile.ZipFile(wheel).namelist())


def write_checksums(folder: Path) -> None:
    """Write SHA256SUMS over every file, in the format of sha256sum."""
    lines = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(folder).as_posix()}\n"
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.is_symlink()
    ]
    (folder / "SHA256SUMS").write_text("".join(lines), encoding="utf-8")


def pack(folder: Path, kind: str) -> Path:
    """Pack the folder and return the path of the archive."""
    archive = folder.with_name(f"{folder.name}.{kind}")
    if kind == "zip":
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as file:
            for path in sorted(folder.rglob("*")):
                file.write(path, Path(folder.name) / path.relative_to(folder))
    else:
        with tarfile.open(archive, "w:gz", compresslevel=1) as packed:
            packed.add(folder, folder.name)
    return archive


if __name__ == "__main__":
    sys.exit(main())
