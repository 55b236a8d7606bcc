"""Hidden states as features, against matrices of known spectra and a loop over neighbours."""

from collections import Counter

import numpy as np
import pytest

from study.measures.features import class_ratios, first_over_others, knn_error
from study.measures.spectra import spectra_table


def rotation(n: int, seed: int) -> np.ndarray:
    return np.linalg.qr(np.random.default_rng(seed).normal(size=(n, n)))[0]


def of_known_spectrum(values: list[float], n: int = 12) -> np.ndarray:
    """Make (n, 3) states of mean 0 with the given singular values."""
    left = np.linalg.qr(np.column_stack([np.ones(n), rotation(n, 0)[:, :3]]))[0][:, 1:]
    return left * values @ rotation(3, 1)


def two_classes(mean: float = 0.0) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    states = np.concatenate([of_known_spectrum([6, 2, 1]), of_known_spectrum([4, 4, 1])]) + mean
    return {"test": (states, np.repeat([3, 7], 12))}


def test_ratios_are_those_of_known_spectra():
    ratios = class_ratios(spectra_table(two_classes()))
    assert ratios == pytest.approx(
        {
            "test_first_over_others_raw_3": 2.0,
            "test_first_over_others_raw_7": 0.8,
            "test_first_over_others_centred_3": 2.0,
            "test_first_over_others_centred_7": 0.8,
        }
    )


def test_the_mean_over_classes_stays_where_centred_states_are_moved():
    at_origin = first_over_others(spectra_table(two_classes()))
    moved = first_over_others(spectra_table(two_classes(100.0)))
    assert at_origin["test_first_over_others_centred"] == pytest.approx(1.4)
    assert moved["test_first_over_others_centred"] == pytest.approx(1.4)
    # far from the origin the direction of the mean has nearly all there is
    assert moved["test_first_over_others_raw"] > 40 * at_origin["test_first_over_others_raw"]


def test_splits_keep_apart():
    splits = two_classes() | {"train": (of_known_spectrum([9, 2, 1]), np.zeros(12, int))}
    ratios = first_over_others(spectra_table(splits))
    assert ratios["train_first_over_others_centred"] == pytest.approx(3.0)
    assert ratios["test_first_over_others_centred"] == pytest.approx(1.4)


def test_a_line_has_no_other_direction():
    states = np.outer(np.arange(4.0), [1, 0])
    ratios = class_ratios(spectra_table({"test": (states, np.zeros(4, int))}))
    assert ratios["test_first_over_others_raw_0"] == np.inf


@pytest.mark.parametrize("neighbours", [1, 4, 7])
def test_neighbours_vote_as_in_a_loop(neighbours: int):
    rng = np.random.default_rng(2)
    train, test = rng.normal(size=(40, 3)), rng.normal(size=(25, 3))
    train_labels, test_labels = rng.integers(0, 3, 40), rng.integers(0, 3, 25)
    wrong = 0
    for point, label in zip(test, test_labels, strict=True):
        distances = [
            sum((a - b) ** 2 for a, b in zip(point, other, strict=True)) for other in train
        ]
        nearest = sorted(range(40), key=distances.__getitem__)[:neighbours]
        votes = Counter(int(train_labels[i]) for i in nearest)
        wrong += min(votes, key=lambda one: (-votes[one], one)) != label
    assert 0 < wrong < 25
    error = knn_error(train, train_labels, test, test_labels, neighbours)
    assert error == pytest.approx(wrong / 25)


def test_distances_do_not_depend_on_the_axes():
    rng = np.random.default_rng(3)
    train, test = rng.normal(size=(40, 3)), rng.normal(size=(25, 3))
    labels = rng.integers(0, 3, 65)
    turned = [states @ rotation(3, 4) * 5 + 1 for states in (train, test)]
    before = knn_error(train, labels[:40], test, labels[40:], 5)
    assert knn_error(turned[0], labels[:40], turned[1], labels[40:], 5) == before


def test_more_neighbours_than_points_are_refused():
    with pytest.raises(ValueError, match="n_neighbors"):
        knn_error(np.zeros((3, 2)), np.zeros(3, int), np.ones((2, 2)), np.zeros(2, int), 4)
