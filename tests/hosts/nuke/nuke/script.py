"""Scripts as text: ``.nk`` and ``.gizmo`` to nodes and back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from nuke import knobs as kinds
from nuke.nodes import _CLASSES, Group, Node, Root
from nuke.session import session

_ESCAPES = {"n": "\n", "t": "\t"}
_OWN_LAYERS = {
    "rgba": "rgba.red rgba.green rgba.blue rgba.alpha", "depth": "depth.Z", "mask": "mask.a",
    "forward": "forward.u forward.v", "backward": "backward.u backward.v",
    "motion": "forward.u forward.v backward.u backward.v",
}  # fmt: skip
"""Layers that every script has, and their channels."""


def words(text: str) -> Iterator[list[tuple[str, str]]]:
    """Commands of a script, each a list of (word, kind); kind is bare, quoted or braced."""
    command: list[tuple[str, str]] = []
    position = 0
    while position < len(text):
        letter = text[position]
        if letter == "\n" or letter == ";":
            if command:
                yield command
            command = []
            position += 1
        elif letter.isspace():
            position += 1
        elif letter == "#" and not command:
            position = text.find("\n", position) % (len(text) + 1)
        elif letter == "{":
            end = _brace(text, position)
            command.append((text[position + 1 : end], "braced"))
            position = end + 1
        elif letter == '"':
            word, position = _quoted(text, position)
            command.append((word, "quoted"))
        elif letter == "[":
            end = text.index("]", position)
            command.append((text[position : end + 1], "bare"))
            position = end + 1
        else:
            found = re.compile(r"[^\s;]+").match(text, position)
            assert found is not None
            command.append((found[0], "bare"))
            position = found.end()
    if command:
        yield command


def _brace(text: str, start: int) -> int:
    depth, position = 0, start
    while position < len(text):
        if text[position] == "\\":
            position += 1
        else:
            depth += {"{": 1, "}": -1}.get(text[position], 0)
            if depth == 0:
                return position
        position += 1
    raise RuntimeError("missing close-brace")


def _quoted(text: str, start: int) -> tuple[str, int]:
    word, position = "", start + 1
    while text[position] != '"':
        if text[position] == "\\":
            position += 1
            word += _ESCAPES.get(text[position], text[position])
        else:
            word += text[position]
        position += 1
    return word, position + 1


def load(text: str, into: Group) -> list[Node]:
    """Create the nodes of ``text``; returns the top-level ones."""
    stack: list[Node | None] = []
    names: dict[str, Node | None] = {}
    made: list[Node] = []
    outer: list[tuple[Group, list[Node | None], dict[str, Node | None]]] = []
    here = into
    for command in words(text):
        first = command[0][0]
        if first == "set":
            names[command[1][0]] = stack[-1] if stack else None
        elif first == "push":
            stack.append(None if command[1][0] == "0" else names.get(command[1][0].lstrip("$")))
        elif first == "end_group":
            closed = here
            here, stack, names = outer.pop()
            if session.on_create == "late":
                _created(closed)
        elif first == "Root":
            _fill(session.root, command[1][0])
        elif first in _CLASSES:
            node = _node(first, command[1][0], here, stack)
            made += [node] if here is into else []
            if isinstance(node, Group):
                outer.append((here, stack, names))
                here, stack, names = node, [], {}
                if session.on_create != "late":
                    _created(node)
            else:
                session.fire("onCreate", node)
        elif first == "add_layer":
            _add_layer(command[1][0])
        elif first not in ("version", "define_window_layout_xml"):
            raise RuntimeError(f"{first}: unknown command")
    return made


def _created(group: Group) -> None:
    """The callback of a new group; depending on ``session.on_create`` before it is attached to the script."""
    group.attached = session.on_create != "unattached"
    try:
        session.fire("onCreate", group)
    finally:
        group.attached = True


def _add_layer(text: str) -> None:
    """A layer of the script; one of Nuke's own cannot be given other channels."""
    layer, *channels = text.split()
    if layer in _OWN_LAYERS and not set(channels) <= set(_OWN_LAYERS[layer].split()):
        raise RuntimeError(f"add_layer: {layer} is one of Nuke's own layers, with {_OWN_LAYERS[layer]}")


def _node(kind: str, body: str, group: Group, stack: list[Node | None]) -> Node:
    node = Group("Group", group) if kind == "Group" else Node(kind, group)
    wanted = _fill(node, body)
    count = wanted if wanted is not None else (0 if kind in ("Read", "Input") else len(node.sources) or 1)
    node.sources = [stack.pop() if stack else None for _ in range(count)]
    if kind == "Input" and "number" not in body:
        node.table["number"].plain = float(sum(other.Class() == "Input" for other in group.children))
    _name(node, group)
    group.children.append(node)
    stack.append(node)
    return node


