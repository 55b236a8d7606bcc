"""Any params.yaml at all is refused in a line, or runs."""

import copy
import shutil
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
from study.paths import run_folder
from study.training.experiment import all_runs, read_run_config
from study.training.record import write_run
from study.training.trainer import train_run
from study.validation import Study, read_study
from tests.study.test_params import write

SPIRALS = yaml.safe_load((Path(__file__).parents[2] / "params.yaml").read_text())["spirals"]
pytestmark = pytest.mark.usefixtures("enough_memory")


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
    "spirals": SPIRALS | {"arms": {"n_samples": 40, "noise_std": 0.1, "n_cycles": 1.0}},
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


fuzz = settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])


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
        shutil.rmtree(inside / "runs", ignore_errors=True)
        wanted = len(list(all_runs(study.seeds, study.experiments)))
        assert not do_all(study) or len(metrics_of_runs(inside)) == wanted


def is_long(study: Study) -> bool:
    """Tell whether a study takes more than a moment, or needs data that are not there."""
    points = study.spirals.arms.n_samples, study.spirals.mirrored.points_per_class
    nets = [e.net_of(m) for e in study.experiments.values() for m in e.all_methods]
    recipes = [experiment.training for experiment in study.experiments.values()]
    steps = [(recipe.steps or 0) + 250 * (recipe.epochs or 0) for recipe in recipes]
    attacks = study.robustness.attacks if study.robustness else None
    return (
        {experiment.data for experiment in study.experiments.values()} - {"spirals", "mnist"}
        or max(*points, *steps, *(sum(net.hidden_sizes) for net in nets)) > 3000
        or bool(attacks and attacks.pgd_steps * attacks.pgd_searches * len(attacks.radii) > 500)
    )


def metrics_of_runs(folder: Path) -> list[Path]:
    return list(folder.glob("runs/*/*/*/metrics.json"))


def do_all(study: Study) -> bool:
    """Do what the study says and tell whether it could be done; if not, that is said in a line."""
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
        return False
    return True


@pytest.mark.slow
def test_the_small_study_that_is_changed_runs(inside: Path) -> None:
    study = accepted(write(inside, yaml.safe_dump(SMALL)))
    assert study
    assert not is_long(study)
    assert do_all(study)
    assert len(metrics_of_runs(inside)) == 4
    assert {path.name for path in (inside / "metrics").iterdir()} == {
        "hidden_states.csv",
        "robustness.csv",
    }
