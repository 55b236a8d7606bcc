"""docs/full-mnist.md: the runs are the original's, the claims those of the full study."""

import shlex
import shutil
from itertools import pairwise
from pathlib import Path

from dvc.utils.hydra import apply_overrides

from study.inference.claims import read_claims
from study.inference.ledger import read_ledger
from study.validation import read_study

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs/full-mnist.md").read_text(encoding="utf-8")
EXAMPLE = ROOT / "examples/all_of_mnist"


def test_the_command_makes_the_originals_runs(tmp_path: Path) -> None:
    lines = PAGE.split("## Not made yet")[1].splitlines()
    (command,) = (shlex.split(line) for line in lines if line.startswith("dvc exp run"))
    path = tmp_path / "params.yaml"
    shutil.copy(EXAMPLE / "params.yaml", path)
    apply_overrides(str(path), [after for word, after in pairwise(command) if word == "-S"])
    study = read_study(path)
    assert study.mnist is not None
    assert study.mnist.source == "download"
    for name, alpha in (("mnist_2d", 1.0), ("mnist_12d", 2.0)):
        experiment = study.experiments[name]
        assert experiment.all_methods == ["baseline", "input", "manifold"]
        assert (experiment.net.width, experiment.net.init) == (1024, "keras")
        assert (experiment.training.epochs, experiment.training.decay_at) == (24, [10, 20])
        assert experiment.training.disjoint is None
        for method in experiment.mixing:
            assert (experiment.methods[method].alpha or study.mixup.alpha) == alpha
    assert f"Three seeds are {len(study.seeds) * 3} runs" in PAGE


def test_the_claims_are_those_of_the_full_study() -> None:
    full = {claim.id: claim for claim in read_claims(ROOT / "full/claims.yaml")}
    for claim in read_claims(EXAMPLE / "claims.yaml"):
        same = full[claim.id].model_dump(exclude={"known"})
        assert claim.model_dump(exclude={"known"}) == same


def test_the_page_counts_the_verdicts_that_are_those_of_the_full_study() -> None:
    here = read_ledger(EXAMPLE / "metrics/claims.csv").set_index("id")["verdict"]
    full = read_ledger(ROOT / "full/metrics/claims.csv").set_index("id")["verdict"]
    asked = here[here != "not asked"]
    same = sum(verdict == full[name] for name, verdict in asked.items())
    flipped = {
        name
        for name, verdict in asked.items()
        if {verdict, full[name]} == {"supported", "contradicted"}
    }
    open_here = sum(asked == "inconclusive")
    said = " ".join(PAGE.split())
    assert f"Of these {len(asked)} claims, {same} have the verdict of the full study" in said
    assert f"three seeds leave {open_here} open. One is decided the other way" in said
    assert flipped == {"P-nll-2d"}
    assert full["P-nll-2d"] == "supported"
