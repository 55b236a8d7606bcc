"""Where the time of a study goes: each stage, imports, and DVC itself, in a finished folder.

Training is read from timings/; every other stage is run once more, which gives the same files.

    python -m benchmarks.where_time_goes
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from time import perf_counter

STAGES = (
    *("validate", "generate_spirals", "download_mnist", "embed_bottleneck", "svd_analysis"),
    *("summarize", "claims", "plots", "report"),
)
IMPORTS = (
    "torch",
    "sklearn.decomposition",
    "scipy.stats",
    "matplotlib.pyplot",
    "pandas",
    "dvc.repo",
)


def seconds(*command: str) -> float:
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    start = perf_counter()
    subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL)
    return perf_counter() - start


def training() -> dict[str, tuple[int, float]]:
    """Sum up timings/: for each experiment the number of runs, and their seconds."""
    of: dict[str, list[float]] = defaultdict(list)
    for path in sorted(Path("timings").glob("*/*/*.json")):
        of[path.parts[1]].append(json.loads(path.read_text(encoding="utf-8"))["seconds"])
    return {name: (len(each), sum(each)) for name, each in of.items()}


def main() -> None:
    print("| what | seconds |\n|---|---|")
    for name, (n, total) in training().items():
        print(f"| training {name}: {n} runs, summed | {total:.0f} |")
    for name in STAGES:
        print(f"| stage {name} | {seconds(sys.executable, '-m', f'stages.{name}'):.1f} |")
    for name in IMPORTS:
        print(f"| import {name} | {seconds(sys.executable, '-c', f'import {name}'):.1f} |")
    print(f"| dvc repro with nothing to do | {seconds('dvc', 'repro'):.1f} |")


if __name__ == "__main__":
    main()
