"""Losses where each sample has its own weight: reductions, means, and trials of the mean."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.testing import assert_close

from tests.mixing.five import LABELS, PERM, WEIGHT, C, N, plan


def test_losses_of_samples_in_half_precision_do_not_overflow() -> None:
    z, y = torch.randn(N, C, 128, 128).half(), torch.randint(C, (N, 128, 128))
    losses = F.cross_entropy(z.double(), y, reduction="none")
    other = F.cross_entropy(z.double(), y[PERM], reduction="none")
    expected = (0.25 * losses + 0.75 * other).mean()
    got = plan([0.25] * N).loss(F.cross_entropy, z, y)
    assert got.item() == pytest.approx(expected.item(), rel=2e-3)


def test_two_terms_of_soft_targets_with_a_weight_a_sample_average_over_samples() -> None:
    lam = torch.tensor([0.1, 0.3, 0.5, 0.7, 0.9], dtype=torch.float64)
    output = torch.randn(N, C, dtype=torch.float64)
    target = torch.rand(N, C, dtype=torch.float64).softmax(1)
    losses = [-(t * output.log_softmax(1)).sum(1) for t in (target, target[PERM])]
    expected = (lam * losses[0] + (1 - lam) * losses[1]).mean()
    found = plan(lam.tolist()).loss(F.cross_entropy, output, target, terms="two")
    assert_close(found, expected)


def weighs_classes(output: Tensor, target: Tensor, reduction: str = "mean") -> Tensor:
    """As someone may write it: cross-entropy, by a name that says nothing of its weights."""
    return F.cross_entropy(output, target, torch.tensor(WEIGHT).double(), reduction=reduction)


REDUCED = {
    "multi_margin": (F.multi_margin_loss, {}),
    "kl_div": (nn.KLDivLoss(reduction="batchmean"), {"terms": "two"}),
    "kl_div, a function": (F.kl_div, {"terms": "two", "reduction": "batchmean"}),
    "soft_margin": (F.multilabel_soft_margin_loss, {"terms": "two"}),
    "poisson": (nn.PoissonNLLLoss(), {"terms": "two"}),
}


@pytest.mark.parametrize(
    ("criterion", "dtype"),
    [
        *((name, torch.float64) for name in REDUCED),
        ("kl_div", torch.bfloat16),
        ("soft_margin", torch.bfloat16),
    ],
)
def test_means_of_losses_of_samples_are_those_of_the_criterion(
    criterion: str, dtype: torch.dtype, logits: Tensor
) -> None:
    loss, options = REDUCED[criterion]
    output = logits.log_softmax(1).to(dtype)
    labels = torch.tensor(LABELS)
    target = labels if criterion == "multi_margin" else torch.rand(N, C).softmax(1).to(dtype)
    expected = plan().loss(loss, output, target, **options)
    found = plan([0.3] * N).loss(loss, output, target, **options)
    assert_close(found.to(dtype), expected)


def test_a_mean_that_is_not_that_of_the_losses_is_refused(logits: Tensor) -> None:
    alike = plan([0.3] * N)
    labels = torch.tensor(LABELS)
    with pytest.raises(ValueError, match="what weighs_classes returns is not the mean"):
        alike.loss(weighs_classes, logits, labels)
    assert plan().loss(weighs_classes, logits, labels) > 0
    assert alike.loss(weighs_classes, logits, labels, reduction="sum") > 0
    steps = torch.randn(8, N, 6).log_softmax(2)
    lengths = {"input_lengths": [8] * N, "target_lengths": [1, 2, 3, 2, 1]}
    with pytest.raises(ValueError, match="what CTCLoss returns is not the mean of its losses"):
        alike.loss(
            nn.CTCLoss(), steps, torch.ones(N, 3).long(), permute=["target_lengths"], **lengths
        )


class Noisy(nn.Module):
    """A mean of losses of which some are dropped, that counts its calls."""

    reduction = "mean"

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("seen", torch.zeros(()))

    def forward(self, output: Tensor, target: Tensor) -> Tensor:
        self.seen += 1
        losses = F.dropout(F.cross_entropy(output, target, reduction="none"))
        return losses.mean() if self.reduction == "mean" else losses


def test_trials_of_the_mean_leave_no_trace(logits: Tensor) -> None:
    labels, noisy = torch.tensor(LABELS), Noisy()
    for step in range(1, 6):
        torch.manual_seed(step)
        found = plan([0.3] * N).loss(noisy, logits, labels)
        after = torch.get_rng_state()
        torch.manual_seed(step)
        losses, other = (
            F.dropout(F.cross_entropy(logits, y, reduction="none")) for y in (labels, labels[PERM])
        )
        assert_close(found, (0.3 * losses + 0.7 * other).mean())
        assert torch.equal(torch.get_rng_state(), after)
        assert noisy.seen == 2 * step


def test_a_mean_that_is_another_in_some_batches_is_found_there(logits: Tensor) -> None:
    class IgnoresOnes(nn.Module):
        reduction = "mean"

        def forward(self, output: Tensor, target: Tensor) -> Tensor:
            return F.cross_entropy(output, target, ignore_index=1, reduction=self.reduction)

    loss = IgnoresOnes()
    for _ in range(3):
        plan([0.3] * N).loss(loss, logits, torch.tensor([0, 2, 2, 0, 2]))
    with pytest.raises(ValueError, match="IgnoresOnes returns is not the mean of its losses"):
        plan([0.3] * N).loss(loss, logits, torch.tensor([0, 1, 2, 0, 1]))
    assert loss.reduction == "mean"


class Focal(nn.CrossEntropyLoss):
    """A class of one's own that is no cross-entropy any more."""

    def forward(self, output: Tensor, target: Tensor) -> Tensor:
        losses = F.cross_entropy(output, target, self.weight, reduction="none") ** 2
        if self.reduction == "none":
            return losses
        return losses.sum() if self.reduction == "sum" else losses.mean()


