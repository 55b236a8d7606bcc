"""params.yaml as a whole: each bad value is named in a line, and whatever passes runs."""

import copy
import math
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from mixup.data.dataset import Dataset
from mixup.data.spirals import generate
from mixup.errors import StudyError
from mixup.params import ParamsError, read_params
from mixup.study import MEMORY, Study, read_study
from mixup.training.config import RunKey, read_run_config
from mixup.training.trainer import train_run

ROOT = Path(__file__).parent.parent
PARAMS: dict[str, Any] = yaml.safe_load((ROOT / "params.yaml").read_text())


@pytest.fixture(autouse=True)
def enough_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(MEMORY, "16")


def write(folder: Path, text: str) -> Path:
    path = folder / "params.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def turned(*changes: tuple[str, Any]) -> str:
    params = copy.deepcopy(PARAMS)
    for key, value in changes:
        *path, last = key.split(".")
        section = params
        for part in path:
            section = section[part]
        section[last] = value
    return yaml.safe_dump(params, sort_keys=False)


S, M = "experiments.spirals.", "experiments.mnist_2d."
BAD: list[tuple[str, Any, str]] = [
    ("mixup.alhpa", 2.0, "mixup.alhpa is not a known key: did you mean alpha?"),
    (S + "training.batchsize", 8, ".training.batchsize is not a known key: did you mean batch_"),
    (S + "methods.baseline.drop_out", 0.1, "drop_out is not a known key: did you mean dropout?"),
    ("more", {}, "more is not a known key; there are: seeds, mixup, train, "),
    ("mixup.alpha", "1e-4", "mixup.alpha should be a valid number, got '1e-4': write 0.0001"),
    ("mixup.alpha", True, "mixup.alpha should be a valid number, got True"),
    ("mixup.alpha", math.nan, "mixup.alpha should be a finite number, got nan"),
    ("mixup.alpha", -math.inf, "mixup.alpha should be a finite number, got -inf"),
    ("mixup.alpha", 1e-300, "mixup.alpha should be greater than or equal to 0.001, got 1e-300"),
    ("mixup.alpha", 10**90, "mixup.alpha should be less than or equal to 1000000, got 1000"),
    ("seeds", [2**32], "seeds.0 should be less than 4294967296, got 4294967296"),
    ("seeds", [False], "seeds.0 should be a valid integer, got False"),
    ("seeds", [1, 1], "seeds must not repeat an entry, got [1, 1]"),
    ("seeds", [], "seeds"),
    ("train.threads", 10**9, "train.threads should be less than or equal to 256"),
    ("experiments", {}, "experiments"),
    (S + "net.width", -3, "net.width should be greater than or equal to 1, got -3"),
    (S + "net.width", 10**9, "GB of memory, most of it for the net and its optimiser, and 16.0 GB"),
    (S + "net.width", 10**90, "net.width should be less than or equal to 1000000000000, got 1"),
    (S + "net.depth", 10**9, "net.depth should be less than or equal to 10000"),
    (S + "net.negative_slope", 1e300, "negative_slope should be less than or equal to 1"),
    (S + "training.steps", 10**15, "training.steps should be less than or equal to"),
    (S + "training.steps", 10**12, f"{S[:-1]}: a run needs about 320.0 GB of memory, most of it"),
    (S + "training.evaluations", 10001, "must have evaluations <= steps (10000)"),
    (S + "training.decay_at", [9, 10001], "decay_at within its 10000 steps, got [10001]"),
    (S + "training.batch_size", 101, "batch_size must be at most 100, the number of training"),
    (S + "training.test_fraction", 1e-9, "test_fraction leaves no test points of the 500 of a c"),
    (S + "training.test_fraction", 0.9999, "test_fraction leaves no training points of the 500"),
    (S + "training.validation_fraction", 0.001, "validation_fraction leaves no validation points"),
    (S + "training.validation_fraction", 0.999, "validation_fraction leaves no training points"),
    (S + "training.validation_fraction", 0.5, "batch_size must be at most 50, the number of trai"),
    (M + "methods.input.bottleneck", 10**9, "GB of memory, most of it for "),
    (S + "methods.input.bottleneck", 2, "methods.input.bottleneck needs a net.bottleneck"),
    (S + "methods.input.mixes", "label", "methods.input.mixes"),
    (S + "training.learning_rate", 1e308, "learning_rate should be less than or equal to 1"),
    (S + "methods.weight_decay.weight_decay", 1e4, "weight_decay must be at most 1 / training.l"),
    (S + "methods.manifold.eligible", [4], "methods.manifold.eligible must lie within 0..3, got"),
    (S + "methods.manifold.eligible", [0, 0], "eligible must not repeat an entry, got [0, 0]"),
    (S + "mixing", ["manifld"], "mixing names 'manifld', which is not in methods: did you mean m"),
    (S + "data", "../x", "spirals.data should match pattern"),
    (S + "data", "x" * 300, "spirals.data should have at most 64 characters"),
    (M + "training.batch_size", 4001, "batch_size must be at most 4,000, the number of training"),
    (M + "training.epochs", 10**9, "GB of memory, most of it for the history, and 16.0 GB are"),
    (M + "training.evaluations", 10**9, "evaluations must be at most 960, the number of steps"),
    (M + "training.decay_at", [25], "must have decay_at within its 24 epochs, got [25]"),
    (M + "net.bottleneck.size", 10**9, "GB of memory, most of it for "),
    ("spirals.arms.n_samples", 10**12, "n_samples should be less than or equal to 10000000"),
    ("spirals.arms.n_samples", 2, "test_fraction leaves no training points of the 1 of a class"),
    ("mnist.mirrors", ["https:///x"], "mnist.mirrors.0 must start with http://HOST"),
    ("mnist.mirrors", ["http://a b/"], "mnist.mirrors.0 must start with http://HOST"),
    ("mnist.mirrors", ["http://[/"], "mnist.mirrors.0 must start with http://HOST"),
    ("mnist.mirrors", ["file:///a", "file:///a"], "mnist.mirrors must not repeat an entry"),
]


