"""Make a spirals data set and its picture: ``stages.generate_spirals [SECTION]``."""

import argparse

from study.command import run
from study.data.dataset import save_dataset
from study.data.spirals import SpiralsConfig, generate
from study.figures.spirals_data import draw_spirals
from study.figures.style import save
from study.params import read_section
from study.paths import data_file


def main(name: str = "spirals") -> None:
    """Write data/NAME.npz and figures/NAME_data.png from the section NAME of params.yaml."""
    config: SpiralsConfig = read_section(SpiralsConfig, name)
    dataset = generate(config)
    save_dataset(data_file(name), dataset)
    save(draw_spirals(dataset.inputs, dataset.labels), f"figures/{name}_data.png")
    print(f"{data_file(name)}: {len(dataset.labels):,} points, kind {config.kind}")


def from_command_line() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("section", nargs="?", default="spirals")
    main(parser.parse_args().section)


if __name__ == "__main__":
    run(from_command_line)
