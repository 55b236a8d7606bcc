"""One draw of Manifold Mixup: which layer, which weight, which partners."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal, get_args

import torch
from torch import Tensor

from mixup.mixing.checks import fraction, is_criterion, is_tensor, not_negative, shape, short
from mixup.mixing.entropy import binary_entropy
from mixup.mixing.formula import mix
from mixup.mixing.losses import mixed_loss, plain_loss
from mixup.mixing.targets import onehot

Mixes = Literal["both", "features", "labels"]
Terms = Literal["auto", "two"]


@dataclass(frozen=True, eq=False, repr=False)
class MixPlan:
    """Hold one draw of Manifold Mixup, so that it can be printed, kept and replayed.

    ``h[i] <- lam * h[i] + (1 - lam) * h[perm[i]]`` at ``layer``, and the same for the targets.

    Source: Verma et al. 2019, section 2.

    Args:
        layer: name of the layer whose state is mixed; None mixes nothing.
        lam: weight of the original sample, in [0, 1]; a float, or a float tensor of shape (N,).
        perm: int64 (N,), the partner of each sample; a permutation of 0, ..., N - 1.
        mixes: "both", or for ablations "features" or "labels" alone.
        noise: standard deviation of Gaussian noise added to the mixed state, >= 0.
        noise_seed: seed of that noise.

    Raises:
        TypeError: ``lam`` or ``noise`` is no number, or ``perm`` no tensor.
        ValueError: ``lam`` or ``perm`` has a shape, dtype or range other than the above, ``perm``
            is no permutation, ``mixes`` is none of the three, or ``noise`` is negative.
    """

    layer: str | None
    lam: float | Tensor
    perm: Tensor
    mixes: Mixes = "both"
    noise: float = 0.0
    noise_seed: int = 0

    def __post_init__(self) -> None:
        perm, lam = self.perm, self.lam
        is_tensor("perm", perm)
        if perm.ndim != 1 or perm.dtype != torch.int64:
            raise ValueError(f"perm must be int64 of shape (N,), got {perm.dtype} {shape(perm)}")
        if not torch.equal(perm.sort().values, torch.arange(len(perm), device=perm.device)):
            raise ValueError(f"perm must have each of 0, ..., N - 1 once, got {short(perm)}")
        if not isinstance(lam, Tensor):
            fraction("lam", lam)
        elif lam.shape != perm.shape or not lam.is_floating_point():
            raise ValueError(
                f"lam must be a float or a float tensor of shape {shape(perm)}, "
                f"got {lam.dtype} {shape(lam)}"
            )
        elif not ((lam >= 0) & (lam <= 1)).all():
            raise ValueError(f"lam must be in [0, 1], got {short(lam)}")
        if self.mixes not in get_args(Mixes):
            raise ValueError(f"mixes must be one of {get_args(Mixes)}, got {self.mixes!r}")
        not_negative("noise", self.noise)

    @classmethod
    def _unchecked(cls, **values: Any) -> MixPlan:
        """Make a plan of values that are right by construction, at no cost to a step."""
        plan = object.__new__(cls)  # the class has the defaults
        vars(plan).update(values)
        return plan

    @classmethod
    def plain(cls, batch_size: int) -> MixPlan:
        """Make the plan that mixes nothing: no layer, lam 1, every sample its own partner."""
        return cls._unchecked(layer=None, lam=1.0, perm=torch.arange(batch_size))

    @property
    def mixes_labels(self) -> bool:
        """Whether the targets are mixed."""
        return self.layer is not None and self.mixes != "features"

    @property
    def mixes_features(self) -> bool:
        """Whether the hidden states are mixed."""
        return self.layer is not None and self.mixes != "labels"

    def loss(
        self,
        criterion: Callable[..., Tensor],
        output: Any,
        target: Tensor,
        *,
        permute: Iterable[str] | None = None,
        terms: Terms = "auto",
        linear: bool = False,
        **options: Any,
    ) -> Tensor:
        """Compute the loss of the mixed batch.

        ``lam * criterion(output, y) + (1 - lam) * criterion(output, y[perm])`` for hard labels.
        Targets that are numbers (one-hot, soft, multi-label, binary) are mixed and given to the
        criterion once, which is the same where the criterion is linear in its target. PyTorch's
        cross-entropies are; any other is tried, at its 1st, 2nd, 4th, 8th ... batch.

        A cross-entropy with class weights has the mean ``sum of losses / sum(w[c] * target[i, c])``
        for both kinds of target; for soft ones, PyTorch itself would divide by their number.

        Source: Zhang et al. 2018, section 2; Verma et al. 2019, equation 2.

        Args:
            criterion: a loss function or module; its reduction, class weights, label smoothing
                and ignored index stay in force.
            output: what the model returned, as the criterion wants it.
            target: hard labels, int64 (N, ...); or numbers, float (N, ...). Integers or booleans
                of the shape of ``output`` are taken as binary or multi-label numbers.
            permute: names of the options that go with the targets, such as weights of samples.
            terms: "two" for the first form with targets that are numbers, too, whatever the
                criterion; "auto" for the form that fits the target.
            linear: say that the criterion is linear in its target, which is then not tried.
            options: passed on to the criterion, such as ``label_smoothing=0.1``.

        Returns:
            The loss, reduced as the criterion does.

        Raises:
            TypeError: ``target`` is not a tensor, or ``criterion`` a class, or nothing to call.
            ValueError: ``target`` has not N entries; the criterion is not linear in a target of
                numbers (squared error is not); lam is per sample, labels are hard, and the
                criterion has no ``reduction`` to turn off; an option has an entry a sample, and
                ``permute`` is not given.
        """
        if terms != "auto" and terms != "two":
            raise ValueError(f"terms must be one of {get_args(Terms)}, got {terms!r}")
        try:
            if not self.mixes_labels:
                return plain_loss(criterion, output, target, options)
            return mixed_loss(
                *(criterion, output, target, self.lam, self.perm, options),
                permute=permute, two_terms=terms == "two", linear=linear,
            )  # fmt: skip
        except Exception:
            is_criterion(criterion)
            raise

    def mix_targets(self, target: Tensor) -> Tensor:
        """Mix targets that are numbers: ``lam * target + (1 - lam) * target[perm]``.

        Args:
            target: float (N, ...).

        Returns:
            Mixed targets, like ``target``.

        Raises:
            TypeError: ``target`` holds integers; see `soft_targets`.
            ValueError: ``target`` has not N entries.
        """
        mixed: Tensor = mix(target, self.lam, self.perm) if self.mixes_labels else target
        return mixed

    def soft_targets(
        self,
        target: Tensor,
        num_classes: int,
        *,
        label_smoothing: float = 0.0,
        ignore_index: int | None = None,
    ) -> Tensor:
        """Mix one-hot targets: ``lam * onehot(y) + (1 - lam) * onehot(y[perm])``.

        Args:
            target: hard labels, int64 (N, ...), in [0, num_classes).
            num_classes: C.
            label_smoothing: share s that is spread over all classes, in [0, 1]: ``(1 - s) * t +
                s / C``.
            ignore_index: a label that counts for nothing. It gets zeros, and all others the factor
                (number of labels) / (summed weights of those that count), so that the mean of
                ``torch.nn.functional.cross_entropy`` is that over the labels that count.

        Returns:
            Soft targets, (N, C, ...) of the default float dtype, as cross-entropy takes them; they
            sum to 1 over the classes, unless labels are ignored.

        Raises:
            TypeError: ``target`` is not a tensor.
            ValueError: ``target`` has not N entries, or ``label_smoothing`` is out of its range.
        """
        soft, counted = onehot(target, num_classes, label_smoothing, ignore_index)
        if ignore_index is None:
            return self.mix_targets(soft)
        return self.mix_targets(soft) * (counted.numel() / self.mix_targets(counted).sum())

    def mix_masks(self, mask: Tensor) -> Tensor:
        """Keep what either of the two samples keeps: ``mask | mask[perm]``.

        For padded sequences: draw the plan first, then call the mixer with it and this mask.

        Args:
            mask: (N, ...), booleans, or numbers of which 0 stands for what is left out.

        Raises:
            TypeError: ``mask`` is not a tensor.
            ValueError: ``mask`` has not N entries.
        """
        if len(mask) != len(self.perm):
            raise ValueError(f"mask has shape {shape(mask)} for a batch of {len(self.perm)}")
        if not self.mixes_features:
            return mask
        try:
            return torch.maximum(mask, mask.index_select(0, self.perm.to(mask.device)))
        except (AttributeError, TypeError):
            is_tensor("mask", mask)
            raise

    def entropy(self, target: Tensor) -> float:
        """Compute the entropy of this batch's mixed targets, the floor of its mean loss.

        Args:
            target: hard labels, (N,) or (N, 1); or binary ones as numbers 0 and 1.

        Returns:
            Mean entropy in nats; subtract it from the mixed loss to compare with a plain one.
        """
        if not self.mixes_labels:
            return 0.0
        label = target.reshape(len(self.perm))
        differs = label != label[self.perm.to(target.device)]
        entropy = torch.as_tensor(binary_entropy(self.lam), dtype=torch.float64)
        return float((entropy.to(target.device) * differs).mean())

    def to(self, device: torch.device | str) -> MixPlan:
        """Return the plan on a device; itself when it is there already."""
        if self.perm.device == torch.device(device):
            return self
        to_gpu = torch.device(device).type == "cuda"  # where a copy need not be waited for
        tensors = {key: value for key, value in vars(self).items() if isinstance(value, Tensor)}
        moved = {key: value.to(device, non_blocking=to_gpu) for key, value in tensors.items()}
        return self._unchecked(**(vars(self) | moved))

    def __repr__(self) -> str:
        parts = [f"layer={self.layer!r}", f"lam={short(self.lam)}", f"perm={short(self.perm)}"]
        parts += [f"mixes={self.mixes!r}"] * (self.mixes != "both")
        parts += [f"noise={self.noise}, noise_seed={self.noise_seed}"] * bool(self.noise)
        return f"MixPlan({', '.join(parts)})"
