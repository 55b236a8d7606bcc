"""Measures of input and hidden plane, against closed forms and a small net written by hand."""

from pathlib import Path

import numpy as np
import pytest
import torch

from study.data.dataset import Dataset
from study.errors import StudyError
from study.measures.hidden_plane import (
    MEASURES,
    applies,
    class_flatness,
    has_hidden_plane,
    hidden_measures,
    hidden_spectra,
    input_and_hidden_plane,
    uniform_states,
)
from study.measures.plane import Box, ClassifiedPlane, boundary_length, low_confidence_share
from study.paths import RunKey
from study.training.net import build_mlp
from study.training.run import Run
from tests.training import run_config, with_bottleneck

BOX = Box(-2.0, 1.0, -1.0, 3.0)
ANGLES = np.linspace(0, 2 * np.pi, 100, endpoint=False)
CIRCLE = np.column_stack([np.cos(ANGLES), np.sin(ANGLES)])
LINE = np.outer(np.arange(7.0), [3.0, 4.0]) + 5


def plane(logits, box: Box = BOX) -> ClassifiedPlane:
    return ClassifiedPlane(logits, box, np.zeros((0, 2), np.float32), np.zeros(0, np.int64))


def logit(p: float) -> float:
    return float(np.log(p / (1 - p)))


@pytest.mark.parametrize(
    ("size", "has_one", "are_measured"),
    [(None, False, True), (1, False, False), (2, True, True), (3, False, False)],
)
def test_planes_are_of_two_units_or_of_the_inputs_alone(size, has_one, are_measured):
    key, experiment = RunKey("e", "baseline", 0), with_bottleneck(size)
    assert has_hidden_plane(key, experiment) is has_one
    assert applies(key, experiment) is are_measured


def test_lengths_are_written_with_one_digit_and_shares_with_two():
    digits = [(measure.short, measure.digits) for measure in MEASURES if measure.short]
    assert {of for words, of in digits if words == "boundary"} == {1}
    assert {of for words, of in digits if words != "boundary"} == {2}


def test_a_half_plane_has_the_border_and_the_band_of_its_slope():
    # The logit passes from that of 1/4 to that of 3/4 while x goes from -1 to 0.
    half = plane(lambda points: (2 * points[:, 0] + 1) * logit(0.75))
    assert boundary_length(half) == pytest.approx(4 / 5, rel=1e-6)
    assert low_confidence_share(half) == pytest.approx(66 / 200)  # of 200 columns of cells


@pytest.mark.parametrize("p", [0.25, 0.75])
def test_confidence_is_low_between_its_levels_and_not_on_them(p):
    on_level = plane(lambda points: np.full(len(points), logit(p)))
    assert on_level.predict(np.zeros((1, 2), np.float32)) == p
    assert low_confidence_share(on_level) == 0


def test_a_lone_corner_of_200_by_200_cells_has_a_rhombus_around_it():
    lone = plane(lambda points: np.where((points == 100).all(1), 1.0, -1.0), Box(0, 200, 0, 200))
    assert boundary_length(lone) == pytest.approx(2 / 200)  # of four sides, half a diagonal each


@pytest.mark.parametrize("steepness", [1.0, 1e6])
def test_a_disc_has_its_circumference_however_sure_the_net_is(steepness):
    def logits(points):
        return steepness * (np.hypot(points[:, 0] + 0.5, points[:, 1] - 1) - 1.2)

    assert boundary_length(plane(logits)) == pytest.approx(2 * np.pi * 1.2 / 5, rel=1e-3)


def test_lengths_are_the_same_where_the_plane_is_shifted_and_enlarged():
    def logits(points):
        return points[:, 0] * points[:, 1] - 0.3

    large = Box(*(10 * np.array(BOX) + 7))
    moved = plane(lambda points: logits((points - 7) / 10), large)
    assert boundary_length(plane(logits)) == pytest.approx(boundary_length(moved), rel=1e-4)


def test_a_box_without_extent_has_no_length():
    assert np.isnan(boundary_length(plane(lambda points: points[:, 0], Box(1.0, 1.0, 2.0, 2.0))))


def test_a_net_that_is_sure_of_one_class_has_neither_border_nor_band():
    sure = plane(lambda points: np.full(len(points), 9.0))
    assert (boundary_length(sure), low_confidence_share(sure)) == (0, 0)


def test_states_on_a_line_have_rank_one_and_states_on_a_circle_two():
    states = np.concatenate([LINE, CIRCLE])
    labels = np.repeat([0, 1], [len(LINE), len(CIRCLE)])
    assert class_flatness(states, labels, 0) == pytest.approx((1, 1))
    assert class_flatness(states, labels, 1) == pytest.approx((2, 0.5))


def test_an_ellipse_has_the_share_of_its_axes():
    rank, share = class_flatness(CIRCLE * [9.0, 1.0], np.zeros(100, int), 0)
    assert share == pytest.approx(0.9)
    assert rank == pytest.approx(np.exp(-0.9 * np.log(0.9) - 0.1 * np.log(0.1)))


def test_equal_states_are_neither_flat_nor_round():
    assert np.isnan(class_flatness(np.ones((4, 2)), np.zeros(4, int), 0)).all()


def dataset(n_features: int = 2) -> Dataset:
    inputs = np.random.default_rng(0).uniform(-1, 1, (40, n_features)).astype(np.float32)
    inputs[:2] = [[-1] * n_features, [1] * n_features]
    return Dataset(inputs, np.arange(40) % 2, np.arange(40), np.zeros(40, dtype=bool))


