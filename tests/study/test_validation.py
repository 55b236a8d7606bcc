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

from stages import hidden_states, robustness
from study.data.dataset import Dataset, load_dataset, save_dataset
from study.data.mnist import MnistConfig, load_mnist
from study.data.spirals import generate
from study.errors import StudyError
from study.params import ParamsError, read_section
from study.paths import run_folder
from study.training.config import Experiments, all_runs
from study.training.outcome import write_run
from study.training.run_config import read_run_config
from study.training.trainer import train_run
from study.validation import MEMORY, Study, read_study

ROOT = Path(__file__).parents[2]
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


METHOD_LISTS = ("plain", "mixing")
S, M = "experiments.spirals.", "experiments.mnist_2d."
BAD: list[tuple[str, Any, str]] = [
    ("mixup.alhpa", 2.0, "mixup.alhpa is not a known key: did you mean alpha?"),
    (S + "training.batchsize", 8, ".training.batchsize is not a known key: did you mean batch_"),
    (S + "methods.baseline.drop_out", 0.1, "drop_out is not a known key: did you mean dropout?"),
    ("more", {}, "more is not a known key; there are: seeds, mixup, compute, "),
    ("mixup.alpha", "1_0", "mixup.alpha should be a valid number, got '1_0': write 10.0 without"),
    ("compute.threads", 2e0, "compute.threads should be a valid integer, got 2.0: write 2"),
    ("compute.threads", 2.5, "compute.threads should be a valid integer, got 2.5"),
    ("mixup.alpha", True, "mixup.alpha should be a valid number, got True"),
    ("mixup.alpha", 0, "mixup.alpha should be greater than or equal to 0.001, got 0"),
    ("mixup.alpha", math.nan, "mixup.alpha should be a finite number, got nan"),
    ("mixup.alpha", -math.inf, "mixup.alpha should be a finite number, got -inf"),
    ("mixup.alpha", 1e-300, "mixup.alpha should be greater than or equal to 0.001, got 1e-300"),
    ("mixup.alpha", 10**90, "mixup.alpha should be less than or equal to 1000000, got 1000"),
    ("seeds", [2**32], "seeds.0 should be less than 4294967296, got 4294967296"),
    ("seeds", ["zero"], "seeds.0 should be a valid integer, got 'zero'"),
    ("seeds", [False], "seeds.0 should be a valid integer, got False"),
    ("seeds", [1, 1], "seeds must not repeat an entry, got [1, 1]"),
    ("seeds", [], "seeds"),
    ("compute.threads", 10**9, "compute.threads should be less than or equal to 256"),
    ("experiments", {}, "experiments"),
    (S + "net.width", 32.5, "experiments.spirals.net.width should be a valid integer, got 32.5"),
    (S + "net.width", -3, "net.width should be greater than or equal to 0, got -3"),
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
    (S + "methods.baseline.dropout", 1.0, "dropout should be less than 1, got 1.0"),
    (S + "methods.manifold.eligible", [4], "methods.manifold.eligible must lie within 0..3, got"),
    (S + "methods.manifold.eligible", [0, 0], "eligible must not repeat an entry, got [0, 0]"),
    (S + "mixing", ["manifld"], "mixing names 'manifld', which is not in methods: did you mean m"),
    (S + "data", "../x", "spirals.data should match pattern"),
    (S + "data", "x" * 300, "spirals.data should have at most 64 characters"),
    (M + "training.batch_size", True, "training.batch_size should be a valid integer, got True"),
    (M + "training.steps", 10, "must give either steps or epochs"),
    (M + "net.bottleneck.layer", 6, "bottleneck.layer <= depth (5)"),
    (M + "training.batch_size", 4001, "batch_size must be at most 4,000, the number of training"),
    (M + "training.epochs", 10**9, "GB of memory, most of it for the history, and 16.0 GB are"),
    (M + "training.evaluations", 10**9, "evaluations must be at most 960, the number of steps"),
    (M + "training.decay_at", [25], "must have decay_at within its 24 epochs, got [25]"),
    (M + "net.bottleneck.size", 10**9, "GB of memory, most of it for "),
    ("spirals.arms.n_samples", 10**12, "n_samples should be less than or equal to 10000000"),
    ("spirals.arms.n_samples", 2, "test_fraction leaves no training points of the 1 of a class"),
    ("spirals.arms.n_samples", 999, "spirals.arms.n_samples"),
    ("mnist.source", "kaggle", "mnist.source should be 'bundled' or 'download', got 'kaggle'"),
    ("mnist.mirrors", ["https:///x"], "mnist.mirrors.0 must start with http://HOST"),
    ("mnist.mirrors", ["http://a b/"], "mnist.mirrors.0 must start with http://HOST"),
    ("mnist.mirrors", ["http://[/"], "mnist.mirrors.0 must start with http://HOST"),
    ("mnist.mirrors", ["file:///a", "file:///a"], "mnist.mirrors must not repeat an entry"),
]