@pytest.mark.parametrize("study", [".", "paper"])
def test_the_committed_params_pass(study: str) -> None:
    read_study(ROOT / study / "params.yaml")


@pytest.mark.parametrize(("key", "value", "said"), BAD)
def test_a_bad_value_is_named_in_a_line(tmp_path: Path, key: str, value: Any, said: str) -> None:
    with pytest.raises(ParamsError) as error:
        read_study(write(tmp_path, turned((key, value))))
    assert said in str(error.value)
    assert str(error.value).isprintable()
    assert len(str(error.value)) < 300


def test_a_run_of_years_is_refused(tmp_path: Path) -> None:
    longer = ((S + "training.steps", 10**12), (S + "training.evaluations", 10**4))
    with pytest.raises(ParamsError, match=r"at least 3 years, 1,000,000,000,000 steps of 100 poi"):
        read_study(write(tmp_path, turned(*longer)))


LAUGHS = "a: &a [x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n"
    for before, name in zip("abcdefghi", "bcdefghij", strict=True)
)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (LAUGHS, "line 1: found an anchor or alias, with which `dvc exp run -S` changes nothing"),
        ("a: &a 1\n", "line 1: found an anchor or alias"),
        ("a: 1\nb:\n  c: 1\n  d: 2\n  c: 3\n", "line 5: found the key 'c' twice"),
        ("a: !!python/object/apply:os.system [ls]\n", "line 1: found a tag"),
        ("a: !!int x\n", "line 1: found a tag"),
        ("[" * 100_000, "nested too deeply"),
        ("a: " + "[" * 5_000 + "]" * 5_000, "nested too deeply"),
        ("a: x\n" * 100_000, "longer than the 262,144 bytes allowed"),
        ("? [a]\n: b\n", "line 1: found unhashable key"),
        ("a: \x00", "is not YAML"),
    ],
)
def test_yaml_that_does_not_mean_what_it_says(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ParamsError) as error:
        read_study(write(tmp_path, text))
    assert said in str(error.value)
    assert str(error.value).isprintable()


def test_numbers_are_what_they_are_to_dvc(tmp_path: Path) -> None:
    """Of YAML 1.1, which PyYAML reads, 010 is 8, 1:30 is 90 and yes is true."""
    text = "[010, 1:30, yes, 1_0, 0x1f, 2001-01-01, 1e5, 12, -3, 1.5, 2.0e-3, true, null, ~]"
    assert read_params(write(tmp_path, f"a: {text}"))["a"] == [
        *("010", "1:30", "yes", "1_0", "0x1f", "2001-01-01", "1e5"),
        *(12, -3, 1.5, 0.002, True, None, None),
    ]


@pytest.mark.parametrize("text", ["1e-4", "1e5", "1e-7", "1E+30", "'2.0'", "010"])
def test_the_advised_number_is_one(tmp_path: Path, text: str) -> None:
    with pytest.raises(ParamsError) as error:
        read_study(write(tmp_path, turned().replace("alpha: 2.0", f"alpha: {text}")))
    advised = str(error.value).partition(": write ")[2].removesuffix(" without quotes")
    value = yaml.safe_load(advised)
    assert isinstance(value, float)
    assert value == float(text.strip("'"))


