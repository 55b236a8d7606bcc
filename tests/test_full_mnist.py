"""docs/full-mnist.md: the command for runs that are true to the original makes just these."""

import shlex
import shutil
from itertools import pairwise
from pathlib import Path

from dvc.utils.hydra import apply_overrides

from study.validation import read_study

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs/full-mnist.md").read_text(encoding="utf-8")


def test_the_command_makes_the_originals_runs(tmp_path: Path) -> None:
    lines = PAGE.split("## Not made yet")[1].replace("\\\n", " ").splitlines()
    (command,) = (shlex.split(line) for line in lines if line.startswith("dvc exp run"))
    path = tmp_path / "params.yaml"
    shutil.copy(ROOT / "params.yaml", path)
    apply_overrides(str(path), [after for word, after in pairwise(command) if word == "-S"])
    study = read_study(path)
    assert study.mnist is not None
    assert study.mnist.source == "download"
    assert study.seeds == [100, 101, 102]
    for name, alpha in (("mnist_2d", 1.0), ("mnist_12d", 2.0)):
        experiment = study.experiments[name]
        assert (experiment.net.width, experiment.net.init) == (1024, "keras")
        assert (experiment.training.epochs, experiment.training.decay_at) == (24, [10, 20])
        assert experiment.training.disjoint is None
        for method in experiment.mixing:
            assert (experiment.methods[method].alpha or study.mixup.alpha) == alpha
    runs = 3 * sum(len(study.experiments[n].all_methods) for n in ("mnist_2d", "mnist_12d"))
    assert f"Three seeds are {runs} runs on MNIST" in PAGE
