"""The picture of the spirals shows every point in the colour of its class."""

from pathlib import Path

import numpy as np

from study.figures.spirals_data import draw_spirals
from study.figures.style import save

POINTS = np.array([(0.0, 1.0), (2.0, 3.0), (4.0, 5.0)])
LABELS = np.array([1, 0, 1])


def test_every_point_is_drawn_with_its_class_on_equal_axes() -> None:
    axes = draw_spirals(POINTS, LABELS).axes[0]
    drawn = [np.asarray(points.get_offsets()).tolist() for points in axes.collections]
    assert drawn == [[[2.0, 3.0]], [[0.0, 1.0], [4.0, 5.0]]]
    colours = [tuple(points.get_facecolor()[0]) for points in axes.collections]
    assert colours[0][2] > colours[0][0]
    assert colours[1][0] > colours[1][2]
    assert axes.get_aspect() == 1


def test_the_same_points_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        save(draw_spirals(POINTS, LABELS), tmp_path / name)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
