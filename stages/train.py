"""Put one run in place, trained ahead or here: ``stages.train EXPERIMENT METHOD SEED``."""

import argparse
from time import perf_counter

from study.ahead import recorded_code, run_identity, take
from study.command import run
from study.paths import WEIGHTS, RunKey, checkpoint_path, data_file, remove_checkpoint, run_folder
from study.training.experiment import RunConfig, read_run_config


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("experiment")
    parser.add_argument("method")
    parser.add_argument("seed", type=int)
    key = RunKey(**vars(parser.parse_args()))
    config = read_run_config(key)
    identity = run_identity(config, data_file(config.data), recorded_code())
    if not take(identity, run_folder(key)):
        train_here(config, key)


def train_here(config: RunConfig, key: RunKey) -> None:
    """Train a run here."""
    # torch takes a second and a half to import, which a run that was trained ahead does not need.
    from study.data.dataset import load_dataset
    from study.timings import keep_time
    from study.training.record import write_run
    from study.training.trainer import train

    dataset = load_dataset(data_file(config.data))
    checkpoint, start = checkpoint_path(key), perf_counter()
    files = train(config, dataset, checkpoint)
    write_run(run_folder(key), files)
    keep_time(key, perf_counter() - start, files[WEIGHTS])
    remove_checkpoint(checkpoint)


if __name__ == "__main__":
    run(main)
