"""Functions over a box, against lengths and values known in closed form."""

import numpy as np
import pytest

from study.measures.plane import Box, bounding_box, evaluate_on_box, level_length

BOX = Box(-2.0, 1.0, -1.0, 3.0)


def test_the_box_of_points_is_their_extent():
    points = np.array([[0.5, 3.0], [-2.0, 0.0], [1.0, -1.0]])
    assert bounding_box(points) == BOX
    assert BOX.diagonal == pytest.approx(5.0)


def test_values_are_those_at_the_centres_of_cells_the_lowest_row_first():
    values = evaluate_on_box(lambda points: points[:, 0] + 10 * points[:, 1], BOX, resolution=2)
    assert values == pytest.approx(np.array([[-1.25, 0.25], [18.75, 20.25]]))


@pytest.mark.parametrize(
    ("slope", "offset", "length"),
    [
        ((1.0, 0.0), 0.3, 4.0),
        ((0.0, 1.0), 0.3, 3.0),
        ((4.0, -3.0), -5.0, 5.0),  # the diagonal
        ((1.0, 1.0), 0.0, 3 * np.sqrt(2)),  # from (-2, 2) to (1, -1)
        ((1.0, 0.0), 7.0, 0.0),
    ],
)
def test_the_line_of_a_linear_function_has_its_length_within_the_box(slope, offset, length):
    found = level_length(lambda points: points @ np.array(slope), BOX, offset, resolution=7)
    assert found == pytest.approx(length, abs=1e-4)


def test_a_circle_has_its_circumference():
    def radius(points):
        return np.hypot(points[:, 0] + 0.5, points[:, 1] - 1)

    assert level_length(radius, BOX, 1.2) == pytest.approx(2 * np.pi * 1.2, rel=1e-3)


def test_every_piece_of_the_line_counts():
    found = level_length(lambda points: np.abs(points[:, 0] + 0.5), BOX, 0.75, resolution=60)
    assert found == pytest.approx(2 * 4.0, rel=1e-5)
