"""Manifold Mixup as a Lightning callback; needs the extra ``lightning``."""

from __future__ import annotations

from contextlib import ExitStack
from functools import wraps
from typing import Any

import lightning.pytorch as pl
import torch.distributed as dist
from torch import Tensor

from mixup.integrations.logs import numbers_of
from mixup.mixing.layers import Layers
from mixup.mixing.manifold import ManifoldMixup
from mixup.mixing.plan import MixPlan


class ManifoldMixupCallback(pl.Callback):
    """Mix the forward pass of every training step, and the labels in its batch.

    ``training_step`` stays as it is: it finds soft targets where the batch had labels, and
    ``torch.nn.functional.cross_entropy`` takes those. Each process draws plans of its own. Unlike
    `MixPlan.loss`, a callback cannot see the criterion: it must be linear in its target.

    Source: Verma et al. 2019, section 2, through `ManifoldMixup`.

    Args:
        layers: as of `ManifoldMixup`; names are those within the LightningModule. "input" is the
            argument of its ``forward``, so ``training_step`` must then call ``self(x)``.
        alpha: as of `ManifoldMixup`.
        num_classes: C, of hard labels (N, ...); None when targets are numbers already (one-hot,
            soft, multi-label or binary).
        target: index or key of the labels in a batch.
        label_smoothing, ignore_index: of hard labels, as in `MixPlan.soft_targets`.
        plain_epochs: how many epochs at the end are not mixed, >= 0.
        log: whether to log each step's ``mixup_lam`` (its mean, where there is one a sample) and
            ``mixup_layer``, an index of the mixer's layers, or -1.
        seed: an int; the rank of the process is added to it.
        options: as of `ManifoldMixup`.

    Raises:
        RuntimeError: in training, the drawn layer did not run exactly once in ``training_step``.
        TypeError: in training, the batch cannot be changed (a tuple).

    Randomness: the mixer's generators, those of every rank, saved and restored with Lightning's
        checkpoints; a rank that a checkpoint does not have starts from its seed.
    """

    def __init__(
        self,
        layers: Layers,
        alpha: float,
        *,
        num_classes: int | None = None,
        target: int | str = 1,
        label_smoothing: float = 0.0,
        ignore_index: int | None = None,
        plain_epochs: int = 0,
        log: bool = False,
        seed: int = 0,
        **options: Any,
    ) -> None:
        self.plan: MixPlan | None = None
        self._layers, self._alpha, self._options = layers, alpha, options
        self._num_classes, self._target, self._seed = num_classes, target, seed
        self._of_labels: dict[str, Any] = {
            "label_smoothing": label_smoothing,
            "ignore_index": ignore_index,
        }
        self._plain_epochs, self._log = plain_epochs, log
        self._mixer: ManifoldMixup | None = None
        self._restored: dict[int, Any] = {}  # by rank
        self._step = ExitStack()
        self._fit = ExitStack()

    @property
    def mixer(self) -> ManifoldMixup:
        """The mixer of the fit under way, to change its ``sampler.alpha`` in a schedule.

        Raises:
            RuntimeError: no fit has started.
        """
        if self._mixer is None:
            raise RuntimeError("there is no mixer before fit has started")
        return self._mixer

    def on_fit_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        rank = trainer.global_rank
        mixer = self._mixer = ManifoldMixup(
            pl_module, self._layers, self._alpha, seed=[self._seed, rank], **self._options
        )
        if rank in self._restored:
            mixer.load_state_dict(self._restored[rank])
        self._fit.callback(mixer.close)
        step = pl_module.training_step
        if "training_step" in vars(pl_module):
            self._fit.callback(setattr, pl_module, "training_step", step)
        else:
            self._fit.callback(delattr, pl_module, "training_step")

        # Strategies call training_step through the module's forward, which must not be mixed.
        @wraps(step)
        def mixed_step(*args: Any, **kwargs: Any) -> Any:
            assert self.plan is not None
            with self._step:
                self._step.enter_context(mixer.mixing(self.plan))
                return step(*args, **kwargs)

        pl_module.training_step = mixed_step  # type: ignore[method-assign]

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        mixer = self.mixer
        labels: Tensor = batch[self._target]
        n, last = len(labels), trainer.max_epochs or -1
        if self._plain_epochs and 0 <= last <= trainer.current_epoch + self._plain_epochs:
            plan = self.plan = MixPlan.plain(n)
        else:
            plan = self.plan = mixer.draw(n).to(labels.device)
        if self._log:
            pl_module.log_dict(numbers_of(plan, mixer.layers), batch_size=n)
        if self._num_classes is None:
            batch[self._target] = plan.mix_targets(labels)
        else:
            batch[self._target] = plan.soft_targets(labels, self._num_classes, **self._of_labels)

    def on_before_backward(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, loss: Tensor
    ) -> None:
        assert self.plan is not None
        self._step.close()  # which manual optimisation has not done yet
        self.mixer.mix_again_in_backward(loss, self.plan)

    def on_exception(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException
    ) -> None:
        self.teardown(trainer, pl_module, "fit")  # Lightning does not, after an error

    def teardown(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        if self._mixer is not None:
            self._restored = {trainer.global_rank: self._mixer.state_dict()}
        self._fit.close()

    def state_dict(self) -> dict[str, Any]:
        if self._mixer is None:
            return {}
        states: list[Any] = [self._mixer.state_dict()]
        if dist.is_available() and dist.is_initialized():
            # Lightning asks every rank for its state, and saves that of the first.
            states *= dist.get_world_size()
            dist.all_gather_object(states, states[dist.get_rank()])
        return {"ranks": states}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self._restored = dict(enumerate(state_dict.get("ranks", [])))