@pytest.fixture
def affine() -> Run:
    """A net of slope 1 whose states are (10 x, y) and whose logit is x + 20 y."""
    net = {"width": 2, "depth": 3, "negative_slope": 1.0, "bottleneck": {"layer": 2, "size": 2}}
    recipe = {"test_fraction": 0.25, "batch_size": 4, "steps": 1, "learning_rate": 0.1}
    config = run_config("baseline", {}, 3, net, recipe | {"evaluations": 1})
    net = build_mlp(config, 2, 1).eval()
    matrices = [torch.diag(torch.tensor([10.0, 1.0])), torch.eye(2), torch.eye(2)]
    with torch.no_grad():
        for layer, matrix in zip(net.hidden, matrices, strict=True):
            layer[0].weight.copy_(matrix)
            layer[0].bias.zero_()
        net.classifier.weight.copy_(torch.tensor([[0.1, 20.0]]))
        net.classifier.bias.zero_()
    return Run(Path("runs/e/m/3"), config, net)


def test_both_planes_are_told_apart_by_the_same_net(affine: Run):
    inputs, hidden = input_and_hidden_plane(affine, dataset())
    assert inputs.box == (-1, 1, -1, 1)
    assert len(inputs.points) == len(hidden.points) == len(hidden.labels) == 30
    assert np.array_equal(hidden.points, inputs.points * np.float32([10, 1]))
    assert hidden.predict(hidden.points) == pytest.approx(inputs.predict(inputs.points))
    x, y = inputs.points.T
    assert inputs.predict(inputs.points) == pytest.approx(1 / (1 + np.exp(-x - 20 * y)), rel=1e-4)
    low, high = hidden.points.min(0), hidden.points.max(0)
    assert hidden.box == (low[0], high[0], low[1], high[1])


def test_measures_are_those_of_an_affine_net(affine: Run):
    measures = hidden_measures(affine, dataset())
    # x + 20 y = 0 runs from (-1, 1 / 20) to (1, -1 / 20); the box has a diagonal of sqrt(8).
    assert measures["boundary_length"] == pytest.approx(np.hypot(2, 0.1) / np.sqrt(8), rel=1e-4)
    _, hidden = input_and_hidden_plane(affine, dataset())
    left, right, bottom, top = hidden.box
    along = np.hypot(right - left, (right - left) / 200)
    diagonal = np.hypot(right - left, top - bottom)
    assert measures["hidden_boundary_length"] == pytest.approx(along / diagonal, rel=1e-4)
    # |x + 20 y| < log 3: the band is log(3) / 10 high everywhere.
    band = np.log(3) / 10 / (top - bottom)
    assert measures["hidden_low_confidence_area"] == pytest.approx(band, abs=1 / 200)
    assert measures["hidden_low_confidence_area"] == low_confidence_share(hidden)
    ranks, shares = [], []
    for label in (0, 1):
        of_class = hidden.points[hidden.labels == label].astype(float)
        variances = np.linalg.eigvalsh(np.cov(of_class.T))
        p = np.sqrt(variances) / np.sqrt(variances).sum()
        ranks.append(np.exp(-(p * np.log(p)).sum()))
        shares.append(p.max())
    assert measures["hidden_effective_rank"] == pytest.approx(np.mean(ranks))
    assert measures["hidden_first_share"] == pytest.approx(np.mean(shares))
    assert [measures[f"hidden_effective_rank_{label}"] for label in (0, 1)] == pytest.approx(ranks)
    assert [measures[f"hidden_first_share_{label}"] for label in (0, 1)] == pytest.approx(shares)
    assert abs(ranks[0] - ranks[1]) > 1e-3
    assert len(measures) == 9


def test_spectra_do_not_depend_on_the_unit_of_the_states(affine: Run):
    table = hidden_spectra(affine, dataset())
    assert list(table) == ["digit", "index", "value"]
    assert table[["digit", "index"]].to_numpy().tolist() == [[0, 1], [0, 2], [1, 1], [1, 2]]
    with torch.no_grad():
        affine.net.hidden[1][0].weight.mul_(1000)
    assert hidden_spectra(affine, dataset())["value"].to_numpy() == pytest.approx(
        table["value"].to_numpy(), rel=1e-5
    )


def test_uniform_inputs_fill_their_box_and_are_the_same_for_every_run(affine: Run):
    states = uniform_states(affine, BOX, 2000)
    assert states.min(0) == pytest.approx([-20, -1], abs=0.1)
    assert states.max(0) == pytest.approx([10, 3], abs=0.1)
    assert states.mean(0) == pytest.approx([-5, 1], abs=0.7)
    assert np.array_equal(states, uniform_states(affine, BOX, 2000))


def test_other_nets_and_data_are_refused(affine: Run):
    refusal = r"runs.e.m.3 is no run of two classes in a plane with a 2-D bottleneck"
    with pytest.raises(StudyError, match=refusal):
        input_and_hidden_plane(affine, dataset(3))
    wide = affine.config.net.model_copy(update={"bottleneck": None})
    without = Run(affine.folder, affine.config.model_copy(update={"net": wide}), affine.net)
    with pytest.raises(StudyError, match="is no run of"):
        input_and_hidden_plane(without, dataset())
    with pytest.raises(StudyError, match="without a bottleneck"):
        uniform_states(without, BOX, 5)
