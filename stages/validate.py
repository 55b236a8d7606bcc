"""Check the whole of params.yaml, so that a bad value stops the pipeline before any training."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from mixup.data.mnist import MnistConfig
from mixup.data.spirals import SpiralsConfig
from mixup.files import whole_file
from mixup.params import Section, check, read_params
from mixup.training.config import ExperimentConfig, MixupConfig, Name, Seeds, TrainConfig
from stages.command import run

VALID = Path("data/params_are_valid")


class Study(Section):
    """All of params.yaml."""

    seeds: Seeds
    mixup: MixupConfig
    train: TrainConfig
    spirals: SpiralsConfig
    mnist: MnistConfig
    experiments: Annotated[dict[Name, ExperimentConfig], Field(min_length=1)]


def main() -> None:
    check(Study, read_params())
    # The same bytes whatever the parameters: stages that depend on it wait for it, and are not
    # made out of date by it.
    with whole_file(VALID) as temporary:
        temporary.write_text("params.yaml passed stages.validate\n", encoding="utf-8")


if __name__ == "__main__":
    run(main)
