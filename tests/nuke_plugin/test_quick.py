"""The cost of the panel in a long shot: how often the plug-in calls Nuke, counted, so that the window can react."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nuke
import pytest
from f2hdr_nuke import knobs
from nuke import fake
from nuke.knobs import Double_Knob
from nuke.nodes import Node
from nuke.session import session
from nuke_comp import Comp
from nuke_footage import FIRST

LAST = FIRST + 1999
KEYS = 11
"""Names of metadata that are tried for one frame."""
BAKE = {"bake_range": "custom", "bake_first": FIRST, "bake_last": FIRST + 1, "cuts": "none"}


class Count:
    """The number of calls of metadata, and of a node's knobs as text."""

    def __init__(self) -> None:
        self.metadata = 0
        self.knobs = 0

    def reset(self) -> None:
        self.metadata = self.knobs = 0


@pytest.fixture
def count(monkeypatch: pytest.MonkeyPatch) -> Iterator[Count]:
    """Metadata as a camera writes them, without delay, also for frames that have no file."""
    counted = Count()
    write_knobs = Node.writeKnobs

    def metadata(node: Node, key: str, frame: float | None = None, view: str | None = None) -> Any:
        counted.metadata += 1
        return {"exr/expTime": "1/50" if int(frame or 0) % 2 else "1/400"}.get(key)

    def counted_knobs(node: Node, flags: int = 0) -> str:
        counted.knobs += 1
        return write_knobs(node, flags)

    monkeypatch.setattr(Node, "metadata", metadata)
    monkeypatch.setattr(Node, "writeKnobs", counted_knobs)
    yield counted


@pytest.fixture
def long(window: Comp, count: Count) -> Comp:
    """A shot of 2000 frames, of which the first two are baked from metadata."""
    window.read["last"].setValue(LAST)
    window.bake(exposure_mode="metadata", **BAKE)
    assert window.state() == f"Baked {FIRST}-{FIRST + 1}."
    return window


def test_a_knob_change_reads_the_graph_once_and_metadata_of_one_frame(long: Comp, count: Count) -> None:
    above = 2
    for value in ("short", "long"):
        count.reset()
        fake.edit(long.node, "output_anchor", value)
        assert count.knobs == above
        assert count.metadata <= KEYS
    assert long.state() == f"Baked {FIRST}-{FIRST + 1}."


def test_a_slider_that_needs_no_bake_does_not_traverse_the_graph(long: Comp, count: Count) -> None:
    for name, values in (("gain", range(100)), ("result", ("source", "HDR")), ("missing", ("black", "error"))):
        count.reset()
        for value in values:
            fake.edit(long.node, name, value)
        assert (count.knobs, count.metadata) == (0, 0), name
    assert long.state() == f"Baked {FIRST}-{FIRST + 1}."


def test_knobs_set_by_the_plugin_do_not_traverse_the_graph(long: Comp, count: Count) -> None:
    fake.open_panel(long.node)
    count.reset()
    knobs.write(long.node, status="Baking ...", engine_tile="256")
    assert (count.knobs, count.metadata) == (0, 0)


def test_without_a_window_the_panel_does_nothing(long: Comp, count: Count) -> None:
    session.gui = False
    count.reset()
    session.fire("knobChanged", long.node, knob=long.node["engine_tile"])
    session.fire("knobChanged", long.node, knob=None)
    session.gui = True
    session.fire("knobChanged", long.node, knob=None)
    assert (count.knobs, count.metadata) == (0, 0)


def test_a_change_of_the_input_reads_metadata_of_one_frame_until_the_next_bake(long: Comp, count: Count) -> None:
    fake.open_panel(long.node)
    fake.idle()
    count.reset()
    long.grade["white"].setValue(0.9)
    fake.idle()
    assert long.state().startswith("STALE: the input changed")
    assert count.metadata <= KEYS
    long.bake()
    assert long.state() == f"Baked {FIRST}-{FIRST + 1}."
    assert count.metadata >= 2000


def test_a_second_bake_does_not_read_the_metadata_again(long: Comp, count: Count) -> None:
    count.reset()
    long.bake()
    assert count.metadata < 200


def test_slow_metadata_is_read_in_parts_and_can_be_canceled(window: Comp, monkeypatch: pytest.MonkeyPatch) -> None:
    frames: list[int] = []

    def metadata(node: Node, key: str, frame: float | None = None, view: str | None = None) -> Any:
        time.sleep(0.002)
        frames.append(int(frame or 0))
        return {"exr/expTime": 0.02 if int(frame or 0) % 2 else 0.0025}.get(key)

    monkeypatch.setattr(Node, "metadata", metadata)
    window.read["last"].setValue(LAST)
    window.set(exposure_mode="metadata", **BAKE)
    fake.press(window.node, "bake")
    fake.pump(lambda: any("reading exposures" in text for text in session.tasks[-1].said[1:]))
    session.tasks[-1].cancelled = True
    window.wait()
    assert len(set(frames)) < 1000
    assert window.state() == "Not baked."
    assert not window.folder().exists()


def test_only_a_bake_evaluates_an_expression_for_all_frames(window: Comp, monkeypatch: pytest.MonkeyPatch) -> None:
    window.node["ev"].setExpression("frame % 2 == 0 ? 0 : 3")
    window.read["last"].setValue(LAST)
    window.bake(exposure_mode="expression", **BAKE)
    asked: list[float] = []
    value_at = Double_Knob.getValueAt

    def counted(knob: Double_Knob, frame: float) -> Any:
        asked.append(frame)
        return value_at(knob, frame)

    monkeypatch.setattr(Double_Knob, "getValueAt", counted)
    fake.open_panel(window.node)
    assert len(asked) < 100
    window.node["ev"].setExpression("frame % 2 == 0 ? 0 : 4")
    fake.open_panel(window.node)
    assert window.state() == f"STALE: baked {FIRST}-{FIRST + 1}, then changed: exposure_mode. Bake again."
    window.bake()
    assert window.state() == f"Baked {FIRST}-{FIRST + 1}."
    assert len(asked) > 2000


def test_exposure_times_may_be_fractions(window: Comp, monkeypatch: pytest.MonkeyPatch) -> None:
    """EXIF has fractions, and a header may have them too."""

    def metadata(node: Node, key: str, frame: float | None = None, view: str | None = None) -> Any:
        return {"exif/2/ExposureTime": "1/50", "exif/2/FNumber": "2"}.get(key)

    monkeypatch.setattr(Node, "metadata", metadata)
    window.set(exposure_mode="metadata")
    assert window.node["cycle"].value() == f"frame {FIRST}: -7.64 stops"


@pytest.mark.parametrize("text", ["fast", "1/0", "1/50 s"])
def test_metadata_that_is_not_a_number_is_named(window: Comp, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    def metadata(node: Node, key: str, frame: float | None = None, view: str | None = None) -> Any:
        return {"exr/expTime": text}.get(key)

    monkeypatch.setattr(Node, "metadata", metadata)
    window.bake(exposure_mode="metadata")
    assert f'"exr/expTime" is "{text}" at frame {FIRST}' in window.messages()
    assert f'"{text}" at frame {FIRST}' in window.state()
    assert not list(Path(window.script.parent).glob("f2hdr_cache/*/plate.*"))
    window.press("detect")
    assert nuke.toNode("F2HDR1")["exposure_mode"].value() == "auto"
