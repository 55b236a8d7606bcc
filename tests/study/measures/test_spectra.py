import numpy as np
import pytest
from scipy.stats import ortho_group

from study.measures.spectra import (
    FLATNESS,
    SCALINGS,
    effective_rank,
    flatness,
    flatness_of_all,
    singular_values,
    spectra_table,
)

OBLONG = np.array([[2.0, 1.0], [2.0, -1.0], [-2.0, 1.0], [-2.0, -1.0]])


@pytest.fixture
def states_and_labels() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    labels = rng.permutation(np.repeat([0, 1, 2], [30, 50, 20]))
    states = rng.normal(size=(100, 5)) * [3.0, 2.0, 1.0, 0.5, 0.1]
    return states + 4.0 * rng.normal(size=(3, 5))[labels], labels


def test_the_first_of_three_is_explained_and_the_centred_one_is_no_headline():
    first = [measure for measure in FLATNESS if "first_singular_value" in measure.name]
    assert [bool(measure.meaning) for measure in first] == [True, False, False]
    assert [measure.headline for measure in first] == [True, False, True]


def by_gram_matrix(matrix: np.ndarray) -> np.ndarray:
    """Singular values as square roots of the eigenvalues of H^T H."""
    return np.sqrt(np.linalg.eigvalsh(matrix.T @ matrix)[::-1])


class TestSingularValues:
    @pytest.mark.parametrize("label", [0, 1, 2])
    def test_agree_with_the_eigenvalues_of_the_gram_matrix(self, states_and_labels, label):
        states, labels = states_and_labels
        members = states[labels == label]
        around_mean = members - members.mean(axis=0)
        total = np.linalg.norm(states - states.mean(axis=0))
        expected = {
            "raw": by_gram_matrix(members),
            "centred": by_gram_matrix(around_mean),
            "scale_free": by_gram_matrix(around_mean) / total * np.sqrt(100 / len(members)),
        }
        for scaling in SCALINGS:
            values = singular_values(states, labels, label, scaling)
            np.testing.assert_allclose(values, expected[scaling], rtol=1e-9)
            assert (np.diff(values) <= 0).all()

    def test_of_a_diagonal_matrix(self):
        states = np.diag([1.0, -7.0, 3.0])
        values = singular_values(states, np.zeros(3, dtype=int), 0, "raw")
        np.testing.assert_allclose(values, [7, 3, 1])

    def test_of_a_rank_one_matrix(self):
        states = np.outer([1.0, 2.0, 2.0, 4.0], [3.0, 4.0])  # norms 5 and 5
        values = singular_values(states, np.zeros(4, dtype=int), 0, "raw")
        np.testing.assert_allclose(values, [25, 0], atol=1e-12)

    def test_of_one_class_scale_free_squares_are_shares_of_the_variance(self):
        # Variances 4 and 1 along the axes, wherever the class is.
        states = OBLONG + np.array([100.0, 7.0])
        values = singular_values(states, np.zeros(4, dtype=int), 0, "scale_free")
        np.testing.assert_allclose(values**2, [4 / 5, 1 / 5])

    def test_scale_free_squares_sum_to_the_share_of_variance_within_classes(
        self, states_and_labels
    ):
        states, labels = states_and_labels
        share = sum(
            (labels == c).mean() * (singular_values(states, labels, c, "scale_free") ** 2).sum()
            for c in range(3)
        )
        between = sum(
            (labels == c).mean() * ((states[labels == c].mean(0) - states.mean(0)) ** 2).sum()
            for c in range(3)
        )
        assert share == pytest.approx(1 - between / states.var(axis=0).sum())

    def test_rotation_changes_nothing(self, states_and_labels):
        states, labels = states_and_labels
        turned = states @ ortho_group.rvs(5, random_state=1)
        for scaling in SCALINGS:
            np.testing.assert_allclose(
                singular_values(turned, labels, 1, scaling),
                singular_values(states, labels, 1, scaling),
            )

    def test_scale_and_shift(self, states_and_labels):
        states, labels = states_and_labels
        before = {scaling: singular_values(states, labels, 1, scaling) for scaling in SCALINGS}
        scaled = {s: singular_values(-3 * states, labels, 1, s) for s in SCALINGS}
        np.testing.assert_allclose(scaled["raw"], 3 * before["raw"])
        np.testing.assert_allclose(scaled["centred"], 3 * before["centred"])
        np.testing.assert_allclose(scaled["scale_free"], before["scale_free"])
        shifted = {s: singular_values(states + 100, labels, 1, s) for s in SCALINGS}
        assert shifted["raw"][0] > 10 * before["raw"][0]
        np.testing.assert_allclose(shifted["centred"], before["centred"])
        np.testing.assert_allclose(shifted["scale_free"], before["scale_free"])

    def test_every_point_four_times(self, states_and_labels):
        states, labels = (np.concatenate([part] * 4) for part in states_and_labels)
        for scaling, growth in {"raw": 2, "centred": 2, "scale_free": 1}.items():
            before = singular_values(*states_and_labels, 2, scaling)
            np.testing.assert_allclose(singular_values(states, labels, 2, scaling), growth * before)

    def test_fewer_points_than_dimensions_end_in_zeros(self):
        states = np.array([[3.0, 0.0, 0.0], [0.0, 0.0, 2.0], [1.0, 1.0, 1.0]])
        labels = np.array([4, 4, 9])
        np.testing.assert_allclose(singular_values(states, labels, 4, "raw"), [3, 2, 0])
        np.testing.assert_array_equal(singular_values(states, labels, 9, "centred"), np.zeros(3))

    def test_float32_states_are_measured_in_float64(self, states_and_labels):
        states, labels = states_and_labels[0].astype(np.float32), states_and_labels[1]
        values = singular_values(states, labels, 0, "centred")
        expected = singular_values(states.astype(np.float64), labels, 0, "centred")
        assert values.dtype == np.float64
        np.testing.assert_array_equal(values, expected)

    def test_equal_states_have_no_scale(self):
        states, labels = np.ones((4, 2)), np.array([0, 0, 1, 1])
        assert np.isnan(singular_values(states, labels, 0, "scale_free")).all()

    def test_refuses_unknown_scalings_and_labels(self):
        with pytest.raises(ValueError, match="raw, centred, scale_free, got 'scaled'"):
            singular_values(np.eye(2), np.zeros(2, dtype=int), 0, "scaled")
        with pytest.raises(ValueError, match="no state has the label 3"):
            singular_values(np.eye(2), np.zeros(2, dtype=int), 3, "raw")