@pytest.mark.parametrize("text", ["-1", "none", "0", "nan", "1e300"])
def test_a_memory_limit_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv(MEMORY, text)
    with pytest.raises(StudyError, match=f"{MEMORY} must be a number of gigabytes > 0"):
        read_study(ROOT / "params.yaml")


def test_without_a_limit_the_machines_memory_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(MEMORY)
    there = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    with pytest.raises(ParamsError, match=rf"and {there:,.1f} GB are allowed"):
        read_study(write(tmp_path, turned((S + "net.width", 10**7))))


# Any file at all


def paths(params: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    for key, value in params.items() if isinstance(params, dict) else ():
        yield from paths(value, (*path, key))


ANY = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 12),
    st.integers(),
    st.floats(0, 1),
    st.floats(),
    st.sampled_from([10**9, 10**15, "1e-4", "010", "nan", "a\nb", [], {}, [0], [1, 1]]),
    st.text(max_size=8),
    st.lists(st.integers(-1, 5), max_size=3),
    st.dictionaries(st.text(max_size=5), st.integers(), max_size=2),
)
SMALL = {
    "seeds": [0],
    "mixup": {"alpha": 2.0},
    "train": {"threads": 1},
    "spirals": PARAMS["spirals"] | {"arms": {"n_samples": 40, "noise_std": 0.1, "n_cycles": 1.0}},
    "mnist": {"source": "bundled", "mirrors": []},
    "experiments": {
        "spirals": {
            "data": "spirals",
            "net": {"width": 4, "depth": 2, "negative_slope": 0.2},
            "training": {
                "test_fraction": 0.5,
                "batch_size": 4,
                "steps": 3,
                "learning_rate": 0.01,
                "decay_at": [2],
                "evaluations": 2,
            },
            "plain": ["baseline"],
            "mixing": ["manifold"],
            "methods": {
                "baseline": {"weight_decay": 0.1, "dropout": 0.1},
                "manifold": {"eligible": [0, 2]},
            },
        }
    },
}
PATHS = list(paths(SMALL))[1:]
fuzz = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


def refused(error: StudyError, path: Path) -> None:
    """Check that a refusal is a short line."""
    line = str(error).replace(str(path), "")
    assert line.isprintable()
    assert len(line) < 1000


def accepted(path: Path) -> Study | None:
    try:
        return read_study(path)
    except StudyError as error:
        refused(error, path)
        return None


@fuzz
@given(text=st.text(max_size=60) | st.text("[]{}:,-?&*!|>'\"%@#~01.e \n\tab", max_size=60))
@example("experiments: {? {}: 1}")
@example("{a: 1, b}: c")
def test_any_text_is_refused_in_a_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "params.yaml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    assert accepted(path) is None


@fuzz
@given(content=st.binary(max_size=40))
def test_any_bytes_are_refused_in_a_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "params.yaml"
    path.write_bytes(content)
    assert accepted(path) is None


@fuzz
@given(data=st.data())
def test_any_change_is_refused_in_a_line_or_runs(tmp_path: Path, data: st.DataObject) -> None:
    params = copy.deepcopy(SMALL)
    for _ in range(data.draw(st.integers(1, 2))):
        *path, last = data.draw(st.sampled_from(PATHS))
        section: Any = params
        for part in path:
            section = section.get(part, {}) if isinstance(section, dict) else {}
        if isinstance(section, dict):
            key = data.draw(st.just(last) | st.text(max_size=5))
            section[key] = data.draw(ANY)
    path = tmp_path / "params.yaml"
    path.write_text(yaml.safe_dump(params), encoding="utf-8")
    study = accepted(path)
    if study:
        train_all(study, path)


def train_all(study: Study, path: Path) -> None:
    """Train each method once, unless it is long; what cannot be trained is said in a line."""
    for name, experiment in study.experiments.items():
        recipe, net = experiment.training, experiment.net
        size = study.spirals.arms.n_samples, study.spirals.mirrored.points_per_class
        if experiment.data != "spirals" or max(*size, sum(net.hidden), recipe.steps or 0) > 3000:
            continue
        dataset: Dataset = generate(study.spirals)
        for method in experiment.all_methods:
            key = RunKey(name, method, study.seeds[0])
            try:
                train_run(read_run_config(key, path), dataset, path.parent / "run")
            except StudyError as error:
                refused(error, path)


def test_the_small_study_that_is_changed_runs(tmp_path: Path) -> None:
    path = write(tmp_path, yaml.safe_dump(SMALL))
    study = accepted(path)
    assert study
    train_all(study, path)
    assert (tmp_path / "run/metrics.json").exists()
