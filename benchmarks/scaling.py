"""How the study grows: workers, cohorts, nets, and DVC's own time against the number of runs.

Each part is measured in one go, so that its ratios mean something on a busy machine.

    python -m benchmarks.scaling [--folder bench]
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import chdir, contextmanager
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import matplotlib.pyplot as plt
import pandas as pd
import torch
import yaml
from joblib import cpu_count
from torch.nn import functional as F

from mixup import MLP, ManifoldMixup

ROOT = Path(__file__).parents[1]
COPIED = (
    *(".dvc/config", ".dvcignore", ".gitignore", "dvc.yaml", "params.yaml", "code.json"),
    *("mixup", "requirements.lock", "stages", "study"),
)
AHEAD = ("dvc", "repro", "train_ahead")
SIZES = (16, 32, 64, 128, 256, 512)
STAGES = ("code", "validate", "generate_spirals", "train_ahead", "train_spirals_plain")


@contextmanager
def scratch_study(seeds: int, steps: int) -> Iterator[Path]:
    """Make a Git and DVC repository with ``seeds`` baseline runs on the spirals, and no others."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for name in COPIED:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
            copy(ROOT / name, folder / name)
        params, pipeline = (
            yaml.safe_load((folder / name).read_text()) for name in ("params.yaml", "dvc.yaml")
        )
        spirals = params["experiments"]["spirals"] | {"plain": ["baseline"], "mixing": []}
        spirals["training"] |= {"steps": steps, "evaluations": 1}
        params |= {"seeds": list(range(seeds)), "experiments": {"spirals": spirals}}
        pipeline["stages"] = {name: pipeline["stages"][name] for name in STAGES}
        pipeline["stages"]["train_ahead"]["deps"] = ["data/spirals.npz"]
        for name, changed in {"params.yaml": params, "dvc.yaml": pipeline}.items():
            (folder / name).write_text(yaml.safe_dump(changed, sort_keys=False))
        subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
        with chdir(folder):
            yield folder


def seconds(*command: str) -> float:
    start = perf_counter()
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment)
    return perf_counter() - start


def workers(runs: int = 16, steps: int = 10_000) -> list[dict[str, Any]]:
    """Train the same runs ahead with 1 worker, with 2, and so on up to the number of cores."""
    rows = []
    for jobs in range(1, cpu_count() + 1):
        with scratch_study(runs, steps):
            seconds("dvc", "repro", "code", "generate_spirals")
            limit = f"LOKY_MAX_CPU_COUNT={jobs}"
            rows.append({"workers": jobs, "seconds": seconds("env", limit, *AHEAD)})
    return [row | {"times": rows[0]["seconds"] / row["seconds"]} for row in rows]


def mixed_step(width: int, batch: int, layers: int) -> Callable[[], None]:
    net = MLP(2, [width] * 4, 1)
    mixer = ManifoldMixup(net, [net.layer_name(k) for k in range(layers)], 2.0, seed=0)
    optimiser = torch.optim.AdamW(net.parameters(), fused=True)
    x, y = torch.randn(batch, 2), torch.randint(2, (batch, 1)).float()

    def step() -> None:
        output, plan = mixer(x)
        loss = plan.loss(F.binary_cross_entropy_with_logits, output, y)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()

    return step


def step_times(rounds: int = 150) -> list[dict[str, Any]]:
    """Time mixed steps of nets that differ in one thing from 2-64-64-64-64-1, batches of 64."""
    torch.set_num_threads(1)
    usual = {"width": 64, "batch": 64, "layers": 4}
    varied = {"width": SIZES, "batch": SIZES, "layers": (1, 2, 3, 4)}
    rows = [{"varied": what, "value": n} for what, values in varied.items() for n in values]
    steps = [mixed_step(**usual | {row["varied"]: row["value"]}) for row in rows]
    times: list[list[float]] = [[] for _ in rows]
    for round_ in range(-5, rounds):  # the first ones warm up
        for step, kept in zip(steps, times, strict=True):
            start = perf_counter()
            step()
            if round_ >= 0:
                kept.append(perf_counter() - start)
    return [row | {"ms": median(kept) * 1e3} for row, kept in zip(rows, times, strict=True)]


def dvc_times() -> list[dict[str, Any]]:
    """Time DVC itself, with 10 to 100 runs in one dvc.lock."""
    rows = []
    for n in (10, 30, 60, 100):
        with scratch_study(n, steps=1) as folder:
            seconds("dvc", "repro", "train_ahead")
            recording = seconds("dvc", "repro")
            nothing = seconds("dvc", "repro")
            lines = len((folder / "dvc.lock").read_text().splitlines())
        rows.append(
            {
                "runs": n,
                "lines of dvc.lock": lines,
                "dvc repro with nothing to do, s": nothing,
                "taking and recording a run, ms": (recording - nothing) / n * 1e3,
            }
        )
    return rows


def draw(tables: dict[str, pd.DataFrame], path: Path) -> None:
    figure, (left, middle, right) = plt.subplots(1, 3, figsize=(12, 3.6), layout="constrained")
    left.plot("workers", "times", "o-", data=tables["workers"])
    left.axline((1, 1), slope=1, color="0.7", linestyle=":")
    left.set(title="Training ahead", xlabel="worker processes", ylabel="times as fast as one")
    left.xaxis.get_major_locator().set_params(integer=True)
    for what, rows in tables["steps"].groupby("varied"):
        middle.loglog(rows["value"], rows["ms"], "o-", label=what)
    middle.legend()
    middle.set(title="A mixed step", xlabel="width, batch, or eligible layers", ylabel="ms")
    right.plot("runs", "taking and recording a run, ms", "o-", data=tables["dvc"])
    right.set(title="DVC", xlabel="runs in one dvc.lock", ylabel="ms a run", ylim=(0, None))
    figure.savefig(path, dpi=120)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, default=Path("bench"), help="gets tables and plot")
    folder = parser.parse_args().folder.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    tables = {}
    for name, measure in {"workers": workers, "steps": step_times, "dvc": dvc_times}.items():
        tables[name] = pd.DataFrame(measure())
        tables[name].to_csv(folder / f"{name}.csv", index=False)
        print(f"\n{name}\n{tables[name].round(3).to_string(index=False)}", flush=True)
    draw(tables, folder / "scaling.png")
    print(f"\nwritten to {folder}")


if __name__ == "__main__":
    main()
