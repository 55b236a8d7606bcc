"""Nothing that is read is run: planted pickles, and the calls that would load one."""

import ast
import gzip
import io
import os
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from study.data.dataset import Dataset, load_dataset
from study.data.idx import read_idx
from study.data.npz import read_npz
from study.data.own import read_own
from study.data.own_config import OwnDataConfig
from study.errors import StudyError
from study.inference.claims import read_claims
from study.params import check, read_params
from study.tables import read_metrics, read_table
from study.training.checkpoint import Checkpoint
from study.training.experiment import RunConfig
from study.training.record import write_run
from study.training.run import load_run
from study.training.trainer import new_state, train_run

ROOT = Path(__file__).parent.parent
CONFIG = {
    "experiment": "e", "method": "m", "seed": 0, "data": "d", "alpha": 1.0, "threads": 1,
    "net": {"width": 4, "depth": 1, "negative_slope": 0.1, "bottleneck": None},
    "training": {
        "test_fraction": 0.5, "batch_size": 4, "steps": 1, "epochs": None,
        "learning_rate": 0.1, "decay_at": [], "evaluations": 1,
    },
    "settings": {"weight_decay": 0.0, "dropout": 0.0, "eligible": [0]},
}  # fmt: skip


def dataset() -> Dataset:
    inputs = np.random.default_rng(0).normal(size=(16, 2)).astype(np.float32)
    return Dataset(inputs, np.arange(16) % 2, np.arange(16), np.zeros(16, dtype=bool))


