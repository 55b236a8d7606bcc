"""Which figures a study's tables allow: one for each kind of measure that they have."""

from collections.abc import Iterator, Mapping

import pandas as pd
from matplotlib.figure import Figure

from study.figures.eligible import draw_eligible
from study.figures.features import draw_class_ratios, draw_neighbours
from study.figures.intrusion import draw_intrusion
from study.figures.methods import draw_methods
from study.figures.robustness import draw_attacks, draw_deformations
from study.figures.widths import PANELS, draw_widths
from study.measures.catalogue import seen_in
from study.training.experiment import ExperimentConfig


def draw_measured(
    name: str, runs: pd.DataFrame, summary: pd.DataFrame, colours: Mapping[str, str]
) -> Iterator[tuple[str, Figure]]:
    """Draw the measures of an experiment whose methods have a colour each.

    Args:
        name: of the experiment.
        runs: its rows of ``metrics/runs.csv``.
        summary: its rows of ``metrics/summary.csv``.
        colours: method -> colour.

    Yields:
        A file's name without its ending, and the figure.
    """
    found = set(runs["metric"])
    yield f"methods_{name}", draw_methods(runs, summary, colours, name)
    if seen_in("intrusion", found):
        yield f"intrusion_{name}", draw_intrusion(runs, colours, name)
    if seen_in("class_ratios", found):
        yield f"class_ratios_{name}", draw_class_ratios(summary, colours, name)
    if seen_in("neighbours", found):
        yield f"neighbours_{name}", draw_neighbours(runs, summary, colours, name)
    if seen_in("attacks", found):
        yield f"attacks_{name}", draw_attacks(runs, colours, name)
    if seen_in("deformations", found):
        yield f"deformations_{name}", draw_deformations(runs, colours, name)


def draw_sweeps(
    name: str,
    experiment: ExperimentConfig,
    n_classes: int,
    runs: pd.DataFrame,
    summary: pd.DataFrame,
) -> Iterator[tuple[str, Figure]]:
    """Draw experiments whose methods are the points of a sweep, over alpha or over the width.

    Args:
        name: of the experiment.
        experiment: its settings.
        n_classes: of its data.
        runs: its rows of ``metrics/runs.csv``.
        summary: its rows of ``metrics/summary.csv``.

    Yields:
        As `draw_measured` does.
    """
    methods = {method: experiment.methods[method] for method in experiment.all_methods}
    if has_several_alphas(experiment):
        scores = ["test_accuracy", "test_nll"]
        yield f"layers_{name}", draw_eligible(summary, methods, scores, name)
    if set(PANELS) <= set(runs["metric"]):
        yield f"widths_{name}", draw_widths(runs, summary, experiment, n_classes, name)


def is_swept(experiment: ExperimentConfig) -> bool:
    """Tell whether methods are the points of a sweep, too many for a panel or a line each."""
    methods = [experiment.methods[name] for name in experiment.all_methods]
    return has_several_alphas(experiment) or any(method.bottleneck for method in methods)


def has_several_alphas(experiment: ExperimentConfig) -> bool:
    """Tell whether methods are the points of a grid of alphas."""
    methods = [experiment.methods[name] for name in experiment.all_methods]
    return len({method.alpha for method in methods if method.alpha}) > 1
