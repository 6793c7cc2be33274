"""Knob classes, as far as our node and its neighbors have them."""

from __future__ import annotations

import re
from typing import Any

from nuke import expressions
from nuke.session import session

INVISIBLE, STARTLINE, NO_STARTLINE = 1, 2, 4


class Knob:
    """A value of a node: plain, by expression, or by keys (held between them)."""

    def __init__(self, name: str, label: str = "", default: Any = "") -> None:
        self._name = name
        self._label = label or name
        self.default = default
        self.plain: Any = default
        self.expression = ""
        self.keys: dict[int, float] = {}
        self.node: Any = None
        self.tip = ""
        self.flags = 0
        self.enabled = True
        self.user: str = ""

    def Class(self) -> str:
        return type(self).__name__

    def name(self) -> str:
        return self._name

    def label(self) -> str:
        return self._label

    def tooltip(self) -> str:
        return self.tip

    def value(self) -> Any:
        self._guard("value")
        return self.at(session.frame)

    def getValue(self) -> Any:
        return self.value()

    def getValueAt(self, frame: float) -> Any:
        self._guard("getValueAt")
        return self.at(int(frame))

    def setValue(self, value: Any) -> bool:
        self._guard("setValue")
        self._remember()
        self.expression, self.keys = "", {}
        self.plain = self.accept(value)
        session.changed(self)
        return True

    def setValueAt(self, value: float, frame: float) -> bool:
        self._guard("setValueAt")
        self.keys[int(frame)] = value
        return True

    def setAnimated(self) -> bool:
        self._guard("setAnimated")
        return True

    def clearAnimated(self) -> bool:
        self._guard("clearAnimated")
        self.expression, self.keys = "", {}
        return True

    def setExpression(self, text: str) -> bool:
        self._guard("setExpression")
        self.expression = text
        return True

    def setEnabled(self, enabled: bool) -> None:
        self._guard("setEnabled")
        self.enabled = enabled

    def isAnimated(self) -> bool:
        return bool(self.expression or self.keys)

    def at(self, frame: int) -> Any:
        """The value at a frame, expressions filled in."""
        if self.expression:
            text = expressions.substitute(self.expression, self.node, frame)
            return self.accept(expressions.evaluate(text, lambda name: self.node.resolve(name, frame)))
        if self.keys:
            before = [key for key in self.keys if key <= frame]
            return self.keys[max(before)] if before else self.keys[min(self.keys)]
        return self.plain

    def text_at(self, frame: int) -> str:
        """The result of ``[value knob]``."""
        value = self.at(frame)
        return str(int(value) if isinstance(value, bool) else value)

    def accept(self, value: Any) -> Any:
        """The value as this class keeps it; raises TypeError for one of another kind."""
        return value

    def is_default(self) -> bool:
        return not self.isAnimated() and self.plain == self.default

    def toScript(self) -> str:
        self._guard("toScript")
        if self.expression:
            return '{{"' + _escaped(self.expression) + '"}}'
        if self.keys:
            return "{{curve K " + " ".join(f"x{key} {value:g}" for key, value in sorted(self.keys.items())) + "}}"
        return _quoted(self.stored())

    def stored(self) -> str:
        """The plain value as a script has it."""
        return str(self.plain).lower() if isinstance(self.plain, bool) else str(self.plain)

    def fromScript(self, text: str) -> bool:
        """Set a value as written in a script, without its outermost braces or quotes."""
        inner = re.fullmatch(r"\{(.*)\}", text.strip(), re.DOTALL)
        if inner and inner[1].startswith("curve"):
            words = inner[1].split()[1:]
            self.keys = {int(at[1:]): float(value) for at, value in zip(words, words[1:], strict=False) if at[0] == "x"}
        elif inner:
            quoted = re.fullmatch(r'"(.*)"', inner[1], re.DOTALL)
            self.expression = re.sub(r"\\(.)", r"\1", quoted[1]) if quoted else inner[1]
        else:
            self.plain = self.accept(self.read(text))
        return True

    def read(self, text: str) -> Any:
        """A plain value from a script."""
        return text

    def _guard(self, what: str) -> None:
        session.require_main(f"{self._name}.{what}")
        if self.node is not None:
            self.node.require_attached()

    def _remember(self) -> None:
        if self.node is not None and not session.undo_disabled:
            session.history.append((self, "plain", self.plain))


class String_Knob(Knob):
    def accept(self, value: Any) -> str:
        if not isinstance(value, str):
            raise TypeError(f"{self._name}: expected str, not {type(value).__name__}")
        return value

    def at(self, frame: int) -> str:
        return expressions.substitute(self.plain, self.node, frame) if "[" in self.plain else str(self.plain)


class EvalString_Knob(String_Knob):
    def evaluate(self, frame: float | None = None) -> str:
        self._guard("evaluate")
        return str(self.at(int(session.frame if frame is None else frame)))


