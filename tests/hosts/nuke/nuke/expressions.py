"""Nuke's expressions (C-like, over numbers or arrays) and the few Tcl commands that our node uses."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from typing import Any

import numpy as np

from nuke.session import session

Names = Callable[[str], Any]
_TOKEN = re.compile(r"\s*(\d+\.?\d*|[A-Za-z_][\w.]*|&&|\|\||[<>=!]=|.)")
_LEVELS = ({"||"}, {"&&"}, {"==", "!="}, {"<", ">", "<=", ">="}, {"+", "-"}, {"*", "/", "%"})
_OPERATIONS: dict[str, Callable[[Any, Any], Any]] = {
    "||": np.logical_or, "&&": np.logical_and, "==": np.equal, "!=": np.not_equal, "<": np.less, ">": np.greater,
    "<=": np.less_equal, ">=": np.greater_equal, "+": np.add, "-": np.subtract, "*": np.multiply,
    "/": np.divide, "%": np.mod,
}  # fmt: skip


def evaluate(text: str, names: Names) -> Any:
    """The value of an expression; ``names`` returns that of a knob, a channel or a coordinate."""
    parser = _Parser(_TOKEN.findall(text.strip()), names)
    value = parser.choice()
    if parser.tokens:
        raise RuntimeError(f"cannot read the expression {text!r} at {parser.tokens[0]!r}")
    return value


class _Parser:
    def __init__(self, tokens: list[str], names: Names) -> None:
        self.tokens = tokens
        self._names = names

    def choice(self) -> Any:
        condition = self._binary(0)
        if not self._take("?"):
            return condition
        yes = self.choice()
        if not self._take(":"):
            raise RuntimeError("a ? without its :")
        no = self.choice()
        return np.where(condition, yes, no)[()]

    def _binary(self, level: int) -> Any:
        if level == len(_LEVELS):
            return self._unary()
        value = self._binary(level + 1)
        while self.tokens and self.tokens[0] in _LEVELS[level]:
            operation = _OPERATIONS[self.tokens.pop(0)]
            value = operation(value, self._binary(level + 1))
        return value

    def _unary(self) -> Any:
        if self._take("!"):
            return np.logical_not(self._unary())
        if self._take("-"):
            return np.negative(self._unary())
        if self._take("("):
            value = self.choice()
            if not self._take(")"):
                raise RuntimeError("a ( without its )")
            return value
        token = self.tokens.pop(0)
        return float(token) if token[0].isdigit() else self._names(token)

    def _take(self, token: str) -> bool:
        if self.tokens and self.tokens[0] == token:
            self.tokens.pop(0)
            return True
        return False


def substitute(text: str, node: Any, frame: int) -> str:
    """Replace each ``[command]`` in ``text`` by its result."""
    pieces, position = [], 0
    while position < len(text):
        if text[position] == "\\" and position + 1 < len(text):
            pieces.append(text[position + 1])
            position += 2
        elif text[position] == "[":
            end = _closing(text, position)
            pieces.append(_command(text[position + 1 : end], node, frame))
            position = end + 1
        else:
            pieces.append(text[position])
            position += 1
    return "".join(pieces)


def _closing(text: str, start: int) -> int:
    depth = 0
    for position in range(start, len(text)):
        depth += {"[": 1, "]": -1}.get(text[position], 0)
        if depth == 0:
            return position
    raise RuntimeError(f"missing ] in {text!r}")


def _command(text: str, node: Any, frame: int) -> str:
    if text.startswith("python "):
        return str(eval(text.removeprefix("python ").strip("{} "), {"nuke": __import__("nuke")}))
    words = [substitute(word, node, frame) for word in _words(text)]
    if words[0] == "value":
        return str(_knob(node, words[1], frame))
    if words[0] == "knob":
        return str(node.find_knob(words[1]).plain)
    if words[0] == "topnode":
        return str(list(node.trunk())[-1].name())
    if words[0] == "file":
        return _FILE[words[1]](words[2])
    if words[:2] == ["string", "equal"]:
        return str(int(words[2] == words[3]))
    if words[0] == "frame":
        return str(frame)
    if words[0] == "format":
        return words[1] % int(words[2])
    raise RuntimeError(f"invalid command name {words[0]!r}")


_FILE: dict[str, Callable[[str], str]] = {
    "exists": lambda path: str(int(os.path.exists(path))), "dirname": os.path.dirname, "tail": os.path.basename,
}  # fmt: skip


def _words(text: str) -> list[str]:
    words, word, depth = [], "", 0
    for letter in text:
        depth += {"[": 1, "]": -1}.get(letter, 0)
        if letter == " " and depth == 0:
            words.append(word)
            word = ""
        else:
            word += letter
    return [piece for piece in (*words, word) if piece]


def _knob(node: Any, name: str, frame: int) -> Any:
    knob = node.find_knob(name)
    if session.value_fills and knob.Class() == "File_Knob":
        return knob.path(frame, session.view)
    return knob.text_at(frame)
