"""The figures of one experiment, part by part, from its runs and tables."""

from collections.abc import Iterator, Mapping

import pandas as pd
from matplotlib.figure import Figure

from study.data.dataset import Dataset, load_dataset
from study.figures.allowances import draw_allowances, draw_reliability
from study.figures.bottleneck import Embedding, draw_bottleneck
from study.figures.boundaries import ProbabilityMap, draw_boundaries
from study.figures.curves import draw_curves
from study.figures.draws import draw_draws, drawn_alike, layers_mixed
from study.figures.hidden_plane import HiddenPanel, draw_hidden, draw_singular_values, square_around
from study.figures.measured import draw_measured, draw_swept, is_swept
from study.figures.spectra import draw_spectra
from study.figures.style import some_seeds_said
from study.measures import embedding, hidden_plane
from study.measures.allowances import calibrate, reliability_tables
from study.measures.bottleneck import Embeddings
from study.measures.plane import (
    Box,
    ClassifiedPlane,
    bounding_box,
    class_1_on_box,
    evaluate_on_box,
    shows_inputs,
)
from study.paths import RUNS_TABLE, SPECTRA_TABLE, SUMMARY_TABLE, RunKey, data_file, run_folder
from study.tables import (
    HISTORY,
    MEASURES,
    SPECTRA,
    SUMMARY,
    read_histories,
    read_metrics,
    read_table,
)
from study.training.experiment import ExperimentConfig, runs_of
from study.training.run import Run, load_run

# What a page has room for; the other seeds are in the tables and in the other figures.
SEEDS_WITH_MAPS, SEEDS_WITH_SCATTERS = 3, 2
UNIFORM_INPUTS = 1000
SPLITS = {"train": "training data", "test": "test data"}

Colours = Mapping[str, str]
Figures = Iterator[tuple[str, Figure]]


def boundaries(name: str, experiment: ExperimentConfig, seeds: list[int]) -> Figures:
    """Draw probability maps, where the data are points of two classes in a plane."""
    dataset = load_dataset(data_file(experiment.data))
    if not shows_inputs(experiment, dataset):
        return
    maps = {
        method: {
            seed: probability_map(RunKey(name, method, seed), dataset)
            for seed in seeds[:SEEDS_WITH_MAPS]
        }
        for method in experiment.all_methods
    }
    title = f"{name}, {some_seeds_said(SEEDS_WITH_MAPS, len(seeds))}"
    yield f"boundaries_{name}", draw_boundaries(maps, title)


def probability_map(key: RunKey, dataset: Dataset) -> ProbabilityMap:
    """Map what a run predicts over the box of all inputs, training and test."""
    trained = load_run(run_folder(key))
    split = trained.split(dataset)
    box = bounding_box(dataset.inputs)
    return ProbabilityMap(
        class_1_on_box(trained, box),
        box,
        split.train_inputs.numpy(),
        split.train_labels.numpy(),
        read_metrics(trained.folder)["test_accuracy"],
    )


def curves_and_draws(
    name: str, experiment: ExperimentConfig, seeds: list[int], colours: Colours
) -> Figures:
    """Draw what the histories hold: scores over training, and k and lam where a method mixes."""
    keys = runs_of(name, experiment, seeds)
    histories = read_histories(keys, HISTORY)
    yield f"curves_{name}", draw_curves(histories, colours, name)
    alphas = {
        method: alpha
        for method in experiment.mixing_without_choice
        if (alpha := load_run(run_folder(RunKey(name, method, seeds[0]))).config.alpha)
    }
    if alphas:
        methods, alpha = drawn_alike(alphas)
        drawn = histories[histories["method"].isin(methods)]
        layers = layers_mixed(drawn["k"], experiment.net.depth)
        yield f"draws_{name}", draw_draws(drawn, colours, alpha, layers, name)


def bottlenecks(name: str, experiment: ExperimentConfig, seeds: list[int]) -> Figures:
    """Draw the states of a two-unit bottleneck: of the first five classes, then of all."""
    if not any(embedding.applies(key, experiment) for key in runs_of(name, experiment, seeds)):
        return
    panels = [(seeds[0], "train"), *((seed, "test") for seed in seeds[:SEEDS_WITH_SCATTERS])]
    kept = Embeddings(name)
    columns = {
        f"seed {seed}, {SPLITS[split]}": {
            method: Embedding(*kept.states(RunKey(name, method, seed), split))
            for method in experiment.all_methods
        }
        for seed, split in panels
    }
    of_seeds = some_seeds_said(SEEDS_WITH_SCATTERS, len(seeds))
    last = max(int(of.labels.max()) for column in columns.values() for of in column.values())
    for stop in sorted({min(4, last), last}):
        chosen = {
            heading: {method: of.only(range(stop + 1)) for method, of in column.items()}
            for heading, column in columns.items()
        }
        title = f"{name}: bottleneck states of classes 0 to {stop}, {of_seeds}"
        yield f"bottleneck_{name}_0_{stop}", draw_bottleneck(chosen, title)


