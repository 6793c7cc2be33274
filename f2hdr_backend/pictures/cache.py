"""Frames in memory, bounded in bytes: the least recently used ones are dropped."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, TypeVar

Value = TypeVar("Value")


class BoundedCache(Generic[Value]):
    """Values by key with a total size of at most ``limit`` bytes; thread-safe. A single value may exceed the limit."""

    def __init__(self, limit: int, size_of: Callable[[Value], int]) -> None:
        self._limit = limit
        self._size_of = size_of
        self._lock = Lock()
        self._values: OrderedDict[Hashable, Value] = OrderedDict()
        self._bytes = 0

    @property
    def bytes(self) -> int:
        """Total size of the values in bytes."""
        return self._bytes

    def get(self, key: Hashable) -> Value | None:
        """Return a value and mark it as the most recently used, or None."""
        with self._lock:
            found = self._values.get(key)
            if found is not None:
                self._values.move_to_end(key)
            return found

    def put(self, key: Hashable, value: Value) -> None:
        """Store a value, and drop the least recently used ones until the total is within the limit."""
        with self._lock:
            before = self._values.pop(key, None)
            if before is not None:
                self._bytes -= self._size_of(before)
            self._values[key] = value
            self._bytes += self._size_of(value)
            while self._bytes > self._limit and len(self._values) > 1:
                _, dropped = self._values.popitem(last=False)
                self._bytes -= self._size_of(dropped)

    def keys(self) -> list[Hashable]:
        """Return the keys, the least recently used first."""
        with self._lock:
            return list(self._values)

    def clear(self) -> None:
        """Drop everything."""
        with self._lock:
            self._values.clear()
            self._bytes = 0
