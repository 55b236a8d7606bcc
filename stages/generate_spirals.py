"""Make the spirals data set and its picture."""

from mixup.study.command import run
from mixup.study.data.dataset import save_dataset
from mixup.study.data.spirals import SpiralsConfig, generate
from mixup.study.figures.spirals_data import draw_spirals
from mixup.study.figures.style import save
from mixup.study.params import read_section


def main() -> None:
    """Write data/spirals.npz and figures/spirals_data.png from the ``spirals`` section."""
    config: SpiralsConfig = read_section(SpiralsConfig, "spirals")
    dataset = generate(config)
    save_dataset("data/spirals.npz", dataset)
    save(draw_spirals(dataset.inputs, dataset.labels), "figures/spirals_data.png")
    print(f"data/spirals.npz: {len(dataset.labels):,} points, kind {config.kind}")


if __name__ == "__main__":
    run(main, __doc__)
