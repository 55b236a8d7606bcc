"""Manifold intrusion, against layouts with known answers and plain loops."""

import numpy as np
import pytest
from scipy import stats

from study.measures.intrusion import (
    MixedPairs,
    auc_of_errors,
    intrusion_around,
    intrusion_shares,
    mix_pairs,
)


def points(n: int = 60, n_features: int = 3, n_classes: int = 4) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    return rng.normal(size=(n, n_features)), rng.integers(n_classes, size=n)


def mixed(inputs: np.ndarray, labels: np.ndarray, n_pairs: int = 300) -> MixedPairs:
    return mix_pairs(inputs, labels, 2.0, np.random.default_rng(5), n_pairs)


class TestMixPairs:
    def test_points_are_convex_combinations_of_two_different_ones(self):
        inputs, labels = points()
        pairs = mixed(inputs, labels)
        first, second = pairs.members.T
        assert (first != second).all()
        ends = inputs[first], inputs[second]
        direction = ends[0] - ends[1]
        lam = ((pairs.points - ends[1]) * direction).sum(1) / (direction**2).sum(1)
        np.testing.assert_allclose(pairs.points, lam[:, None] * direction + ends[1])
        assert ((lam > 0) & (lam < 1)).all()
        assert (pairs.classes == labels[pairs.members]).all()

    def test_lam_is_of_its_beta_distribution_and_every_pair_is_as_likely(self):
        line = np.array([[0.0], [1.0], [10.0]])
        pairs = mix_pairs(line, np.arange(3), 0.5, np.random.default_rng(0), 20_000)
        ends = line[pairs.members, 0]
        lam = (pairs.points[:, 0] - ends[:, 1]) / (ends[:, 0] - ends[:, 1])
        assert stats.kstest(lam, stats.beta(0.5, 0.5).cdf).pvalue > 0.01
        _, counts = np.unique(pairs.members, axis=0, return_counts=True)
        assert len(counts) == 6
        assert stats.chisquare(counts).pvalue > 0.01

    def test_pairs_and_lam_do_not_depend_on_the_points(self):
        inputs, labels = points()
        moved = mixed(inputs * 2 + 1, labels)
        assert (moved.members == mixed(inputs, labels).members).all()
        np.testing.assert_allclose(moved.points, mixed(inputs, labels).points * 2 + 1)

    def test_one_point_is_no_pair(self):
        with pytest.raises(ValueError, match="needs two points, got 1"):
            mixed(np.zeros((1, 2)), np.zeros(1, int))


class TestShares:
    def test_between_two_ends_of_a_class_lies_another(self):
        # Midway between -1 and 1 is the point at 0, of class 1; near the ends the ends are nearer.
        inputs, labels = np.array([[-1.0], [0.0], [1.0]]), np.array([0, 1, 0])
        places = np.array([[-0.6], [-0.4], [0.4], [0.6]])
        members = np.array([[0, 2]] * 4)
        pairs = MixedPairs(places, members, labels[members])
        assert intrusion_shares(inputs, labels, pairs) == {
            "intrusion": 0.5,
            "intrusion_others": 1.0,
        }

    def test_one_of_the_two_classes_is_no_intruder(self):
        inputs, labels = np.array([[-1.0], [0.0], [1.0]]), np.array([0, 0, 1])
        members = np.array([[0, 2]])
        pairs = MixedPairs(np.array([[0.1]]), members, labels[members])
        assert set(intrusion_shares(inputs, labels, pairs).values()) == {0.0}

    def test_shares_are_those_of_plain_loops(self):
        inputs, labels = points()
        pairs = mixed(inputs, labels)
        counts = {"intrusion": 0, "intrusion_others": 0}
        for point, members in zip(pairs.points, pairs.members.tolist(), strict=True):
            order = sorted(range(60), key=lambda i: ((inputs[i] - point) ** 2).sum())
            allowed = {labels[i] for i in members}
            others = [i for i in order if i not in members]
            counts["intrusion"] += labels[order[0]] not in allowed
            counts["intrusion_others"] += labels[others[0]] not in allowed
        found = intrusion_shares(inputs, labels, pairs)
        assert found == pytest.approx({name: n / 300 for name, n in counts.items()})
        assert 0 < found["intrusion"] < found["intrusion_others"] < 1

    def test_two_points_have_no_third_one(self):
        inputs, labels = points(2)
        with pytest.raises(ValueError, match="needs a third one to be near to, got 2 points"):
            intrusion_shares(inputs, labels, mixed(inputs, labels))


def test_around_a_point_the_nearest_mixed_points_are_asked():
    inputs, labels = points()
    pairs = mixed(inputs, labels)
    tests, of_tests = np.random.default_rng(2).normal(size=(9, 3)), np.arange(9) % 4
    expected = []
    for point, label in zip(tests, of_tests, strict=True):
        order = np.argsort(((pairs.points - point) ** 2).sum(1))[:20]
        expected.append(np.mean([label not in pairs.classes[i] for i in order]))
    found = intrusion_around(tests, of_tests, pairs, n_nearest=20)
    assert found == pytest.approx(np.array(expected))
    assert 0 < found.min() < found.max() < 1


class TestAuc:
    def test_it_counts_pairs_of_wrong_and_right_points(self):
        wrong, right = [0.5, 0.9, 0.2], [0.1, 0.5, 0.3, 0.2]
        wins = sum((w > r) + (w == r) / 2 for w in wrong for r in right) / 12
        is_wrong = np.array([True] * 3 + [False] * 4)
        assert auc_of_errors(is_wrong, np.array(wrong + right)) == pytest.approx(wins)

    @pytest.mark.parametrize("all_of_them", [True, False])
    def test_without_both_kinds_there_is_none(self, all_of_them):
        assert np.isnan(auc_of_errors(np.full(4, all_of_them), np.arange(4.0)))
