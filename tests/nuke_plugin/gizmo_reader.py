"""A small reader of ``.gizmo`` text, independent of the fake's own: words, nodes, and their connections."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

GIZMO = Path(__file__).parent.parent.parent / "nuke_plugin" / "F2HDR.gizmo"


@dataclass
class Knob:
    """One ``addUserKnob``."""

    kind: int
    name: str
    label: str = ""
    tip: str = ""
    items: list[str] = field(default_factory=list)
    text: str = ""
    span: tuple[float, float] | None = None
    is_hidden: bool = False
    is_on_line: bool = False
    starts_line: bool = False


@dataclass
class Block:
    """One node: its class, knob values as written, user knobs, and the names of its inputs."""

    kind: str
    values: dict[str, str] = field(default_factory=dict)
    knobs: list[Knob] = field(default_factory=list)
    inputs: list[str | None] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.values["name"]


def read(text: str) -> tuple[Block, dict[str, Block]]:
    """The group and the nodes in it by name."""
    rows = list(_rows(text))
    group, inner = None, {}
    stack: list[str | None] = []
    marks: dict[str, str | None] = {}
    for row in rows:
        head = row[0]
        if head == "set":
            marks[row[1]] = stack[-1]
        elif head == "push":
            stack.append(marks[row[1].removeprefix("$")])
        elif head in ("add_layer", "end_group"):
            continue
        else:
            block = _block(head, row[1])
            if group is None:
                group = block
                continue
            count = int(block.values.get("inputs", "1"))
            block.inputs = [stack.pop() for _ in range(count)]
            stack.append(block.name)
            inner[block.name] = block
    assert group is not None
    return group, inner


def _block(kind: str, body: str) -> Block:
    block = Block(kind)
    for row in _rows(body):
        if row[0] == "addUserKnob":
            block.knobs.append(_knob(row[1]))
        else:
            block.values[row[0]] = row[1]
    return block


def _knob(text: str) -> Knob:
    kind, name, *rest = [word for row in _rows(text) for word in row]
    knob = Knob(int(kind), name)
    while rest:
        word = rest.pop(0)
        if word == "l":
            knob.label = rest.pop(0)
        elif word == "t":
            knob.tip = rest.pop(0)
        elif word == "T":
            knob.text = rest.pop(0)
        elif word == "M":
            knob.items = [item for row in _rows(rest.pop(0)) for item in row]
        elif word == "R":
            knob.span = (float(rest.pop(0)), float(rest.pop(0)))
        else:
            knob.is_hidden |= word == "+INVISIBLE"
            knob.is_on_line |= word == "-STARTLINE"
            knob.starts_line |= word == "+STARTLINE"
    return knob


def _rows(text: str) -> list[list[str]]:
    """Lines of words; a brace or a quotation may continue over lines. Brackets end at their partner."""
    rows: list[list[str]] = [[]]
    at = 0
    while at < len(text):
        letter = text[at]
        if letter == "\n":
            rows.append([])
            at += 1
        elif letter in " \t":
            at += 1
        elif letter == "{":
            end = _partner(text, at)
            rows[-1].append(text[at + 1 : end])
            at = end + 1
        elif letter == '"':
            end = at + 1
            while text[end] != '"':
                end += 2 if text[end] == "\\" else 1
            rows[-1].append(_unescaped(text[at + 1 : end]))
            at = end + 1
        else:
            end = at
            while end < len(text) and text[end] not in " \t\n":
                end += 1
            rows[-1].append(text[at:end])
            at = end
    return [row for row in rows if row]


def _partner(text: str, start: int) -> int:
    depth = 0
    for at in range(start, len(text)):
        if text[at - 1] == "\\":
            continue
        depth += (text[at] == "{") - (text[at] == "}")
        if depth == 0:
            return at
    raise ValueError(f"the brace at {start} is not closed")


def _unescaped(text: str) -> str:
    result, at = "", 0
    while at < len(text):
        if text[at] == "\\":
            at += 1
            result += "\n" if text[at] == "n" else text[at]
        else:
            result += text[at]
        at += 1
    return result
