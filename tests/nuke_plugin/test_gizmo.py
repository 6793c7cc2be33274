"""The gizmo as text: it is a Group, and every knob and every connection is where the code expects it."""

from __future__ import annotations

import ast
import dataclasses
import importlib
import re
from pathlib import Path

import pytest
from f2hdr_nuke import knobs, plan, result, settings
from PIL import Image

import f2hdr_backend
from f2hdr_backend.detection.cuts import FARTHEST
from f2hdr_backend.shot.document import Output
from tests.nuke_plugin.draw_panel import DIGEST, draw_all, gizmo_digest
from tests.nuke_plugin.gizmo_reader import GIZMO, read
from tests.nuke_plugin.update_gizmo import OWN_WORDS, PARTS, tip

TEXT = GIZMO.read_text(encoding="utf-8")
GROUP, INNER = read(TEXT)
KNOBS = {knob.name: knob for knob in GROUP.knobs}
SOURCES = sorted((GIZMO.parent / "f2hdr_nuke").glob("*.py"))
READERS = {"text", "number", "flag", "path", "record", "keep", "choices", "offer"}
NOT_A_KNOB = {"color_config", "color_context", "color_response", "output_pattern", "output_layers"}
"""Fields of the Shot that the graph or several checkboxes determine, or that Nuke's linear plates do not need."""


def named_in_code() -> set[str]:
    """Names of knobs of the Group that the plug-in reads or writes, from its syntax trees."""
    names: set[str] = set()
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                continue
            first = node.args[0] if node.args else None
            if not isinstance(first, ast.Name) or first.id != "node":
                continue
            if node.func.attr in READERS and isinstance(node.args[1], ast.Constant):
                names.add(node.args[1].value)
            if node.func.attr == "write":
                names |= {keyword.arg for keyword in node.keywords if keyword.arg}
    return names


def test_the_file_creates_a_group_of_its_name() -> None:
    assert TEXT.startswith("Group {\n name F2HDR\n")
    assert GROUP.kind == "Group"
    assert TEXT.rstrip().endswith("end_group")


def test_every_knob_used_by_the_code_exists() -> None:
    named = named_in_code()
    assert len(named) > 20
    assert named <= KNOBS.keys()


def test_the_hidden_knobs_are_those_that_only_the_code_writes() -> None:
    hidden = {knob.name for knob in GROUP.knobs if knob.is_hidden}
    assert hidden == {
        "node_id", "owner", "baked", "pattern", "evs", "clip", "result_test", "found", "result_first", "result_last",
        "in_range", "is_own", "input_now", "baked_for", "top_file", knobs.MARK,
    }  # fmt: skip
    assert GROUP.values[knobs.MARK] == f2hdr_backend.__version__
    assert KNOBS["version_text"].text == f2hdr_backend.__version__


@pytest.mark.parametrize(
    ("part", "name"),
    [(part, field.name) for part, kind in PARTS.items() for field in dataclasses.fields(kind)],
)
def test_every_field_of_a_shot_has_a_knob(part: str, name: str) -> None:
    """A field that is new in the Shot fails here until the gizmo has a knob for it; for a new text or choice run
    ``python -m tests.nuke_plugin.update_gizmo``."""
    full = f"{part}_{name}"
    if full in NOT_A_KNOB:
        return
    field = next(field for field in dataclasses.fields(PARTS[part]) if field.name == name)
    knob = KNOBS[full]
    choices = field.metadata.get("choices")
    if choices:
        assert (knob.kind, tuple(knob.items)) == (4, choices)
    if full not in OWN_WORDS:
        assert knob.tip == tip(field)
    default = knob.items[0] if knob.items else GROUP.values.get(full, "")
    assert default == {"color_output_space": "auto", "color_clip_level": "auto"}.get(full, field.default)


def test_layers_have_a_checkbox_each() -> None:
    choices = next(field for field in dataclasses.fields(Output) if field.name == "layers").metadata["choices"]
    assert choices == settings.LAYERS
    assert all(KNOBS[f"layer_{name}"].kind == 6 for name in choices)


def test_every_numeric_knob_has_a_unit() -> None:
    numbers = [knob for knob in GROUP.knobs if knob.kind in (3, 7) and not knob.is_hidden]
    assert numbers
    assert [knob.name for knob in numbers if "Unit:" not in knob.tip] == []


def test_every_visible_control_has_a_tooltip() -> None:
    controls = [knob for knob in GROUP.knobs if knob.kind not in (20, 26) and not knob.is_hidden]
    assert [knob.name for knob in controls if not knob.tip.endswith(".")] == []


def test_buttons_call_the_plugin_and_report_a_missing_one() -> None:
    module = importlib.import_module("f2hdr_nuke")
    for knob in (knob for knob in GROUP.knobs if knob.kind == 22):
        tree = ast.parse(knob.text, feature_version=(3, 9))
        handler = tree.body[0]
        assert isinstance(handler, ast.Try)
        assert ast.unparse(handler.handlers[0].type) == "ImportError"  # type: ignore[arg-type]
        call = handler.orelse[0]
        assert ast.unparse(call) == f"f2hdr_nuke.{knob.name}(nuke.thisNode())"
        assert callable(getattr(module, knob.name))


