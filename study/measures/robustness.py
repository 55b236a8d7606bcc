"""How well a trained net keeps its accuracy under attack."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from study.data.dataset import Dataset
from study.measures.config import AttacksConfig
from study.measures.deformations import check_images, evenly
from study.measures.measure import Measure, named

if TYPE_CHECKING:
    from study.training.run import Run  # which imports torch

_DRAWN = ("attacks",)
ATTACKS = {
    "fgsm": "FGSM, one step",
    "pgd": "PGD, many steps",
    "transfer_fgsm": "FGSM examples made for the baseline",
}
MEASURES = [
    Measure("attacked_samples", "attacked images"),
    Measure("unattacked_accuracy", "accuracy on the attacked images as they are", better="more"),
    Measure(
        r"fgsm_accuracy_([\d_]+)",
        "accuracy under FGSM of radius {}",
        better="more",
        seen_in=_DRAWN,
        said_in=_DRAWN,
    ),
    Measure(
        r"pgd_accuracy_([\d_]+)",
        "accuracy under PGD of radius {}",
        better="more",
        seen_in=_DRAWN,
        said_in=_DRAWN,
    ),
    Measure(
        r"transfer_fgsm_accuracy_([\d_]+)",
        "accuracy on the baseline's FGSM examples of radius {}",
        better="more",
        seen_in=_DRAWN,
    ),
    Measure(r"pgd_missed_([\d_]+)", "share that PGD of radius {} misses"),
    Measure(r"pgd_restart_gain_([\d_]+)", "share that only restarts of PGD of radius {} find"),
    Measure(r"pgd_loss_([\d_]+)", "loss under PGD of radius {}", "nats"),
]


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
    from study.measures.attacks import fgsm, logits_of, mean_loss, pgd, resists, search, seeded

    check_images(run, dataset)
    split = run.split(dataset)
    chosen = evenly(len(split.test_labels), config.n_samples)
    inputs, labels = split.test_inputs[chosen].double(), split.test_labels[chosen]
    net, source = logits_of(run.net), logits_of(baseline.net) if baseline else None
    measures = {
        "attacked_samples": float(len(labels)),
        "unattacked_accuracy": resists(net, inputs, labels).mean(),
    }
    for radius in config.radii:
        generator = seeded(run.config.seed)
        by_fgsm = known = resists(net, fgsm(net, inputs, labels, radius), labels)
        if source:
            by_transfer = resists(net, fgsm(source, inputs, labels, radius), labels)
            measures[f"transfer_fgsm_accuracy_{named(radius)}"] = by_transfer.mean()
            known = by_fgsm & by_transfer
        attack = partial(pgd, net, radius=radius, steps=config.pgd_steps, generator=generator)
        first, by_first, by_pgd = search(attack, net, inputs, labels, config.pgd_searches)
        measures |= {
            f"fgsm_accuracy_{named(radius)}": by_fgsm.mean(),
            f"pgd_accuracy_{named(radius)}": by_pgd.mean(),
            f"pgd_missed_{named(radius)}": (by_pgd & ~known).mean(),
            f"pgd_restart_gain_{named(radius)}": by_first.mean() - by_pgd.mean(),
            f"pgd_loss_{named(radius)}": mean_loss(net, first, labels),
        }
    return {name: float(value) for name, value in measures.items()}
