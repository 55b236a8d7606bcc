"""Each stage that reads what another made notices damage, names the file and writes nothing."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from study.errors import FileError
from tests.stages.conftest import MEASURED, STAGES, keep_only


def empty(path: Path) -> None:
    path.write_bytes(b"")


def cut(path: Path) -> None:
    content = path.read_bytes()
    # Within a line: a table that ends with one looks whole to a reader.
    path.write_bytes(content[: len(content) * 3 // 5].rstrip(b"\n"))


def flip(path: Path) -> None:
    """Flip the bits of a byte of data: the middle of an archive may mean nothing."""
    content = bytearray(path.read_bytes())
    content[len(content) // 4] ^= 0xFF
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


pytestmark = pytest.mark.slow

ANYHOW = (empty, cut, flip)
NAN = float("nan")
RUN, PIXELS, PLANE = "runs/wide/manifold/1", "runs/pixels/input/1", "runs/plane/manifold/1"
OF_PIXELS = ("allowances", "intrusion", "robustness", "hidden_states")
# Every way to damage what one function reads, with one of the stages that call it ...
OF_READERS: list[tuple[str, str, Callable[[Path], None]]] = [
    *[("data/blobs.npz", "embed_bottleneck", how)
      for how in (*ANYHOW, arrays(inputs=np.full((48, 4), np.inf, np.float32)),
                  arrays(labels=np.zeros(3, int)))],
    *[(f"{RUN}/model.safetensors", "svd_analysis", how)
      for how in (*ANYHOW, weights(lambda w: w[:, :, None]), weights(lambda w: w[:2]),
                  weights(lambda w: w * NAN), weights(lambda w: -w))],
    *[(f"{RUN}/config.json", "svd_analysis", how)
      for how in (*ANYHOW, change('"width": 4', '"width": 0'),
                  change('"seed": 1', '"seed": NaN'), change('"seed"', '"sead"'))],
    *[(f"{RUN}/metrics.json", "summarize", how)
      for how in (*ANYHOW, change(r": [0-9.]+", ": NaN"), change(r": [0-9.]+", ": [1]"),
                  change(r": [0-9.]+", ": 0.99"),
                  change(r"(?s)\A.*\Z", "[]\n"))],
    *[(f"{RUN}/history.csv", "summarize", how)
      for how in (*ANYHOW, change("^2,[^,]+,[^,]+", "2,0.5,nan"), change("train_loss", "loss_"),
                  change("^2,[^,]+,[^,]+", "2,0.5,0.5"),
                  change("^2,[^,]+,[^,]+", "2,0.5,much"), change("(?s)\n.*", "\n"))],
    *[("metrics/flatness.csv", "summarize", how)
      for how in (*ANYHOW[::2], change("value", "velue"), change("[0-9.]+$", "much"))],
    *[("metrics/runs.csv", "claims", how)
      for how in (empty, flip, change("^flat,baseline,0", "flat,baseline,"))],
    *[("metrics/runs.csv", "report", how) for how in (*ANYHOW, change("^[a-z]+", "x"))],
    *[(f"metrics/{name}.csv", "report", change("[0-9.]+$", "much")) for name in ("ranks", "wins")],
    *[("embeddings/flat.npz", "plots", how)
      for how in (cut, arrays(baseline__0__train=np.full((24, 2), NAN)))],
    *[("figures/study/curves_flat.png", "report", how) for how in (empty, cut)],
]  # fmt: skip
# ... and every file that a stage reads, in one way.
OF_STAGES: list[tuple[str, str, Callable[[Path], None]]] = [
    *[("data/blobs.npz", stage, flip) for stage in ("svd_analysis", "plots")],
    *[("data/pictures.npz", stage, flip) for stage in (*OF_PIXELS, "report")],
    ("data/points.npz", "hidden_space", flip),
    *[(f"{run}/{file}", stage, how)
      for run, stage in [*((PIXELS, stage) for stage in OF_PIXELS), (PLANE, "hidden_space")]
      for file, how in (("model.safetensors", flip), ("config.json", cut))],
    *[(f"{PIXELS}/metrics.json", "allowances", how)
      for how in (cut, change(r": [0-9.]+", ": 0.99"))],
    *[(f"{PIXELS}/history.csv", stage, how)
      for stage in ("allowances", "report")
      for how in (cut, change("test_loss", "loss_"))],
    ("runs/flat/baseline/1/history.csv", "plots", cut),
    *[(f"metrics/{name}.csv", "report", change("^[a-z]+", "x"))
      for name in ("summary", "curves", "claims", "ranks", "wins")],
    *[(f"metrics/{name}.csv", "summarize", flip) for name in MEASURED],
    *[(f"metrics/{name}.csv", "plots", flip) for name in ("spectra", "summary", "runs")],
    ("figures/study/methods_flat.png", "report", cut),
]  # fmt: skip
DAMAGE = [*OF_READERS, *OF_STAGES]


@pytest.mark.parametrize(
    ("file", "stage", "damage"),
    DAMAGE,
    ids=[f"{file}-{stage}-{how.__name__}-{n}" for n, (file, stage, how) in enumerate(DAMAGE)],
)
def test_damage_is_noticed_by_the_stage_that_reads_it(
    study: Path, file: str, stage: str, damage: Callable[[Path], None]
) -> None:
    damage(study / file)
    if stage == "plots":
        keep_only("flat")
    before = {path: path.read_bytes() for path in study.rglob("*") if path.is_file()}
    with pytest.raises(FileError) as error:
        STAGES[stage]()
    assert str(error.value).startswith(f"{file} is damaged (")
    assert str(error.value).endswith("delete it and run `dvc repro` to make it again")
    assert str(error.value).isprintable()
    assert error.value.path == Path(file)
    assert {path: path.read_bytes() for path in study.rglob("*") if path.is_file()} == before
