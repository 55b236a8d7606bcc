"""What theorem 1 predicts, on maps and states of which it is known whether they fulfil it."""

import numpy as np
import pytest

from study.measures.theorem import (
    LAMS,
    allowed_directions,
    different_pairs,
    linearity,
    variance_outside,
)

RNG = np.random.default_rng(0)
ONE, OTHER = RNG.normal(size=(2, 30, 4))
ROTATION = np.linalg.qr(RNG.normal(size=(4, 4)))[0]


def test_an_affine_map_is_linear():
    matrix = RNG.normal(size=(4, 3))
    assert linearity(lambda h: h @ matrix + 7, ONE, OTHER) == pytest.approx(1)


def test_a_jump_half_way_is_no_line():
    def jump(h: np.ndarray) -> np.ndarray:
        return (h[:, :1] > 0).astype(float)

    one, other = np.full((5, 1), 1.0), np.full((5, 1), -1.0)
    assert linearity(jump, one, other) == pytest.approx(0)


def test_a_third_class_in_between_is_worse_than_a_jump():
    def three(h: np.ndarray) -> np.ndarray:
        of = np.digitize(h[:, 0], [-0.5, 0.5])
        return np.eye(3)[of]

    assert linearity(three, np.full((5, 1), 1.0), np.full((5, 1), -1.0)) < -0.3


def test_it_is_the_formula_in_a_loop():
    def predict(h: np.ndarray) -> np.ndarray:
        return np.tanh(h[:, :2]) + h[:, 2:] ** 2

    error = total = 0.0
    for h_i, h_j in zip(ONE, OTHER, strict=True):
        f_1, f_0 = predict(h_i[None])[0], predict(h_j[None])[0]
        for lam in LAMS:
            chord = lam * f_1 + (1 - lam) * f_0
            mixed = predict((lam * h_i + (1 - lam) * h_j)[None])[0]
            error += ((mixed - chord) ** 2).sum()
            total += ((chord - (f_1 + f_0) / 2) ** 2).sum()
    assert linearity(predict, ONE, OTHER) == pytest.approx(1 - error / total)
    # the ends may change places, and predictions may have any unit
    assert linearity(predict, OTHER, ONE) == pytest.approx(1 - error / total)
    assert linearity(lambda h: 5 - 9 * predict(h), ONE, OTHER) == pytest.approx(1 - error / total)


def test_without_a_difference_there_is_no_line():
    assert np.isnan(linearity(lambda h: np.ones((len(h), 2)), ONE, OTHER))


@pytest.mark.parametrize(
    ("n_units", "n_classes", "expected"), [(2, 10, 0), (9, 10, 0), (10, 10, 1), (30, 10, 21)]
)
def test_directions_allowed_are_units_less_classes_plus_one(n_units, n_classes, expected):
    assert allowed_directions(n_units, n_classes) == expected


def test_pairs_are_of_different_classes_and_each_is_as_likely():
    labels = np.array([0, 0, 0, 1, 2])
    first, second = different_pairs(labels, 14_000, np.random.default_rng(1))
    assert len(first) == len(second) == 14_000
    counts = np.zeros((5, 5))
    np.add.at(counts, (first, second), 1)
    possible = labels[:, None] != labels
    assert (counts[~possible] == 0).all()
    # 14 ordered pairs: 1,000 of each, within five standard deviations
    assert possible.sum() == 14
    assert np.abs(counts[possible] - 1000).max() < 160


def test_one_class_has_no_pairs():
    with pytest.raises(ValueError, match="two classes"):
        different_pairs(np.zeros(5, int), 3, np.random.default_rng(0))


def classes_in_planes() -> tuple[np.ndarray, np.ndarray]:
    """Make two classes of 4-D states: along axis 0 and 1 by 3, along axis 1 and 2 by 1."""
    cross = np.array([[1, 0], [-1, 0], [0, 1], [0, -1]])
    states = np.zeros((8, 4))
    states[:4, :2] = 3 * cross
    states[4:, 1:3] = cross
    states[4:, 3] = 10
    return states, np.repeat([0, 1], 4)


def test_variance_outside_is_counted_by_hand():
    states, labels = classes_in_planes()
    # squares: 18 along each of two axes, 2 along each of two axes, and 8 * 5^2 between the classes
    total = 36 + 4 + 200
    shares = [variance_outside(states, labels, n) for n in range(5)]
    assert shares == pytest.approx([40 / total, 20 / total, 0, 0, 0])
    # together: 18 along axis 0, 20 along axis 1, 2 along axis 2
    common = [variance_outside(states, labels, n, common=True) for n in range(5)]
    assert common == pytest.approx([40 / total, 20 / total, 2 / total, 0, 0])


def test_variance_outside_knows_no_unit_and_no_axes():
    states = RNG.normal(size=(30, 4)) * [4, 3, 2, 1]
    labels = np.arange(30) % 3 + 5
    for common in (False, True):
        before = variance_outside(states, labels, 2, common=common)
        assert 0 < before < 1
        after = variance_outside(7 * states @ ROTATION - 3, labels, 2, common=common)
        assert after == pytest.approx(before)


def test_common_directions_fit_no_better_than_own():
    states, labels = RNG.normal(size=(30, 4)), np.arange(30) % 3
    for n in range(1, 4):
        own = variance_outside(states, labels, n)
        assert own < variance_outside(states, labels, n, common=True)


def test_equal_states_have_no_variance():
    assert np.isnan(variance_outside(np.ones((4, 2)), np.array([0, 0, 1, 1]), 1))
