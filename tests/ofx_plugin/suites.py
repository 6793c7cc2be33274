"""The host's side of the OpenFX C ABI, for ``host.py``: property sets, and the suites as tables of callbacks.

Variadic functions are served with fixed signatures, which agrees with the calling conventions of x86-64 and of Linux on
arm64, and not with that of macOS on arm64.
"""

from __future__ import annotations

import ctypes as c
import itertools
import threading
import traceback
from collections.abc import Callable
from typing import Any

OK, FAILED, UNKNOWN, BAD_HANDLE, BAD_INDEX, BAD_VALUE, REPLY_DEFAULT = 0, 1, 3, 9, 10, 11, 14
IMAGE_FORMAT = 1000

Pointer, Text, Int, Double = c.c_void_p, c.c_char_p, c.c_int, c.c_double


class CHost(c.Structure):
    """OfxHost."""

    _fields_ = (("properties", Pointer), ("fetch_suite", c.CFUNCTYPE(Pointer, Pointer, Text, Int)))


class CPlugin(c.Structure):
    """OfxPlugin."""

    _fields_ = (
        ("api", Text),
        ("api_version", Int),
        ("identifier", Text),
        ("version_major", c.c_uint),
        ("version_minor", c.c_uint),
        ("set_host", c.CFUNCTYPE(None, Pointer)),
        ("main_entry", c.CFUNCTYPE(Int, Text, Pointer, Pointer, Pointer)),
    )


class Handles:
    """Handles for Python objects; a handle is never reused, so that a stale one is detected."""

    def __init__(self) -> None:
        self._objects: dict[int, Any] = {}
        self._next = itertools.count(0x1000, 16)
        self._lock = threading.Lock()

    def add(self, thing: Any) -> int:
        """Return a new handle of an object."""
        with self._lock:
            handle = next(self._next)
            self._objects[handle] = thing
        return handle

    def get(self, handle: int | None) -> Any:
        """Return the object; KeyError for a handle that is not in use."""
        return self._objects[handle or 0]

    def drop(self, handle: int) -> None:
        """Forget a handle."""
        with self._lock:
            del self._objects[handle]


class Pointed(int):
    """An address, as opposed to an int property."""


class Properties(dict[str, list[Any]]):
    """A property set: name to values of one type (int, float, str or Pointed)."""

    def __init__(self, handles: Handles, **values: Any) -> None:
        super().__init__({name: list(value) if isinstance(value, tuple) else [value] for name, value in values.items()})
        self.handle = handles.add(self)
        self._kept: dict[tuple[str, int, str], c.Array[c.c_char]] = {}

    def text_address(self, name: str, index: int) -> int:
        """Return the address of a text's bytes, which stay where they are."""
        key = (name, index, self[name][index])
        if key not in self._kept:
            self._kept[key] = c.create_string_buffer(key[2].encode())
        return c.addressof(self._kept[key])


def guarded(kind: Any, function: Callable[..., int], problems: list[str]) -> Any:
    """Return a callback of a function: an exception becomes a status, and bugs are collected in ``problems``."""

    def call(*arguments: Any) -> int:
        try:
            return function(*arguments)
        except KeyError:
            return UNKNOWN
        except IndexError:
            return BAD_INDEX
        except Exception:
            problems.append(traceback.format_exc())
            return FAILED

    return kind(call)


def table(callbacks: list[Any]) -> Any:
    """The suite whose entries are ``callbacks``; None is an entry that crashes when it is called."""
    suite = (Pointer * len(callbacks))(*[None if one is None else c.cast(one, Pointer) for one in callbacks])
    suite.kept = callbacks
    return suite


def property_suite(handles: Handles, problems: list[str]) -> Any:
    """OfxPropertySuite version 1; types are strict, as in real hosts."""

    def setter(kind: type, read: Callable[[Any], Any]) -> Callable[..., int]:
        def set_value(handle: int, name: bytes, index: int, value: Any) -> int:
            values = handles.get(handle).setdefault(name.decode(), [])
            if values and type(values[0]) is not kind:
                return BAD_VALUE
            if index > len(values):
                return BAD_INDEX
            values[index : index + 1] = [read(value)]
            return OK

        return set_value

    def getter(kind: type, cell: Any) -> Callable[..., int]:
        def get_value(handle: int, name: bytes, index: int, target: int) -> int:
            properties, key = handles.get(handle), name.decode()
            value = properties[key][index]
            if type(value) is not kind:
                return BAD_VALUE
            cell.from_address(target).value = properties.text_address(key, index) if kind is str else value
            return OK

        return get_value

    def dimension(handle: int, name: bytes, target: int) -> int:
        Int.from_address(target).value = len(handles.get(handle)[name.decode()])
        return OK

    def bind(function: Callable[..., int], *kinds: Any) -> Any:
        return guarded(c.CFUNCTYPE(Int, Pointer, Text, *kinds), function, problems)

    entries: list[Any] = [
        bind(setter(Pointed, lambda value: Pointed(value or 0)), Int, Pointer),
        bind(setter(str, bytes.decode), Int, Text),
        bind(setter(float, float), Int, Double),
        bind(setter(int, int), Int, Int),
        *[None] * 4,
        bind(getter(Pointed, Pointer), Int, Pointer),
        bind(getter(str, Pointer), Int, Pointer),
        bind(getter(float, Double), Int, Pointer),
        bind(getter(int, Int), Int, Pointer),
        *[None] * 5,
        bind(dimension, Pointer),
    ]
    return table(entries)


