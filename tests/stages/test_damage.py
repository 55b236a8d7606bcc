"""Each stage that reads what another made notices damage, names the file and writes nothing."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from mixup.data.dataset import Dataset, save_dataset
from mixup.errors import FileError
from mixup.training.config import RunKey, read_run_config
from mixup.training.run import run_folder
from mixup.training.trainer import train_run
from stages import claims, embed_bottleneck, plots, summarize, svd_analysis

TRAINING = {
    "test_fraction": 0.5, "batch_size": 8, "steps": 4, "learning_rate": 0.01, "evaluations": 2,
}  # fmt: skip
BOTTLENECKS = {"flat": 2, "wide": 3}
STAGES = {
    module.__name__.rpartition(".")[2]: module.main
    for module in (claims, embed_bottleneck, plots, summarize, svd_analysis)
}


def experiment(size: int) -> dict[str, object]:
    bottleneck = {"layer": 1, "size": size}
    return {
        "data": "blobs",
        "net": {"width": 4, "depth": 2, "negative_slope": 0.3, "bottleneck": bottleneck},
        "training": TRAINING,
        "plain": ["baseline"],
        "mixing": ["manifold"],
        "methods": {"baseline": {}, "manifold": {"eligible": [0, 1]}},
    }


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small study of which everything up to the tables has been made."""
    folder = tmp_path_factory.mktemp("study")
    params = {
        "seeds": [0, 1],
        "mixup": {"alpha": 2.0},
        "train": {"threads": 1},
        "experiments": {name: experiment(size) for name, size in BOTTLENECKS.items()},
    }
    (folder / "params.yaml").write_text(json.dumps(params))
    (folder / "claims.yaml").write_text("claims: []\n")
    labels = np.arange(48) % 3
    inputs = np.random.default_rng(0).normal(size=(48, 4)).astype(np.float32) + labels[:, None]
    dataset = Dataset(inputs.astype(np.float32), labels, np.arange(48), np.zeros(48, dtype=bool))
    save_dataset(folder / "data/blobs.npz", dataset)
    for name in BOTTLENECKS:
        for method in ("baseline", "manifold"):
            for seed in (0, 1):
                key = RunKey(name, method, seed)
                config = read_run_config(key, folder / "params.yaml")
                train_run(config, dataset, run_folder(key, folder / "runs"))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for stage in ("embed_bottleneck", "svd_analysis", "summarize"):
            STAGES[stage]()
    return folder


@pytest.fixture
def study(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "study"
    shutil.copytree(made, folder)
    monkeypatch.chdir(folder)
    return folder


def empty(path: Path) -> None:
    path.write_bytes(b"")


def cut(path: Path) -> None:
    content = path.read_bytes()
    # Within a line: a table that ends with one looks whole to a reader.
    path.write_bytes(content[: len(content) * 3 // 5].rstrip(b"\n"))


def flip(path: Path) -> None:
    """Flip the bits of a byte in the middle."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)


def change(pattern: str, replacement: str) -> Callable[[Path], None]:
    """Change the first place in a text that fits."""

    def in_file(path: Path) -> None:
        text, n = re.subn(pattern, replacement, path.read_text(), count=1, flags=re.MULTILINE)
        assert n == 1
        path.write_text(text)

    return in_file


def weights(turn: Callable[[np.ndarray], np.ndarray]) -> Callable[[Path], None]:
    def in_file(path: Path) -> None:
        content = load_file(path)
        content["hidden.0.0.weight"] = turn(content["hidden.0.0.weight"])
        save_file(content, path)

    return in_file


def arrays(**changed: np.ndarray) -> Callable[[Path], None]:
    def in_file(path: Path) -> None:
        with np.load(path) as content:
            np.savez(path, **({name: content[name] for name in content.files} | changed))

    return in_file


ANYHOW = (empty, cut, flip)
NAN = float("nan")
RUN = "runs/wide/manifold/1"
DAMAGE: list[tuple[str, str, Callable[[Path], None]]] = [
    *[("data/blobs.npz", stage, how)
      for stage in ("embed_bottleneck", "svd_analysis", "summarize", "plots")
      for how in (*ANYHOW, arrays(inputs=np.full((48, 4), NAN, np.float32)),
                  arrays(labels=np.zeros(3, int)))],
    *[(f"{RUN}/model.safetensors", stage, how)
      for stage in ("svd_analysis", "summarize")
      for how in (empty, cut, weights(lambda w: w[:, :, None]), weights(lambda w: w[:2]),
                  weights(lambda w: w * NAN))],
    *[(f"{RUN}/config.json", "svd_analysis", how)
      for how in (*ANYHOW, change('"width": 4', '"width": 0'),
                  change('"seed": 1', '"seed": NaN'), change('"seed"', '"sead"'))],
    *[(f"{RUN}/metrics.json", "summarize", how)
      for how in (*ANYHOW, change(r": [0-9.]+", ": NaN"), change(r": [0-9.]+", ": [1]"),
                  change(r"(?s)\A.*\Z", "[]\n"))],
    *[(f"{RUN}/history.csv", stage, how)
      for stage in ("summarize", "plots")
      for how in (*ANYHOW, change("^2,[^,]+,[^,]+", "2,0.5,nan"), change("train_loss", "loss_"),
                  change("^2,[^,]+,[^,]+", "2,0.5,much"), change("(?s)\n.*", "\n"))],
    *[("embeddings/flat.npz", "plots", how)
      for how in (empty, cut, arrays(baseline__0__train=np.full((24, 2), NAN)))],
    *[(f"metrics/{name}.csv", "summarize", how)
      for name in ("embedding", "flatness")
      for how in (empty, flip, change("value", "velue"), change("[0-9.]+$", "much"))],
    ("metrics/spectra.csv", "plots", flip),
    ("metrics/summary.csv", "plots", flip),
    *[("metrics/runs.csv", stage, how)
      for stage in ("claims", "plots")
      for how in (empty, flip, change("^flat,baseline,0", "flat,baseline,"))],
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(
    ("file", "stage", "damage"),
    DAMAGE,
    ids=[f"{file}-{stage}-{how.__name__}-{n}" for n, (file, stage, how) in enumerate(DAMAGE)],
)
def test_damage_is_noticed_by_the_stage_that_reads_it(
    study: Path, file: str, stage: str, damage: Callable[[Path], None]
) -> None:
    damage(study / file)
    before = {path: path.read_bytes() for path in study.rglob("*") if path.is_file()}
    with pytest.raises(FileError) as error:
        STAGES[stage]()
    assert str(error.value).startswith(f"{file} is damaged (")
    assert str(error.value).endswith("delete it and run `dvc repro` to make it again")
    assert str(error.value).isprintable()
    assert error.value.path == Path(file)
    assert {path: path.read_bytes() for path in study.rglob("*") if path.is_file()} == before


@pytest.mark.slow
def test_without_damage_all_of_them_work(study: Path) -> None:
    for main in STAGES.values():
        main()
