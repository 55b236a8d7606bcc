"""The temperature that scales predictions: fitted on validation data, it changes no class."""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax

from study.training.scores import Labels, Probabilities

LOG_TEMPERATURES = (np.log(1e-3), np.log(1e3))


def fit_temperature(probabilities: Probabilities, labels: Labels) -> float:
    """Find the T > 0 with the least NLL of predictions scaled by `tempered`.

    The NLL is convex in 1 / T, so it has one minimum.

    Source: Guo et al. 2017, arXiv 1706.04599, section 4.2.

    Args:
        probabilities: (N, C), rows sum to 1, N >= 1.
        labels: (N,) class indices.

    Returns:
        T in [0.001, 1000]. Where every label is the most probable class the best T is 0, and some
        T is given that is small enough for an NLL of 0 in float64; where the predictions mislead
        the best is infinite, and T is near its upper end.

    Raises:
        ValueError: there is no sample.
    """
    if not len(labels):
        raise ValueError("a temperature needs at least one sample")
    logits, samples = _logarithms(probabilities), np.arange(len(labels))

    def loss(log_temperature: float) -> float:
        scaled = log_softmax(logits / np.exp(log_temperature), axis=1)
        return -float(scaled[samples, labels].mean())

    options = {"xatol": 1e-8}
    found = minimize_scalar(loss, bounds=LOG_TEMPERATURES, method="bounded", options=options)
    return float(np.exp(found.x))


def tempered(probabilities: Probabilities, temperature: float) -> Probabilities:
    """Scale predictions by a temperature: ``p_c^(1/T) / sum_c p_c^(1/T)``.

    This is ``softmax(logits / T)``; no sample's most probable class changes.

    Args:
        probabilities: (N, C), rows sum to 1.
        temperature: T > 0; above 1 it makes predictions less confident.

    Returns:
        (N, C), rows sum to 1.
    """
    scaled: Probabilities = softmax(_logarithms(probabilities) / temperature, axis=1)
    return scaled


def _logarithms(probabilities: Probabilities) -> Probabilities:
    """Take logarithms, which are logits too; 0 counts as the smallest normal number."""
    floor = np.finfo(np.float64).tiny
    return np.log(np.maximum(np.asarray(probabilities, dtype=np.float64), floor))