@pytest.mark.parametrize("lam", [0.3, [0.3] * N])
def test_a_subclass_of_cross_entropy_has_a_mean_of_its_own(lam: Any, logits: Tensor) -> None:
    labels, focal = torch.tensor(LABELS), Focal(torch.tensor(WEIGHT).double())
    expected = 0.3 * focal(logits, labels) + 0.7 * focal(logits, labels[PERM])
    assert_close(plan(lam).loss(focal, logits, labels), expected)
    onehot = F.one_hot(labels, C).double()
    assert_close(plan(lam).loss(focal, logits, onehot, terms="two"), expected)


class Scalar(nn.Module):
    """Has a reduction that it does not heed."""

    reduction = "mean"

    def forward(self, output: Tensor, target: Tensor) -> Tensor:
        return F.cross_entropy(output, target)


def test_losses_that_are_not_one_a_sample_are_refused(logits: Tensor) -> None:
    with pytest.raises(ValueError, match=r"Scalar returns shape \(\), not the losses of 5 samples"):
        plan([0.3] * N).loss(Scalar(), logits, torch.tensor(LABELS))
    tokens = torch.randn(N, 4, C), torch.randint(C, (N, 4))

    def flat(output: Tensor, target: Tensor, reduction: str = "mean") -> Tensor:
        return F.cross_entropy(output.flatten(0, 1), target.flatten(), reduction=reduction)

    with pytest.raises(ValueError, match=r"flat returns shape \(20,\), not the losses of 5"):
        plan([0.3] * N).loss(flat, *tokens)


@pytest.mark.parametrize("reduction", ["sum", "batchmean"])
def test_sums_are_tried_as_means_are(reduction: str, logits: Tensor) -> None:
    def tenth(output: Tensor, target: Tensor, reduction: str = "mean") -> Tensor:
        losses = F.cross_entropy(output, target, reduction="none")
        return losses if reduction == "none" else losses.sum() / 10

    with pytest.raises(ValueError, match="tenth returns is not the mean of its losses, or their"):
        plan([0.3] * N).loss(tenth, logits, torch.tensor(LABELS), reduction=reduction)


class Warm(nn.Module):
    """Begins after some calls."""

    reduction = "mean"
    calls = 0

    def forward(self, output: Tensor, target: Tensor) -> Tensor:
        self.calls += 1
        return F.cross_entropy(output, target, reduction=self.reduction) * (self.calls > 4)


def test_what_a_criterion_learns_is_kept(logits: Tensor) -> None:
    warm = Warm()
    losses = [plan([0.3] * N).loss(warm, logits, torch.tensor(LABELS)) for _ in range(4)]
    assert [bool(loss) for loss in losses] == [False, False, True, True]
    assert warm.calls == 8
    assert warm.reduction == "mean"


def test_a_compiled_criterion_is_itself_and_keeps_its_reduction(logits: Tensor) -> None:
    labels, weight = torch.tensor(LABELS), torch.tensor(WEIGHT).double()
    own = nn.CrossEntropyLoss(weight)
    compiled = torch.compile(own, backend="eager")
    for target in (labels, F.one_hot(labels, C).double()):
        for lam in (0.3, [0.1, 0.3, 0.5, 0.7, 0.9]):
            expected = plan(lam).loss(own, logits, target)
            assert_close(plan(lam).loss(compiled, logits, target), expected)
            assert own.reduction == "mean"


def test_an_infinite_loss_stays_one() -> None:
    losses = torch.tensor([1.0, float("inf"), 2.0, 3.0, 4.0])

    def given(output: Tensor, target: Tensor) -> Tensor:
        return losses[target]

    found = plan(0.7).loss(given, torch.zeros(N, 1), torch.arange(N))
    assert_close(found, 0.7 * losses + 0.3 * losses[PERM])
    for lam, alone in ((1.0, losses), (0.0, losses[PERM])):
        assert_close(plan(lam).loss(given, torch.zeros(N, 1), torch.arange(N)), alone)


def test_a_mean_that_is_no_number_is_that_of_losses_that_are_none(logits: Tensor) -> None:
    def loss(output: Tensor, target: Tensor, reduction: str = "mean") -> Tensor:
        return F.cross_entropy(output, target, reduction=reduction)

    logits[0, 0] = float("nan")
    assert plan([0.3] * N).loss(loss, logits, torch.tensor(LABELS)).isnan()
