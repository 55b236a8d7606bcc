"""Train one run: ``python -m stages.train EXPERIMENT METHOD SEED``."""

import argparse
from pathlib import Path
from time import perf_counter

from mixup.study.command import run
from mixup.study.data.dataset import load_dataset
from mixup.study.training.checkpoint import checkpoint_path, remove_checkpoint
from mixup.study.training.config import RunKey, read_run_config
from mixup.study.training.outcome import write_run
from mixup.study.training.run import run_folder
from mixup.study.training.timing import keep_time
from mixup.study.training.trainer import train_run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("experiment")
    parser.add_argument("method")
    parser.add_argument("seed", type=int)
    key = RunKey(**vars(parser.parse_args()))
    config = read_run_config(key)
    dataset = load_dataset(Path("data") / f"{config.data}.npz")
    checkpoint = checkpoint_path(key)
    start = perf_counter()
    write_run(run_folder(key), train_run(config, dataset, checkpoint))
    remove_checkpoint(checkpoint)
    keep_time(key, perf_counter() - start)


if __name__ == "__main__":
    run(main)
