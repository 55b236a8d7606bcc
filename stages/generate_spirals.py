"""Make the spirals data set and its picture."""

from study.command import run
from study.data.dataset import save_dataset
from study.data.spirals import SpiralsConfig, generate
from study.figures.spirals_data import draw_spirals
from study.figures.style import save
from study.params import read_section


def main() -> None:
    """Write data/spirals.npz and figures/spirals_data.png from the ``spirals`` section."""
    config: SpiralsConfig = read_section(SpiralsConfig, "spirals")
    dataset = generate(config)
    save_dataset("data/spirals.npz", dataset)
    save(draw_spirals(dataset.inputs, dataset.labels), "figures/spirals_data.png")
    print(f"data/spirals.npz: {len(dataset.labels):,} points, kind {config.kind}")


if __name__ == "__main__":
    run(main, __doc__)
