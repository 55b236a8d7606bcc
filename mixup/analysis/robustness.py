"""How well a trained net keeps its accuracy under attack, and on deformed images."""

from __future__ import annotations

from copy import deepcopy
from math import isqrt
from typing import Annotated

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import AfterValidator, Field
from torch import Tensor
from torch.nn.functional import pad

from mixup.analysis.attacks import Net, fgsm, pgd
from mixup.analysis.deformations import rotate, shear, zoom
from mixup.data.dataset import Dataset
from mixup.errors import StudyError
from mixup.params import Section, unique
from mixup.training.config import Names
from mixup.training.run import Run, predict

# Numbers become part of metric names, without an exponent.
Radius = Annotated[float, Field(ge=1e-4, le=1)]
Steps = Annotated[int, Field(ge=1, le=10_000)]


class RobustnessConfig(Section):
    """Which runs are attacked, how hard, and which deformations they meet."""

    experiments: Names
    """Experiments on images, of which every run is measured."""
    radii: Annotated[list[Radius], Field(min_length=1), AfterValidator(unique)]
    """Radii of the L-infinity balls; pixels lie in 0..1."""
    restarts: Steps
    """Searches of PGD, each from a random point of the ball."""
    pgd_steps: Steps
    """Gradient steps of one search."""
    n_samples: Annotated[int, Field(ge=1, le=10**7)]
    """Test points measured, evenly spaced in the test split; all of it if it has fewer."""
    rotations: Annotated[list[Annotated[float, Field(ge=1e-3, le=180)]], AfterValidator(unique)]
    """Largest angles in degrees; each image turns by its own, uniform in -angle..angle."""
    shears: Annotated[list[Annotated[float, Field(ge=1e-3, le=89)]], AfterValidator(unique)]
    """Largest angles in degrees, drawn likewise."""
    zooms: Annotated[list[Annotated[float, Field(ge=1e-2, le=100)]], AfterValidator(unique)]
    """Shares of the image's width shown: below 1 zooms in, above 1 out."""


def robustness_measures(
    run: Run, transfer_from: Run | None, dataset: Dataset, config: RobustnessConfig
) -> dict[str, float]:
    """Measure a trained net on attacked and on deformed test images.

    Args:
        run: the trained run.
        transfer_from: the run whose adversarial examples ``run`` is also shown, of the same seed
            and so of the same test split; None leaves these measures out.
        dataset: the data set both were trained on, of square images of pixels.
        config: what to measure.

    Returns:
        The number of ``samples`` measured; accuracies in 0..1: ``clean_accuracy``, for every
        radius R (0.1 is written ``0_1``) ``fgsm_accuracy_R``, ``pgd_accuracy_R`` and
        ``transfer_fgsm_accuracy_R``, and ``rotation_accuracy_A``, ``shear_accuracy_A``,
        ``zoom_accuracy_F``. ``pgd_not_stronger_R`` is the share of samples that FGSM fools and
        PGD does not: a gradient that misleads the search ("masking"; Athalye, Carlini and Wagner
        2018), as one sign step is a point of the ball that PGD searches.

    Raises:
        StudyError: the data set holds no square images of pixels.

    Randomness: starting points and angles follow from the run's seed, so that the methods of a
    seed get the same.
    """
    side = isqrt(dataset.inputs.shape[1])
    if dataset.inputs.dtype != np.uint8 or side**2 != dataset.inputs.shape[1]:
        raise StudyError(
            f"robustness.experiments names {run.config.experiment}, "
            f"whose data set {run.config.data} holds no square images"
        )
    inputs, labels = _test_points(run, dataset, config.n_samples)
    clean = _accuracy(run, inputs, labels)
    measures = {"samples": float(len(labels)), "clean_accuracy": clean}
    measures |= _attacked(run, transfer_from, inputs, labels, config)
    return measures | _deformed(run, inputs.reshape(-1, side, side), labels, config)


def named(value: float) -> str:
    """Write a number as part of a metric's name: ``0_1`` for 0.1, ``20`` for 20.0."""
    return repr(float(value)).removesuffix(".0").replace(".", "_")


def _test_points(run: Run, dataset: Dataset, n: int) -> tuple[Tensor, Tensor]:
    """Choose points evenly: the bundled digits are in the order of their classes."""
    split = run.split(dataset)
    total = len(split.test_labels)
    chosen = torch.arange(min(n, total)) * total // min(n, total)
    return split.test_inputs[chosen], split.test_labels[chosen]


def _attacked(
    run: Run, transfer_from: Run | None, inputs: Tensor, labels: Tensor, config: RobustnessConfig
) -> dict[str, float]:
    inputs = inputs.double()
    net, source = _logits(run), _logits(transfer_from) if transfer_from else None
    measures: dict[str, float] = {}
    for radius in config.radii:
        generator = torch.Generator().manual_seed(run.config.seed)
        by_fgsm = _resists(net, fgsm(net, inputs, labels, radius), labels)
        examples = pgd(
            net,
            inputs,
            labels,
            radius,
            steps=config.pgd_steps,
            restarts=config.restarts,
            generator=generator,
        )
        by_pgd = _resists(net, examples, labels)
        measures[f"fgsm_accuracy_{named(radius)}"] = by_fgsm.mean()
        measures[f"pgd_accuracy_{named(radius)}"] = by_pgd.mean()
        measures[f"pgd_not_stronger_{named(radius)}"] = (by_pgd & ~by_fgsm).mean()
        if source:
            resists = _resists(net, fgsm(source, inputs, labels, radius), labels)
            measures[f"transfer_fgsm_accuracy_{named(radius)}"] = resists.mean()
    return {name: float(value) for name, value in measures.items()}


def _deformed(
    run: Run, images: Tensor, labels: Tensor, config: RobustnessConfig
) -> dict[str, float]:
    pixels = images.numpy()
    share = np.random.default_rng(run.config.seed).uniform(-1, 1, len(pixels))
    deformed = {
        **{f"rotation_accuracy_{named(a)}": rotate(pixels, a * share) for a in config.rotations},
        **{f"shear_accuracy_{named(a)}": shear(pixels, a * share) for a in config.shears},
        **{f"zoom_accuracy_{named(factor)}": zoom(pixels, factor) for factor in config.zooms},
    }
    return {
        name: _accuracy(run, torch.from_numpy(of_all).flatten(1), labels)
        for name, of_all in deformed.items()
    }


def _logits(run: Run) -> Net:
    """Return the net in float64, which keeps gradients of confident nets from vanishing."""
    net = deepcopy(run.net).double().eval()

    def logits(inputs: Tensor) -> Tensor:
        out: Tensor = net(inputs)
        # A net of two classes has the logit of the second.
        return pad(out, (1, 0)) if out.shape[1] == 1 else out

    return logits


@torch.no_grad()
def _resists(net: Net, examples: Tensor, labels: Tensor) -> NDArray[np.bool_]:
    resists: NDArray[np.bool_] = (net(examples).argmax(1) == labels).numpy()
    return resists


def _accuracy(run: Run, inputs: Tensor, labels: Tensor) -> float:
    return float((predict(run.net, inputs).argmax(1) == labels.numpy()).mean())
