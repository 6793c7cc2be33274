"""An OpenFX host in Python: it loads the built effect and drives every action as an application does.

Its switches are what differs between applications: temporal access, message suites, rows that are padded or bottom-up
in memory, frames beyond the ends of a clip, integer depths, fields, tiles, proxies, aborts.
"""

from __future__ import annotations

import ctypes as c
import math
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.ofx_plugin import suites
from tests.ofx_plugin.suites import OK, CHost, CPlugin, Handles, Pointed, Properties

Pixels = NDArray[np.float32]
GUARD = 0xA5
"""What fills the bytes between rows and around a picture: it must still be there afterwards."""


class Image:
    """Pixels in the layout that a clip has, with guard bytes around them."""

    def __init__(self, clip: Clip, pixels: Pixels, identifier: str) -> None:
        height, width, channels = pixels.shape
        self._clip = clip
        self._row = width * channels * 4
        self._stride = self._row + clip.padding
        self.memory = np.full(height * self._stride + 2 * clip.padding, GUARD, np.uint8)
        # Rows bottom-up in memory, or top-down with a negative distance.
        self._rows = self.memory[clip.padding : clip.padding + height * self._stride].reshape(height, self._stride)
        ordered = pixels if clip.top_down else pixels[::-1]
        self._rows[:, : self._row] = np.ascontiguousarray(ordered, np.float32).view(np.uint8).reshape(height, -1)
        first = self._rows.ctypes.data + (self._stride * (height - 1) if clip.top_down else 0)
        x, y = clip.origin
        bounds = (x, y, x + width, y + height)
        host = clip.effect.host
        self.properties = Properties(
            host.handles,
            OfxImagePropData=Pointed(first),
            OfxImagePropBounds=bounds,
            OfxImagePropRegionOfDefinition=clip.whole or bounds,
            OfxImagePropRowBytes=-self._stride if clip.top_down else self._stride,
            OfxImageEffectPropPixelDepth=clip.depth,
            OfxImageEffectPropComponents="OfxImageComponentRGBA" if channels == 4 else "OfxImageComponentRGB",
            OfxImageEffectPropPreMultiplication=clip.premultiplication,
            OfxImageEffectPropRenderScale=(clip.effect.scale, clip.effect.scale),
            OfxImagePropPixelAspectRatio=clip.aspect,
            OfxImagePropField=clip.field,
            OfxImagePropUniqueIdentifier=identifier,
        )
        self.handle = self.properties.handle
        self.properties.release = self.release  # type: ignore[attr-defined]

    def fetched(self) -> Image:
        """The plug-in reads it."""
        self._clip.effect.host.open_images += 1
        return self

    def release(self) -> int:
        """The plug-in lets go of it."""
        self._clip.effect.host.open_images -= 1
        self.drop()
        return OK

    def drop(self) -> None:
        """Forget its handle, if that has not been done."""
        if self.handle:
            self._clip.effect.host.handles.drop(self.handle)
            self.handle = 0

    def pixels(self) -> Pixels:
        """Return its pixels, top row first."""
        height = self._rows.shape[0]
        found = self._rows[:, : self._row].reshape(height, -1).copy().view(np.float32).reshape(height, -1)
        bounds = self.properties["OfxImagePropBounds"]
        found = found.reshape(height, bounds[2] - bounds[0], -1)
        return found if self._clip.top_down else found[::-1]

    def is_guarded(self) -> bool:
        """Whether nothing was written outside its pixels."""
        padding = self._clip.padding
        around = [self.memory[:padding], self.memory[len(self.memory) - padding :]] if padding else []
        return all(bool((part == GUARD).all()) for part in [*around, self._rows[:, self._row :]])


class Clip:
    """A clip of an effect and how its host lays out its pictures."""

    def __init__(self, effect: Effect) -> None:
        self.effect = effect
        self.properties = Properties(
            effect.host.handles,
            OfxImageClipPropConnected=1,
            OfxImageEffectPropFrameRange=(0.0, 0.0),
            OfxImageClipPropFieldOrder="OfxFieldNone",
        )
        self.handle = effect.host.handles.add(self)
        self.frames: Mapping[int, Pixels] | Callable[[int], Pixels | None] = {}
        self.beyond = "hold"
        """Result for a time without a frame: ``hold`` the nearest, or nothing (``missing``)."""
        self.padding = 0
        self.top_down = False
        self.origin = (0, 0)
        self.whole: tuple[int, int, int, int] | None = None
        self.depth = "OfxBitDepthFloat"
        self.premultiplication = "OfxImageOpaque"
        self.field = "OfxFieldNone"
        self.aspect = 1.0
        self.has_identifiers = False
        self.asked: list[float] = []
        self.rendering = threading.local()

    def image(self, at: float) -> Image | None:
        """Return the picture of a time as the plug-in gets it, or None."""
        output: Image | None = getattr(self.rendering, "output", None)
        if output is not None:
            return output.fetched()
        self.asked.append(at)
        pixels = self._pixels(math.floor(at + 0.5))
        if pixels is None:
            return None
        identifier = f"{id(self)} {hash(pixels.tobytes())}" if self.has_identifiers else ""
        return Image(self, pixels, identifier).fetched()

    def _pixels(self, frame: int) -> Pixels | None:
        if callable(self.frames):
            return self.frames(frame)
        if frame not in self.frames and self.beyond == "hold" and self.frames:
            frame = min(max(frame, min(self.frames)), max(self.frames))
        return self.frames.get(frame)

    def show(self, frames: Mapping[int, Pixels], first: int | None = None, last: int | None = None) -> None:
        """Set the frames of the clip; the reported range is theirs unless given."""
        self.frames = frames
        ends = (min(frames) if first is None else first, max(frames) if last is None else last)
        self.properties["OfxImageEffectPropFrameRange"] = [float(end) for end in ends]


