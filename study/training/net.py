"""The net of a run: built as its seed decides, and asked for predictions."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mixup.models.mlp import MLP
from study.training.run_config import RunConfig
from study.training.seeding import Purpose, seed_torch


def build_net(config: RunConfig, n_features: int, n_classes: int) -> MLP:
    """Build the run's net with the initial weights that its seed decides.

    Two classes are told apart by a single logit.
    """
    seed_torch(config.seed, Purpose.WEIGHTS)
    settings, net = config.settings, config.net
    narrow = net.bottleneck.layer if net.bottleneck else None
    return MLP(
        n_features,
        net.hidden,
        1 if n_classes == 2 else n_classes,
        negative_slope=net.negative_slope,
        dropout=[0.0 if k == narrow else settings.dropout for k in range(1, net.depth + 1)],
        batch_norm=settings.batch_norm,
        input_noise=settings.input_noise,
    )


@torch.no_grad()
def predict(net: MLP, inputs: Tensor, batch_size: int = 10_000) -> NDArray[np.float64]:
    """Predict class probabilities in eval mode.

    Args:
        net: a net with one logit (two classes) or C logits.
        inputs: (N, F) float32.
        batch_size: samples of one forward pass, a bound on memory.

    Returns:
        (N, C) probabilities in float64; two columns for a net with one logit, each computed
        from the logit so that neither loses digits to the other.
    """
    net.eval()
    logits = torch.cat([net(part) for part in torch.split(inputs, batch_size)]).double()
    if logits.shape[1] == 1:
        return torch.sigmoid(torch.cat([-logits, logits], dim=1)).numpy()
    return logits.softmax(1).numpy()
