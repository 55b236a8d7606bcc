"""The multi-layer perceptron for tables of numbers and categories."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from mixup.models.mlp import MLP


class Embedding(nn.Module):
    """Turn one-hot columns into embeddings of their categories, and leave numbers as they are.

    ``[x_numbers, W_1 x_1, W_2 x_2, ...]``, where x_k are the one-hot columns of category k. It is
    linear without a bias, so a mixed one-hot row has the mixed embeddings: mixing the input or the
    embedding is the same.

    Source: Guo and Berkhahn 2016 (arXiv 1604.06737). Weights start N(0, 1) as those of
    ``nn.Embedding``, because a one-hot row reads one of them only; so the embeddings start in the
    range of standardised numbers.

    Args:
        columns: (F,) ints: 0 for a number, k >= 1 for a one-hot column of category k.
        size: dimensions of each category's embedding; by default half its columns, rounded up, and
            at most 50.

    Raises:
        ValueError: there are no columns, one is below 0, or ``size`` is below 1.

    Randomness: initial weights use torch's global generator.
    """

    numbers: Tensor

    def __init__(self, columns: Sequence[int], size: int | None = None) -> None:
        super().__init__()
        kinds = torch.as_tensor(columns, dtype=torch.int64)
        if kinds.ndim != 1 or not len(kinds) or kinds.min() < 0:
            raise ValueError(f"columns must be at least one int >= 0, got {columns}")
        if size is not None and size < 1:
            raise ValueError(f"the size of an embedding must be at least 1, got {size}")
        blocks = [(kinds == k).nonzero().flatten() for k in sorted(set(kinds.tolist()) - {0})]
        categories = [_Category(block, size) for block in blocks]
        self.n_columns = len(kinds)
        self.n_features = int((kinds == 0).sum()) + sum(len(one.weight) for one in categories)
        self.register_buffer("numbers", (kinds == 0).nonzero().flatten(), persistent=False)
        self.categories = nn.ModuleList(categories)

    def forward(self, x: Tensor) -> Tensor:
        """Embed (N, F) rows as (N, n_features), the numbers first.

        Raises:
            ValueError: the rows have another length than ``columns``.
        """
        if x.shape[-1] != self.n_columns:
            raise ValueError(f"rows must have {self.n_columns} columns, got {x.shape[-1]}")
        numbers = x.index_select(1, self.numbers)
        return torch.cat([numbers, *(category(x) for category in self.categories)], dim=1)


class _Category(nn.Module):
    """The embedding of one category, ``W x[:, columns]``."""

    columns: Tensor

    def __init__(self, columns: Tensor, size: int | None) -> None:
        super().__init__()
        size = size or min(50, (len(columns) + 1) // 2)
        self.register_buffer("columns", columns, persistent=False)
        self.weight = nn.Parameter(torch.randn(size, len(columns)))

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.linear(x.index_select(1, self.columns), self.weight)


class TabularMLP(MLP):
    """Multi-layer perceptron whose input has numbers and categories.

    The `Embedding` of the input, then the hidden layers and the classifier of `MLP`.

    Source: Guo and Berkhahn 2016 (arXiv 1604.06737), with the hidden layers of this study.

    Args:
        columns: (F,) ints: 0 for a number, k >= 1 for a one-hot column of category k.
        hidden: sizes of the hidden layers.
        n_outputs: number of logits.
        embedding: dimensions of each category's embedding; by default half its columns, rounded
            up, and at most 50.
        negative_slope, dropout, batch_norm: as of `MLP`.
        input_noise: standard deviation of Gaussian noise added to the embedded input in training
            mode, >= 0.

    Raises:
        ValueError: ``columns`` or ``embedding`` is out of range; a row has another length.

    Randomness: initial weights, dropout and noise use torch's global generator.

    Layers to mix at: "input", "embedding", "hidden.0", "hidden.1", ...

    Example:
        >>> net = TabularMLP([0, 0, 1, 1, 1], [32, 32], 1)
        >>> net(torch.tensor([[0.5, -1.2, 0, 1, 0]])).shape
        torch.Size([1, 1])
    """

    def __init__(
        self,
        columns: Sequence[int],
        hidden: Sequence[int],
        n_outputs: int,
        *,
        embedding: int | None = None,
        negative_slope: float = 0.2,
        dropout: float | Sequence[float] = 0.0,
        batch_norm: bool = False,
        input_noise: float = 0.0,
    ) -> None:
        embed = Embedding(columns, embedding)
        super().__init__(
            embed.n_features, hidden, n_outputs, negative_slope=negative_slope, dropout=dropout,
            batch_norm=batch_norm, input_noise=input_noise,
        )  # fmt: skip
        self.embedding = embed

    def forward(self, x: Tensor, start: int = 0, end: int | None = None) -> Tensor:
        """Run the embedding and the hidden layers after state ``start`` up to state ``end``.

        Args:
            x: (N, F) input, or the state after hidden layer ``start``.
            start: number of hidden layers already done, 0..K.
            end: last hidden layer to run; None runs the rest and the classifier.

        Returns:
            (N, n_outputs) logits, or the state after hidden layer ``end``; ``start == end`` is
            the identity.
        """
        if start == 0 and end != 0:
            x = self.embedding(x)
        return super().forward(x, start, end)
