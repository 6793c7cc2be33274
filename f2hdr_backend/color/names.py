"""Names of color spaces, displays, views and configs: comparison without case and punctuation, similar names."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

import PyOpenColorIO as ocio

from f2hdr_backend.shot.errors import ColorError

_NEAR_NAMES = 6


def near_names(name: str, offered: Iterable[str]) -> tuple[str, ...]:
    """Return names similar to ``name``, the most similar first: names that contain it, then other similar ones.

    Case and all characters except letters and digits are ignored.
    """
    wanted, plain = squeezed(name), {offer: squeezed(offer) for offer in offered}
    contained = [offer for offer, text in plain.items() if wanted and (wanted in text or (text and text in wanted))]
    similar = difflib.get_close_matches(wanted, list(plain.values()), n=_NEAR_NAMES, cutoff=0.6)
    found = [*contained, *(offer for text in similar for offer, other in plain.items() if other == text)]
    return tuple(dict.fromkeys(found))[:_NEAR_NAMES]


def squeezed(name: str) -> str:
    """Return a name in lower case with only letters and digits."""
    return "".join(letter for letter in name.lower() if letter.isalnum())


def spelled(name: str, offered: Iterable[str]) -> str:
    """Return the name in the spelling of the config, if it differs only in case."""
    return next((offer for offer in offered if offer.lower() == name.lower()), name)


def require_pinned(name: str, where: str) -> None:
    """Raise ColorError for the name of a built-in config that refers to a different config in every release of OCIO."""
    pinned = ocio.ResolveConfigPath(name)
    if pinned != name:
        raise ColorError(
            f'The config "{name}"{where} differs between releases of OpenColorIO, which would change the color of a '
            "shot.",
            hint=f'Give a fixed config; in this release it is "{pinned}".',
            config=name,
            pinned=pinned,
        )
