"""Manifold Mixup as a Lightning callback; needs the extra ``lightning``."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

import lightning.pytorch as pl
from torch import Tensor

from mixup.mixing.layers import Layers
from mixup.mixing.manifold import ManifoldMixup
from mixup.mixing.plan import MixPlan


class ManifoldMixupCallback(pl.Callback):
    """Mix the forward pass of every training step, and the labels in its batch.

    ``training_step`` stays as it is: it finds soft targets where the batch had labels, and
    `torch.nn.functional.cross_entropy` takes those. Each process draws plans of its own.

    Source: Verma et al. 2019, section 2, through `ManifoldMixup`.

    Args:
        layers: as of `ManifoldMixup`; names are those within the LightningModule. "input" is the
            argument of its ``forward``, so ``training_step`` must then call ``self(x)``.
        alpha: as of `ManifoldMixup`.
        num_classes: C, of hard labels; None when targets are numbers already (one-hot, soft,
            multi-label or binary).
        target: index or key of the labels in a batch.
        seed: an int; the rank of the process is added to it.
        options: as of `ManifoldMixup`.

    Raises:
        RuntimeError: in training, the drawn layer did not run exactly once in ``training_step``.
        TypeError: in training, the batch cannot be changed (a tuple).

    Randomness: the mixer's generators, saved and restored with Lightning's checkpoints.
    """

    def __init__(
        self,
        layers: Layers,
        alpha: float,
        *,
        num_classes: int | None = None,
        target: int | str = 1,
        seed: int = 0,
        **options: Any,
    ) -> None:
        self.plan: MixPlan | None = None
        self._layers, self._alpha, self._options = layers, alpha, options
        self._num_classes, self._target, self._seed = num_classes, target, seed
        self._mixer: ManifoldMixup | None = None
        self._restored: dict[str, Any] | None = None
        self._pass = ExitStack()

    def on_fit_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        seed = [self._seed, trainer.global_rank]
        self._mixer = ManifoldMixup(
            pl_module, self._layers, self._alpha, seed=seed, **self._options
        )
        if self._restored is not None:
            self._mixer.load_state_dict(self._restored)

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        assert self._mixer is not None
        labels: Tensor = batch[self._target]
        plan = self.plan = self._mixer.draw(len(labels)).to(labels.device)
        if self._num_classes is None:
            batch[self._target] = plan.mix_targets(labels)
        else:
            batch[self._target] = plan.soft_targets(labels, self._num_classes)
        self._pass.enter_context(self._mixer.mixing(plan))

    def on_before_backward(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, loss: Tensor
    ) -> None:
        assert self._mixer is not None
        assert self.plan is not None
        self._pass.close()
        self._mixer.mix_again_in_backward(loss, self.plan)

    def on_train_batch_end(self, *_: Any) -> None:
        self._pass.close()  # when training_step skipped the batch

    def on_exception(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException
    ) -> None:
        self._pass.__exit__(type(exception), exception, exception.__traceback__)
        self.teardown(trainer, pl_module, "fit")  # Lightning does not, after an error

    def teardown(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        if self._mixer is not None:
            self._restored = self._mixer.state_dict()
            self._mixer.close()

    def state_dict(self) -> dict[str, Any]:
        return self._mixer.state_dict() if self._mixer is not None else {}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self._restored = state_dict or None
