"""Images turned, sheared and zoomed about their centre, to test nets on what they never saw."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.ndimage import affine_transform


def rotate(images: np.ndarray, degrees: ArrayLike) -> np.ndarray:
    """Turn each image counter-clockwise by its angle; what comes from outside is 0.

    Args:
        images: (N, H, W) floats.
        degrees: an angle, or (N,) of them.

    Returns:
        (N, H, W), linearly interpolated.
    """
    angle = np.deg2rad(np.broadcast_to(degrees, len(images)))
    cos, sin = np.cos(angle), np.sin(angle)
    return _transform(images, np.array([[cos, sin], [-sin, cos]]))


def shear(images: np.ndarray, degrees: ArrayLike) -> np.ndarray:
    """Move each row by ``tan(angle)`` columns to the right for every row it is below the centre.

    Args:
        images: (N, H, W) floats.
        degrees: an angle within -90..90, or (N,) of them.

    Returns:
        (N, H, W), linearly interpolated; what comes from outside is 0.
    """
    slope = np.tan(np.deg2rad(np.broadcast_to(degrees, len(images))))
    one, zero = np.ones(len(images)), np.zeros(len(images))
    return _transform(images, np.array([[one, zero], [-slope, one]]))


def zoom(images: np.ndarray, factor: float) -> np.ndarray:
    """Show ``factor`` times the width and height of the image: below 1 zooms in, above 1 out.

    Args:
        images: (N, H, W) floats.
        factor: > 0.

    Returns:
        (N, H, W), linearly interpolated; what comes from outside is 0.
    """
    one = np.ones(len(images))
    return _transform(images, np.array([[factor * one, 0 * one], [0 * one, factor * one]]))


def _transform(images: np.ndarray, matrices: np.ndarray) -> np.ndarray:
    """Show at each place what was at ``centre + matrix @ (place - centre)``.

    Args:
        images: (N, H, W).
        matrices: (2, 2, N), of (row, column).
    """
    centre = (np.array(images.shape[1:]) - 1) / 2
    return np.stack(
        [
            affine_transform(image, matrix, centre - matrix @ centre, order=1, mode="grid-constant")
            for image, matrix in zip(images, np.moveaxis(matrices, 2, 0), strict=True)
        ]
    )