class Parameter:
    """One parameter: what was declared of it, and its value."""

    def __init__(self, host: Host, kind: str, name: str) -> None:
        self.kind, self.name = kind, name
        self.properties = Properties(host.handles, OfxParamPropChoiceOption=())
        self.handle = host.handles.add(self)
        self.value: Any = None
        self._kept: list[c.Array[c.c_char]] = []

    def text_address(self) -> int:
        """Return the address of a text's bytes."""
        self._kept = [*self._kept[-64:], c.create_string_buffer(self.value.encode())]
        return c.addressof(self._kept[-1])


class Effect:
    """A descriptor or an instance of the effect."""

    def __init__(self, host: Host, **properties: Any) -> None:
        self.host = host
        self.properties = Properties(host.handles, OfxPropInstanceData=Pointed(0), **properties)
        self.handle = self.parameter_handle = host.handles.add(self)
        self.clips: dict[str, Clip] = {}
        self.clip_descriptors: dict[str, Properties] = {}
        self.parameters: dict[str, Parameter] = {}
        self.messages: list[tuple[str, str, str]] = []
        self.scale = 1.0
        self.abort_at = math.inf
        """Monotonic time from which on the host wants the plug-in to stop."""

    def define_clip(self, name: str) -> int:
        """Return the handle of a new clip descriptor's properties."""
        self.clip_descriptors[name] = Properties(self.host.handles, OfxImageEffectPropSupportedComponents=())
        return self.clip_descriptors[name].handle

    def define_parameter(self, kind: str, name: str) -> int:
        """Return the handle of a new parameter descriptor's properties."""
        assert name not in self.parameters
        self.parameters[name] = Parameter(self.host, kind, name)
        return self.parameters[name].properties.handle

    def asks_to_stop(self) -> int:
        """Whether the host wants the plug-in to stop."""
        return int(time.monotonic() >= self.abort_at)

    def set(self, **values: Any) -> None:
        """Set parameters; a choice by its option."""
        for name, value in values.items():
            parameter = self.parameters[name]
            if parameter.kind == "OfxParamTypeChoice":
                value = parameter.properties["OfxParamPropChoiceOption"].index(value)
            parameter.value = value

    def render(
        self, at: float, *, window: tuple[int, int, int, int] | None = None, field: str = "OfxFieldNone",
        size: tuple[int, int] | None = None, channels: int = 4, **arguments: Any,
    ) -> tuple[int, Pixels]:  # fmt: skip
        """Render one time; returns the status and the output's pixels, top-down. ``size`` is (width, height)."""
        frames = self.clips["Source"].frames
        if size is None:
            shape = next(iter(frames.values())).shape if not callable(frames) else frames(round(at)).shape  # type: ignore
            size, channels = (shape[1], shape[0]), shape[2]
        output = self.clips["Output"]
        written = Image(output, np.full((size[1], size[0], channels), np.nan, np.float32), "")
        output.rendering.output = written
        x, y = output.origin
        given = Properties(
            self.host.handles, OfxPropTime=float(at), OfxImageEffectPropFieldToRender=field,
            OfxImageEffectPropRenderWindow=window or (x, y, x + size[0], y + size[1]),
            OfxImageEffectPropRenderScale=(self.scale, self.scale), OfxImageEffectPropSequentialRenderStatus=0,
            OfxImageEffectPropInteractiveRenderStatus=0, **arguments,
        )  # fmt: skip
        status = self.host.act("OfxImageEffectActionRender", self, given)
        self.host.handles.drop(given.handle)
        output.rendering.output = None
        written.drop()
        assert written.is_guarded()
        return status, written.pixels()

    def press(self, name: str, at: float = 0.0, reason: str = "OfxChangeUserEdited") -> int:
        """Press a button, or report a changed control."""
        given = Properties(
            self.host.handles, OfxPropType="OfxTypeParameter", OfxPropName=name, OfxPropChangeReason=reason,
            OfxPropTime=float(at), OfxImageEffectPropRenderScale=(1.0, 1.0),
        )  # fmt: skip
        return self.host.act("OfxActionInstanceChanged", self, given)

    def frames_needed(self, at: float) -> list[float]:
        """Return the frame range of Source that a time needs."""
        given, answer = Properties(self.host.handles, OfxPropTime=float(at)), Properties(self.host.handles)
        assert self.host.act("OfxImageEffectActionGetFramesNeeded", self, given, answer) == OK
        return answer["OfxImageClipPropFrameRange_Source"]

    def destroy(self) -> None:
        """End it."""
        assert self.host.act("OfxActionDestroyInstance", self) == OK

    def texts(self, kind: str = "persistent") -> list[str]:
        """Return the messages that were posted in one way."""
        return [text for way, _, text in self.messages if way == kind]


