"""Probability maps, checked against a net written out in numpy."""

import numpy as np
import pytest
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.markers import MarkerStyle

from mixup.models.mlp import MLP
from study.figures.boundaries import ProbabilityMap, draw_boundaries
from study.figures.style import BINARY_COLOURS
from study.measures.plane import evaluate_on_box
from study.training.net import predict
from study.training.scores import low_confidence_area

BOX = (-2.0, 2.0, -1.0, 1.5)
POINTS = np.array([[-2.0, -1.0], [2.0, 1.5], [0.3, 0.2], [-0.7, 1.1]], dtype=np.float32)
LABELS = np.array([0, 1, 1, 0])


@pytest.fixture
def net() -> MLP:
    torch.manual_seed(0)
    net = MLP(2, [6, 6], 1).eval()
    with torch.no_grad():
        corners = net(torch.tensor([[-2.0, -1.0], [2.0, 1.5]]))
        scale = 6 / (corners.max() - corners.min())
        net.classifier.bias -= corners.mean()
        net.classifier.weight *= scale
        net.classifier.bias *= scale
    return net


def p_of_class_1(net: MLP, x: float, y: float) -> float:
    """Forward pass of one point, from the weights."""
    h = np.array([x, y])
    for layer in net.hidden:
        z = layer[0].weight.detach().numpy() @ h + layer[0].bias.detach().numpy()
        h = np.where(z > 0, z, 0.2 * z)
    logit = net.classifier.weight.detach().numpy() @ h + net.classifier.bias.detach().numpy()
    return float(1 / (1 + np.exp(-logit[0])))


def a_map(net: MLP, resolution: int = 20, accuracy: float = 0.875) -> ProbabilityMap:
    probability = evaluate_on_box(
        lambda points: predict(net, torch.from_numpy(points))[:, 1], BOX, resolution
    )
    return ProbabilityMap(probability, BOX, POINTS, LABELS, accuracy)


def panels(figure: Figure) -> list:
    return [axes for axes in figure.axes if axes.images and axes.get_visible()]


def test_a_map_holds_the_sigmoid_at_the_centre_of_each_cell(net: MLP):
    drawn = panels(draw_boundaries({"baseline": {0: a_map(net)}}, "t"))[0].images[0]
    values = np.asarray(drawn.get_array())
    assert values.shape == (20, 20)
    assert drawn.get_extent() == [-2, 2, -1, 1.5]
    assert drawn.origin == "lower"
    for row in (0, 7, 19):
        for column in (0, 4, 19):
            x = -2 + 4 * (column + 0.5) / 20
            y = -1 + 2.5 * (row + 0.5) / 20
            assert values[row, column] == pytest.approx(p_of_class_1(net, x, y), abs=1e-5)
    assert np.ptp(values) > 0.5


def test_all_panels_and_the_colour_bar_share_one_scale_centred_on_a_half(net: MLP):
    low = ProbabilityMap(np.full((20, 20), 0.4), BOX, POINTS, LABELS, 0.5)
    figure = draw_boundaries({"baseline": {0: a_map(net)}, "manifold": {0: low}}, "t")
    images = [axes.images[0] for axes in panels(figure)]
    assert len(images) == 2
    for image in images:
        assert (image.norm.vmin, image.norm.vcenter, image.norm.vmax) == (0, 0.5, 1)
        assert image.cmap is images[0].cmap
    bar = next(axes for axes in figure.axes if not axes.images)
    assert bar.get_xlim() == (0, 1)
    # 0.25, 0.5 and 0.75 are borders between colours, and both sides mirror each other
    shades = images[0].cmap(images[0].norm(np.array([0.24, 0.26, 0.49, 0.51, 0.74, 0.76])))
    assert len({tuple(shade) for shade in shades}) == 6
    assert min(shades[2, :3].min(), shades[3, :3].min()) > 0.9


def test_thin_lines_follow_a_quarter_and_three_quarters():
    x = (np.arange(50) + 0.5) / 50
    ramp = ProbabilityMap(np.tile(x, (50, 1)), (0, 1, 0, 1), POINTS, LABELS, 1.0)
    axes = panels(draw_boundaries({"baseline": {0: ramp}}, "t"))[0]
    lines = next(found for found in axes.collections if hasattr(found, "levels"))
    assert list(lines.levels) == [0.25, 0.75]
    for level, path in zip(lines.levels, lines.get_paths(), strict=True):
        assert path.vertices[:, 0] == pytest.approx(np.full(len(path.vertices), level))


