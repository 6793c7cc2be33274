"""Maps paths of the submitting machine to paths of this machine.

Source: Open Job Description, "Path Mapping", schema ``pathmapping-1.0``. The rule with the longest source is used.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path, PurePath, PurePosixPath, PureWindowsPath
from typing import Any

from f2hdr_backend.shot.document import Shot
from f2hdr_backend.shot.errors import DocumentError
from f2hdr_backend.shot.limits import check_path
from f2hdr_backend.shot.paths import with_paths
from f2hdr_backend.shot.printable import shown
from f2hdr_backend.shot.read_text import read_json

_FORMATS: dict[str, type[PurePath]] = {"POSIX": PurePosixPath, "WINDOWS": PureWindowsPath}
_FIELDS = {"source_path_format", "source_path", "destination_path"}


@dataclass(frozen=True)
class PathRule:
    """Replaces the folder ``source``, as named on the submitting machine, by ``destination``."""

    source: PurePath
    destination: str

    @classmethod
    def from_json(cls, rule: object) -> PathRule:
        """Parse one rule. Raises DocumentError unless it has exactly the three fields of the schema."""
        is_rule = isinstance(rule, dict) and rule.keys() == _FIELDS and all(isinstance(v, str) for v in rule.values())
        if not isinstance(rule, dict) or not is_rule or rule["source_path_format"] not in _FORMATS:
            raise DocumentError(
                f"{shown(rule)} is not a path mapping rule.",
                hint=f"A rule has {', '.join(sorted(_FIELDS))}; the format is POSIX or WINDOWS.",
            )
        for name in ("source_path", "destination_path"):
            check_path(rule[name], name)
        return cls(_FORMATS[rule["source_path_format"]](rule["source_path"]), rule["destination_path"])

    def apply(self, path: str) -> str | None:
        """Return ``path`` on this machine, or None if it is not below the source."""
        try:
            below = type(self.source)(path).relative_to(self.source)
        except ValueError:
            return None
        return str(Path(self.destination, *below.parts))


class PathMapping:
    """The rules of one machine; without rules, paths are unchanged."""

    def __init__(self, rules: tuple[PathRule, ...] = ()) -> None:
        self._rules = sorted(rules, key=lambda rule: len(rule.source.parts), reverse=True)

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> PathMapping:
        """Read a rules file; an empty object means no rules.

        Raises DocumentError if the file cannot be read or does not contain path mapping rules.
        """
        return cls.from_json(read_json(path))

    @classmethod
    def from_json(cls, document: Any) -> PathMapping:
        """Read rules from parsed JSON. Raises DocumentError if it does not match the schema."""
        if document == {}:
            return cls()
        if not isinstance(document, dict) or document.get("version") != "pathmapping-1.0":
            raise DocumentError(
                "The version of the path mapping rules is not supported.", hint='Write "version": "pathmapping-1.0".'
            )
        rules = document.get("path_mapping_rules", [])
        if not isinstance(rules, list):
            raise DocumentError("path_mapping_rules must be a list.", field="path_mapping_rules")
        return cls(tuple(PathRule.from_json(rule) for rule in rules))

    def path(self, path: str) -> str:
        """Return ``path`` on this machine."""
        return next((mapped for rule in self._rules if (mapped := rule.apply(path)) is not None), path)

    def shot(self, shot: Shot) -> Shot:
        """Return the Shot with all its paths on this machine."""
        return with_paths(shot, self.path)
