"""constraints.txt pins everything that F2HDR and its extras install, indirect requirements too."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parent.parent


def pinned() -> dict[str, set[Version]]:
    """The versions by name of package."""
    found: dict[str, set[Version]] = {}
    for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            requirement = Requirement(line)
            (pin,) = requirement.specifier
            assert pin.operator == "==", line
            found.setdefault(canonicalize_name(requirement.name), set()).add(Version(pin.version))
    return found


def asked_for() -> list[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    extras = project["project"]["optional-dependencies"].values()
    lists = [project["project"]["dependencies"], project["dependency-groups"]["build"], *extras]
    return [Requirement(text) for texts in lists for text in texts]


def test_every_pinned_version_satisfies_the_requirements_of_the_project():
    pins = pinned()
    for requirement in asked_for():
        versions = pins.get(canonicalize_name(requirement.name), set())
        assert versions, f"{requirement.name} is not pinned: make lock"
        for version in versions:
            assert requirement.specifier.contains(version), f"{requirement} is pinned to {version}: make lock"


def test_indirect_requirements_are_pinned():
    pins, seen, open_ends = pinned(), set(), asked_for()
    environment = default_environment()
    while open_ends:
        requirement = open_ends.pop()
        name = canonicalize_name(requirement.name)
        for extra in ("", *requirement.extras):
            if (name, extra) in seen:
                continue
            seen.add((name, extra))
            assert name in pins, f"{name} is not pinned: make lock"
            try:
                further = [Requirement(text) for text in requires(name) or ()]
            except PackageNotFoundError:
                continue  # an extra that this environment lacks
            open_ends += [r for r in further if r.marker is None or r.marker.evaluate({**environment, "extra": extra})]


def test_the_file_contains_no_address_of_a_registry():
    text = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    assert not re.search(r"://|--(extra-)?index-url|--find-links", text)
