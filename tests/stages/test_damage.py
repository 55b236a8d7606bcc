"""Each stage that reads what another made notices damage, names the file and writes nothing."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from mixup.study.errors import FileError
from tests.stages.conftest import MEASURED, STAGES


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
PIXELS, PLANE = "pixels/input/1", "plane/manifold/1"
OF_PIXELS = ("calibration", "intrusion", "robustness", "hidden_states")
DAMAGE: list[tuple[str, str, Callable[[Path], None]]] = [
    *[("data/blobs.npz", stage, how)
      for stage in ("embed_bottleneck", "svd_analysis", "summarize", "plots")
      for how in (*ANYHOW, arrays(inputs=np.full((48, 4), NAN, np.float32)),
                  arrays(labels=np.zeros(3, int)))],
    *[(f"{RUN}/model.safetensors", stage, how)
      for stage in ("svd_analysis", "summarize")
      for how in (*ANYHOW, weights(lambda w: w[:, :, None]), weights(lambda w: w[:2]),
                  weights(lambda w: w * NAN), weights(lambda w: -w))],
    *[(f"{RUN}/config.json", "svd_analysis", how)
      for how in (*ANYHOW, change('"width": 4', '"width": 0'),
                  change('"seed": 1', '"seed": NaN'), change('"seed"', '"sead"'))],
    *[(f"{RUN}/metrics.json", "summarize", how)
      for how in (*ANYHOW, change(r": [0-9.]+", ": NaN"), change(r": [0-9.]+", ": [1]"),
                  change(r": [0-9.]+", ": 0.99"),
                  change(r"(?s)\A.*\Z", "[]\n"))],
    *[(f"{RUN}/history.csv", stage, how)
      for stage in ("summarize", "plots")
      for how in (*ANYHOW, change("^2,[^,]+,[^,]+", "2,0.5,nan"), change("train_loss", "loss_"),
                  change("^2,[^,]+,[^,]+", "2,0.5,0.5"),
                  change("^2,[^,]+,[^,]+", "2,0.5,much"), change("(?s)\n.*", "\n"))],
    *[("embeddings/flat.npz", "plots", how)
      for how in (empty, cut, arrays(baseline__0__train=np.full((24, 2), NAN)))],
    *[("data/pictures.npz", stage, how)
      for stage in (*OF_PIXELS, "report")
      for how in (*ANYHOW, arrays(inputs=np.full((48, 16), NAN, np.float32)),
                  arrays(labels=np.zeros(3, int)))],
    *[("data/points.npz", "hidden_space", how)
      for how in (*ANYHOW, arrays(inputs=np.full((48, 2), NAN, np.float32)))],
    *[(f"runs/{run}/model.safetensors", stage, how)
      for run, stage in [*((PIXELS, stage) for stage in OF_PIXELS), (PLANE, "hidden_space")]
      for how in (*ANYHOW, weights(lambda w: w[:1]), weights(lambda w: w * NAN))],
    *[(f"runs/{run}/config.json", stage, how)
      for run, stage in [*((PIXELS, stage) for stage in OF_PIXELS), (PLANE, "hidden_space")]
      for how in (*ANYHOW, change('"width": 4', '"width": 0'))],
    *[(f"runs/{PIXELS}/metrics.json", "calibration", how)
      for how in (*ANYHOW, change(r": [0-9.]+", ": NaN"), change(r": [0-9.]+", ": 0.99"))],
    *[(f"runs/{PIXELS}/history.csv", stage, how)
      for stage in ("calibration", "report")
      for how in (*ANYHOW, change("test_loss", "loss_"), change("^2,[^,]+,[^,]+", "2,0.5,0.5"),
                  change("(?s)\n.*", "\n"))],
    *[(f"metrics/{name}.csv", "report", how)
      for name in ("runs", "summary", "curves", "claims", "ranks", "wins")
      for how in (*ANYHOW, change("^[a-z]+", "x"))],
    *[("metrics/ranks.csv", "report", change("[0-9.]+$", "much")),
      ("metrics/wins.csv", "report", change("[0-9.]+$", "much"))],
    *[(f"figures/{name}.png", "report", how)
      for name in ("spirals_data", "study/methods_flat")
      for how in (empty, cut)],
    *[(f"metrics/{name}.csv", "summarize", how)
      for name in MEASURED
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
