"""Embeddings against look-ups, and the perceptron that follows them."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from mixup.models.tabular import Embedding, TabularMLP
from tests.models.mixed import check_gradients_and_eval, mixed_by_hand, output_mixed_at

COLUMNS = [2, 0, 1, 1, 2, 2, 0, 3]  # in any order, as a table has them
FIRST, SECOND, MISSING = [2, 3], [0, 4, 5], [7]


@pytest.fixture
def net() -> TabularMLP:
    torch.manual_seed(0)
    return TabularMLP(COLUMNS, [5, 4], 3, embedding=2).double()


def rows() -> tuple[Tensor, np.ndarray]:
    """Four rows, and the categories that they are of."""
    rng = np.random.default_rng(0)
    x = np.zeros((4, 8))
    x[:, [1, 6]] = rng.normal(size=(4, 2))
    chosen = np.array([[0, 2, 0], [1, 0, 0], [1, 1, 0], [0, 2, 0]])
    for row, (first, second, _) in zip(x, chosen, strict=True):
        row[FIRST[first]] = row[SECOND[second]] = 1
    x[1, MISSING] = 1
    return torch.from_numpy(x), chosen


def test_one_hot_rows_are_looked_up(net: TabularMLP) -> None:
    x, chosen = rows()
    tables = [category.weight.detach().numpy() for category in net.embedding.categories]
    expected = [
        np.concatenate([row[[1, 6]], tables[0][:, a], tables[1][:, b], tables[2][:, 0] * row[7]])
        for row, (a, b, _) in zip(x.numpy(), chosen, strict=True)
    ]
    np.testing.assert_allclose(net.embedding(x).detach(), expected)


def test_logits_are_those_of_the_perceptron_after_the_embedding(net: TabularMLP) -> None:
    x, _ = rows()
    h = net.embedding(x).detach().numpy()
    weights = {name: weight.numpy() for name, weight in net.state_dict().items()}
    for k in range(2):
        h = h @ weights[f"hidden.{k}.0.weight"].T + weights[f"hidden.{k}.0.bias"]
        h = np.where(h > 0, h, 0.2 * h)
        np.testing.assert_allclose(net(x, end=k + 1).detach(), h)
    logits = h @ weights["classifier.weight"].T + weights["classifier.bias"]
    np.testing.assert_allclose(net(x).detach(), logits)


@pytest.mark.parametrize("k", range(3))
def test_two_halves_make_the_whole(net: TabularMLP, k: int) -> None:
    x, _ = rows()
    assert torch.equal(net(net(x, end=k), start=k), net(x))
    assert net(x, start=k, end=k) is x


@pytest.mark.parametrize("layer", ["input", "embedding"])
def test_a_mixed_row_has_the_mixed_embeddings(net: TabularMLP, layer: str) -> None:
    x, _ = rows()
    mixed = mixed_by_hand(net.embedding(x))
    torch.testing.assert_close(net.embedding(mixed_by_hand(x)), mixed)
    expected = net.classifier(net.hidden[1](net.hidden[0](mixed)))
    torch.testing.assert_close(output_mixed_at(net, layer, x), expected)


@pytest.mark.parametrize("k", [1, 2])
def test_mixing_after_hidden_layer_k_equals_a_mix_by_hand(net: TabularMLP, k: int) -> None:
    x, _ = rows()
    expected = net(mixed_by_hand(net(x, end=k)), start=k)
    torch.testing.assert_close(output_mixed_at(net, net.layer_name(k), x), expected)


def test_gradients_and_eval(net: TabularMLP) -> None:
    check_gradients_and_eval(net, rows()[0], 3)


@pytest.mark.parametrize(("categories", "size"), [(1, 1), (2, 1), (5, 3), (99, 50), (1000, 50)])
def test_default_size_of_an_embedding(categories: int, size: int) -> None:
    assert Embedding([1] * categories).n_features == size


def test_numbers_alone_make_a_perceptron() -> None:
    net = TabularMLP([0, 0], [3], 1)
    x = torch.randn(5, 2)
    assert torch.equal(net.embedding(x), x)
    assert [one.in_features for one in net.modules() if isinstance(one, nn.Linear)] == [2, 3]


def test_embeddings_start_in_the_range_of_standardised_numbers() -> None:
    torch.manual_seed(0)
    (category,) = Embedding([1] * 400, 50).categories
    assert abs(category.weight.mean()) < 0.03
    assert abs(category.weight.std() - 1) < 0.03


def test_columns_are_no_part_of_the_weights(net: TabularMLP) -> None:
    assert all(weight.is_floating_point() for weight in net.state_dict().values())


@pytest.mark.parametrize("columns", [[], [0, -1], [[0, 1]]])
def test_bad_columns_are_refused(columns: list[int]) -> None:
    with pytest.raises(ValueError, match="columns must be at least one int >= 0, got"):
        TabularMLP(columns, [3], 1)


def test_an_embedding_of_no_size_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1, got 0"):
        TabularMLP([1, 1], [3], 1, embedding=0)


def test_rows_of_another_length_are_refused(net: TabularMLP) -> None:
    with pytest.raises(ValueError, match="rows must have 8 columns, got 9"):
        net(torch.zeros(2, 9, dtype=torch.float64))
