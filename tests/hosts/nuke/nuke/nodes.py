"""Node classes: the tree, its knobs, and the calls that the plug-in makes on them. Pixels are in ``pixels``."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from typing import Any

import numpy as np

from nuke import knobs as kinds
from nuke.session import session

TO_SCRIPT, WRITE_NON_DEFAULT_ONLY = 0x80000, 0x10
INPUTS, HIDDEN_INPUTS, EXPRESSIONS = 1, 2, 4

EXR_COMPRESSIONS = [
    "none", "Zip (1 scanline)", "Zip (16 scanlines)", "PIZ Wavelet (32 scanlines)", "RLE", "B44", "B44A", "DWAA",
    "DWAB",
]  # fmt: skip
METADATA = [
    "no metadata", "default metadata", "default metadata and exr/*", "all metadata except input/*", "all metadata",
]  # fmt: skip
_EVERY = "name=string xpos=number ypos=number selected=bool tile_color=string label=text help=string disable=bool"
_CLASSES: dict[str, str] = {
    "Group": "", "Input": "number=number", "Output": "", "Dot": "", "NoOp": "", "Unpremult": "", "Premult": "",
    "VariableSwitch": "", "Assert": "expression=number message=text",
    "CheckerBoard2": "", "Grade": "white=number", "TimeOffset": "time_offset=number",
    "Crop": "box=box crop=bool",
    "Remove": "operation=remove|keep channels=string",
    "Multiply": "channels=string value=number",
    "Expression": "expr0=string expr1=string expr2=string expr3=string",
    "Copy": "from0=string to0=string from1=string to1=string from2=string to2=string from3=string to3=string "
            "bbox=union|B\tB_side|A\tA_side metainput=B|A rangeinput=B|A",
    "Keymix": "channels=string invertMask=bool mix=number",
    "Merge2": "operation=over|difference|plus Achannels=string Bchannels=string output=string "
              "metainput=B|A rangeinput=B|A",
    "Switch": "which=number",
    "ModifyMetaData": "metadata=metadata",
    "Read": "file=file file_type=string first=number last=number before=hold|loop|bounce|black "
            "after=hold|loop|bounce|black frame_mode=expression|start_at|offset frame=string "
            "on_error=error|black|checkerboard|nearest_frame colorspace=string raw=bool premultiplied=bool "
            "auto_alpha=bool localizationPolicy=on|off reload=button version=number",
    "Write": "file=file file_type=exr|tiff channels=string raw=bool create_directories=bool colorspace=string "
             "datatype=16_bit_half|32_bit_float compression=exr metadata=headers write_hash=bool",
    "Root": "project_directory=file first_frame=number last_frame=number proxy=bool proxy_scale=number fps=number "
            "colorManagement=Nuke|OCIO OCIOConfigPath=file workingSpaceLUT=string",
}  # fmt: skip
_DEFAULTS: dict[str, dict[str, Any]] = {
    "Assert": {"expression": 1.0}, "Multiply": {"value": 1.0}, "Keymix": {"mix": 1.0}, "Grade": {"white": 1.0},
    "Read": {"first": 1.0, "last": 1.0, "colorspace": "default (linear)"},
    "Write": {"channels": "rgb", "compression": "Zip (1 scanline)", "metadata": "default metadata", "write_hash": True},
    "Root": {"first_frame": 1.0, "last_frame": 100.0, "proxy_scale": 0.5, "fps": 24.0, "workingSpaceLUT": "linear"},
}  # fmt: skip


class Format:
    def __init__(self, width: int, height: int, aspect: float = 1.0) -> None:
        self._size = (width, height, aspect)

    def width(self) -> int:
        return self._size[0]

    def height(self) -> int:
        return self._size[1]

    def pixelAspect(self) -> float:
        return self._size[2]


class Node:
    def __init__(self, kind: str, parent: Group | None) -> None:
        self._kind = kind
        self.parent_group = parent
        self.sources: list[Node | None] = []
        self.attached = True
        self.table: dict[str, kinds.Knob] = {}
        for word in re.split(" +", f"{_EVERY} {_CLASSES[kind]}".strip()):
            name, _, what = word.partition("=")
            self.add(_make(name, what))
        for name, value in _DEFAULTS.get(kind, {}).items():
            self.table[name].plain = self.table[name].default = value
        if kind in ("Group", "Root"):
            return
        if kind not in ("Read", "Input", "CheckerBoard2"):
            self.sources = [None] * {"Copy": 2, "Merge2": 2, "Keymix": 3, "Switch": 2}.get(kind, 1)

    def add(self, knob: kinds.Knob) -> None:
        knob.node = self
        self.table[knob.name()] = knob

    def Class(self) -> str:
        return self._kind

    def name(self) -> str:
        self.require_attached()
        return str(self.table["name"].plain)

    def setName(self, name: str) -> None:
        self.table["name"].plain = name

    def fullName(self) -> str:
        self.require_attached()
        above = self.parent_group
        return self.name() if above is None or isinstance(above, Root) else f"{above.fullName()}.{self.name()}"

    def knob(self, name: str) -> kinds.Knob | None:
        session.require_main(f"{self._kind}.knob")
        self.require_attached()
        return self.table.get(name)

    def knobs(self) -> dict[str, kinds.Knob]:
        return dict(self.table)

    def __getitem__(self, name: str) -> kinds.Knob:
        found = self.knob(name)
        if found is None:
            raise NameError(f"knob {name} does not exist")
        return found

    def input(self, index: int) -> Node | None:
        session.require_main("input")
        self.require_attached()
        return self.sources[index] if index < len(self.sources) else None

    def inputs(self) -> int:
        return len(self.sources)

    def setInput(self, index: int, source: Node | None) -> bool:
        self.require_attached()
        self.sources += [None] * (index + 1 - len(self.sources))
        self.sources[index] = source
        session.fire("inputChange", self)
        return True

    def dependencies(self, what: int = INPUTS) -> list[Node]:
        session.require_main("dependencies")
        found = [source for source in self.sources if source is not None] if what & INPUTS else []
        if what & EXPRESSIONS:
            for knob in self.table.values():
                for name in re.findall(r"([A-Za-z_]\w*)\.\w+", knob.expression):
                    other = session.root.child(name)
                    found += [other] if other is not None and other is not self else []
        return found

    def writeKnobs(self, flags: int = 0) -> str:
        session.require_main("writeKnobs")
        lines = [f"{name} {knob.toScript()}" for name, knob in self.table.items()
                 if not knob.is_default() and not isinstance(knob, kinds.Script_Knob)]  # fmt: skip
        return "\n".join(lines)

    def metadata(self, key: str, time: float | None = None, view: str | None = None) -> Any:
        session.require_main("metadata")
        return self.picture(int(session.frame if time is None else time), view or session.view).metadata.get(key)

    def opHashes(self) -> list[int]:
        session.require_main("opHashes")
        text = "".join(node.writeKnobs() for node in self.chain()) + str(session.frame)
        return [int(hashlib.sha256(text.encode()).hexdigest()[:12], 16)]

    def chain(self) -> Iterator[Node]:
        """This node and all above it."""
        yield self
        for source in self.sources:
            if source is not None:
                yield from source.chain()

    def trunk(self) -> Iterator[Node]:
        """This node and what its first inputs lead to."""
        yield self
        if self.sources and self.sources[0] is not None:
            yield from self.sources[0].trunk()

    def firstFrame(self) -> int:
        return self._range()[0]

    def lastFrame(self) -> int:
        return self._range()[1]

    def _range(self) -> tuple[int, int]:
        session.require_main("firstFrame")
        if self._kind == "Read":
            return int(self["first"].value()), int(self["last"].value())
        if self._kind == "Input":
            outer = self.outer()
            return outer._range() if outer else (1, 100)
        if self._kind == "TimeOffset" and self.sources[0] is not None:
            first, last = self.sources[0]._range()
            offset = int(self["time_offset"].value())
            return first + offset, last + offset
        if self._kind == "Group":
            return next(node for node in self.children if node.Class() == "Output")._range()  # type: ignore[attr-defined, no-any-return]
        root = session.root
        ranges = [source._range() for source in self.sources if source is not None]
        if not ranges:
            return int(root["first_frame"].value()), int(root["last_frame"].value())
        if "rangeinput" in self.table:
            return ranges[0]
        return min(first for first, _ in ranges), max(last for _, last in ranges)

    def outer(self) -> Node | None:
        """The node connected to an Input of a group."""
        group = self.parent_group
        if group is None or not group.sources:
            return None
        return group.sources[int(self.table["number"].plain)]

    def width(self) -> int:
        return int(self.picture(session.frame, session.view).size[0])

    def height(self) -> int:
        return int(self.picture(session.frame, session.view).size[1])

    def picture(self, frame: int, view: str) -> Any:
        from nuke import pixels

        return pixels.picture(self, frame, view)

    def pressed(self, knob: kinds.Knob) -> None:
        """A button of Nuke's own was pressed."""
        if self._kind == "Read" and knob.name() == "reload":
            self.table["version"].plain += 1

    def find_knob(self, path: str) -> kinds.Knob:
        """A knob by what an expression calls it: ``gain``, ``parent.gain``."""
        node: Any = self
        *nodes, name = path.split(".")
        for word in nodes:
            if word == "parent":
                node = node.parent_group
            elif word == "root":
                node = session.root
            elif word != "this":
                node = (node.child(word) if isinstance(node, Group) else None) or node.parent_group.child(word)
        return node.table[name]

    def resolve(self, name: str, frame: int) -> Any:
        """The number that a name in an expression means."""
        if name in ("width", "height", "input.width", "input.height"):
            node = self.sources[0] if name.startswith("input") else self
            return node.picture(frame, session.view).size[name.endswith("height")] if node else 0
        if name == "frame":
            return frame
        knob = self.find_knob(name)
        if isinstance(knob, kinds.Enumeration_Knob):
            return knob.index_at(frame)
        return float(np.float64(knob.at(frame)))

    def require_attached(self) -> None:
        if not self.attached:
            raise ValueError("A PythonObject is not attached to a node")


