"""docs/full-mnist.md: the runs are the original's, the claims those of the full study."""

from pathlib import Path

import pandas as pd
import pytest

from study.inference.claims import read_claims
from study.inference.ledger import read_ledger
from study.validation import read_study

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs/full-mnist.md").read_text(encoding="utf-8")
EXAMPLE = ROOT / "examples/all_of_mnist"


def test_the_runs_are_those_of_the_original() -> None:
    study = read_study(EXAMPLE / "params.yaml")
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
    assert f"{len(study.seeds) * 3 * 2} runs" in PAGE


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
    sides = {"supported", "contradicted"}
    assert not [name for name, verdict in asked.items() if {verdict, full[name]} == sides]
    open_here = sum(asked == "inconclusive")
    said = " ".join(PAGE.split())
    assert f"Of these {len(asked)} claims, {same} have the verdict of the full study" in said
    assert f"three seeds leave {open_here} open. None is decided the other way" in said


def test_what_the_page_says_of_means_is_so() -> None:
    summary = pd.read_csv(EXAMPLE / "metrics/summary.csv")
    means = summary.set_index(["experiment", "method", "metric"])["mean"]
    twelve = means["mnist_12d"].unstack()
    assert twelve["test_nll"]["manifold"] == pytest.approx(
        twelve["test_nll"]["baseline"] / 2, rel=0.1
    )
    assert twelve["test_accuracy"].idxmax() == "manifold"
    assert twelve["test_ece"].idxmin() == "manifold"
    two = means["mnist_2d"].unstack()["test_nll"]
    assert two["manifold"] > two["baseline"]
