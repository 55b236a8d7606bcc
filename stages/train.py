"""Train one run: ``python -m stages.train EXPERIMENT METHOD SEED``."""

import argparse
import hashlib
import json
from pathlib import Path
from time import perf_counter

from mixup.data.dataset import load_dataset
from mixup.files import whole_file
from mixup.training.config import RunKey, read_run_config
from mixup.training.run import run_folder
from mixup.training.trainer import train_run
from stages.command import run


def keep_time(key: RunKey, seconds: float) -> None:
    """Note how long a run took, beside DVC's outputs: a run's own files are the same each time."""
    net = (run_folder(key) / "model.safetensors").read_bytes()
    timing = {"seconds": round(seconds, 1), "sha256": hashlib.sha256(net).hexdigest()}
    with whole_file(Path("timings", key.experiment, key.method, f"{key.seed}.json")) as temporary:
        temporary.write_text(json.dumps(timing) + "\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("experiment")
    parser.add_argument("method")
    parser.add_argument("seed", type=int)
    key = RunKey(**vars(parser.parse_args()))
    config = read_run_config(key)
    dataset = load_dataset(Path("data") / f"{config.data}.npz")
    start = perf_counter()
    train_run(config, dataset, run_folder(key))
    keep_time(key, perf_counter() - start)


if __name__ == "__main__":
    run(main)
