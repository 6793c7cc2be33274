"""Conversions in bands, and which of them have primaries of their own."""

import numpy as np
import PyOpenColorIO as ocio

from f2hdr_backend.color.conversion import Transform, matrix_step, power_step, primaries_of, table_step

MATRIX = np.array([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.05, 0.05, 0.9]])


def transform(*steps):
    group = ocio.GroupTransform()
    for step in steps:
        group.appendTransform(step)
    return Transform("x", ocio.Config.CreateRaw().getProcessor(group).getDefaultCPUProcessor())


def test_bands_equal_the_whole_picture_for_any_height_and_memory_order():
    pixels = np.random.default_rng(1).normal(0, 2, (70, 9, 3))
    converted = transform(matrix_step(MATRIX)).apply(np.asfortranarray(pixels))
    assert converted.dtype == np.float32
    assert np.allclose(converted, pixels @ MATRIX.T, atol=1e-5)


def test_a_power_mirrors_negative_values():
    colors = transform(power_step(2.0)).colors(np.array([[0.5, -0.5, 2.0]]))
    assert np.allclose(colors, [[0.25, -0.25, 4.0]], rtol=1e-3)


def test_a_table_is_linear_between_its_values():
    curves = np.stack([np.linspace(0, 1, 5) ** power for power in (1, 2, 3)], axis=-1)
    colors = transform(table_step(curves)).colors(np.array([[0.375] * 3]))
    assert np.allclose(colors, [[(a + b) / 2 for a, b in zip(curves[1], curves[2], strict=True)]], atol=1e-6)


def test_primaries_of_a_curve_and_a_matrix_are_those_of_the_matrix():
    found = primaries_of(transform(power_step(2.4), matrix_step(3 * MATRIX)))
    assert np.allclose(found, MATRIX / MATRIX.sum(1).mean(), atol=1e-4)


def test_a_matrix_before_the_curve_gives_no_primaries():
    assert primaries_of(transform(matrix_step(MATRIX), power_step(2.4), matrix_step(MATRIX))) is None
    assert primaries_of(transform(matrix_step(np.zeros((3, 3))))) is None