@pytest.mark.parametrize("constant", [0.5, 1.0])
def test_a_map_without_borders_has_no_lines(constant: float):
    flat = ProbabilityMap(np.full((9, 9), constant), BOX, POINTS, LABELS, 0.5)
    axes = panels(draw_boundaries({"baseline": {0: flat}}, "t"))[0]
    assert not any(hasattr(found, "levels") for found in axes.collections)
    assert axes.get_title().endswith(f"unsure area {1 - 2 * abs(constant - 0.5):.2f}")


def test_training_points_stand_where_they_are_in_the_colour_of_their_class(net: MLP):
    axes = panels(draw_boundaries({"baseline": {0: a_map(net)}}, "t"))[0]
    dots = [found for found in axes.collections if not hasattr(found, "levels")]
    assert len(dots) == 2
    for label, marker in enumerate("o^"):
        assert np.array_equal(dots[label].get_offsets(), POINTS[label == LABELS])
        assert np.array_equal(dots[label].get_facecolor(), [to_rgba(BINARY_COLOURS[label])])
        shape = MarkerStyle(marker)
        expected = shape.get_path().transformed(shape.get_transform()).vertices
        assert np.allclose(dots[label].get_paths()[0].vertices, expected)


def test_titles_name_the_run_its_accuracy_and_the_area_that_metrics_json_has(net: MLP):
    figure = draw_boundaries({"weight_decay": {3: a_map(net, resolution=60)}}, "t")
    corners = np.array([[-2, -1], [2, 1.5]], dtype=np.float32)
    area = low_confidence_area(lambda grid: predict(net, torch.from_numpy(grid)), corners, 60)
    assert 0.05 < area < 0.95
    assert panels(figure)[0].get_title() == (
        f"weight decay, seed 3\naccuracy 0.875, unsure area {area:.2f}"
    )


def test_the_title_says_how_many_points_there_are(net: MLP):
    figure = draw_boundaries({"baseline": {0: a_map(net)}}, "spirals, 1 of n = 5 seeds")
    assert figure.get_suptitle().startswith(
        "spirals, 1 of n = 5 seeds: predictions over the plane, 4 training points"
    )


def test_methods_are_rows_and_seeds_are_columns(net: MLP):
    maps = {
        method: {seed: a_map(net, accuracy=(seed + row) / 100) for seed in (5, 2)}
        for row, method in enumerate(["baseline", "manifold", "mine"])
    }
    figure = draw_boundaries(maps, "t")
    found = [axes.get_title().split("\n")[0] for axes in panels(figure)]
    assert found == [
        f"{name}, seed {seed}" for name in ("baseline", "manifold mixup", "mine") for seed in (5, 2)
    ]
    assert [axes.get_title().split()[-4] for axes in panels(figure)[:3]] == [
        "0.050,",
        "0.020,",
        "0.060,",
    ]


@pytest.mark.slow
@pytest.mark.parametrize(("n_methods", "n_seeds"), [(1, 3), (2, 1), (2, 3), (3, 3), (8, 3)])
def test_all_of_it_is_on_the_page(net: MLP, n_methods: int, n_seeds: int):
    drawn = a_map(net)
    maps = {f"m{i}": dict.fromkeys(range(n_seeds), drawn) for i in range(n_methods)}
    figure = draw_boundaries(maps, "spirals, 3 of n = 5 seeds")
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    extent = figure.get_tightbbox(canvas.get_renderer())
    assert extent.y0 >= 0
    assert extent.y1 <= figure.get_figheight()


def test_one_seed_fills_rows_of_three_methods(net: MLP):
    figure = draw_boundaries({name: {0: a_map(net)} for name in "abcd"}, "t")
    rows = {axes.get_subplotspec().rowspan.start for axes in panels(figure)}
    columns = {axes.get_subplotspec().colspan.start for axes in panels(figure)}
    assert (len(panels(figure)), rows, columns) == (4, {0, 1}, {0, 1, 2})
