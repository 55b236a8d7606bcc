import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import silhouette_samples, silhouette_score
from sklearn.neighbors import NearestCentroid

from study.measures.embedding import (
    embedding_measures,
    nearest_centroid_accuracy,
    scatter_ratio,
    silhouette,
)
from study.measures.hulls import core, hull_shares

SQUARE = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])


def squares(*corners: tuple[float, float]) -> tuple[np.ndarray, np.ndarray]:
    """Unit squares, one a class, with the given lower left corners."""
    states = np.concatenate([SQUARE + corner for corner in corners])
    return states, np.repeat(np.arange(len(corners)), 4)


@pytest.fixture
def blobs() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1, 2], [40, 25, 60])
    centres = np.array([[0.0, 0.0], [2.5, 0.3], [1.2, 0.8]])
    return rng.normal(size=(125, 2)) * [1.0, 0.3] + centres[labels], labels


class TestScatterRatio:
    def test_two_unit_squares(self):
        # tr(S_W): every corner is sqrt(1/2) from its centre, 8 * 1/2 = 4;
        # tr(S_B): the centres are 3 apart, 8 * (3/2)^2 = 18.
        assert scatter_ratio(*squares((0, 0), (3, 0))) == pytest.approx(18 / 4)

    def test_is_the_ratio_of_traces_of_the_scatter_matrices(self, blobs):
        states, labels = blobs
        within = sum(
            np.cov(states[labels == c].T, bias=True) * (labels == c).sum() for c in range(3)
        )
        total = np.cov(states.T, bias=True) * len(states)
        expected = np.trace(total - within) / np.trace(within)
        assert scatter_ratio(states, labels) == pytest.approx(expected)

    def test_ignores_shift_rotation_scale_and_duplication(self, blobs):
        states, labels = blobs
        turn = np.array([[0.6, -0.8], [0.8, 0.6]])
        moved = np.concatenate([states, states]) @ turn * 37.0 + [5.0, -9.0]
        assert scatter_ratio(moved, np.tile(labels, 2)) == pytest.approx(scatter_ratio(*blobs))

    def test_points_without_spread(self):
        labels = np.array([0, 0, 1, 1])
        assert scatter_ratio(np.repeat(np.eye(2), 2, axis=0), labels) == np.inf
        assert np.isnan(scatter_ratio(np.ones((4, 2)), labels))


class TestSilhouette:
    def test_closed_form_of_two_pairs(self):
        # Points 0, 1 | 10, 11: a = 1; b = 10.5 for the outer, 9.5 for the inner points.
        states = np.array([[0.0, 0.0], [1.0, 0.0], [10.0, 0.0], [11.0, 0.0]])
        expected = np.mean([9.5 / 10.5, 8.5 / 9.5])
        assert silhouette(states, np.array([0, 0, 1, 1])) == pytest.approx(expected)

    def test_agrees_with_scikit_learn_on_float32_states(self, blobs):
        states, labels = blobs[0].astype(np.float32), blobs[1]
        expected = silhouette_samples(states.astype(np.float64), labels).mean()
        assert silhouette(states, labels) == pytest.approx(expected, rel=1e-12)

    def test_thins_many_points_evenly_and_deterministically(self):
        rng = np.random.default_rng(1)
        labels = rng.permutation(np.repeat([0, 1], [300, 100]))
        states = rng.normal(size=(400, 2)) + 3.0 * labels[:, None]
        # Every fourth point of each class, in the order of the points.
        kept = np.concatenate([np.flatnonzero(labels == c)[::4] for c in (0, 1)])
        thinned = silhouette(states, labels, max_points=100)
        assert thinned == pytest.approx(silhouette_score(states[kept], labels[kept]))
        assert thinned == silhouette(states, labels, max_points=100)
        assert thinned != silhouette(states, labels, max_points=400)

    def test_one_class_is_refused(self):
        with pytest.raises(ValueError, match="Number of labels is 1"):
            silhouette(SQUARE, np.zeros(4, dtype=int))


