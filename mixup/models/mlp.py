"""The multi-layer perceptron that every experiment trains."""

from collections.abc import Sequence
from itertools import islice, repeat

import torch
from torch import Tensor, nn


class MLP(nn.Module):
    """Multi-layer perceptron whose forward pass can start and end at any hidden layer.

    ``h_k = dropout(leaky_relu(norm(W_k h_{k-1} + b_k)))`` for k = 1..K with ``h_0 = x``; the
    classifier is one more linear layer. With ``hidden=[512, 512, 2, 512, 512]`` the third state is
    a 2-D bottleneck.

    Source: the video's network (2-32-32-32-1, slope 0.2) and the TensorFlow implementation's
    bottleneck networks (slope 0.3), which are the same family. Weights start as PyTorch's
    ``nn.Linear`` has them, in both.

    Args:
        n_features: F, size of the input.
        hidden: sizes of the hidden layers.
        n_outputs: number of logits; 1 for a binary net.
        negative_slope: of the leaky ReLU, applied after every hidden layer.
        dropout: probability of dropping a unit after each hidden layer, in [0, 1); one for all
            of them, or one each.
        batch_norm: normalise over the batch before every leaky ReLU.
        input_noise: standard deviation of Gaussian noise added to x in training mode, >= 0, in
            units of x.

    Randomness: initial weights, dropout and noise use torch's global generator.

    Example:
        >>> import torch
        >>> net = MLP(2, [32, 32, 32], 1)
        >>> net(net(torch.zeros(5, 2), end=2), start=2).shape
        torch.Size([5, 1])
    """

    def __init__(
        self,
        n_features: int,
        hidden: Sequence[int],
        n_outputs: int,
        *,
        negative_slope: float = 0.2,
        dropout: float | Sequence[float] = 0.0,
        batch_norm: bool = False,
        input_noise: float = 0.0,
    ) -> None:
        super().__init__()
        dropouts = repeat(dropout) if isinstance(dropout, float | int) else dropout
        self._input_noise = input_noise
        self.hidden = nn.ModuleList(
            nn.Sequential(
                nn.Linear(size_in, size_out),
                *([nn.BatchNorm1d(size_out)] if batch_norm else []),
                nn.LeakyReLU(negative_slope),
                *([nn.Dropout(p)] if p else []),
            )
            for size_in, size_out, p in zip([n_features, *hidden], hidden, dropouts, strict=False)
        )
        self.classifier = nn.Linear([n_features, *hidden][-1], n_outputs)

    def forward(self, x: Tensor, start: int = 0, end: int | None = None) -> Tensor:
        """Run the hidden layers after state ``start`` up to state ``end``.

        Args:
            x: (N, F) input, or the state after hidden layer ``start``.
            start: number of hidden layers already done, 0..K.
            end: last hidden layer to run; None runs the rest and the classifier.

        Returns:
            (N, n_outputs) logits, or the state after hidden layer ``end``; ``start == end`` is
            the identity.
        """
        if self._input_noise and self.training and start == 0:
            x = x + self._input_noise * torch.randn_like(x)
        for layer in islice(self.hidden, start, end):  # a slice would be a new ModuleList
            x = layer(x)
        return self.classifier(x) if end is None else x

    @staticmethod
    def layer_name(k: int) -> str:
        """Name state k as `ManifoldMixup` does: ``"input"`` for 0, else the k-th hidden layer."""
        return "input" if k == 0 else f"hidden.{k - 1}"
