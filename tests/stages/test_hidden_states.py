"""The table of hidden states and its figures, on runs that are really trained for a few steps."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from safetensors.numpy import load_file
from scipy.special import softmax
from sklearn.neighbors import KNeighborsClassifier

from stages import hidden_states, plots, summarize
from study.data.dataset import Dataset, load_dataset
from study.errors import StudyError
from study.figures.style import method_colours
from study.measures.theorem import class_logits_from, different_pairs, linearity, variance_outside
from study.params import ParamsError, check
from study.paths import RunKey, run_folder
from study.seeds import Purpose, seed_sequence
from study.training.experiment import ExperimentConfig
from study.training.run import load_run
from tests.training import experiment, train_all

SEEDS = [4, 1]
NET = {"width": 6, "depth": 3, "negative_slope": 0.2}
EXPERIMENTS: dict[str, dict[str, Any]] = {
    "plain": experiment(
        "blobs",
        {"baseline": {}, "dropout": {"dropout": 0.5}, "manifold": {"eligible": [0, 1]}},
        NET,
    ),
    "widths": experiment(
        "blobs",
        {
            "baseline_1": {"bottleneck": 1},
            "baseline_4": {"bottleneck": 4},
            "manifold_1": {"bottleneck": 1, "eligible": [2]},
            "manifold_4": {"bottleneck": 4, "eligible": [2]},
        },
        NET | {"bottleneck": {"layer": 2, "size": 4}},
    ),
}
STATES = {
    "features": {"plain": ["baseline", "manifold"]},
    "bottlenecks": ["widths"],
    "neighbours": 3,
    "pairs": 50,
}


def write_params(**states: Any) -> None:
    params = {"seeds": SEEDS, "mixup": {"alpha": 2.0}, "compute": {}, "experiments": EXPERIMENTS}
    Path("params.yaml").write_text(yaml.safe_dump(params | {"states": STATES | states}))


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write_params()
    labels = np.arange(90) % 3
    inputs = np.random.default_rng(0).normal(size=(90, 5)) + labels[:, None]
    dataset = Dataset(inputs.astype(np.float32), labels, np.arange(90), np.zeros(90, dtype=bool))
    train_all(EXPERIMENTS, {"blobs": dataset}, SEEDS)
    return tmp_path


def of_run(key: RunKey) -> dict[str, float]:
    table = pd.read_csv("metrics/hidden_states.csv").set_index(list(RunKey._fields))
    return dict(table.loc[tuple(key), ["metric", "value"]].to_numpy().tolist())


def test_features_are_those_of_a_forward_pass_in_numpy(study: Path):
    hidden_states.main()
    table = pd.read_csv("metrics/hidden_states.csv")
    assert list(table) == ["experiment", "method", "seed", "metric", "value"]
    assert set(table.query("experiment == 'plain'")["method"]) == {"baseline", "manifold"}
    key = RunKey("plain", "manifold", 1)
    split = load_run(run_folder(key)).split(load_dataset(Path("data/blobs.npz")))
    weights = load_file(run_folder(key) / "model.safetensors")
    train, test = split.train_inputs.numpy(), split.test_inputs.numpy()
    found, errors = of_run(key), []
    for k in range(4):
        classifier = KNeighborsClassifier(3).fit(train, split.train_labels.numpy())
        errors.append(1 - classifier.score(test, split.test_labels.numpy()))
        if k == 1:
            of_class = test[split.test_labels.numpy() == 2].astype(float)
        if k < 3:
            w, b = weights[f"hidden.{k}.0.weight"], weights[f"hidden.{k}.0.bias"]
            train, test = (h @ w.T + b for h in (train, test))
            train, test = (np.where(h > 0, h, 0.2 * h) for h in (train, test))
    assert [found[f"test_knn_error_after_{k}"] for k in range(4)] == pytest.approx(errors, rel=1e-5)
    squares = np.linalg.eigvalsh(np.cov(of_class.T, ddof=0) * len(of_class))
    values = np.sqrt(np.clip(squares, 0, None))
    expected = values[-1] / values[:-1].sum()
    assert found["test_first_over_others_centred_2_after_1"] == pytest.approx(expected, rel=1e-4)
    classes = [found[f"test_first_over_others_raw_{label}_after_1"] for label in range(3)]
    assert found["test_first_over_others_raw_after_1"] == pytest.approx(np.mean(classes), rel=1e-5)


def test_bottlenecks_are_held_against_the_theorem(study: Path):
    hidden_states.main()
    for method, directions in {"manifold_1": 0, "baseline_4": 2}.items():
        key = RunKey("widths", method, 4)
        run, found = load_run(run_folder(key)), of_run(key)
        split = run.split(load_dataset(Path("data/blobs.npz")))
        states, labels = run.states(split.train_inputs, 2), split.train_labels.numpy()
        rng = np.random.default_rng(seed_sequence(4, Purpose.PAIRS))
        one, other = different_pairs(labels, 50, rng)
        ends, logits = (states[one], states[other]), class_logits_from(run, 2)
        assert found["train_linearity_logits"] == pytest.approx(linearity(logits, *ends), rel=1e-5)
        of_predictions = linearity(lambda h: softmax(logits(h), axis=1), *ends)  # noqa: B023
        assert found["train_linearity"] == pytest.approx(of_predictions, rel=1e-5)
        for common in ("", "_common"):
            outside = variance_outside(states, labels, directions, common=bool(common))
            measured = found[f"train_variance_outside{common}"]
            assert measured == pytest.approx(outside, rel=1e-5)
        probabilities = run.probabilities(split.train_inputs)
        assert softmax(logits(states), axis=1) == pytest.approx(probabilities, rel=1e-5)


def test_a_second_run_gives_the_same_bytes(study: Path):
    hidden_states.main()
    first = Path("metrics/hidden_states.csv").read_bytes()
    hidden_states.main()
    assert Path("metrics/hidden_states.csv").read_bytes() == first


@pytest.mark.slow
def test_figures_are_drawn_where_states_were_measured(study: Path):
    hidden_states.main()
    tables = ["metrics/hidden_states.csv"]
    summarize.main(tables)
    config = {name: check(ExperimentConfig, one) for name, one in EXPERIMENTS.items()}
    colours = method_colours(config["plain"].all_methods)
    plain, widths = ({n for n, _ in plots.measured(e, config[e], colours)} for e in config)
    assert plain == {"methods_plain", "class_ratios_plain", "neighbours_plain"}
    assert widths == {"widths_widths"}


@pytest.mark.parametrize(
    ("states", "error", "said"),
    [
        ({"neighbours": 46}, StudyError, "at most 45, the number of training points of .*, got 46"),
        ({"bottlenecks": ["plain"]}, ParamsError, "'plain', which has no net.bottleneck"),
    ],
)
def test_what_cannot_be_measured_is_named_and_nothing_is_written(study, states, error, said):
    write_params(**states)
    with pytest.raises(error, match=said):
        hidden_states.main()
    assert not Path("metrics/hidden_states.csv").exists()


def test_a_missing_run_is_named(study: Path):
    (study / "runs/widths/baseline_1/1/model.safetensors").unlink()
    with pytest.raises(StudyError, match=r"widths.baseline_1.1.*missing"):
        hidden_states.main()
    assert not Path("metrics/hidden_states.csv").exists()


def test_a_study_may_measure_nothing(study: Path):
    write_params(features={}, bottlenecks=[])
    hidden_states.main()
    assert len(Path("metrics/hidden_states.csv").read_text().splitlines()) == 1