class TestHulls:
    def test_apart_squares(self):
        shares = hull_shares(*squares((0, 0), (3, 0)))  # box 4 x 1
        assert shares == (pytest.approx(2 / 4, abs=0.005), 0)

    def test_half_overlapping_squares(self):
        shares = hull_shares(*squares((0, 0), (0.5, 0)))  # union 1.5 x 1 is the whole box
        assert shares == (1, pytest.approx(0.5 / 1.5, abs=0.005))

    def test_same_squares_and_inner_points(self):
        states, labels = squares((0, 0), (0, 0), (0, 0))
        states = np.concatenate([states, [[0.3, 0.4], [0.9, 0.2]]])
        labels = np.append(labels, [0, 2])
        assert hull_shares(states, labels) == (1, 1)

    def test_diagonal_squares_do_not_fill_their_box(self):
        shares = hull_shares(*squares((0, 0), (2, 2)))
        assert shares == (pytest.approx(2 / 9, abs=0.005), 0)

    def test_overlap_is_a_share_of_the_union(self):
        shares = hull_shares(*squares((0, 0), (0.5, 0.5)))
        assert shares == pytest.approx((1.75 / 1.5**2, 0.25 / 1.75), abs=0.005)

    def test_triangle(self):
        states = np.array([[0.0, 0.0], [5.0, 0.0], [0.0, 2.0]])
        shares = hull_shares(states, np.zeros(3, dtype=int))
        assert shares == (pytest.approx(1 / 2, abs=0.005), 0)

    @given(
        scale=st.tuples(st.floats(1e-6, 1e6), st.floats(1e-6, 1e6)),
        shift=st.tuples(st.floats(-10, 10), st.floats(-10, 10)),
        flip=st.booleans(),
    )
    def test_ignores_shift_and_scale_of_each_axis(self, scale, shift, flip):
        rng = np.random.default_rng(2)
        labels = np.repeat([0, 1, 2], 30)
        states = rng.normal(size=(90, 2)) + 2.0 * rng.normal(size=(3, 2))[labels]
        moved = (states[:, ::-1] if flip else states) * scale + np.array(shift) * scale
        shares = hull_shares(states, labels, raster=64)
        assert hull_shares(moved, labels, raster=64) == pytest.approx(shares, abs=0.002)

    def test_area_agrees_with_random_points_and_triangles(self, blobs):
        """A cell is in a hull if it is in a triangle of the class's points."""
        states, labels = blobs
        low, high = states.min(axis=0), states.max(axis=0)
        points = np.random.default_rng(3).uniform(low, high, size=(2000, 2))
        count = sum(_in_hull_by_angles(states[labels == c], points) for c in range(3))
        overlap = (count > 1).sum() / (count > 0).sum()
        assert 0.1 < overlap < 0.9
        shares = hull_shares(states, labels)
        assert shares == pytest.approx(((count > 0).mean(), overlap), abs=0.04)

    def test_a_class_on_a_line_or_too_small_has_no_area(self):
        states, labels = squares((0, 0), (3, 0))
        line = np.array([[1.0, 0.0], [2.0, 0.5], [3.0, 1.0]])
        pair = np.array([[1.2, 0.1], [2.8, 0.9]])
        states = np.concatenate([states, line, pair])
        labels = np.append(labels, [2, 2, 2, 3, 3])
        assert hull_shares(states, labels) == (pytest.approx(2 / 4, abs=0.005), 0)

    def test_only_classes_without_area(self):
        diagonals = np.array([[0.0, 0.0], [1.0, 1.0], [0.0, 1.0], [1.0, 0.0]])
        coverage, overlap = hull_shares(diagonals, np.array([0, 0, 1, 1]))
        assert coverage == 0
        assert np.isnan(overlap)

    def test_a_box_without_area(self):
        states = np.array([[0.0, 1.0], [1.0, 1.0], [2.0, 1.0]])
        assert np.isnan(hull_shares(states, np.zeros(3, dtype=int))).all()