class Group(Node):
    def __init__(self, kind: str = "Group", parent: Group | None = None) -> None:
        self.children: list[Node] = []
        super().__init__(kind, parent)

    def nodes(self) -> list[Node]:
        return list(self.children)

    def child(self, name: str) -> Node | None:
        return next((node for node in self.children if node.table["name"].plain == name), None)

    def node(self, name: str) -> Node | None:
        session.require_main("node")
        return self.child(name)

    def all(self) -> Iterator[Node]:
        for node in self.children:
            yield node
            if isinstance(node, Group):
                yield from node.all()


class Root(Group):
    def __init__(self) -> None:
        super().__init__("Root")
        self.script = ""
        self.format = Format(64, 48)

    @property
    def script(self) -> str:
        """The path of the script; empty before it is saved. It is also the value of the knob ``name``."""
        return "" if self.table["name"].plain == "Root" else str(self.table["name"].plain)

    @script.setter
    def script(self, path: str) -> None:
        self.table["name"].plain = path or "Root"

    def name(self) -> str:
        return self.script or "Root"

    def firstFrame(self) -> int:
        return int(self["first_frame"].value())

    def lastFrame(self) -> int:
        return int(self["last_frame"].value())

    def proxy(self) -> bool:
        session.require_main("proxy")
        return bool(self.table["proxy"].plain)

    def setProxy(self, on: bool) -> None:
        session.require_main("setProxy")
        self.table["proxy"].plain = on


def _make(name: str, what: str) -> kinds.Knob:
    simple = {
        "string": kinds.String_Knob, "text": kinds.EvalString_Knob, "number": kinds.Double_Knob,
        "bool": kinds.Boolean_Knob, "file": kinds.File_Knob, "box": kinds.Box_Knob, "button": kinds.Script_Knob,
        "metadata": kinds.MetaData_Knob,
    }  # fmt: skip
    if what in simple:
        knob = simple[what](name)
        start: dict[str, Any] = {"number": 0.0, "bool": False}
        knob.plain = knob.default = start.get(what, "")
        return knob
    items = {"exr": EXR_COMPRESSIONS, "headers": METADATA}.get(what) or [
        item.replace("_", " ") for item in what.split("|")
    ]
    return kinds.Enumeration_Knob(name, "", items)