def hidden_spaces(
    name: str, experiment: ExperimentConfig, seeds: list[int], colours: Colours
) -> Figures:
    """Draw input and hidden plane where two classes pass a two-unit bottleneck, and its spectra.

    The methods that mix stand beside the first plain one; all plain ones have their own figure.
    """
    dataset = load_dataset(data_file(experiment.data))
    every = runs_of(name, experiment, seeds)
    keys = [key for key in every if hidden_plane.has_hidden_plane(key, experiment)]
    if not keys or not shows_inputs(experiment, dataset):
        return
    runs = {key: load_run(run_folder(key)) for key in keys}
    of_two = {key.method for key in keys}
    plain, mixing = (
        [method for method in names if method in of_two]
        for names in (experiment.plain, experiment.mixing)
    )
    for suffix, methods in (("", plain[:1] + mixing), ("_plain", plain)):
        if suffix and len(plain) < 2:
            continue
        panels = {
            method: _hidden_panel([runs[RunKey(name, method, seed)] for seed in seeds], dataset)
            for method in methods
        }
        title = f"{name}, seed {seeds[0]}" + f" of n = {len(seeds)} seeds" * (len(seeds) > 1)
        yield f"hidden_{name}{suffix}", draw_hidden(panels, title)
    values = pd.concat(
        hidden_plane.hidden_spectra(trained, dataset).assign(**key._asdict())
        for key, trained in runs.items()
    )
    yield f"hidden_{name}_singular_values", draw_singular_values(values, colours, name)


def _hidden_panel(of_seeds: list[Run], dataset: Dataset) -> HiddenPanel:
    """Draw the first run, with the measures of all."""
    measures = pd.DataFrame(
        read_metrics(trained.folder) | hidden_plane.hidden_measures(trained, dataset)
        for trained in of_seeds
    )
    inputs, hidden = hidden_plane.input_and_hidden_plane(of_seeds[0], dataset)
    accuracy = float(measures["test_accuracy"].iloc[0])

    def draw(plane: ClassifiedPlane, box: Box) -> ProbabilityMap:
        probability = evaluate_on_box(plane.predict, box)
        return ProbabilityMap(probability, box, plane.points, plane.labels, accuracy)

    return HiddenPanel(
        draw(inputs, inputs.box),
        draw(hidden, square_around(hidden.points)),
        hidden_plane.uniform_states(of_seeds[0], inputs.box, UNIFORM_INPUTS),
        measures,
    )


def spectra(name: str, colours: Colours) -> Figures:
    """Draw the singular values of wider bottlenecks, one figure a scaling; none without them."""
    table = read_table(SPECTRA_TABLE, SPECTRA)
    table = table[(table["experiment"] == name) & (table["split"] == "test")]
    for scaling, rows in table.groupby("scaling", sort=False):
        figure = draw_spectra(rows, colours, str(scaling), f"{name}, test data")
        yield f"spectra_{name}_{scaling}", figure


def allowances(
    name: str, experiment: ExperimentConfig, seeds: list[int], colours: Colours
) -> Figures:
    """Draw reliability and scores, where validation data allow early stopping and scaling."""
    runs, _ = _measured(name)
    if "temperature" not in set(runs["metric"]):
        return
    dataset = load_dataset(data_file(experiment.data))
    tables = pd.concat(
        reliability_tables(calibrate(load_run(run_folder(key), dataset), dataset)).assign(
            **key._asdict()
        )
        for key in runs_of(name, experiment, seeds)
    )
    yield f"reliability_{name}", draw_reliability(tables, runs, colours, name)
    yield f"allowances_{name}", draw_allowances(runs, colours, name)


def measured(name: str, experiment: ExperimentConfig, colours: Colours) -> Figures:
    """Draw what was measured on every run."""
    runs, summary = _measured(name)
    n_classes = load_dataset(data_file(experiment.data)).n_classes
    yield from draw_swept(name, experiment, n_classes, runs, summary)
    if not is_swept(experiment):
        yield from draw_measured(name, runs, summary, colours)


def _measured(name: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read what was measured on an experiment's runs, and its summary."""
    runs = read_table(RUNS_TABLE, MEASURES)
    summary = read_table(SUMMARY_TABLE, SUMMARY)
    return runs[runs["experiment"] == name], summary[summary["experiment"] == name]