class Host:
    """One host process's view of one copy of the plug-in."""

    def __init__(
        self, library: Path, *, name: str = "org.f2hdr.testhost", temporal: int | None = 1, messages: int = 2
    ) -> None:
        self.handles = Handles()
        self.problems: list[str] = []
        self.dialogs: list[str] = []
        self.open_images = 0
        self.properties = Properties(
            self.handles, OfxPropType="OfxTypeImageEffectHost", OfxPropName=name, OfxPropLabel=name,
            OfxPropVersionLabel="1", OfxImageEffectHostPropIsBackground=0, OfxImageEffectPropSupportsTiles=0,
            OfxImageEffectPropSupportsMultiResolution=0,
            **({} if temporal is None else {"OfxImageEffectPropTemporalClipAccess": temporal}),
        )  # fmt: skip
        self._suites = {
            (b"OfxPropertySuite", 1): suites.property_suite(self.handles, self.problems),
            (b"OfxImageEffectSuite", 1): suites.effect_suite(self.handles, self.problems),
            (b"OfxParameterSuite", 1): suites.parameter_suite(self.handles, self.problems),
        }
        for version in range(1, messages + 1):
            made = suites.message_suite(version, self._post, self.problems)
            self._suites[b"OfxMessageSuite", version] = made
        self._host = CHost(self.properties.handle, CHost._fields_[1][1](self._fetch_suite))
        self.library = c.CDLL(str(library))
        self.library.OfxGetPlugin.restype = c.POINTER(CPlugin)
        assert self.library.OfxGetNumberOfPlugins() == 1
        assert self.library.OfxSetHost(c.byref(self._host)) == OK
        self.plugin = self.library.OfxGetPlugin(0).contents
        self.plugin.set_host(c.addressof(self._host))
        assert self.act("OfxActionLoad") == OK

    def _fetch_suite(self, properties: int, name: bytes, version: int) -> int | None:
        found = self._suites.get((name, version))
        return None if found is None else c.addressof(found)

    def _post(self, way: str, effect: int, kind: str, text: str) -> None:
        self.handles.get(effect).messages.append((way, kind, text))
        if way == "message":
            self.dialogs.append(text)

    def act(
        self, action: str, effect: Effect | None = None, given: Properties | None = None,
        answer: Properties | None = None,
    ) -> int:  # fmt: skip
        """Send an action; a bug in this host's callbacks is raised here."""
        status: int = self.plugin.main_entry(
            action.encode(),
            None if effect is None else effect.handle,
            None if given is None else given.handle,
            None if answer is None else answer.handle,
        )
        assert not self.problems, self.problems[0]
        return status

    def describe(self, context: str = "OfxImageEffectContextFilter") -> tuple[Effect, Effect]:
        """Return the descriptor, and the one of a context."""
        lists: dict[str, Any] = {
            "OfxImageEffectPropSupportedContexts": (), "OfxImageEffectPropSupportedPixelDepths": (),
        }  # fmt: skip
        described = Effect(self, **lists)
        assert self.act("OfxActionDescribe", described) == OK
        within = Effect(self, **lists)
        given = Properties(self.handles, OfxImageEffectPropContext=context)
        assert self.act("OfxImageEffectActionDescribeInContext", within, given) == OK
        return described, within

    def create(self, context: str = "OfxImageEffectContextFilter", **values: Any) -> Effect:
        """Return a new instance with parameters at their defaults, or as given."""
        _, within = self.describe(context)
        effect = Effect(self, OfxImageEffectPropContext=context)
        effect.clips = {name: Clip(effect) for name in within.clip_descriptors}
        effect.parameters = within.parameters
        for parameter in effect.parameters.values():
            default = parameter.properties.get("OfxParamPropDefault", [None])
            parameter.value = default[0]
        effect.set(**values)
        assert self.act("OfxActionCreateInstance", effect) == OK
        return effect

    def unload(self) -> None:
        """End the plug-in."""
        assert self.act("OfxActionUnload") == OK
