"""The kinds of figures that the study draws, by the first words of their files' names."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from typing import NamedTuple


class Kind(NamedTuple):
    """What all figures of a kind have in common."""

    title: str
    alt: str
    """What a picture shows, for who cannot see it."""
    said: tuple[str, ...] = ()
    """Patterns of the metrics that captions are of; of each, the first one asked about."""
    seen: str = ""
    """Pattern of the other metrics that can be seen in the figure."""

    def shows(self, metric: str) -> bool:
        """Whether a metric can be seen in figures of this kind."""
        return any(re.fullmatch(pattern, metric) for pattern in (*self.said, self.seen))

    def caption_metrics(self, measured: Iterable[str], asked: Collection[str]) -> list[str]:
        """Choose two of the metrics measured, those first that a claim asks about."""
        names = sorted(measured, key=lambda metric: metric not in asked)
        chosen = (
            next((name for name in names if re.fullmatch(pattern, name)), None)
            for pattern in self.said
        )
        return [name for name in chosen if name][:2]


KINDS = {
    "boundaries": Kind(
        "predictions over the plane",
        "Maps of the predicted probability over the plane with the training points, "
        "a panel for each method and seed",
        ("low_confidence_area",),
    ),
    "hidden": Kind(
        "input and hidden space",
        "Maps of the predicted probability over the inputs and, below, over the two bottleneck "
        "units, with the training points, a column for each method",
        ("hidden_low_confidence_area", "hidden_effective_rank"),
        "boundary_length|hidden_boundary_length",
    ),
    "hidden_plain": Kind(
        "input and hidden space without mixing",
        "Maps of the predicted probability over the inputs and, below, over the two bottleneck "
        "units, with the training points, a column for each method that does not mix",
        seen="hidden_low_confidence_area|hidden_effective_rank",
    ),
    "hidden_singular_values": Kind(
        "singular values of the hidden states",
        "The two singular values of the bottleneck's states of each class, a row for each method "
        "and a dot for each seed",
        seen="hidden_effective_rank",
    ),
    "bottleneck": Kind(
        "bottleneck states",
        "Scatter plots of the two bottleneck units, coloured by class, a column for each method",
        ("test_scatter_ratio", "test_core_hull_coverage"),
        "test_silhouette",
    ),
    "curves": Kind(
        "training curves",
        "Loss and accuracy on training and on test data over the steps of training, "
        "a line for each method",
        ("test_nll",),
    ),
    "methods": Kind(
        "measures by method",
        "Each seed's value of each measure, with mean and interval, a row for each method",
        ("test_accuracy", "test_nll"),
        "test_ece",
    ),
    "layers": Kind(
        "where mixing may enter, and alpha",
        "Heat maps of the test accuracy and of the test NLL, a row for each eligible set and a "
        "column for each alpha",
        ("test_accuracy", "test_nll"),
    ),
    "widths": Kind(
        "bottlenecks of different widths",
        "Excess loss, linearity of predictions and of logits, and variance outside of the "
        "directions that theorem 1 allows, against the units of the bottleneck, a line for plain "
        "training and one for mixing",
        ("train_linearity", "train_variance_outside"),
        "train_excess_loss|train_linearity_logits",
    ),
    "reliability": Kind(
        "reliability before and after temperature scaling",
        "Accuracy against confidence, bin by bin, a panel for each method",
        ("test_ece", "tempered_test_ece"),
    ),
    "allowances": Kind(
        "early stopping and temperature scaling",
        "Scores of each method as it is, stopped early and temperature scaled",
        ("test_nll", "tempered_test_nll"),
        "stopped_test_nll|test_accuracy|test_ece|tempered_test_ece",
    ),
    "attacks": Kind(
        "accuracy under attack",
        "Accuracy against the radius of the attack under FGSM, under PGD and on FGSM examples made "
        "for the baseline, and below its difference to the baseline's, a line for each method",
        ("fgsm_accuracy_.+", "pgd_accuracy_.+"),
        "transfer_fgsm_accuracy_.+",
    ),
    "deformations": Kind(
        "accuracy on deformed images",
        "Accuracy on turned, sheared and zoomed images against how strongly they are deformed, and "
        "below its difference to the baseline's, a line for each method",
        ("rotation_accuracy", "zoom_out_accuracy"),
        "(rotation|shear|zoom_in|zoom_out)_accuracy.*",
    ),
    "class_ratios": Kind(
        "singular values by class",
        "Largest singular value of the states after the first hidden layer over the sum of the "
        "others, of the states as they are and centred, for each class and their mean, a dot for "
        "each method",
        ("test_first_over_others_raw_after_1", "test_first_over_others_centred_after_1"),
    ),
    "neighbours": Kind(
        "nearest neighbours by hidden state",
        "Share of test points whose nearest training points vote for a wrong class, by the input "
        "and by each hidden state, and its difference to the baseline's, a dot for each method",
        (r"test_knn_error_after_\d+",),
    ),
    "intrusion": Kind(
        "mixed points that land on another class",
        "Share of intruding mixed points by layer, a line for each method, and how well intrusion "
        "tells test errors",
        ("intrusion_0", "intrusion_auc"),
        r"intrusion(_others)?_\d+",
    ),
    "spectra": Kind(
        "singular values",
        "Singular values of the states of each class, a line for each method",
    ),
    "spectra_centred": Kind(
        "singular values, centred",
        "Singular values of the centred states of each class, a line for each method",
        ("test_first_singular_value_centred",),
    ),
    "spectra_raw": Kind(
        "singular values, raw",
        "Singular values of the states of each class, a line for each method",
        ("test_first_singular_value_raw",),
    ),
    "spectra_scale_free": Kind(
        "singular values, scale-free",
        "Singular values of the centred states of each class, divided by the spread of all "
        "states, a line for each method",
        ("test_first_singular_value_scale_free",),
    ),
    "draws": Kind(
        "the random draws of mixing",
        "The layer and the weight that mixing drew, over training and in total",
    ),
}
