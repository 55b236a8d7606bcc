"""How well a trained net keeps its accuracy under attack, and on deformed images."""

from __future__ import annotations

from copy import deepcopy
from math import isqrt

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import cross_entropy, pad

from mixup.study.data.dataset import Dataset
from mixup.study.errors import StudyError
from mixup.study.measures.attacks import Net, fgsm, pgd
from mixup.study.measures.deformations import rotate, shear, zoom
from mixup.study.measures.robustness_config import AttacksConfig, DeformationsConfig
from mixup.study.training.run import Run, predict


def attack_measures(
    run: Run, baseline: Run | None, dataset: Dataset, config: AttacksConfig
) -> dict[str, float]:
    """Measure what accuracy attacks leave a net, and whether they can be trusted.

    An attack that fails because gradients mislead it ("masking": Athalye, Carlini and Wagner
    2018) looks like a robust net. So PGD is compared with other points of the same ball.

    Args:
        run: the trained run.
        baseline: the run whose FGSM examples ``run`` is also shown, of the same seed and so of
            the same test split; None leaves these measures out.
        dataset: the pixels both were trained on.
        config: how hard to attack.

    Returns:
        ``attacked_samples``, a number; shares of these samples in 0..1: ``unattacked_accuracy``
        and for every radius R (0.1 is written ``0_1``)

        - ``fgsm_accuracy_R``, ``pgd_accuracy_R`` of all searches together, and
          ``transfer_fgsm_accuracy_R`` under FGSM examples of the baseline;
        - ``pgd_missed_R``, fooled by the other two examples and not by PGD;
        - ``pgd_restart_gain_R``, fooled by PGD, but not by its first search;
        - ``pgd_loss_R``, no share but the mean loss in nats where PGD's first search ended.

    Raises:
        StudyError: the data set holds no pixels.

    Randomness: starting points follow from the run's seed: the methods of a seed get the same.
    """
    _check_images(run, dataset)
    split = run.split(dataset)
    chosen = _evenly(len(split.test_labels), config.n_samples)
    inputs, labels = split.test_inputs[chosen].double(), split.test_labels[chosen]
    net, source = _logits(run), _logits(baseline) if baseline else None
    measures = {
        "attacked_samples": float(len(labels)),
        "unattacked_accuracy": _resists(net, inputs, labels).mean(),
    }
    for radius in config.radii:
        generator = torch.Generator().manual_seed(run.config.seed)
        resists = _resists(net, fgsm(net, inputs, labels, radius), labels)
        known = resists
        if source:
            by_transfer = _resists(net, fgsm(source, inputs, labels, radius), labels)
            measures[f"transfer_fgsm_accuracy_{named(radius)}"] = by_transfer.mean()
            known = resists & by_transfer
        first, by_first, by_pgd = _searched(net, inputs, labels, radius, config, generator)
        with torch.no_grad():
            loss = cross_entropy(net(first), labels)
        measures |= {
            f"fgsm_accuracy_{named(radius)}": resists.mean(),
            f"pgd_accuracy_{named(radius)}": by_pgd.mean(),
            f"pgd_missed_{named(radius)}": (by_pgd & ~known).mean(),
            f"pgd_restart_gain_{named(radius)}": by_first.mean() - by_pgd.mean(),
            f"pgd_loss_{named(radius)}": loss,
        }
    return {name: float(value) for name, value in measures.items()}


def deformation_measures(
    run: Run, dataset: Dataset, config: DeformationsConfig
) -> dict[str, float]:
    """Measure a net's accuracy on test images turned, sheared and zoomed as none was in training.

    Args:
        run: the trained run.
        dataset: the square images of pixels it was trained on.
        config: the deformations.

    Returns:
        ``deformed_samples``, the size of the test split; accuracies on it in 0..1:
        ``undeformed_accuracy``; ``rotation_accuracy_A``, ``shear_accuracy_A``,
        ``zoom_in_accuracy_F`` and ``zoom_out_accuracy_F`` for each largest angle A in degrees and
        share F of the width; their means ``rotation_accuracy``, ``shear_accuracy``, ... Nothing
        without any deformation.

    Raises:
        StudyError: the data set holds no square images of pixels.

    Randomness: angles follow from the run's seed: the methods of a seed get the same.
    """
    side = _check_images(run, dataset)
    if not (config.rotations or config.shears or config.zooms):
        return {}
    split = run.split(dataset)
    pixels = split.test_inputs.reshape(-1, side, side).numpy()
    share = np.random.default_rng(run.config.seed).uniform(-1, 1, len(pixels))
    kinds = {
        "rotation": {angle: rotate(pixels, angle * share) for angle in config.rotations},
        "shear": {angle: shear(pixels, angle * share) for angle in config.shears},
        "zoom_in": {factor: zoom(pixels, factor) for factor in config.zooms if factor < 1},
        "zoom_out": {factor: zoom(pixels, factor) for factor in config.zooms if factor >= 1},
    }

    def accuracy(inputs: Tensor) -> float:
        return float((predict(run.net, inputs).argmax(1) == split.test_labels.numpy()).mean())

    measures = {
        "deformed_samples": float(len(pixels)),
        "undeformed_accuracy": accuracy(split.test_inputs),
    }
    for kind, deformed in kinds.items():
        found = {
            f"{kind}_accuracy_{named(amount)}": accuracy(torch.from_numpy(images).flatten(1))
            for amount, images in deformed.items()
        }
        if found:
            measures |= {**found, f"{kind}_accuracy": sum(found.values()) / len(found)}
    return measures


def named(value: float) -> str:
    """Write a number as part of a metric's name: ``0_1`` for 0.1, ``20`` for 20.0."""
    return repr(float(value)).removesuffix(".0").replace(".", "_")


def _check_images(run: Run, dataset: Dataset) -> int:
    side = isqrt(dataset.inputs.shape[1])
    if dataset.inputs.dtype != np.uint8 or side**2 != dataset.inputs.shape[1]:
        raise StudyError(
            f"robustness.experiments names {run.config.experiment}, "
            f"whose data set {run.config.data} holds no square images"
        )
    return side


def _evenly(total: int, n: int) -> Tensor:
    """Choose n of ``total`` indices evenly: MNIST's bundled part is in the order of its classes."""
    return torch.arange(min(n, total)) * total // min(n, total)


def _searched(
    net: Net,
    inputs: Tensor,
    labels: Tensor,
    radius: float,
    config: AttacksConfig,
    generator: torch.Generator,
) -> tuple[Tensor, NDArray[np.bool_], NDArray[np.bool_]]:
    """Search with PGD once, and once more and more where that fooled nobody.

    Returns:
        The examples of the first search; which samples resist it; which resist all searches.
    """

    def search(left: NDArray[np.bool_], restarts: int) -> Tensor:
        return pgd(
            net,
            inputs[left],
            labels[left],
            radius,
            steps=config.pgd_steps,
            restarts=restarts,
            generator=generator,
        )

    first = search(np.ones(len(labels), dtype=bool), 1)
    by_first = _resists(net, first, labels)
    by_all = by_first.copy()
    if config.pgd_searches > 1 and by_first.any():
        by_all[by_first] = _resists(
            net, search(by_first, config.pgd_searches - 1), labels[by_first]
        )
    return first, by_first, by_all


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