def _in_hull_by_angles(hull_points: np.ndarray, points: np.ndarray) -> np.ndarray:
    """A point is outside a hull exactly if all hull points lie within less than half a turn."""
    towards = hull_points[None] - points[:, None]
    angles = np.sort(np.arctan2(towards[..., 1], towards[..., 0]), axis=1)
    gaps = np.diff(np.concatenate([angles, angles[:, :1] + 2 * np.pi], axis=1), axis=1)
    return gaps.max(axis=1) < np.pi


class TestCore:
    def test_drops_the_stray_point_of_each_class(self):
        states, labels = squares((0, 0), (3, 0))
        states = np.concatenate([[[50.0, 0.5]], states, [[-9.0, 0.5]]])
        labels = np.concatenate([[0], labels, [1]])
        kept, kept_labels = core(states, labels, share=0.8)
        np.testing.assert_array_equal(kept, squares((0, 0), (3, 0))[0])
        np.testing.assert_array_equal(kept_labels, squares((0, 0), (3, 0))[1])

    def test_each_class_has_a_median_of_its_own(self):
        # Class 0 ends on the side of class 1 and would keep that end, were the median common.
        states = np.array([[0.0, 0], [0.1, 0], [0.2, 0], [4.0, 0], [9.0, 0], [9.1, 0], [9.2, 0]])
        kept, _ = core(states, np.array([0, 0, 0, 0, 1, 1, 1]), share=0.75)
        assert kept[:, 0].tolist() == [0.0, 0.1, 0.2, 9.0, 9.1, 9.2]

    def test_rounds_up_and_keeps_the_order(self):
        states = np.array([[5.0, 0.0], [0.0, 0.0], [-1.0, 0.0], [2.0, 0.0]])  # median 1
        kept, _ = core(states, np.zeros(4, dtype=int), share=0.51)
        np.testing.assert_array_equal(kept, states[1:])
        assert len(core(states, np.zeros(4, dtype=int), share=0.5)[0]) == 2
        assert len(core(states, np.zeros(4, dtype=int), share=1.0)[0]) == 4


class TestNearestCentroidAccuracy:
    def test_agrees_with_scikit_learn(self, blobs):
        train, labels = blobs
        test = train + np.random.default_rng(4).normal(size=train.shape)
        expected = NearestCentroid().fit(train, labels).score(test, labels)
        assert 0.5 < expected < 0.9
        assert nearest_centroid_accuracy(train, labels, test, labels) == pytest.approx(expected)

    def test_means_come_from_the_training_points(self):
        train, test = np.array([[0.0, 0], [2, 0]]), np.array([[1.4, 0.0], [0.6, 0.0], [9.0, 0.0]])
        accuracy = nearest_centroid_accuracy(train, np.array([3, 7]), test, np.array([7, 3, 3]))
        assert accuracy == pytest.approx(2 / 3)


class TestEmbeddingMeasures:
    def test_names_each_measure_by_its_split(self, blobs):
        train, labels = blobs
        test, test_labels = squares((0, 0), (3, 0), (0, 5))
        measures = embedding_measures({"train": (train, labels), "test": (test, test_labels)})
        assert measures["train_scatter_ratio"] == scatter_ratio(train, labels)
        assert measures["test_scatter_ratio"] == scatter_ratio(test, test_labels)
        assert measures["train_silhouette"] == silhouette(train, labels)
        assert measures["test_hull_coverage"] == pytest.approx(3 / 24, abs=0.005)
        inner, outer = hull_shares(*core(train, labels)), hull_shares(train, labels)
        assert measures["train_core_hull_coverage"] == inner[0] != outer[0]
        assert measures["train_hull_overlap"] == outer[1] > 0
        assert measures["test_nearest_centroid_accuracy"] == NearestCentroid().fit(
            train, labels
        ).score(test, test_labels)
        assert len(measures) == 2 * 6 + 1
        assert all(isinstance(value, float) for value in measures.values())