def _name(node: Node, group: Group) -> None:
    name = node.table["name"].plain or f"{node.Class()}1"
    taken = {other.table["name"].plain for other in group.children}
    if isinstance(group, Root) and isinstance(node, Group) and not name[-1].isdigit():
        name += "1"
    while name in taken:
        stem = name.rstrip("0123456789")
        name = f"{stem}{int(name[len(stem) :] or 0) + 1}"
    node.table["name"].plain = name


def _fill(node: Node, body: str) -> int | None:
    inputs = None
    for command in words(body):
        name, value = command[0][0], command[1]
        if name == "inputs":
            inputs = sum(int(part) for part in value[0].split("+"))
        elif name == "addUserKnob":
            _user_knob(node, value[0])
        elif name in node.table:
            knob = node.table[name]
            if value[1] == "braced" or isinstance(knob, (kinds.MetaData_Knob, kinds.Box_Knob)):
                knob.fromScript(value[0])
            else:
                knob.plain = knob.accept(knob.read(value[0]))
        else:
            raise RuntimeError(f"{node.Class()}: no such knob {name}")
    return inputs


def _user_knob(node: Node, text: str) -> None:
    parts = [part for command in words(text) for part in command]
    kind, name = kinds.USER_KNOBS[int(parts[0][0])], parts[1][0] if len(parts) > 1 else ""
    knob = kind(name)
    knob.user = text
    rest = iter(parts[2:])
    for word, _ in rest:
        if word == "l":
            knob._label = next(rest)[0]
        elif word == "t":
            knob.tip = next(rest)[0]
        elif word == "M" and isinstance(knob, kinds.Enumeration_Knob):
            knob.items = [item[0] for command in words(next(rest)[0]) for item in command]
            knob.plain = knob.default = knob.items[0]
        elif word == "T":
            knob.plain = knob.default = next(rest)[0]
        elif word == "R":
            next(rest), next(rest)
        elif word == "+INVISIBLE":
            knob.flags |= kinds.INVISIBLE
        elif word == "-STARTLINE":
            knob.flags |= kinds.NO_STARTLINE
        elif word == "+STARTLINE":
            knob.flags |= kinds.STARTLINE
        else:
            raise RuntimeError(f"addUserKnob: unknown word {word}")
    if isinstance(knob, (kinds.Array_Knob, kinds.Boolean_Knob)):
        knob.plain = knob.default = knob.accept(0)
    node.add(knob)


def save(nodes: list[Node], root: Root | None = None) -> str:
    """The text of ``nodes``, groups with all that is in them."""
    lines = ["version 15.1 v3"]
    if root is not None:
        set_knobs = (line for line in root.writeKnobs().splitlines() if not line.startswith("name "))
        lines += ["Root {", *(f" {line}" for line in set_knobs), "}"]
    return "\n".join([*lines, *_body(nodes)]) + "\n"


def _body(nodes: list[Node]) -> Iterator[str]:
    done: list[Node] = []
    for node in _ordered(nodes):
        for source in reversed(node.sources):
            yield f"push $N{nodes.index(source)}" if source in done else "push 0"
        yield f"{node.Class()} {{"
        yield f" inputs {len(node.sources)}"
        for knob in node.table.values():
            if knob.user:
                yield f" addUserKnob {{{_with_value(knob)}}}"
        for name, knob in node.table.items():
            is_text = isinstance(knob, (kinds.Text_Knob, kinds.Script_Knob))
            if not knob.is_default() and not is_text:
                yield f" {name} {knob.toScript()}"
        yield "}"
        if isinstance(node, Group):
            yield from _body(node.children)
            yield "end_group"
        yield f"set N{nodes.index(node)} [stack 0]"
        done.append(node)


def _with_value(knob: kinds.Knob) -> str:
    """A text knob's value, and a menu's entries, are part of its definition."""
    text = knob.user
    if isinstance(knob, kinds.Text_Knob):
        return re.sub(r' T ".*?(?<!\\)"', "", text, flags=re.DOTALL) + f" T {knob_quoted(str(knob.plain))}"
    if isinstance(knob, kinds.Enumeration_Knob):
        items = " ".join(knob_quoted(item) if " " in item else item for item in knob.items)
        return re.sub(r" M \{[^}]*\}", "", text) + f" M {{{items}}}"
    return text


def knob_quoted(text: str) -> str:
    return '"' + kinds._escaped(text).replace("\n", "\\n") + '"'


def _ordered(nodes: list[Node]) -> list[Node]:
    """Topological order: sources before the nodes that use them."""
    ordered: list[Node] = []

    def visit(node: Any) -> None:
        if node in ordered or node not in nodes:
            return
        for source in node.sources:
            visit(source)
        ordered.append(node)

    for node in nodes:
        visit(node)
    return ordered
