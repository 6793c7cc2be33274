"""Write the help texts and choices of the Shot's fields into ``F2HDR.gizmo``.

Run ``python -m tests.nuke_plugin.update_gizmo`` after a change of a field, then
``python -m tests.nuke_plugin.draw_panel docs/images``.
"""

from __future__ import annotations

import dataclasses
import re
from typing import Any

from f2hdr_backend.shot.document import Color, Engine, Output
from tests.nuke_plugin.gizmo_reader import GIZMO

PARTS: dict[str, Any] = {"color": Color, "engine": Engine, "output": Output}
OWN_WORDS = {"color_input_space", "color_output_space", "color_clip_level", "output_anchor"}
"""Knobs that offer more than the field and have their own text."""


def tip(field: dataclasses.Field[Any]) -> str:
    """The text of a field's knob: its help, and its unit if it has one."""
    unit = f" Unit: {field.metadata['unit']}." if "unit" in field.metadata else ""
    return str(field.metadata["help"]) + unit


def main() -> None:
    """Update the file."""
    text = GIZMO.read_text(encoding="utf-8")
    for part, kind in PARTS.items():
        for field in dataclasses.fields(kind):
            name = f"{part}_{field.name}"
            if name not in OWN_WORDS and "help" in field.metadata:
                text = _updated(text, name, field)
    GIZMO.write_text(text, encoding="utf-8")


def _updated(text: str, name: str, field: dataclasses.Field[Any]) -> str:
    line = re.search(rf"^ addUserKnob \{{\d+ {name} .*$", text, re.MULTILINE)
    if line is None:
        return text
    escaped = re.sub(r'([\[\]"\\$])', r"\\\1", tip(field))
    new = re.sub(r' t "(?:[^"\\]|\\.)*"', lambda _: f' t "{escaped}"', line[0], count=1)
    if "choices" in field.metadata:
        new = re.sub(r" M \{[^}]*\}", f" M {{{' '.join(field.metadata['choices'])}}}", new)
    return text.replace(line[0], new)


if __name__ == "__main__":
    main()
