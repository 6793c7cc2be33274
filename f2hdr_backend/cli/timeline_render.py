"""``f2hdr render CUT.otio``: every clip of an editorial timeline, each into its own folder."""

from __future__ import annotations

from collections.abc import Iterator

from f2hdr_backend.cli.shot_options import ShotOptions
from f2hdr_backend.shot.errors import DocumentError
from f2hdr_backend.shot.events import Event
from f2hdr_backend.shot.naming import is_timeline

USUAL_HANDLES = 8


def is_cut(source: str, handles: int | None) -> bool:
    """Return whether a source is a timeline. Raises DocumentError if it is not, but handles are given."""
    if is_timeline(source):
        return True
    if handles is not None:
        raise DocumentError(
            f'--handles needs a timeline, and "{source}" is not one.', hint="Choose the frames with --frames."
        )
    return False


def render_timeline(
    source: str, output: str | None, options: ShotOptions, handles: int | None, rules: str | None, *, force: bool
) -> Iterator[Event]:
    """Render the clips of a timeline into the folder ``output``, each with ``handles`` more frames at both ends.

    Raises DocumentError for options that a timeline does not take, and what ``read_cut`` and ``render_cut`` raise.
    """
    from f2hdr_backend.timeline.read import read_cut

    if "frames" in options.given:
        raise DocumentError(
            "The frames of a cut come from its timeline, not from --frames.", hint="Use --handles for more frames."
        )
    if rules is not None:
        raise DocumentError(
            f'--path-mapping maps the paths of a Shot document, not those in the timeline "{source}".',
            hint="Relink the timeline's clips to this machine's paths in the editor.",
        )
    cut = read_cut(source, USUAL_HANDLES if handles is None else handles)

    from f2hdr_backend.timeline.render import render_cut  # loads torch: only for a timeline that could be read

    yield from render_cut(cut, output or "", options.shot, force=force)