class TestEffectiveRank:
    @pytest.mark.parametrize(
        ("values", "rank"),
        [
            ([5.0, 0.0, 0.0], 1.0),
            ([2.0, 2.0, 0.0, 0.0], 2.0),
            ([1.0] * 12, 12.0),
            # p = 1/2, 1/4, 1/4: the entropy is 3/2 ln 2.
            ([4.0, 2.0, 2.0], 2**1.5),
        ],
    )
    def test_closed_forms(self, values, rank):
        assert effective_rank(np.array(values)) == pytest.approx(rank)
        assert effective_rank(1e-3 * np.array(values)) == pytest.approx(rank)

    def test_of_nothing(self):
        assert np.isnan(effective_rank(np.zeros(3)))


class TestSpectraTable:
    def test_has_a_row_for_each_singular_value(self, states_and_labels):
        states, labels = states_and_labels
        table = spectra_table({"train": (states, labels), "test": (2 * states[:60], labels[:60])})
        assert list(table) == ["split", "digit", "scaling", "index", "value"]
        assert len(table) == 2 * 3 * 3 * 5
        assert not table.duplicated(["split", "digit", "scaling", "index"]).any()
        row = table.query("split == 'train' and digit == 2 and scaling == 'raw' and index == 4")
        gram = by_gram_matrix(states[labels == 2])
        assert row["value"].item() == pytest.approx(gram[3])
        assert list(table["split"].unique()) == ["train", "test"]
        assert list(table["scaling"].unique()) == ["raw", "centred", "scale_free"]
        assert set(table["index"]) == {1, 2, 3, 4, 5}
        assert list(table.index) == list(range(90))


class TestFlatness:
    def test_averages_over_the_digits(self):
        # Around its mean, digit 0 has singular values 4 and 2, digit 1 has 2 and 0.
        zero = OBLONG + 3.0
        one = np.array([[0.0, 1.0], [0.0, -1.0], [0.0, 1.0], [0.0, -1.0]])
        states = np.concatenate([zero, one, one])
        labels = np.repeat([0, 1, 1], 4)
        measures = flatness(spectra_table({"test": (states, labels)}))
        assert measures["test_first_singular_value_centred"] == pytest.approx((4 + 8**0.5) / 2)
        assert measures["test_other_singular_values_centred"] == pytest.approx((2 + 0) / 2)
        two_thirds = np.exp(-(2 / 3) * np.log(2 / 3) - (1 / 3) * np.log(1 / 3))
        assert measures["test_effective_rank"] == pytest.approx((two_thirds + 1) / 2)
        raw = np.mean([by_gram_matrix(zero)[0], 8**0.5])
        assert measures["test_first_singular_value_raw"] == pytest.approx(raw)

    def test_measures_come_in_the_order_of_the_table(self, states_and_labels):
        measures = [
            *("first_singular_value_raw", "other_singular_values_raw"),
            *("first_singular_value_centred", "other_singular_values_centred", "effective_rank"),
            *("first_singular_value_scale_free", "other_singular_values_scale_free"),
        ]
        table = spectra_table(dict.fromkeys(["train", "test"], states_and_labels))
        assert list(flatness(table)) == [
            f"{split}_{m}" for split in ("train", "test") for m in measures
        ]

    def test_scaling_the_states_leaves_what_is_scale_free(self, states_and_labels):
        states, labels = states_and_labels
        small, large = (
            flatness(spectra_table({"train": (factor * states, labels)})) for factor in (1, 10)
        )
        ratios = {name.removeprefix("train_"): large[name] / small[name] for name in small}
        assert ratios == pytest.approx(
            {
                "first_singular_value_raw": 10,
                "other_singular_values_raw": 10,
                "first_singular_value_centred": 10,
                "other_singular_values_centred": 10,
                "effective_rank": 1,
                "first_singular_value_scale_free": 1,
                "other_singular_values_scale_free": 1,
            }
        )


class TestFlatnessOfAll:
    def test_takes_all_states_as_one_class(self):
        # Around their mean (3, 1) the states lie at (+-2, 0) and (0, +-1).
        states = np.array([[5.0, 1.0], [1.0, 1.0], [3.0, 2.0], [3.0, 0.0]])
        found = flatness_of_all({"test": (states, np.array([0, 0, 1, 1]))})
        assert set(found) == {
            f"test_all_classes_first_singular_value_{scaling}"
            for scaling in ("raw", "centred", "scale_free")
        }
        assert found["test_all_classes_first_singular_value_centred"] == pytest.approx(8**0.5)
        # Of the variance, 8 of 10 parts are along the first axis.
        free = found["test_all_classes_first_singular_value_scale_free"]
        assert free == pytest.approx(0.8**0.5)
        # The largest eigenvalue of the matrix of squares [[44, 12], [12, 6]].
        largest = 25 + (19**2 + 12**2) ** 0.5
        assert found["test_all_classes_first_singular_value_raw"] == pytest.approx(largest**0.5)