class Malicious:
    """An object whose pickle makes a folder when it is loaded."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[str]]:
        return os.mkdir, (str(self.marker),)


@pytest.fixture
def marker(tmp_path: Path) -> Path:
    return tmp_path / "it was run"


@pytest.fixture
def pickles(marker: Path) -> dict[str, bytes]:
    """The pickle by itself, and in each container that is read."""
    bare, npy = pickle.dumps(Malicious(marker)), io.BytesIO()
    objects = np.empty(1, dtype=object)
    objects[0] = Malicious(marker)
    np.save(npy, objects, allow_pickle=True)
    found = {"bare": bare, "npy": npy.getvalue(), "gzip": gzip.compress(bare)}
    for name, content in (("npz", npy.getvalue()), ("torch", bare)):
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as archive:
            for member in ("inputs.npy", "labels.npy", "archive/data.pkl"):
                archive.writestr(member, content)
        found[name] = file.getvalue()
    return found


def load_checkpoint(folder: Path) -> None:
    """A checkpoint is no input of a run: one that is no good is ignored, with a line."""
    config = RunConfig.model_validate(CONFIG)
    if not Checkpoint(folder / "file", config, dataset()).load(new_state(config, dataset())):
        raise StudyError("ignored")


def in_a_run(name: str, read: Callable[[Path], object]) -> Callable[[Path], object]:
    """Train a run, put the file in the place of one of its own, and read it."""

    def read_run(folder: Path) -> None:
        write_run(folder / "run", train_run(RunConfig.model_validate(CONFIG), dataset()))
        (folder / "file").replace(folder / "run" / name)
        read(folder / "run")

    return read_run


def read_own_file(path: Path, kind: str) -> None:
    target = None if kind == "npz" else "a"
    read_own(check(OwnDataConfig, {"path": str(path), "format": kind, "target": target}))


READERS: dict[str, Callable[[Path], object]] = {
    "data": lambda folder: load_dataset(folder / "file"),
    "embeddings": lambda folder: read_npz(folder / "file"),
    "one's own table": lambda folder: read_own_file(folder / "file", "csv"),
    "one's own Parquet": lambda folder: read_own_file(folder / "file", "parquet"),
    "one's own arrays": lambda folder: read_own_file(folder / "file", "npz"),
    "IDX images": lambda folder: read_idx(folder / "file", 3),
    "IDX labels": lambda folder: read_idx(folder / "file", 1),
    "table": lambda folder: read_table(folder / "file", ["value"]),
    "params": lambda folder: read_params(folder / "file"),
    "claims": lambda folder: read_claims(folder / "file"),
    "weights": in_a_run("model.safetensors", load_run),
    "configuration": in_a_run("config.json", load_run),
    "metrics": in_a_run("metrics.json", read_metrics),
    "checkpoint": load_checkpoint,
}


@pytest.mark.parametrize("container", ["bare", "npy", "gzip", "npz", "torch"])
@pytest.mark.parametrize("reader", READERS)
def test_a_planted_pickle_is_not_loaded(
    tmp_path: Path, marker: Path, pickles: dict[str, bytes], reader: str, container: str
) -> None:
    (tmp_path / "file").write_bytes(pickles[container])
    with pytest.raises(StudyError):
        READERS[reader](tmp_path)
    assert not marker.exists()


def test_the_planted_pickle_works(marker: Path, pickles: dict[str, bytes]) -> None:
    np.load(io.BytesIO(pickles["npy"]), allow_pickle=True)
    assert marker.exists()


@pytest.mark.parametrize("tag", ["apply:os.mkdir", "new:os.mkdir"])
def test_yaml_makes_no_objects(tmp_path: Path, marker: Path, tag: str) -> None:
    (tmp_path / "file").write_text(f"a: !!python/object/{tag} ['{marker}']\n")
    with pytest.raises(StudyError, match="line 1: found a tag"):
        read_params(tmp_path / "file")
    assert not marker.exists()


# The calls that could: nobody in the project makes one

MODULES = {"pickle", "_pickle", "cPickle", "dill", "cloudpickle", "shelve", "marshal"}
CALLS = {"eval", "exec", "compile", "__import__", "os.system", "os.popen", "torch.load", "np.load"}
CALLS |= {f"yaml.{name}" for name in ("unsafe_load", "full_load", "load_all", "unsafe_load_all")}
CALLS |= {
    "joblib.load",
    "joblib.dump",
    "pd.read_pickle",
    "pandas.read_pickle",
    "tempfile.mktemp",
    "numpy.load",
    "np.fromfile",
}


def forbidden(source: str) -> list[str]:
    """Find what could run what is read."""
    found = []
    for node in ast.walk(ast.parse(source)):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            names = [str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names)]
        found += [name for name in names if name.split(".")[0] in MODULES or name in CALLS]
        if not isinstance(node, ast.Call):
            continue
        called = ast.unparse(node.func)
        options = {option.arg: ast.unparse(option.value) for option in node.keywords}
        loader = [ast.unparse(argument) for argument in node.args[1:]]
        if (
            called in CALLS
            or options.get("shell", "False") != "False"
            or options.get("allow_pickle", "False") != "False"
            or options.get("verify", "True") != "True"
            or (called == "yaml.load" and loader != ["_PlainLoader"])
            or called.endswith(".read_pickle")
        ):
            found.append(ast.unparse(node))
    return found


@pytest.mark.parametrize("folder", ["mixup", "stages", "benchmarks", "examples"])
def test_no_call_runs_what_it_reads(folder: str) -> None:
    files = sorted((ROOT / folder).rglob("*.py"))
    assert files
    assert {str(file): found for file in files if (found := forbidden(file.read_text()))} == {}


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "from joblib import load",
        "from torch import load",
        "torch.load(path, weights_only=True)",
        "np.load(path)",
        "np.load(path, allow_pickle=True)",
        "yaml.load(text, yaml.Loader)",
        "yaml.load(text, Loader=_PlainLoader)",
        "eval('1')",
        "subprocess.run('ls', shell=True)",
        "requests.get(url, verify=False)",
        "pandas.DataFrame.read_pickle(x)",
    ],
)
def test_the_walk_notices(source: str) -> None:
    assert forbidden(source)