@pytest.mark.parametrize("study", [".", "full"])
def test_the_committed_params_pass(study: str) -> None:
    read_study(ROOT / study / "params.yaml")


@pytest.mark.parametrize(("key", "value", "said"), BAD)
def test_a_bad_value_is_named_in_a_line(tmp_path: Path, key: str, value: Any, said: str) -> None:
    with pytest.raises(ParamsError) as error:
        read_study(write(tmp_path, turned((key, value))))
    assert said in str(error.value)
    assert str(error.value).isprintable()
    assert len(str(error.value)) < 300


def test_experiments_may_be_left_out_but_not_all(tmp_path: Path) -> None:
    without = [(f"experiments.{n}.{k}", []) for n in PARAMS["experiments"] for k in METHOD_LISTS]
    path = write(tmp_path, turned(*without[2:]))
    assert len(read_study(path).experiments) == 3
    assert list(read_section(Experiments, "experiments", path=path)) == ["spirals"]
    with pytest.raises(ParamsError, match="plain and mixing name no method in any of them"):
        read_study(write(tmp_path, turned(*without)))


def test_a_run_of_years_is_refused(tmp_path: Path) -> None:
    longer = ((S + "training.steps", 10**12), (S + "training.evaluations", 10**4))
    with pytest.raises(ParamsError, match=r"at least 3 years, 1,000,000,000,000 steps of 100 poi"):
        read_study(write(tmp_path, turned(*longer)))


PAPER: dict[str, Any] = yaml.safe_load((ROOT / "full/params.yaml").read_text())


