"""Solids for ray casting: spheres, boxes with rounded edges and cylinders, translated and rotated.

Points and directions are ``(3, N)`` float32: x right, y up, z away from the camera, in meters.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from f2hdr_backend.image.arrays import FloatArray

NEAREST = np.float32(1e-3)
"""Closer intersections are ignored, because they are the surface on which a ray starts."""


@dataclass(frozen=True)
class Surface:
    """Surface properties at some points."""

    albedo: FloatArray
    """``(3, N)``, or ``(3, 1)`` if constant."""
    gloss: float = 0.04
    """Reflectance at normal incidence; 1 is a mirror."""
    polish: float = 40.0
    """Sharpness of highlights (Blinn's exponent)."""


class Shape(Protocol):
    """A shape around the origin of its local coordinates."""

    @property
    def reach(self) -> float:
        """Radius of a bounding sphere around the origin."""
        ...

    def distance(self, origin: FloatArray, direction: FloatArray) -> FloatArray:
        """``(N,)`` distance along each ray; infinite if there is no intersection."""
        ...

    def normal(self, point: FloatArray) -> FloatArray:
        """``(3, N)`` unit normals at points on its surface."""
        ...


@dataclass(frozen=True)
class Sphere:
    """A ball."""

    radius: float

    @property
    def reach(self) -> float:
        """See :class:`Shape`."""
        return self.radius

    def distance(self, origin: FloatArray, direction: FloatArray) -> FloatArray:
        """See :class:`Shape`."""
        along = dot(origin, direction)
        inside = along * along - dot(origin, origin) + np.float32(self.radius**2)
        near = -along - np.sqrt(np.maximum(inside, 0))
        return np.where((inside > 0) & (near > NEAREST), near, np.float32(np.inf))

    def normal(self, point: FloatArray) -> FloatArray:
        """See :class:`Shape`."""
        return unit(point)


@dataclass(frozen=True)
class Box:
    """A box whose edges are shaded as if they were rounded."""

    half: tuple[float, float, float]
    """Half its width, height and depth."""
    edge: float = 0.006
    """Radius of the rounding."""

    @property
    def reach(self) -> float:
        """See :class:`Shape`."""
        return math.hypot(*self.half)

    def distance(self, origin: FloatArray, direction: FloatArray) -> FloatArray:
        """See :class:`Shape`."""
        inverse = 1 / np.where(np.abs(direction) < 1e-9, np.float32(1e-9), direction)
        middle, extent = -origin * inverse, np.abs(inverse) * self._half()
        near, far = (middle - extent).max(0), (middle + extent).min(0)
        return np.where((near < far) & (near > NEAREST), near, np.float32(np.inf))

    def normal(self, point: FloatArray) -> FloatArray:
        """See :class:`Shape`."""
        beyond = np.maximum(np.abs(point) - (self._half() - np.float32(self.edge)), 0)
        return unit(beyond * np.sign(point))

    def _half(self) -> FloatArray:
        return np.array(self.half, np.float32)[:, None]


@dataclass(frozen=True)
class Cylinder:
    """A disc or a rod along its own z axis."""

    radius: float
    half_length: float

    @property
    def reach(self) -> float:
        """See :class:`Shape`."""
        return math.hypot(self.radius, self.half_length)

    def distance(self, origin: FloatArray, direction: FloatArray) -> FloatArray:
        """See :class:`Shape`."""
        across = np.maximum(dot(direction[:2], direction[:2]), 1e-12)
        along = dot(origin[:2], direction[:2]) / across
        inside = along * along - (dot(origin[:2], origin[:2]) - np.float32(self.radius**2)) / across
        root = np.sqrt(np.maximum(inside, 0))
        deep = 1 / np.where(np.abs(direction[2]) < 1e-9, np.float32(1e-9), direction[2])
        middle, extent = -origin[2] * deep, np.abs(deep) * np.float32(self.half_length)
        near, far = np.maximum(-along - root, middle - extent), np.minimum(root - along, middle + extent)
        return np.where((inside > 0) & (near < far) & (near > NEAREST), near, np.float32(np.inf))

    def normal(self, point: FloatArray) -> FloatArray:
        """See :class:`Shape`."""
        face = np.abs(point[2]) > self.half_length - 1e-4
        side = unit(np.stack([point[0], point[1], np.zeros_like(point[2])]))
        return np.where(face, np.stack([0 * point[0], 0 * point[1], np.sign(point[2])]), side)


@dataclass(frozen=True)
class Fence:
    """Thin vertical bars and a rail on top, in the plane z = 0."""

    spacing: float
    """Distance between bars; one is at x = 0."""
    half_bar: float
    half_rail: float
    half_height: float
    half_length: float

    @property
    def reach(self) -> float:
        """See :class:`Shape`."""
        return math.hypot(self.half_length, self.half_height)

    def distance(self, origin: FloatArray, direction: FloatArray) -> FloatArray:
        """See :class:`Shape`."""
        far = -origin[2] / np.where(np.abs(direction[2]) < 1e-9, np.float32(1e-9), direction[2])
        x, y = origin[0] + far * direction[0], origin[1] + far * direction[1]
        bar = np.abs(self._beside(x)) < self.half_bar
        rail = y > self.half_height - 2 * self.half_rail
        inside = (np.abs(y) < self.half_height) & (np.abs(x) < self.half_length)
        return np.where((bar | rail) & inside & (far > NEAREST), far, np.float32(np.inf))

    def normal(self, point: FloatArray) -> FloatArray:
        """See :class:`Shape`; as if bars and rail were round."""
        up = (point[1] - np.float32(self.half_height - self.half_rail)) / np.float32(self.half_rail)
        rail = np.abs(up) <= 1
        across = np.where(rail, 0, self._beside(point[0]) / np.float32(self.half_bar))
        up = np.where(rail, up, 0)
        return unit(np.stack([across, up, -np.sqrt(np.maximum(1 - across * across - up * up, 0.01))]))

    def _beside(self, x: FloatArray) -> FloatArray:
        """Distance to the nearest bar, positive to the right."""
        spacing = np.float32(self.spacing)
        return np.asarray(x - spacing * np.rint(x / spacing), np.float32)


@dataclass(frozen=True)
class Solid:
    """A shape with a position, a rotation and surface properties."""

    shape: Shape
    center: tuple[float, float, float]
    paint: Callable[[FloatArray], Surface]
    """Returns surface properties at ``(3, N)`` points in its own coordinates."""
    turn: FloatArray = field(default_factory=lambda: np.eye(3, dtype=np.float32))
    """3 x 3 rotation from world axes to its own axes."""

    def distance(self, origin: FloatArray, direction: FloatArray) -> FloatArray:
        """``(N,)`` distance along rays from ``(3, N)`` or ``(3, 1)`` origins; infinite if there is no intersection."""
        away = self._from_center(origin)
        along = dot(away, direction)
        beside = dot(away, away) - along * along
        found = np.full(direction.shape[1], np.inf, np.float32)
        near = np.flatnonzero(beside < self.shape.reach**2)
        if near.size:
            starts = np.broadcast_to(away, direction.shape)[:, near]
            found[near] = self.shape.distance(self.turn @ starts, self.turn @ direction[:, near])
        return found

    def look(self, point: FloatArray) -> tuple[FloatArray, Surface]:
        """Return unit normals ``(3, N)`` and surface properties at points on its surface."""
        own = self.turn @ self._from_center(point)
        return self.turn.T @ self.shape.normal(own), self.paint(own)

    def _from_center(self, point: FloatArray) -> FloatArray:
        return point - np.array(self.center, np.float32)[:, None]


def occlusion(center: tuple[float, float, float], radius: float, point: FloatArray, normal: FloatArray) -> FloatArray:
    """``(N,)`` share of the ambient light, weighted by the cosine, that a sphere occludes."""
    away = np.array(center, np.float32)[:, None] - point
    squared = np.maximum(dot(away, away), 1e-6)
    cosine = dot(normal, away) / np.sqrt(squared)
    return np.maximum(cosine, 0) * np.minimum(np.float32(radius * radius) / squared, 1)


def nearest(
    solids: tuple[Solid, ...], origin: FloatArray, direction: FloatArray
) -> tuple[FloatArray, NDArray[np.int8]]:
    """Distance ``(N,)`` to the first solid on each ray and its index; infinite and -1 if there is none."""
    closest = np.full(direction.shape[1], np.inf, np.float32)
    which = np.full(direction.shape[1], -1, np.int8)
    for index, solid in enumerate(solids):
        found = solid.distance(origin, direction)
        nearer = found < closest
        closest[nearer] = found[nearer]
        which[nearer] = index
    return closest, which


def rotation(angle: float, axis: int) -> NDArray[np.float32]:
    """3 x 3 matrix to coordinates that are rotated by ``angle`` radians about axis 0, 1 or 2."""
    cosine, sine = math.cos(angle), math.sin(angle)
    matrix = np.eye(3, dtype=np.float32)
    first, second = (axis + 1) % 3, (axis + 2) % 3
    matrix[first, first] = matrix[second, second] = cosine
    matrix[first, second], matrix[second, first] = sine, -sine
    return matrix


def color(red: float, green: float, blue: float) -> FloatArray:
    """``(3, 1)`` float32."""
    return np.array([[red], [green], [blue]], np.float32)


def dot(first: FloatArray, second: FloatArray) -> FloatArray:
    """``(N,)`` inner products of ``(C, N)`` vectors."""
    return np.asarray(np.einsum("cn,cn->n", *np.broadcast_arrays(first, second)), np.float32)


def unit(vector: FloatArray) -> FloatArray:
    """``(3, N)`` vectors of length 1."""
    return np.asarray(vector / np.sqrt(np.maximum(dot(vector, vector), 1e-20)), np.float32)