class File_Knob(EvalString_Knob):
    """``value`` returns the text as written, ``evaluate`` the path of a frame and view."""

    def value(self) -> str:
        self._guard("value")
        return str(self.plain)

    def getEvaluatedValue(self) -> str:
        self._guard("getEvaluatedValue")
        return self.at(session.frame)

    def evaluate(self, frame: float | None = None) -> str:
        self._guard("evaluate")
        return self.path(int(session.frame if frame is None else frame), session.view)

    def path(self, frame: int, view: str) -> str:
        text = self.at(frame).replace("%V", view).replace("%v", view[:1])
        for call in session.filename_filters:
            text = call(text) or text
        text = re.sub(r"#+", lambda marks: f"%0{len(marks[0])}d", text)
        return text % frame if re.search(r"%\d*d", text) else text


class Multiline_Eval_String_Knob(EvalString_Knob):
    pass


class Text_Knob(String_Knob):
    def at(self, frame: int) -> str:
        return str(self.plain)


class Tab_Knob(Knob):
    pass


class Boolean_Knob(Knob):
    def accept(self, value: Any) -> bool:
        return bool(value)

    def read(self, text: str) -> bool:
        return text.strip().lower() in ("true", "1")


class Array_Knob(Knob):
    """A number."""

    def accept(self, value: Any) -> Any:
        if isinstance(value, str):
            raise TypeError(f"{self._name}: expected a number, not {value!r}")
        return float(value)

    def read(self, text: str) -> Any:
        return float(text)

    def stored(self) -> str:
        return f"{self.plain:.10g}"


class Double_Knob(Array_Knob):
    pass


class Int_Knob(Array_Knob):
    def accept(self, value: Any) -> Any:
        return int(super().accept(value))


class Box_Knob(Knob):
    """Four numbers, each of which may be an expression."""

    def read(self, text: str) -> Any:
        return text

    def at(self, frame: int) -> tuple[float, ...]:
        words = re.findall(r"\{([^}]*)\}|(\S+)", str(self.plain))
        return tuple(
            float(expressions.evaluate(word, lambda name: self.node.resolve(name, frame)) if word else plain)
            for word, plain in words
        )

    def fromScript(self, text: str) -> bool:
        self.plain = text
        return True

    def toScript(self) -> str:
        return "{" + str(self.plain) + "}"


class Enumeration_Knob(Knob):
    """A menu: ``value`` is the entry's text, an expression gives its index.

    An entry may be "token, tab, label": a script has the token and the panel shows the label.
    """

    def __init__(self, name: str, label: str = "", items: list[str] | None = None) -> None:
        self.items = [item.partition("\t")[0] for item in items or []]
        super().__init__(name, label, self.items[0] if self.items else "")

    def values(self) -> list[str]:
        self._guard("values")
        return list(self.items)

    def setValues(self, items: list[str]) -> None:
        self._guard("setValues")
        self.items = list(items)

    def accept(self, value: Any) -> str:
        if isinstance(value, str):
            if value not in self.items:
                raise ValueError(f"{self._name}: {value!r} is not one of {self.items}")
            return value
        return self.items[int(value)]

    def index_at(self, frame: int) -> int:
        return self.items.index(self.at(frame))


class Script_Knob(Knob):
    def execute(self) -> None:
        self._guard("execute")
        self.node.pressed(self)


class PyScript_Knob(Script_Knob):
    def execute(self) -> None:
        self._guard("execute")
        session.context.append({"node": self.node})
        try:
            exec(str(self.plain), {"nuke": __import__("nuke")})
        finally:
            session.context.pop()


class MetaData_Knob(Knob):
    """A list of ``{set key value}``."""

    def fromScript(self, text: str) -> bool:
        self._guard("fromScript")
        self.plain = text
        return True

    def toScript(self) -> str:
        return "{" + str(self.plain) + "}"

    def entries(self) -> dict[str, str]:
        return {key: quoted or bare for key, quoted, bare in re.findall(
            r'\{set (\S+) (?:"([^"]*)"|([^}]*))\}', str(self.plain))}  # fmt: skip


USER_KNOBS: dict[int, type[Knob]] = {
    1: EvalString_Knob, 2: File_Knob, 3: Int_Knob, 4: Enumeration_Knob, 6: Boolean_Knob, 7: Double_Knob, 20: Tab_Knob,
    22: PyScript_Knob, 26: Text_Knob,
}  # fmt: skip


def _escaped(text: str) -> str:
    return re.sub(r'([\[\]"\\$])', r"\\\1", text)


def _quoted(text: str) -> str:
    if re.fullmatch(r"[\w./:+%#~-]+", text):
        return text
    return '"' + _escaped(text).replace("\n", "\\n") + '"'
