"""Deformations where the result is known exactly."""

import numpy as np
import pytest

from mixup.analysis.deformations import rotate, shear, zoom


@pytest.fixture
def images() -> np.ndarray:
    return np.random.default_rng(0).random((3, 28, 28)).astype(np.float32)


@pytest.mark.parametrize("turns", [-1, 0, 1, 2, 3])
def test_right_angles_equal_rot90(images, turns) -> None:
    expected = np.rot90(images, turns, axes=(1, 2))
    np.testing.assert_allclose(rotate(images, 90.0 * turns), expected, atol=1e-5)


def test_each_image_has_its_own_angle(images) -> None:
    turned = rotate(images, [0, 90, 180])
    for i in range(3):
        np.testing.assert_allclose(turned[i], np.rot90(images[i], i), atol=1e-5)


def test_zoom_1_is_the_identity(images) -> None:
    np.testing.assert_allclose(zoom(images, 1.0), images, atol=1e-6)


def test_zooms_by_2_show_what_they_must() -> None:
    middle = np.zeros((1, 28, 28))
    middle[:, 7:21, 7:21] = 1
    out = zoom(np.ones((1, 28, 28)), 2.0)
    np.testing.assert_allclose(out[:, 7:21, 7:21], 1)
    assert out[:, :6].max() == out[:, -6:].max() == out[:, :, :6].max() == 0
    np.testing.assert_allclose(zoom(middle, 0.5)[:, 1:27, 1:27], 1)


def test_shear_moves_a_row_by_its_height_times_the_tangent() -> None:
    size = 29  # rows at whole numbers from the centre, row 14
    images = np.zeros((1, size, size))
    images[:, :, 14] = 1
    sheared = shear(images, 45.0)[0]
    np.testing.assert_allclose(sheared, np.eye(size), atol=1e-6)
    half = shear(images, np.degrees(np.arctan(0.5)))[0]
    assert half.argmax(axis=1)[[4, 14, 24]].tolist() == [9, 14, 19]


def test_outside_is_zero(images) -> None:
    assert rotate(images + 1, 45.0)[:, 0, 0].max() == 0
    assert rotate(images + 1, 45.0)[:, 14, 14].min() > 0.5