def test_the_nodes_that_the_code_uses_are_of_their_class() -> None:
    assert INNER[knobs.PLATE].kind == "Write"
    assert INNER[knobs.RESULT].kind == "Read"
    assert INNER[knobs.PROVENANCE].kind == "ModifyMetaData"


EXPECTED = {
    "plate": [], "source": ["plate"],
    "plate_area": ["source"], "plate_unpremult": ["plate_area"], "plate_rgb": ["plate_unpremult"],
    "F2HDR_plate": ["plate_rgb"],
    "F2HDR_result": [], "checkerboard": [], "result_or_squares": ["F2HDR_result", "checkerboard"],
    "is_baked": ["result_or_squares"], "inside": ["source"], "result_gain": ["is_baked"],
    "result_alpha": ["result_gain", "source"], "result_premult": ["result_alpha"],
    "result_inside": ["source", "result_premult", "inside"],
    "hdr_rgb": ["source", "result_inside"],
    "hdr_flow": ["hdr_rgb", "is_baked"], "hdr_mask": ["hdr_flow", "is_baked"],
    "hdr_occlusion": ["hdr_mask", "is_baked"], "hdr_coarse": ["hdr_occlusion", "is_baked"],
    "show_backward": ["hdr_coarse"], "show_forward": ["hdr_coarse"], "show_mask": ["hdr_coarse"],
    "show_difference": ["source", "hdr_coarse"],
    "show": ["hdr_coarse", "source", "show_difference", "show_mask", "show_forward", "show_backward"],
    "provenance": ["show"], "Output1": ["provenance"],
}  # fmt: skip


def test_the_nodes_of_the_group_are_connected_as_documented() -> None:
    assert {name: block.inputs for name, block in INNER.items()} == EXPECTED


def test_the_switch_has_an_input_for_every_view() -> None:
    assert KNOBS["result"].items == ["HDR", "source", "difference", "mask", "forward flow", "backward flow"]
    assert INNER["show"].values["which"] == "{parent.result}"


def test_plates_are_written_without_color_conversion_and_the_write_is_disabled() -> None:
    write, read_node = INNER[knobs.PLATE].values, INNER[knobs.RESULT].values
    assert write["disable"] == "true"
    assert (write["raw"], write["file_type"], write["datatype"]) == ("true", "exr", "32 bit float")
    assert write["create_directories"] == "true"
    assert list(write).index("file_type") < list(write).index("datatype")
    assert (read_node["raw"], read_node["localizationPolicy"]) == ("true", "off")
    assert read_node["file"] == result.NO_FILE


def test_a_missing_frame_is_an_error_unless_asked_otherwise() -> None:
    assert KNOBS["missing"].items == ["error", "black", "checkerboard", "source"]
    assert INNER[knobs.RESULT].values["on_error"] == '{"parent.missing < 3 ? parent.missing : 1"}'
    assert INNER["hdr_rgb"].values["disable"] == '{"parent.missing == 3 && !(parent.is_own && parent.found)"}'


def test_expressions_name_knobs_that_exist() -> None:
    for block in INNER.values():
        for value in block.values.values():
            assert set(re.findall(r"parent\.(\w+)", value)) <= KNOBS.keys()


def test_channels_and_menus_have_the_names_that_nuke_writes() -> None:
    """Nuke reads R of a layer as ``red``; "B\tB side" in a menu is B in a script; ``motion`` is a built-in layer."""
    assert not re.search(r"\.[RGBA]\b", "\n".join(str(block.values) for block in INNER.values()))
    assert {block.values["bbox"] for block in INNER.values() if "bbox" in block.values} == {"B"}
    layers = dict(re.findall(r"add_layer \{(\w+) ([^}]*)\}", TEXT))
    assert "motion" not in layers
    assert layers["forward"] == "forward.u forward.v"
    assert layers["coarse"] == "coarse.red coarse.green coarse.blue"


def test_an_unbaked_node_reads_nothing() -> None:
    assert (GROUP.values["result_first"], GROUP.values["result_last"]) == ("1", "0")
    assert INNER[knobs.RESULT].values["disable"] == '{"!parent.is_own || parent.result_last < parent.result_first"}'


def test_the_plugin_and_the_backend_use_the_same_number_of_frames_for_cuts() -> None:
    assert plan.CUT_FRAMES == FARTHEST


@pytest.mark.parametrize("name", ["f2hdr", "engine", "files", "info", "inside"])
def test_the_pictures_in_the_docs_were_drawn_from_this_gizmo(name: str) -> None:
    """After a change: ``python -m tests.nuke_plugin.draw_panel docs/images``."""
    with Image.open(GIZMO.parent.parent / "docs" / "images" / f"nuke_{name}.png") as picture:
        assert picture.info[DIGEST] == gizmo_digest()


def test_drawing_covers_every_tab(tmp_path: Path) -> None:
    assert len(draw_all(tmp_path)) == sum(knob.kind == 20 for knob in GROUP.knobs) + 1


def test_the_gizmo_refers_to_no_file_of_the_plugin() -> None:
    assert "f2hdr_nuke" not in "\n".join(str(block.values) for block in INNER.values())
    assert Path(GIZMO).stat().st_size < 40_000
