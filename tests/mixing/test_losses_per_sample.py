"""Losses where each sample has its own weight: reductions, means, and trials of the mean."""

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
    with pytest.raises(ValueError, match="the mean of weighs_classes is not that of its losses"):
        alike.loss(weighs_classes, logits, labels)
    assert plan().loss(weighs_classes, logits, labels) > 0
    assert alike.loss(weighs_classes, logits, labels, reduction="sum") > 0
    steps = torch.randn(8, N, 6).log_softmax(2)
    lengths = {"input_lengths": [8] * N, "target_lengths": [1, 2, 3, 2, 1]}
    with pytest.raises(ValueError, match="the mean of CTCLoss is not that of its losses: give one"):
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


def test_the_mean_is_tried_at_the_1st_2nd_4th_and_8th_batch(logits: Tensor) -> None:
    calls: list[str] = []
    factor = 1

    def loss(output: Tensor, target: Tensor, reduction: str = "mean") -> Tensor:
        calls.append(reduction)
        losses = F.cross_entropy(output, target, reduction="none")
        return losses if reduction == "none" else factor * losses.mean()

    labels, tried = torch.tensor(LABELS), []
    for batch in range(1, 16):
        calls.clear()
        plan([0.3] * N).loss(loss, logits, labels)
        tried += [batch] if "mean" in calls else []
    assert tried == [1, 2, 4, 8]
    factor = 2
    with pytest.raises(ValueError, match="the mean of loss is not that of its losses"):
        plan([0.3] * N).loss(loss, logits, labels)


def test_losses_without_a_number_stay_so(logits: Tensor) -> None:
    def misfit(output: Tensor, target: Tensor, reduction: str = "mean") -> Tensor:
        losses = -output.gather(1, target[:, None])
        return losses if reduction == "none" else losses.mean()

    assert plan([0.3] * N).loss(misfit, logits * torch.nan, torch.tensor(LABELS)).isnan()
