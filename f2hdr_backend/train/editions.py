"""The networks that training offers by name."""

from __future__ import annotations

from collections.abc import Iterable

from f2hdr_backend.model.descriptor import ABLATIONS, AnyDescriptor, Descriptor, MergeNetDescriptor
from f2hdr_backend.shot.errors import DocumentError
from f2hdr_backend.weights import store

EDITIONS = ("standard", "lite", "mergenet")


def descriptor_of(edition: str, ablation: str | None = None) -> AnyDescriptor:
    """Return the network of an edition, without the part that an ablation of the paper's Table 5 removes.

    Raises DocumentError for a name that is not offered.
    """
    if known("edition", edition, EDITIONS) == "mergenet":
        if ablation is not None:
            raise DocumentError("mergenet is not the paper's network and has no ablations.", hint="Omit --ablation.")
        return MergeNetDescriptor()
    complete = Descriptor.lite() if edition == "lite" else Descriptor()
    return complete if ablation is None else complete.without(known("ablation", ablation, ABLATIONS))


def weights_to_start_from(name: str, descriptor: AnyDescriptor) -> store.Weights:
    """Load installed weights. Raises WeightsMissing, and DocumentError if they are of another network."""
    weights = store.load(store.find(name))
    if weights.descriptor != descriptor:
        raise DocumentError(
            f"The weights {name!r} are of another network.", hint="Use the --edition with which they were trained."
        )
    return weights


def known(what: str, name: str, offered: Iterable[str]) -> str:
    """Return ``name`` if it is offered; raises DocumentError that lists the offered names."""
    if name not in offered:
        raise DocumentError(f"There is no {what} {name!r}.", hint=f"Use {' or '.join(offered)}.")
    return name
