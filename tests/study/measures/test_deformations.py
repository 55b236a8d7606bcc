"""Deformations where the result is known exactly."""

import numpy as np
import pytest
from scipy import ndimage

from study.measures.deformations import rotate, shear, zoom


@pytest.fixture
def images() -> np.ndarray:
    return np.random.default_rng(0).random((3, 28, 28)).astype(np.float32)


@pytest.mark.parametrize("turns", [-1, 0, 1, 2, 3])
def test_right_angles_equal_rot90(images, turns) -> None:
    expected = np.rot90(images, turns, axes=(1, 2))
    np.testing.assert_allclose(rotate(images, 90.0 * turns), expected, atol=1e-5)


def test_a_full_turn_and_no_shear_are_identities(images) -> None:
    np.testing.assert_allclose(rotate(images, 360.0), images, atol=1e-5)
    np.testing.assert_allclose(shear(images, 0.0), images, atol=1e-6)


@pytest.mark.parametrize("degrees", [-57.0, 20.0, 33.0])
def test_any_angle_equals_scipys_rotation(images, degrees) -> None:
    expected = ndimage.rotate(
        images, degrees, axes=(2, 1), reshape=False, order=1, mode="grid-constant"
    )
    np.testing.assert_allclose(rotate(images, degrees), expected, atol=1e-4)


@pytest.mark.parametrize("factor", [0.6, 1.8])
def test_any_zoom_equals_bilinear_interpolation_at_the_scaled_places(images, factor) -> None:
    rows, columns = np.mgrid[:28, :28] - 13.5
    padded = np.pad(images[0], 1)
    row, column = (np.clip(factor * at + 13.5 + 1, 0, 28.999) for at in (rows, columns))
    i, j = row.astype(int), column.astype(int)
    v, u = row - i, column - j
    expected = (1 - v) * ((1 - u) * padded[i, j] + u * padded[i, j + 1])
    expected += v * ((1 - u) * padded[i + 1, j] + u * padded[i + 1, j + 1])
    np.testing.assert_allclose(zoom(images[:1], factor)[0], expected, atol=2e-3)


def test_a_zoom_out_and_back_in_keeps_a_smooth_middle() -> None:
    smooth = np.outer(np.hanning(28), np.hanning(28))[None]
    back = zoom(zoom(smooth, 1.6), 1 / 1.6)
    np.testing.assert_allclose(back[0, 6:-6, 6:-6], smooth[0, 6:-6, 6:-6], atol=0.05)


def test_shears_there_and_back_cancel() -> None:
    smooth = np.outer(np.hanning(28), np.hanning(28))[None]
    assert np.abs(shear(smooth, 30.0) - smooth).max() > 0.2
    back = shear(shear(smooth, 30.0), -30.0)
    np.testing.assert_allclose(back[0, 6:-6], smooth[0, 6:-6], atol=0.06)


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
