"""Manifold Mixup in a Hugging Face Trainer; needs the extra ``transformers``."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import Trainer

from mixup.integrations.logs import numbers_of
from mixup.mixing.layers import Layers, unwrap
from mixup.mixing.manifold import ManifoldMixup
from mixup.mixing.plan import MixPlan


class ManifoldMixupTrainer(Trainer):
    """Train with Manifold Mixup; evaluation and prediction are those of ``transformers.Trainer``.

    Every training batch is mixed at a layer drawn from ``layers``, and its loss is
    ``plan.loss(criterion, output.logits, labels)``. Each process draws plans of its own. The logs
    of training have the ``mixup_lam`` of the step before, its mean where there is one a sample,
    and ``mixup_layer``, an index of ``layers``, or -1.

    Source: Verma et al. 2019, section 2, through `ManifoldMixup`.

    Args:
        args: as of ``transformers.Trainer``. ``label_smoothing_factor`` is given to the criterion.
        layers: as of `ManifoldMixup`, such as ``["bert.encoder.layer.*"]``; token ids cannot be
            mixed, so not "input".
        alpha: as of `ManifoldMixup`.
        criterion: of (logits, labels), both as the model has them; None takes the model's own loss:
            cross-entropy, the binary one of a multi-label model, or the squared error of a
            regression, as ``lam * loss(y) + (1 - lam) * loss(y[perm])``. That has the gradient of
            the squared error of the mixed target: they differ by ``lam * (1 - lam) * (y -
            y[perm])**2``.
        loss_options: further options of `MixPlan.loss`, such as ``{"terms": "two"}``.
        mixing: further options of `ManifoldMixup`.
        plain_epochs: how many epochs at the end are not mixed, >= 0.
        kwargs: as of ``transformers.Trainer``. A ``compute_loss_func`` takes the place of the
            criterion, and gets the output, (mixed) labels and ``num_items_in_batch``.

    Raises:
        ValueError: ``model_init`` is given, which would replace the model that is mixed; both
            ``criterion`` and ``compute_loss_func`` are; in training, there are no labels, or the
            criterion for logits that are not (N, C) is to be given.
        RuntimeError: in training, the drawn layer did not run exactly once.

    Randomness: the mixer's generators, seeded by ``args.seed`` and the rank, saved and restored
        with the Trainer's checkpoints.
    """

    mixer: ManifoldMixup
    plan: MixPlan | None
    _criterion: Callable[..., Tensor] | None
    _loss_options: dict[str, Any]
    _plain_epochs: int

    def __init__(
        self,
        *args: Any,
        layers: Layers,
        alpha: float,
        criterion: Callable[..., Tensor] | None = None,
        loss_options: dict[str, Any] | None = None,
        mixing: dict[str, Any] | None = None,
        plain_epochs: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        if self.model_init is not None:
            raise ValueError("give model, not model_init: a new model would not be mixed")
        if criterion is not None and self.compute_loss_func is not None:
            raise ValueError("give criterion or compute_loss_func, not both")
        seed = [self.args.seed, self.args.process_index]
        self.mixer = ManifoldMixup(self.model, layers, alpha, seed=seed, **(mixing or {}))
        self.plan = None
        self._criterion, self._loss_options = criterion, loss_options or {}
        self._plain_epochs = plain_epochs
        self.model_accepts_loss_kwargs = False
        # A loss function of the Trainer's own kind divides by the number of items of all batches;
        # any other is a mean over its batch, so the Trainer divides by the accumulation steps.
        self.loss_is_scaled_for_ga = self.compute_loss_func is not None

    def compute_loss(
        self,
        model: nn.Module,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: Any = None,
    ) -> Any:
        if not model.training:
            return super().compute_loss(model, inputs, return_outputs)
        if "labels" not in inputs:
            raise ValueError(f"a batch has no 'labels' to mix, but {', '.join(inputs)}")
        inputs = dict(inputs)
        labels = inputs.pop("labels")
        if self._is_plain():
            output, self.plan = model(**inputs), MixPlan.plain(len(labels))
        else:
            self.mixer.model = model  # the same, as the Trainer has wrapped it by now
            output, self.plan = self.mixer(**inputs)
        loss = self._loss(self.plan, output, labels, num_items_in_batch)
        return (loss, output) if return_outputs else loss

    def _is_plain(self) -> bool:
        epochs = self.state.num_train_epochs or self.args.num_train_epochs
        return self._plain_epochs > 0 and bool(
            (self.state.epoch or 0) >= epochs - self._plain_epochs
        )

    def _loss(self, plan: MixPlan, output: Any, labels: Tensor, n_items: Any) -> Tensor:
        if self.compute_loss_func is None:
            logits = output["logits"]
            criterion, options = self._criterion, dict[str, Any]()
            if criterion is None:
                criterion, options = self._criterion_of_model(logits, labels)
            if self.args.label_smoothing_factor:
                options["label_smoothing"] = self.args.label_smoothing_factor
            return plan.loss(criterion, logits, labels, **(options | self._loss_options))
        options = {"num_items_in_batch": n_items, **self._loss_options}
        loss = plan.loss(self.compute_loss_func, output, labels, **options)
        if self.args.average_tokens_across_devices and n_items is not None:
            loss = loss * self.accelerator.num_processes  # as transformers.Trainer does
        return loss

    def _criterion_of_model(
        self, logits: Tensor, labels: Tensor
    ) -> tuple[Callable[..., Tensor], dict[str, Any]]:
        """Choose the loss that `transformers` computes in evaluation, with what it needs here."""
        if logits.ndim != 2:
            raise ValueError(f"give a criterion for logits of shape {tuple(logits.shape)}")
        kind = getattr(unwrap(self.mixer.model).config, "problem_type", None)
        if kind is None and logits.shape[-1] == 1:
            kind = "regression"
        elif kind is None and labels.is_floating_point():
            kind = "multi_label_classification"
        if kind not in ("regression", "multi_label_classification"):
            return F.cross_entropy, {}
        if self.args.label_smoothing_factor:
            raise ValueError(f"label_smoothing_factor is of no meaning for a model of {kind}")
        if kind == "regression":
            return _squared_error, {"terms": "two"}
        return F.binary_cross_entropy_with_logits, {}

    def log(self, logs: dict[str, float], *args: Any, **kwargs: Any) -> None:
        if "loss" in logs and self.plan is not None:
            logs |= numbers_of(self.plan, self.mixer.layers)
        super().log(logs, *args, **kwargs)

    def _state_file(self, folder: str) -> Path:
        return Path(folder) / f"mixup_state_{self.args.process_index}.json"

    def _save_rng_state(self, output_dir: str) -> None:
        super()._save_rng_state(output_dir)
        self._state_file(output_dir).write_text(json.dumps(self.mixer.state_dict()))

    def _load_rng_state(self, checkpoint: str | None) -> None:
        super()._load_rng_state(checkpoint)
        if checkpoint is not None and self._state_file(checkpoint).exists():
            self.mixer.load_state_dict(json.loads(self._state_file(checkpoint).read_text()))


def _squared_error(logits: Tensor, labels: Tensor, reduction: str = "mean") -> Tensor:
    """Compute the loss of a regression; one label a sample may come as (N,) or (N, 1)."""
    dtype = torch.promote_types(logits.dtype, torch.float32)
    return F.mse_loss(logits.to(dtype).view_as(labels), labels.to(dtype), reduction=reduction)
