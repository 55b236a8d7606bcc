"""Words for metrics: those of the figures, where they can stand by themselves."""

from __future__ import annotations

import re

from mixup.study.figures.methods import METRICS

_WORDS = {
    "train_accuracy": "training accuracy",
    "validation_nll": "validation NLL, nats",
    "test_nll_rise": "rise of the test NLL after its lowest point, nats",
    "train_excess_loss": "training loss above its floor, nats",
    "hidden_low_confidence_area": "share of the hidden states' box with P in 0.25 to 0.75",
    "temperature": "temperature T",
    "tempered_test_nll": "test NLL with temperature scaling, nats",
    "tempered_test_ece": "test ECE with temperature scaling",
    "tempered_test_brier": "test Brier score with temperature scaling",
    "stopped_step": "step of the lowest validation loss",
    "stopped_test_nll": "test NLL stopped early, nats",
    "stopped_test_accuracy": "test accuracy stopped early",
    "intrusion_auc": "area under the ROC curve of intrusion telling test errors",
    "unattacked_accuracy": "accuracy on the attacked images as they are",
    "undeformed_accuracy": "accuracy on the deformed images as they are",
    "rotation_accuracy": "accuracy on turned images, mean of all angles",
    "shear_accuracy": "accuracy on sheared images, mean of all angles",
    "zoom_in_accuracy": "accuracy on images zoomed in, mean of all zooms",
    "zoom_out_accuracy": "accuracy on images zoomed out, mean of all zooms",
}
# Metrics whose names hold an amount, a class, a scaling or a split.
_PATTERNS = {
    r"fgsm_accuracy_([\d_]+)": "accuracy under FGSM of radius {}",
    r"pgd_accuracy_([\d_]+)": "accuracy under PGD of radius {}",
    r"transfer_fgsm_accuracy_([\d_]+)": "accuracy on the baseline's FGSM examples of radius {}",
    r"pgd_missed_([\d_]+)": "share that PGD of radius {} misses",
    r"pgd_restart_gain_([\d_]+)": "share that only restarts of PGD of radius {} find",
    r"pgd_loss_([\d_]+)": "loss under PGD of radius {}, nats",
    r"rotation_accuracy_([\d_]+)": "accuracy on images turned within ±{}°",
    r"shear_accuracy_([\d_]+)": "accuracy on images sheared within ±{}°",
    r"zoom_(in|out)_accuracy_([\d_]+)": "accuracy on images zoomed {} to {} of the width",
    r"intrusion_(\d+)": "share of mixed states that intrude, k = {}",
    r"intrusion_others_(\d+)": "share that intrude with the two mixed points left aside, k = {}",
    r"test_knn_error_after_(\d+)": "nearest neighbours' error by states k = {}, test",
    r"(train|test)_linearity": "R² of predictions between two states and a straight line, {}",
    r"(train|test)_linearity_logits": "R² of logits between two states and a straight line, {}",
    r"(train|test)_variance_within": "share of the states' variance within classes, {}",
    r"(train|test)_variance_outside": "share of variance outside of D - d + 1 directions, {}",
    r"(train|test)_variance_outside_common": (
        "share of variance outside of D - d + 1 directions for all classes, {}"
    ),
    r"(train|test)_other_singular_values_([a-z_]+)": (
        "sum of all singular values but the largest, {1}, {0}"
    ),
    r"(train|test)_all_classes_first_singular_value_([a-z_]+)": (
        "first singular value of all classes together, {1}, {0}"
    ),
    r"(train|test)_first_over_others_([a-z]+)": "first singular value over all others, {1}, {0}",
    r"(train|test)_first_over_others_([a-z]+)_(\d+)": (
        "first singular value over all others, class {2}, {1}, {0}"
    ),
}


def metric_label(metric: str) -> str:
    """Give the words for a metric, those of figures without their remarks in brackets.

    A layer k stands at the end: ``test_effective_rank_after_1`` is "effective rank, test, after
    layer 1".
    """
    if words := _label(metric):
        return words
    before, _, layer = metric.rpartition("_after_")
    words = _label(before) if layer.isdecimal() else None
    return f"{words}, after layer {layer}" if words else metric.replace("_", " ")


def _label(metric: str) -> str | None:
    if words := _WORDS.get(metric) or METRICS.get(metric):
        return words.split(" (")[0]
    for pattern, words in _PATTERNS.items():
        if found := re.fullmatch(pattern, metric):
            return words.format(*map(_part, found.groups()))
    of_test = METRICS.get(re.sub("^train_", "test_", metric), "")
    return f"{of_test.removesuffix('test')}train" if of_test.endswith(", test") else None


def _part(of_name: str) -> str:
    """Write 0_05 as 0.05, scale_free as scale-free."""
    return of_name.replace("_", "." if of_name[0].isdigit() else "-")
