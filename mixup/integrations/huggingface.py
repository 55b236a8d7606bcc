"""Manifold Mixup in a Hugging Face Trainer; needs the extra ``transformers``."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from torch import Tensor, nn
from torch.nn import functional as F
from transformers import Trainer

from mixup.mixing.layers import Layers
from mixup.mixing.manifold import ManifoldMixup
from mixup.mixing.plan import MixPlan


class ManifoldMixupTrainer(Trainer):
    """Train with Manifold Mixup; evaluation and prediction are those of `transformers.Trainer`.

    Every training batch is mixed at a layer drawn from ``layers``, and its loss is
    ``plan.loss(criterion, output.logits, labels)``. Each process draws plans of its own.

    Source: Verma et al. 2019, section 2, through `ManifoldMixup`.

    Args:
        args: as of `transformers.Trainer`. ``label_smoothing_factor`` is given to the criterion.
        layers: as of `ManifoldMixup`, such as ``["bert.encoder.layer.*"]``; token ids cannot be
            mixed, so not "input".
        alpha: as of `ManifoldMixup`.
        criterion: of (logits, labels), both as the model has them.
        mixing: further options of `ManifoldMixup`.
        kwargs: as of `transformers.Trainer`.

    Raises:
        ValueError: ``model_init`` is given, which would replace the model that is mixed.
        RuntimeError: in training, the drawn layer did not run exactly once.

    Randomness: the mixer's generators, seeded by ``args.seed`` and the rank, saved and restored
        with the Trainer's checkpoints.
    """

    mixer: ManifoldMixup
    plan: MixPlan | None
    _criterion: Callable[..., Tensor]

    def __init__(
        self,
        *args: Any,
        layers: Layers,
        alpha: float,
        criterion: Callable[..., Tensor] = F.cross_entropy,
        mixing: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        if self.model_init is not None:
            raise ValueError("give model, not model_init: a new model would not be mixed")
        seed = [self.args.seed, self.args.process_index]
        self.mixer = ManifoldMixup(self.model, layers, alpha, seed=seed, **(mixing or {}))
        self.plan = None
        self._criterion = criterion
        # The loss is a mean over its batch: the Trainer divides by the accumulation steps.
        self.model_accepts_loss_kwargs = False
        self.loss_is_scaled_for_ga = False

    def compute_loss(
        self,
        model: nn.Module,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: Any = None,
    ) -> Any:
        if not model.training:
            return super().compute_loss(model, inputs, return_outputs)
        inputs = dict(inputs)
        labels = inputs.pop("labels")
        self.mixer.model = model  # the same, as the Trainer has wrapped it by now
        output, self.plan = self.mixer(**inputs)
        smoothing = self.args.label_smoothing_factor
        options: dict[str, Any] = {"label_smoothing": smoothing} if smoothing else {}
        loss = self.plan.loss(self._criterion, output["logits"], labels, **options)
        return (loss, output) if return_outputs else loss

    def _state_file(self, folder: str) -> Path:
        return Path(folder) / f"mixup_state_{self.args.process_index}.json"

    def _save_rng_state(self, output_dir: str) -> None:
        super()._save_rng_state(output_dir)
        self._state_file(output_dir).write_text(json.dumps(self.mixer.state_dict()))

    def _load_rng_state(self, checkpoint: str | None) -> None:
        super()._load_rng_state(checkpoint)
        if checkpoint is not None and self._state_file(checkpoint).exists():
            self.mixer.load_state_dict(json.loads(self._state_file(checkpoint).read_text()))