def effect_suite(handles: Handles, problems: list[str]) -> Any:
    """OfxImageEffectSuite version 1, over objects with the members that ``host.Effect`` and ``host.Clip`` have."""

    def write(target: int | None, value: int) -> int:
        if target:
            Pointer.from_address(target).value = value
        return OK

    def get_clip(effect: int, name: bytes, clip: int, properties: int | None) -> int:
        found = handles.get(effect).clips[name.decode()]
        write(properties, found.properties.handle)
        return write(clip, found.handle)

    def get_image(clip: int, time: float, region: int | None, target: int) -> int:
        image = handles.get(clip).image(time)
        return FAILED if image is None else write(target, image.handle)

    def bind(function: Callable[..., int], *kinds: Any) -> Any:
        return guarded(c.CFUNCTYPE(Int, Pointer, *kinds), function, problems)

    entries: list[Any] = [
        bind(lambda effect, target: write(target, handles.get(effect).properties.handle), Pointer),
        bind(lambda effect, target: write(target, handles.get(effect).parameter_handle), Pointer),
        bind(lambda effect, name, target: write(target, handles.get(effect).define_clip(name.decode())), Text, Pointer),
        bind(get_clip, Text, Pointer, Pointer),
        bind(lambda clip, target: write(target, handles.get(clip).properties.handle), Pointer),
        bind(get_image, Double, Pointer, Pointer),
        bind(lambda image: handles.get(image).release()),
        None,
        bind(lambda effect: handles.get(effect).asks_to_stop()),
        *[None] * 4,
    ]
    return table(entries)


def parameter_suite(handles: Handles, problems: list[str]) -> Any:
    """OfxParameterSuite version 1, over ``host.Parameter``."""

    def define(parameters: int, kind: bytes, name: bytes, target: int) -> int:
        Pointer.from_address(target).value = handles.get(parameters).define_parameter(kind.decode(), name.decode())
        return OK

    def get(parameters: int, name: bytes, target: int, properties: int | None) -> int:
        found = handles.get(parameters).parameters[name.decode()]
        Pointer.from_address(target).value = found.handle
        return OK

    def read(parameter: int, target: int) -> int:
        found = handles.get(parameter)
        if found.kind == "OfxParamTypeString":
            Pointer.from_address(target).value = found.text_address()
        elif found.kind == "OfxParamTypeDouble":
            Double.from_address(target).value = found.value
        else:
            Int.from_address(target).value = found.value
        return OK

    def write(parameter: int, whole: int | None, real: float) -> int:
        found = handles.get(parameter)
        if found.kind == "OfxParamTypeString":
            found.value = c.string_at(whole or 0).decode()
        else:
            found.value = real if found.kind == "OfxParamTypeDouble" else c.c_int(whole or 0).value
        return OK

    def bind(function: Callable[..., int], *kinds: Any) -> Any:
        return guarded(c.CFUNCTYPE(Int, Pointer, *kinds), function, problems)

    entries: list[Any] = [
        bind(define, Text, Text, Pointer),
        bind(get, Text, Pointer, Pointer),
        None,
        None,
        bind(read, Pointer),
        bind(lambda parameter, time, target: read(parameter, target), Double, Pointer),
        None,
        None,
        bind(write, Pointer, Double),
        *[None] * 9,
    ]
    return table(entries)


def message_suite(version: int, post: Callable[[str, int, str, str], None], problems: list[str]) -> Any:
    """OfxMessageSuite; ``post`` gets which function was called, the effect, the type and the text."""

    def bind(name: str) -> Any:
        def call(effect: int, kind: bytes, key: bytes, form: bytes, text: bytes) -> int:
            assert form == b"%s"
            post(name, effect, kind.decode(), text.decode())
            return OK

        return guarded(c.CFUNCTYPE(Int, Pointer, Text, Text, Text, Text), call, problems)

    def clear(effect: int) -> int:
        post("clear", effect, "", "")
        return OK

    if version == 1:
        return table([bind("message")])
    return table([bind("message"), bind("persistent"), guarded(c.CFUNCTYPE(Int, Pointer), clear, problems)])
