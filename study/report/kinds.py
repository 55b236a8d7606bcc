"""The kinds of figures that the study draws, by the first words of their files' names.

Which measures a kind shows, and which of them its captions say, each measure says itself: see
`study.measures.measure`.
"""

from typing import NamedTuple


class Kind(NamedTuple):
    """What all figures of a kind have in common."""

    title: str
    alt: str
    """What a picture shows, for whoever cannot see it."""


KINDS = {
    "boundaries": Kind(
        "predictions over the plane",
        "Maps of the predicted probability over the plane with the training points, a panel "
        "for each method and seed",
    ),
    "hidden": Kind(
        "input and hidden space",
        "Maps of the predicted probability over the inputs and, below, over the two "
        "bottleneck units, with the training points, a column for each method",
    ),
    "hidden_plain": Kind(
        "input and hidden space without mixing",
        "Maps of the predicted probability over the inputs and, below, over the two "
        "bottleneck units, with the training points, a column for each method that does not "
        "mix",
    ),
    "hidden_singular_values": Kind(
        "singular values of the hidden states",
        "The two singular values of the bottleneck's states of each class, a row for each "
        "method and a dot for each seed",
    ),
    "bottleneck": Kind(
        "bottleneck states",
        "Scatter plots of the two bottleneck units, coloured by class, a column for each method",
    ),
    "curves": Kind(
        "training curves",
        "Loss and accuracy on training and on test data over the steps of training, a line "
        "for each method",
    ),
    "methods": Kind(
        "measures by method",
        "Each seed's value of each measure, with mean and interval, a row for each method",
    ),
    "layers": Kind(
        "where mixing may enter, and alpha",
        "Heat maps of the test accuracy and of the test NLL, a row for each eligible set and "
        "a column for each alpha",
    ),
    "widths": Kind(
        "bottlenecks of different widths",
        "Excess loss, linearity of predictions and of logits, and variance outside of the "
        "directions that theorem 1 allows, against the units of the bottleneck, a line for "
        "plain training and one for mixing",
    ),
    "reliability": Kind(
        "reliability before and after temperature scaling",
        "Accuracy against confidence, bin by bin, a panel for each method",
    ),
    "allowances": Kind(
        "early stopping and temperature scaling",
        "Scores of each method as it is, stopped early and temperature scaled",
    ),
    "attacks": Kind(
        "accuracy under attack",
        "Accuracy against the radius of the attack under FGSM, under PGD and on FGSM examples "
        "made for the baseline, and below its difference to the baseline's, a line for each "
        "method",
    ),
    "deformations": Kind(
        "accuracy on deformed images",
        "Accuracy on rotated, sheared and zoomed images against how strongly they are "
        "deformed, and below its difference to the baseline's, a line for each method",
    ),
    "class_ratios": Kind(
        "singular values by class",
        "Largest singular value of the states after the first hidden layer over the sum of "
        "the others, of the states as they are and centred, for each class and their mean, a "
        "dot for each method",
    ),
    "neighbours": Kind(
        "nearest neighbours by hidden state",
        "Share of test points whose nearest training points vote for a wrong class, by the "
        "input and by each hidden state, and its difference to the baseline's, a dot for each "
        "method",
    ),
    "intrusion": Kind(
        "mixed points that land on another class",
        "Share of intruding mixed points by layer, a line for each method, and how well "
        "intrusion predicts test errors",
    ),
    "spectra": Kind(
        "singular values",
        "Singular values of the states of each class, a line for each method",
    ),
    "spectra_centred": Kind(
        "singular values, centred",
        "Singular values of the centred states of each class, a line for each method",
    ),
    "spectra_raw": Kind(
        "singular values, raw",
        "Singular values of the states of each class, a line for each method",
    ),
    "spectra_scale_free": Kind(
        "singular values, scale-free",
        "Singular values of the centred states of each class, divided by the spread of all "
        "states, a line for each method",
    ),
    "draws": Kind(
        "the random draws of mixing",
        "The layer and the weight that mixing drew, over training and in total",
    ),
}
