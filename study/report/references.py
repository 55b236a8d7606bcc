"""The papers and documents that a page names at its foot."""

import pandas as pd

REFERENCES = [
    (
        "TensorFlow implementation",
        "https://github.com/rahulmadanahalli/manifold_mixup",
        "Manifold Mixup ML Implementation, with figures of spirals and of MNIST bottlenecks",
    ),
    (
        "Video",
        "https://github.com/jankrepl/mildlyoverfitted/tree/master/github_adventures/mixup",
        "Mixup in PyTorch, here its code: six ways to train on two spirals, on two seeds",
    ),
    (
        "Verma et al. 2019",
        "https://arxiv.org/abs/1806.05236",
        "Manifold Mixup: Better Representations by Interpolating Hidden States",
    ),
    (
        "Zhang et al. 2018",
        "https://arxiv.org/abs/1710.09412",
        "mixup: Beyond Empirical Risk Minimization, the paper on mixing inputs",
    ),
    (
        "Thulasidasan et al. 2019",
        "https://arxiv.org/abs/1905.11001",
        "On Mixup Training: Improved Calibration and Predictive Uncertainty",
    ),
    (
        "Wang et al. 2023",
        "https://cvpr.thecvf.com/virtual/2023/poster/21897",
        "On the Pitfall of Mixup for Uncertainty Calibration, once temperatures are scaled",
    ),
    (
        "Guo et al. 2019",
        "https://arxiv.org/abs/1809.02499",
        "MixUp as Locally Linear Out-Of-Manifold Regularization, on mixed points that intrude",
    ),
]
# What introduced the two methods is named whoever makes the claims.
ALWAYS_NAMED = ("Verma et al. 2019", "Zhang et al. 2018")


def references(ledger: pd.DataFrame) -> list[tuple[str, str, str]]:
    """Pick those that a claim's source names, and those of the two methods."""
    sources = " ".join(ledger["source"]).lower()
    return [
        reference
        for reference in REFERENCES
        if reference[0] in ALWAYS_NAMED or reference[0].lower() in sources
    ]
