"""Names of color spaces, displays, views and configs: compared without case and punctuation, near ones offered."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

import PyOpenColorIO as ocio

from f2hdr_backend.shot.errors import ColorError

_NEAR_NAMES = 6


def near_names(name: str, offered: Iterable[str]) -> tuple[str, ...]:
    """Return the offered names that ``name`` may have meant, the likeliest first: contained ones, then similar ones.

    Case and everything but letters and digits are passed over.
    """
    wanted, plain = squeezed(name), {offer: squeezed(offer) for offer in offered}
    contained = [offer for offer, text in plain.items() if wanted and (wanted in text or (text and text in wanted))]
    similar = difflib.get_close_matches(wanted, list(plain.values()), n=_NEAR_NAMES, cutoff=0.6)
    found = [*contained, *(offer for text in similar for offer, other in plain.items() if other == text)]
    return tuple(dict.fromkeys(found))[:_NEAR_NAMES]


def squeezed(name: str) -> str:
    """Return a name in lower case, of letters and digits only."""
    return "".join(letter for letter in name.lower() if letter.isalnum())


def spelled(name: str, offered: Iterable[str]) -> str:
    """Return the name as the config spells it, if it differs by no more than case."""
    return next((offer for offer in offered if offer.lower() == name.lower()), name)


def require_pinned(name: str, where: str) -> None:
    """Raise ColorError for the name of a built-in config that means another one with every release of OCIO."""
    pinned = ocio.ResolveConfigPath(name)
    if pinned != name:
        raise ColorError(
            f'The config "{name}"{where} is another one with every release of OpenColorIO: a shot would change color.',
            hint=f'Name the one meant; here it is "{pinned}".',
            config=name,
            pinned=pinned,
        )