@pytest.mark.parametrize(
    ("section", "changes", "said"),
    [
        (
            ("states",),
            {"features": {"mnist": ["baseline"]}, "neighbours": 3000},
            "states.neighbours must be at most 2,400, the number of training points of mnist, got",
        ),
        (
            ("robustness", "attacks"),
            {"pgd_steps": 10_000, "pgd_searches": 10_000},
            "years, 2,000 radii of 10,000 searches of 10,000 steps for each run; 1 year is allowed",
        ),
        (
            ("robustness", "deformations"),
            {"rotations": [1 + n / 1000 for n in range(10_000)]},
            "of memory, and 16.0 GB are allowed",
        ),
    ],
)
def test_measures_that_cannot_be_taken_are_refused(
    tmp_path: Path, section: tuple[str, ...], changes: dict[str, Any], said: str
) -> None:
    params = copy.deepcopy(PAPER)
    params["experiments"]["mnist"]["training"] |= {"test_fraction": 0.9, "validation_fraction": 0.0}
    params["robustness"]["attacks"]["radii"] = [round(0.1 + n / 10_000, 4) for n in range(2_000)]
    changed: Any = params
    for key in section:
        changed = changed[key]
    changed |= changes
    with pytest.raises(ParamsError) as error:
        read_study(write(tmp_path, yaml.safe_dump(params)))
    assert said in str(error.value)
    assert str(error.value).isprintable()


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
SMALL: dict[str, Any] = {
    "seeds": [0],
    "mixup": {"alpha": 2.0},
    "compute": {"threads": 1},
    "spirals": PARAMS["spirals"] | {"arms": {"n_samples": 40, "noise_std": 0.1, "n_cycles": 1.0}},
    "mnist": {"source": "bundled", "mirrors": []},
    "experiments": {
        "spirals": {
            "data": "spirals",
            "net": {"width": 4, "depth": 2, "negative_slope": 0.2},
            "training": {
                "test_fraction": 0.5,
                "validation_fraction": 0.2,
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
                "manifold": {"eligible": [0, 2], "batch_norm": True, "input_noise": 0.1},
            },
        },
        "mnist": {
            "data": "mnist",
            "net": {
                "width": 4,
                "depth": 2,
                "negative_slope": 0.2,
                "bottleneck": {"layer": 1, "size": 3},
            },
            "training": {
                "test_fraction": 0.95,
                "validation_fraction": 0.5,
                "batch_size": 20,
                "epochs": 1,
                "learning_rate": 0.01,
                "decay_at": [],
                "evaluations": 1,
            },
            "plain": ["baseline"],
            "mixing": ["manifold"],
            "methods": {
                "baseline": {},
                "manifold": {
                    "eligible": [0, 1],
                    "alpha": 1.0,
                    "mixes": "both",
                    "stop_gradient": True,
                    "bottleneck": 2,
                },
            },
        },
    },
    "states": {
        "features": {"spirals": ["baseline"], "mnist": ["manifold"]},
        "bottlenecks": ["mnist"],
        "neighbours": 3,
        "pairs": 5,
    },
    "robustness": {
        "experiments": ["mnist"],
        "attacks": {"radii": [0.1], "pgd_steps": 2, "pgd_searches": 2, "n_samples": 5},
        "deformations": {"rotations": [20.0], "shears": [10.0], "zooms": [0.8, 1.2]},
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


@pytest.fixture
def inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, digits: Path) -> Path:
    """Enter a folder with the digits."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data/mnist.npz").symlink_to(digits)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("digits") / "mnist.npz"
    save_dataset(path, load_mnist(MnistConfig(source="bundled", mirrors=[])))
    return path


@pytest.mark.slow
@fuzz
@given(data=st.data())
def test_any_change_is_refused_in_a_line_or_runs(inside: Path, data: st.DataObject) -> None:
    params = copy.deepcopy(SMALL)
    for _ in range(data.draw(st.integers(1, 2))):
        *path, last = data.draw(st.sampled_from(PATHS))
        section: Any = params
        for part in path:
            section = section.get(part, {}) if isinstance(section, dict) else {}
        if isinstance(section, dict):
            key = data.draw(st.just(last) | st.text(max_size=5))
            section[key] = data.draw(ANY)
    study = accepted(write(inside, yaml.safe_dump(params)))
    if study and not is_long(study):
        do_all(study)


def is_long(study: Study) -> bool:
    """Tell whether a study takes more than a moment, or needs data that are not there."""
    points = study.spirals.arms.n_samples, study.spirals.mirrored.points_per_class
    nets = [e.net_of(m) for e in study.experiments.values() for m in e.all_methods]
    recipes = [experiment.training for experiment in study.experiments.values()]
    steps = [(recipe.steps or 0) + 250 * (recipe.epochs or 0) for recipe in recipes]
    attacks = study.robustness.attacks if study.robustness else None
    return (
        {experiment.data for experiment in study.experiments.values()} - {"spirals", "mnist"}
        or max(*points, *steps, *(sum(net.hidden) for net in nets)) > 3000
        or bool(attacks and attacks.pgd_steps * attacks.pgd_searches * len(attacks.radii) > 500)
    )


def do_all(study: Study) -> None:
    """Do what the study says; what cannot be done is said in a line."""
    datasets: dict[str, Dataset] = {"spirals": generate(study.spirals)}
    save_dataset(Path("data/spirals.npz"), datasets["spirals"])
    try:
        for key in all_runs(study.seeds, study.experiments):
            config = read_run_config(key)
            dataset = datasets.get(config.data) or load_dataset(Path(f"data/{config.data}.npz"))
            write_run(run_folder(key), train_run(config, dataset))
        if study.states:
            hidden_states.main()
        if study.robustness:
            robustness.main()
    except StudyError as error:
        refused(error, Path())


@pytest.mark.slow
def test_the_small_study_that_is_changed_runs(inside: Path) -> None:
    study = accepted(write(inside, yaml.safe_dump(SMALL)))
    assert study
    assert not is_long(study)
    do_all(study)
    assert len(list(inside.glob("runs/*/*/0/metrics.json"))) == 4
    assert {path.name for path in (inside / "metrics").iterdir()} == {
        "hidden_states.csv",
        "robustness.csv",
    }
