"""Description of the network of a weights file: its architecture and its interpretation of the paper."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal


@dataclass(frozen=True)
class Descriptor:
    """One interpretation of the F2HDR method; stored in the header of every weights file.

    The published checkpoint is ``Descriptor.published()``; the paper's text is ``exact, eq2, raw, max``.
    The paper's ablations are descriptors too (:data:`ABLATIONS`).
    """

    warp: Literal["released", "exact"] = "exact"
    """``released`` normalizes for corner-aligned sampling and samples without it; ``exact`` keeps zero flow still."""
    exposure_alignment: Literal["none", "eq2", "brightest"] = "brightest"
    """Frames the flow sees: as they are; the reference at the neighbor's exposure (Eq. 2); all at the longest."""
    adapter_input: Literal["warped", "raw"] = "warped"
    """Neighbors that the adapter sees: warped by the coarse flow, or the frames themselves (Eq. 3)."""
    gate_scale: Literal["fixed", "max"] = "fixed"
    """Flow magnitude in the gate is divided by 20 px, or by its maximum over the frame (Eq. 17)."""
    adapter: bool = True
    """Whether the flow adapter (Eq. 3-6) runs."""
    refine: bool = True
    """Whether stage II runs; without it the coarse fusion is the result."""
    mask: Literal["physical", "cnn", "none"] = "physical"
    """Motion mask of the gates: Eq. 8-15, learned by a small CNN, or left out (ones)."""
    flow: str = "dis"
    """The flow estimator the weights were trained on, a module name of ``flow/estimators``."""
    adapter_channels: int = 64
    """Width of the flow adapter; 64 is the published one, as are the other defaults below."""
    fusion_channels: int = 128
    """Width of stage I's deepest level, a multiple of 4."""
    refine_channels: int = 48
    """Width of stage II, even."""
    refine_blocks: int = 3
    """Enhancement blocks in stage II."""
    cell_px: int = 1
    """Adapter, mask and stage II process each square of this many pixels a side as one cell: 1, 2 or 4."""

    @classmethod
    def published(cls) -> Descriptor:
        """The descriptor of the authors' released checkpoint."""
        return cls(warp="released", exposure_alignment="none", flow="sea_raft")

    @classmethod
    def lite(cls) -> Descriptor:
        """The descriptor of the ``lite`` edition: the same network narrower, on cells of 2 x 2 pixels."""
        return cls(adapter_channels=32, fusion_channels=64, refine_channels=32, cell_px=2)

    def without(self, ablation: str) -> Descriptor:
        """This descriptor without the part that a key of :data:`ABLATIONS` leaves out."""
        return replace(self, **ABLATIONS[ablation])

    def to_json(self) -> dict[str, Any]:
        """A JSON object that :meth:`from_json` accepts."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Descriptor:
        """Read a descriptor. Raises ``ValueError`` that names an unknown field or value."""
        known = {field.name for field in fields(cls)}
        unknown = sorted(set(values) - known)
        if unknown:
            raise ValueError(f"unknown descriptor field {unknown[0]!r}; known are {', '.join(sorted(known))}")
        for name, allowed in _CHOICES.items():
            if name in values and values[name] not in allowed:
                raise ValueError(
                    f"descriptor field {name} is {values[name]!r}; it may be {', '.join(map(str, allowed))}"
                )
        for name, multiple in _WIDTHS:
            width = values.get(name, multiple)
            if not isinstance(width, int) or width < multiple or width % multiple:
                raise ValueError(f"descriptor field {name} is {width!r}; it must be a multiple of {multiple}")
        return cls(**values)


@dataclass(frozen=True)
class MergeNetDescriptor:
    """Architecture of :class:`~f2hdr_backend.model.mergenet.MergeNet`, and the flow it was trained on."""

    flow: str = "dis"
    """The flow estimator, a module name of ``flow/estimators``."""
    exposure_alignment: Literal["brightest"] = "brightest"
    """Exposures that the flow sees, as in :class:`Descriptor`: those of the classical merge."""
    channels: tuple[int, int, int] = (48, 64, 96)
    """Width on the grids of 2, 4 and 8 pixels."""
    blocks: tuple[int, int, int] = (1, 2, 3)
    """Residual blocks on each grid; the two finer grids have as many again on the way back."""

    def to_json(self) -> dict[str, Any]:
        """A JSON object that :meth:`from_json` accepts."""
        return {**asdict(self), "channels": list(self.channels), "blocks": list(self.blocks)}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> MergeNetDescriptor:
        """Read a descriptor. Raises ``ValueError`` that names an unknown field or a wrong value."""
        unknown = sorted(set(values) - {field.name for field in fields(cls)})
        if unknown:
            raise ValueError(f"unknown descriptor field {unknown[0]!r}")
        alignment = values.get("exposure_alignment", "brightest")
        if alignment != "brightest":
            raise ValueError(f"descriptor field exposure_alignment is {alignment!r}; it must be 'brightest'")
        sizes = {}
        for name in ("channels", "blocks"):
            given = values.get(name, getattr(cls, name))
            if len(given) != 3 or not all(isinstance(value, int) and value > 0 for value in given):
                raise ValueError(f"descriptor field {name} is {given!r}; it must be three whole numbers above 0")
            sizes[name] = tuple(given)
        return cls(**{**values, **sizes})


AnyDescriptor = Descriptor | MergeNetDescriptor
"""The trained network of an HDR method."""

ABLATIONS: Mapping[str, Mapping[str, Any]] = {
    "stage1-no-adapter": {"adapter": False, "refine": False},
    "no-adapter": {"adapter": False},
    "stage1": {"refine": False},
    "no-mask": {"mask": "none"},
    "cnn-mask": {"mask": "cnn"},
}
"""Parts removed in the rows of the paper's Table 5, in its order; the last row is the complete method."""

_CHOICES = {
    "warp": ("released", "exact"),
    "exposure_alignment": ("none", "eq2", "brightest"),
    "adapter_input": ("warped", "raw"),
    "gate_scale": ("fixed", "max"),
    "mask": ("physical", "cnn", "none"),
    "cell_px": (1, 2, 4),
}
_WIDTHS = (("adapter_channels", 1), ("fusion_channels", 4), ("refine_channels", 2), ("refine_blocks", 1))
"""Fields that are whole numbers above 0, with the number that each must be a multiple of."""
