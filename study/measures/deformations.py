"""How well a net does on images turned, sheared and zoomed as it never saw them."""

from __future__ import annotations

from math import isqrt
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import affine_transform

from study.data.dataset import Dataset
from study.errors import StudyError
from study.measures.config import DeformationsConfig
from study.measures.measure import Measure, named
from study.seeds import Purpose, seed_sequence

if TYPE_CHECKING:
    from study.training.run import Run  # which imports torch

_DRAWN = ("deformations",)
MEASURES = [
    Measure("deformed_samples", "deformed images"),
    Measure("undeformed_accuracy", "accuracy on the deformed images as they are", better="more"),
    Measure(
        "rotation_accuracy",
        "accuracy on turned images, mean of all angles",
        better="more",
        seen_in=_DRAWN,
        said_in=_DRAWN,
    ),
    Measure(
        "shear_accuracy",
        "accuracy on sheared images, mean of all angles",
        better="more",
        seen_in=_DRAWN,
    ),
    Measure(
        "zoom_in_accuracy",
        "accuracy on images zoomed in, mean of all zooms",
        better="more",
        seen_in=_DRAWN,
    ),
    Measure(
        "zoom_out_accuracy",
        "accuracy on images zoomed out, mean of all zooms",
        better="more",
        seen_in=_DRAWN,
        said_in=_DRAWN,
    ),
    *(
        Measure(rf"{kind}_accuracy_([\d_]+)", words, better="more", seen_in=_DRAWN)
        for kind, words in {
            "rotation": "accuracy on images turned within ±{}°",
            "shear": "accuracy on images sheared within ±{}°",
            "zoom_in": "accuracy on images zoomed in to {} of the width",
            "zoom_out": "accuracy on images zoomed out to {} of the width",
        }.items()
    ),
]


def deformation_measures(
    run: Run, dataset: Dataset, config: DeformationsConfig
) -> dict[str, float]:
    """Measure a net's accuracy on test images turned, sheared and zoomed as none was in training.

    Args:
        run: the trained run.
        dataset: the square images of pixels it was trained on.
        config: the deformations.

    Returns:
        ``deformed_samples``, the test images deformed; accuracies on them in 0..1:
        ``undeformed_accuracy``; ``rotation_accuracy_A``, ``shear_accuracy_A``,
        ``zoom_in_accuracy_F`` and ``zoom_out_accuracy_F`` for each largest angle A in degrees and
        share F of the width; their means ``rotation_accuracy``, ``shear_accuracy``, ... Nothing
        without any deformation.

    Raises:
        StudyError: the data set holds no square images of pixels.

    Randomness: angles follow from the run's seed: the methods of a seed get the same.
    """
    side = check_images(run, dataset)
    if not (config.rotations or config.shears or config.zooms):
        return {}
    split = run.split(dataset)
    chosen = evenly(len(split.test_labels), config.n_samples)
    inputs, labels = split.test_inputs[chosen].numpy(), split.test_labels[chosen].numpy()
    pixels = inputs.reshape(-1, side, side)
    rng = np.random.default_rng(seed_sequence(run.config.seed, Purpose.DEFORMATIONS))
    share = rng.uniform(-1, 1, len(pixels))
    kinds = {
        "rotation": {angle: rotate(pixels, angle * share) for angle in config.rotations},
        "shear": {angle: shear(pixels, angle * share) for angle in config.shears},
        "zoom_in": {factor: zoom(pixels, factor) for factor in config.zooms if factor < 1},
        "zoom_out": {factor: zoom(pixels, factor) for factor in config.zooms if factor >= 1},
    }

    def accuracy(inputs: NDArray[np.float32]) -> float:
        return float((run.probabilities(inputs).argmax(1) == labels).mean())

    measures = {
        "deformed_samples": float(len(pixels)),
        "undeformed_accuracy": accuracy(inputs),
    }
    for kind, deformed in kinds.items():
        found = {
            f"{kind}_accuracy_{named(amount)}": accuracy(images.reshape(len(images), -1))
            for amount, images in deformed.items()
        }
        if found:
            measures |= {**found, f"{kind}_accuracy": sum(found.values()) / len(found)}
    return measures


def evenly(total: int, n: int) -> NDArray[np.int64]:
    """Choose n of ``total`` indices evenly: MNIST's bundled part is in the order of its classes."""
    return np.arange(min(n, total)) * total // min(n, total)


def check_images(run: Run, dataset: Dataset) -> int:
    """Give the side of the square images that a run was trained on.

    Raises:
        StudyError: the data are no such images.
    """
    side = isqrt(dataset.inputs.shape[1])
    if dataset.inputs.dtype != np.uint8 or side**2 != dataset.inputs.shape[1]:
        raise StudyError(
            f"robustness.experiments names {run.config.experiment}, "
            f"whose data set {run.config.data} holds no square images"
        )
    return side


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
