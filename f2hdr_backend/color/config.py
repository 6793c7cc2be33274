"""OpenColorIO: config selection, lookup of spaces by name, and conversions between them.

In addition to the spaces of a config two names are always defined: ``linear``, and ``gamma22`` (linear to the power
1/2.2), in Rec.709 primaries unless others are given. Plates in them need no config (see ``response``). ``icc`` is the
space of the ICC profile in the plate's files.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import PyOpenColorIO as ocio

from f2hdr_backend.color import conversion, primaries
from f2hdr_backend.color.conversion import Linear, Transform, light_of_white, matrix_step, power_step, primaries_of
from f2hdr_backend.color.file_spaces import EMBEDDED, RESPONSE, Own, own_steps
from f2hdr_backend.color.names import near_names, require_pinned, spelled
from f2hdr_backend.color.ocio_files import open_config, parse_config, read_table, with_context
from f2hdr_backend.color.primaries import Chromaticities, Matrix
from f2hdr_backend.shot.equations import GAMMA
from f2hdr_backend.shot.errors import ColorError
from f2hdr_backend.shot.ocio_context import context_of

SHIPPED = "f2hdr"
"""Name of the config that ships with F2HDR."""
SHIPPED_FILE = Path(__file__).parent / "ocio" / "f2hdr.ocio"
PLAIN = ("linear", "gamma22")
"""Spaces that need no config."""

_FAILED = (ocio.Exception, ocio.ExceptionMissingFile, UnicodeDecodeError)
"""Exceptions raised by OCIO: the second is not a subclass of the first; the third is for messages with bytes of a
file.
"""
_BUILT_IN = "ocio://"
_INTERCHANGE, _SCENE_LINEAR = "aces_interchange", "scene_linear"


def load_config(name: str = "", context: Iterable[str] | None = None) -> ColorConfig:
    """Load an OCIO config: ``name`` if given, or else ``$OCIO`` if set, or else the one that ships with F2HDR.

    ``context`` has the config's variables as ``NAME=value``; None takes those of the environment.

    ``name`` is a file, ``f2hdr`` for the one that ships with F2HDR, or one built into OCIO, such as
    ``ocio://studio-config-v2.1.0_aces-v1.3_ocio-v2.3``. Raises ColorError if it cannot be loaded, and for built-in
    names that refer to a different config with every release of OCIO; never falls back to another config.
    """
    loaded = _loaded(name)
    return loaded if context is None else replace(loaded, config=with_context(loaded.config, tuple(context)))


def _loaded(name: str) -> ColorConfig:
    wanted, where = name or os.environ.get("OCIO", "") or SHIPPED, "" if name else " (from $OCIO)"
    try:
        if wanted.startswith(_BUILT_IN):
            require_pinned(wanted, where)
            config = parse_config(wanted)
            return ColorConfig(wanted, _digest(config.serialize().encode()), config)
        if wanted == SHIPPED:
            config = parse_config(str(SHIPPED_FILE))
            return ColorConfig(SHIPPED, _digest(SHIPPED_FILE.read_bytes()), config)
        path = Path(wanted).absolute()
        content, config, files = open_config(path)
    except OSError as error:
        raise _broken(wanted, where, error.strerror or str(error)) from error
    except (*_FAILED, ValueError) as error:
        raise _broken(wanted, where, error) from error
    return ColorConfig(str(path), _digest(content), config, files)


@dataclass(frozen=True)
class ColorConfig:
    """An OCIO config. ``load_config(source)`` loads it again; ``digest`` is the SHA-256 of its content."""

    source: str
    digest: str
    config: Any
    """OCIO's Config."""
    files: Any = None
    """The object through which OCIO reads the config's files; must live as long as the config."""

    def context(self) -> tuple[str, ...]:
        """Return the variables that the config uses, as ``NAME=value``."""
        return context_of(self.config.serialize(), dict(self.config.getCurrentContext().getStringVars()))

    def names(self) -> tuple[str, ...]:
        """Return the names of all color spaces, in the config's order."""
        return tuple(self.config.getColorSpaceNames(ocio.SEARCH_REFERENCE_SPACE_ALL, ocio.COLORSPACE_ACTIVE))

    def offered(self) -> tuple[str, ...]:
        """Return the names of all color spaces and roles, sorted without regard to case."""
        return tuple(sorted({*self.names(), *self.config.getRoleNames()}, key=str.lower))

    def aliases(self, name: str) -> tuple[str, ...]:
        """Return the other names of a color space."""
        return tuple(self.config.getColorSpace(name).getAliases())

    def linear_names(self) -> tuple[str, ...]:
        """Return the names of the scene-linear spaces."""
        return tuple(name for name in self.names() if self.is_scene_linear(name))

    def displays(self) -> dict[str, tuple[str, ...]]:
        """Return the views of every display; the first display and the first view are the defaults."""
        return {display: tuple(self.config.getViews(display)) for display in self.config.getDisplays()}

    def space(self, name: str) -> str:
        """Return the full name of a space, an alias or a role; ``linear`` and ``gamma22`` are unchanged.

        Raises ColorError with similar names if it does not exist, and for spaces that contain data instead of color.
        """
        if name in (*PLAIN, EMBEDDED, RESPONSE):
            return name
        found = self.config.getColorSpace(name)
        if found is None:
            raise self._unknown("color space", name, self._all_names())
        if found.isData():
            raise ColorError(
                f'"{found.getName()}" is a data space, not a color space.',
                hint="Choose the color space of the pixels.",
                space=name,
            )
        return str(found.getName())

    def is_scene_linear(self, name: str) -> bool:
        """Return whether the values of a space are proportional to scene radiance."""
        if name in (*PLAIN, EMBEDDED, RESPONSE):
            return name == "linear"
        found = self.config.getColorSpace(name)
        if found is None or found.isData() or found.getReferenceSpaceType() != ocio.REFERENCE_SPACE_SCENE:
            return False
        said = found.getEncoding()
        return said == "scene-linear" if said else self._measures_linear(found.getName())

    def transform(self, source: str, target: str, own: Own = None) -> Transform:
        """Return the conversion from one space to another.

        ``own`` has the primaries of a ``linear`` or ``gamma22`` source (None is Rec.709), the profile of an ``icc``
        source, or the curve of a ``response`` source. Raises ColorError for unknown names, a lookup table that is
        missing or invalid, and a direction that the config does not define.
        """
        steps = [*self._to_hub(source, own), *self._from_hub(target)]
        return self._transform(steps, f'"{source}" to "{target}"')

    def display(self, space: str, display: str = "", view: str = "", own: Own = None) -> Transform:
        """Return the conversion from a space to the code values of a display; empty names select the defaults.

        Raises the errors of ``transform``, and ColorError with similar names for an unknown display or view.
        """
        display, view = self.display_view(display, view)
        steps = self._to_hub(space, own)
        last = ocio.DisplayViewTransform(src=self._hub, display=display, view=view)
        return self._transform([*steps, last], f'"{space}" to the display "{display}" with the view "{view}"')

    def display_view(self, display: str = "", view: str = "") -> tuple[str, str]:
        """Return display and view by their full names; empty names select the defaults. Raises ColorError."""
        offered = self.displays()
        display = spelled(display or self.config.getDefaultDisplay(), offered)
        if display not in offered:
            raise self._unknown("display", display, offered)
        view = spelled(view or self.config.getDefaultView(display), offered[display])
        if view not in offered[display]:
            raise self._unknown(f'view of "{display}"', view, offered[display])
        return display, view

    def linear(self, name: str, own: Own = None) -> Linear:
        """Return the conversion of a space to linear values in its own primaries, and these primaries. Raises
        ColorError.
        """
        name = self.space(name)
        steps, what = self._to_hub(name, own), f'"{name}" to linear'
        to_hub = self._transform(steps, what)
        matrix = primaries_of(to_hub)
        if matrix is None:
            return Linear(to_hub, np.eye(3), own=False)
        if self.is_scene_linear(name):
            return Linear(None, matrix * light_of_white(to_hub))
        return Linear(self._transform([*steps, matrix_step(np.linalg.inv(matrix))], what), matrix)

    def from_light(self, matrix: Matrix, target: str) -> Transform:
        """Return the conversion from linear values, whose ``matrix`` leads to the hub space, to a space. Raises
        ColorError.
        """
        return self._transform([matrix_step(matrix), *self._from_hub(target)], f'linear to "{target}"')

    def chromaticities(self, name: str) -> Chromaticities | None:
        """Return the primaries and the white of a space, None if they could not be determined. Raises ColorError."""
        return self.chromaticities_of(self.linear(name).matrix)

    def chromaticities_of(self, matrix: Matrix) -> Chromaticities | None:
        """Return the primaries of linear values whose ``matrix`` leads to the hub; None if the hub is not
        ACES2065-1.
        """
        return primaries.from_matrix(matrix) if self.config.hasRole(_INTERCHANGE) else None

    def linear_in(self, chromaticities: Chromaticities) -> str:
        """Return the first scene-linear space with these primaries, or an empty text."""
        for name in self.linear_names():
            found = self.chromaticities(name)
            if found is not None and primaries.are_close(found, chromaticities):
                return name
        return ""

    def digest_with(self, *used: Transform | None) -> str:
        """Return the SHA-256 of the config and of the lookup tables of these conversions."""
        paths = sorted({path for transform in used if transform is not None for path in transform.files})
        read = read_table if self.files is None else self.files.read
        contents = [_digest(read(path)) for path in paths]
        return _digest(" ".join([self.digest, *contents]).encode())

    @property
    def _hub(self) -> str:
        """The role that all conversions pass through (hub space)."""
        for role in (_INTERCHANGE, _SCENE_LINEAR):
            if self.config.hasRole(role):
                return role
        raise self._lacks(
            f"neither the role {_INTERCHANGE} nor {_SCENE_LINEAR}", "Add one of them, or use another config."
        )

    def _to_hub(self, name: str, own: Own = None) -> list[Any]:
        name = self.space(name)
        if name in (EMBEDDED, RESPONSE):
            self._require_interchange()
            return own_steps(name, own)
        if name not in PLAIN:
            return [ocio.ColorSpaceTransform(src=name, dst=self._hub)]
        stated = own if isinstance(own, tuple) else primaries.REC709
        matrix = matrix_step(self._plain(stated))
        return [power_step(GAMMA), matrix] if name == "gamma22" else [matrix]

    def _from_hub(self, name: str) -> list[Any]:
        name = self.space(name)
        if name not in PLAIN:
            return [ocio.ColorSpaceTransform(src=self._hub, dst=name)]
        matrix = matrix_step(np.linalg.inv(self._plain(primaries.REC709)))
        return [matrix, power_step(1 / GAMMA)] if name == "gamma22" else [matrix]

    def _plain(self, chromaticities: Chromaticities) -> Matrix:
        self._require_interchange()
        return primaries.to_aces(chromaticities)

    def _require_interchange(self) -> None:
        if not self.config.hasRole(_INTERCHANGE):
            what = f"no role {_INTERCHANGE}, so conversions between primaries are not possible"
            raise self._lacks(what, "Set the plate's color space with --input-space, or use another config.")

    def _transform(self, steps: list[Any], what: str) -> Transform:
        try:
            processor = conversion.config_for(self.config, steps).getProcessor(ocio.GroupTransform(steps))
            cpu = processor.getOptimizedCPUProcessor(ocio.OPTIMIZATION_DEFAULT)
        except _FAILED as error:
            raise ColorError(
                f"The config {self.source} cannot convert {what}: {_sentence(error) or self._suspected()}.",
                hint="Correct the config, or choose another space.",
                config=self.source,
            ) from error
        files = tuple(processor.getProcessorMetadata().getFiles())
        return Transform(str(processor.getCacheID()), cpu, files, processor)

    def _suspected(self) -> str:
        """The reason where OpenColorIO gives none: some builds drop a message that is not UTF-8."""
        return f"a lookup table cannot be read ({', '.join(self.files.asked if self.files else ())})"

    def _measures_linear(self, name: str) -> bool:
        try:
            return bool(self.config.isColorSpaceLinear(name, ocio.REFERENCE_SPACE_SCENE))
        except _FAILED:
            return False

    def _all_names(self) -> list[str]:
        aliases = (alias for name in self.names() for alias in self.aliases(name))
        return [*PLAIN, *self.names(), *self.config.getRoleNames(), *aliases]

    def _lacks(self, what: str, action: str) -> ColorError:
        return ColorError(f"The config {self.source} has {what}.", hint=action, config=self.source)

    def _unknown(self, what: str, name: str, offered: Iterable[str]) -> ColorError:
        near = near_names(name, offered)
        hint = f"Similar names: {', '.join(near)}." if near else f"The config has: {', '.join(list(offered)[:20])}."
        return ColorError(f'There is no {what} "{name}" in the config {self.source}.', hint=hint, space=name, near=near)


def _broken(name: str, where: str, reason: object) -> ColorError:
    hint = "Give an .ocio file, a name such as ocio://studio-config-v2.1.0_aces-v1.3_ocio-v2.3, or f2hdr."
    return ColorError(f'The OCIO config "{name}"{where} cannot be loaded: {_sentence(reason)}.', hint=hint, config=name)


def _sentence(reason: object) -> str:
    if isinstance(reason, UnicodeDecodeError):
        reason = reason.object.decode("utf-8", errors="backslashreplace")
    return " ".join(str(reason).split()).rstrip(".")


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
