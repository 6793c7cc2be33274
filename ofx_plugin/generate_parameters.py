"""Write the header ``parameter_table.hpp``: the parameters of the OpenFX effect, from the fields of a Shot.

The build runs ``python generate_parameters.py FILE``; Python 3.9 or newer is enough. Names and the order of choices are
part of saved projects: only append. A field that is new in the Shot becomes a parameter when it is listed here.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import Field, dataclass, fields
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from f2hdr_backend.shot.document import Color, Engine, Output  # noqa: E402
from f2hdr_backend.shot.setting import label_of  # noqa: E402

SECTIONS = {"color": Color, "engine": Engine, "output": Output}
IN_A_HOST = {
    "color.input_space": "In a host, auto is read as linear: set the working space of the host.",
    "color.config": "$OCIO is read from the host's environment.",
    "color.clip_level": "In a host it is one value for all channels, and never measured.",
}
"""Additional help of a field if the plate comes from a host."""

CHANGES_PIXELS = ("color.config", "engine.quality")
"""Fields that change pixels although they are not in a plate's digest: it has the color spaces of the config, and the
method and weights of the quality.
"""


@dataclass(frozen=True)
class Parameter:
    """One control of the effect."""

    name: str
    kind: str
    """``choice``, ``text``, ``path``, ``real``, ``button``, ``label``, ``revision`` or ``group``."""
    label: str
    hint: str = ""
    group: str = ""
    shot: str = ""
    """Field of the Shot, such as ``engine.method``; empty for parameters of the effect alone."""
    options: tuple[str, ...] = ()
    text: str = ""
    """Default of a text or choice."""
    value: float = 0.0
    low: float = 0.0
    high: float = 0.0
    """Default and limits of a number."""
    affects_pixels: bool = True


def parameters() -> Iterator[Parameter]:
    """Yield every parameter, in the order in which hosts show them; a group precedes its members."""
    yield Parameter("exposure_group", "group", "Exposures")
    yield Parameter(
        "exposures", "choice", "Exposures", "measured: the ratio of the two exposures is measured in the frames that "
        "the host renders first. given: it is the parameter Ratio.",
        "exposure_group", options=("measured", "given"), text="measured",
    )  # fmt: skip
    yield Parameter(
        "ratio", "real", "Ratio (stops)", "Stops by which the long exposure is brighter than the short one; used if "
        "Exposures is set to given.", "exposure_group", value=3.0, low=0.5, high=8.0,
    )  # fmt: skip
    yield Parameter(
        "measure", "button", "Measure exposures", "Measure the ratio in up to nine frames around the current one, and "
        "store it with the project. Every machine of a farm then uses the same value.",
        "exposure_group", affects_pixels=False,
    )  # fmt: skip
    yield Parameter(
        "phase", "choice", "Phase", "Which frames are the short exposures: measured from the brightness of each frame "
        "and its neighbors, or every even or every odd frame by the host's frame number.",
        "exposure_group", options=("measured", "even frames are short", "odd frames are short"), text="measured",
    )  # fmt: skip
    yield _of("output.anchor", "exposure_group", options=("long", "short", "EV"))
    yield Parameter(
        "anchor_ev", "real", "Anchor EV (stops)", "Exposure whose clip becomes 1.0 if Anchor is EV; 0 is the short "
        "exposure.", "exposure_group", value=0.0, low=-8.0, high=16.0,
    )  # fmt: skip
    yield Parameter("color_group", "group", "Color")
    yield _of("color.input_space", "color_group")
    yield _of("color.clip_level", "color_group", kind="real", value=1.0, low=0.01, high=64.0)
    yield _of("color.output_space", "color_group")
    yield _of("color.config", "color_group", kind="path")
    yield Parameter("engine_group", "group", "Engine")
    for name in ("quality", "method", "weights", "reference_trust", "flow", "precision", "device", "memory"):
        if any(field.name == name for field in fields(Engine)):
            yield _of(f"engine.{name}", "engine_group")
    yield Parameter("backend_group", "group", "Backend")
    yield Parameter(
        "backend", "path", "Backend", "The f2hdr command that is started if no backend of this user runs; empty for "
        "F2HDR_BACKEND, the installed one, or f2hdr on the PATH.", "backend_group", affects_pixels=False,
    )  # fmt: skip
    yield Parameter(
        "longest_wait", "real", "Longest wait (s)", "Seconds that one frame may take before the render fails.",
        "backend_group", value=600.0, low=1.0, high=86400.0, affects_pixels=False,
    )  # fmt: skip
    yield Parameter(
        "check", "button", "Check backend", "Find or start the backend and show its version in Status.",
        "backend_group", affects_pixels=False,
    )  # fmt: skip
    yield Parameter(
        "render_again", "button", "Render again", "Make the host discard its cached frames of this effect, for example "
        "after the backend was down or its weights were replaced.", "backend_group", affects_pixels=False,
    )  # fmt: skip
    yield Parameter("status", "label", "Status", "Last action of the effect.", "backend_group", affects_pixels=False)
    yield Parameter("revision", "revision", "Revision", "Increases by 1 with each Render again.", "backend_group")


def table() -> str:
    """Return the text of the header."""
    lines = [
        "// Generated by generate_parameters.py from the fields of a Shot.",
        "#pragma once",
        "",
        '#include "parameters.hpp"',
        "",
        "namespace f2hdr::ofx {",
        "",
        "// clang-format off",
        "inline constexpr Parameter parameter_table[] = {",
    ]
    lines += [_row(parameter) for parameter in parameters()]
    lines += ["};", "// clang-format on", "", "}  // namespace f2hdr::ofx", ""]
    return "\n".join(lines)


def _of(
    path: str, group: str, *, kind: str = "", options: tuple[str, ...] = (), value: float = 0.0, low: float = 0.0,
    high: float = 0.0,
) -> Parameter:  # fmt: skip
    """Return the parameter of a Shot's field with the field's name, help, choices, default and unit."""
    section, name = path.split(".")
    field = next(field for field in fields(SECTIONS[section]) if field.name == name)
    options = options or tuple(field.metadata.get("choices", ()))
    default = field.default if isinstance(field.default, str) else ""
    return Parameter(
        name, kind or ("choice" if options else "text"), label_of(field), _hint(path, field), group, path, options,
        default, value, low, high, affects_pixels=path in CHANGES_PIXELS or field.metadata.get("pixels", True),
    )  # fmt: skip


def _hint(path: str, field: Field[object]) -> str:
    hint: str = field.metadata["help"]
    return f"{hint} {IN_A_HOST[path]}" if path in IN_A_HOST else hint


def _row(parameter: Parameter) -> str:
    options = ", ".join(_text(option) for option in parameter.options)
    default = parameter.options.index(parameter.text) if parameter.kind == "choice" else parameter.value
    words = [
        _text(parameter.name), f"Kind::{parameter.kind}", _text(parameter.label), _text(parameter.hint),
        _text(parameter.group), _text(parameter.shot), f"{{{options}}}", str(len(parameter.options)),
        _text(parameter.text), repr(float(default)), repr(parameter.low), repr(parameter.high),
        str(parameter.affects_pixels).lower(),
    ]  # fmt: skip
    return f"    {{{', '.join(words)}}},"


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=True)


def main(arguments: list[str]) -> int:
    """Write the header to the one argument; returns the exit code."""
    if len(arguments) != 1:
        sys.stderr.write("usage: generate_parameters.py FILE\n")
        return 2
    target = Path(arguments[0])
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(table(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
