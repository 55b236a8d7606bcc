"""Read one's own data, and write them in the form that the study uses, with a description."""

import json
from dataclasses import asdict

from study.command import run
from study.data.dataset import save_dataset
from study.data.own import read_own
from study.data.own_config import OwnDataConfig
from study.files import whole_file
from study.params import read_section


def main() -> None:
    """Write data/own.npz and data/own.json from the ``own`` section."""
    config: OwnDataConfig = read_section(OwnDataConfig, "own")
    dataset, description = read_own(config)
    with whole_file("data/own.json") as temporary:
        text = json.dumps(asdict(description), indent=1, ensure_ascii=False)
        temporary.write_text(text + "\n", encoding="utf-8")
        save_dataset("data/own.npz", dataset)
    counts = ", ".join(f"{n:,} {name}" for name, n in description.counts.items())
    print(f"data/own.npz: {description.n_samples:,} samples of {description.source}: {counts}")
    for name, why in description.left_out.items():
        print(f"left out: column {name}, {why}")


if __name__ == "__main__":
    run(main, __doc__)
