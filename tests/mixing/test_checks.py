"""Wrong arguments: the message names the argument, what was found, and what to do about it."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mixup import MLP, ManifoldMixup, MixPlan, entropy_floor, mix
from tests.mixing.five import N, plan

ORDER = r"the model comes first, as in ManifoldMixup\(model, layers, alpha\)"
NO_NUMBERS: list[tuple[Any, str]] = [
    ("0.2", "the str '0.2'"),
    ([0.2], "a list of 1 items"),
    (np.array([0.2, 0.3]), "a ndarray"),
    (torch.tensor([0.2, 0.3]), "a Tensor"),
    (1j, "a complex"),
    (float, "the class float"),
]


@pytest.mark.parametrize(("value", "found"), NO_NUMBERS)
@pytest.mark.parametrize("name", ["alpha", "beta", "noise", "probability"])
def test_a_setting_that_is_no_number(net: MLP, name: str, value: Any, found: str) -> None:
    message = rf"^{name} must be a number, got {found}: give one, such as 1\.0$"
    with pytest.raises(TypeError, match=message):
        ManifoldMixup(net, ["input"], **({"alpha": 1.0} | {name: value}))
    mixer = ManifoldMixup(net, ["input"], 1.0)
    if name != "noise":
        with pytest.raises(TypeError, match=message):
            setattr(mixer.sampler, name, value)


@pytest.mark.parametrize(("value", "found"), NO_NUMBERS)
def test_numbers_elsewhere(net: MLP, value: Any, found: str) -> None:
    for call, name in (
        (lambda: ManifoldMixup(net, {"input": value}, 1.0), "the weight of layer 'input'"),
        (lambda: entropy_floor(value), "alpha"),
        (lambda: entropy_floor(1.0, value), "beta"),
        (lambda: entropy_floor(1.0, p_different=value), "p_different"),
        (lambda: plan(noise=value), "noise"),
    ):
        with pytest.raises(TypeError, match=f"^{name} must be a number, got {found}: give one"):
            call()


def test_whatever_is_a_number_is_taken(net: MLP) -> None:
    for value in (1, True, np.float32(0.5), np.int64(2), np.array(0.5), torch.tensor(0.5)):
        mixer = ManifoldMixup(net, {"input": value}, value, beta=value, noise=value)
        assert mixer.sampler.alpha == mixer.sampler.beta == float(value)
    assert math.isfinite(entropy_floor(np.float32(0.5)))


def test_the_ends_of_ranges(net: MLP) -> None:
    for probability in (0, 1):
        mixer = ManifoldMixup(net, ["input"], 1.0, probability=probability, noise=0)
        assert mixer.sampler.probability == probability
    for probability in (-0.5, 1.5):
        with pytest.raises(ValueError, match=r"^probability must be in \[0, 1\], got"):
            ManifoldMixup(net, ["input"], 1.0, probability=probability)
    for name in ("alpha", "beta"):
        with pytest.raises(ValueError, match=f"^{name} must be > 0 and finite, got 0$"):
            ManifoldMixup(net, ["input"], **({"alpha": 1.0} | {name: 0}))


def test_no_alpha(net: MLP) -> None:
    with pytest.raises(TypeError, match="alpha must be a number, got None: give one"):
        ManifoldMixup(net, ["input"], None)  # type: ignore[arg-type]


@pytest.mark.parametrize(("seed", "error"), [("0", TypeError), (0.5, TypeError), (-1, ValueError)])
def test_a_seed_that_is_none(net: MLP, seed: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match=r"^seed must be an int >= 0, or several, got .*(0'|0\.5|-1)$"):
        ManifoldMixup(net, ["input"], 1.0, seed=seed)


def test_a_batch_dim_that_is_none(net: MLP) -> None:
    with pytest.raises(TypeError, match=r"^batch_dim must be an int, got the str '0'$"):
        ManifoldMixup(net, ["input"], 1.0, batch_dim="0")  # type: ignore[arg-type]


@pytest.mark.parametrize("first", [["input"], "input", {"input": 1}, None, 1.0])
def test_the_model_comes_first(net: MLP, first: Any) -> None:
    with pytest.raises(TypeError, match=rf"^model must be .*, got .*: {ORDER}$") as e:
        ManifoldMixup(first, net, 1.0)  # type: ignore[arg-type]
    assert len(str(e.value)) < 170  # does not print the model


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (MLP, r"got the class MLP: give an instance, MLP\(\.\.\.\)$"),
        (F.relu, rf"got a function: {ORDER}$"),
    ],
)
def test_a_model_that_is_none(model: Any, message: str) -> None:
    with pytest.raises(TypeError, match=rf"^model must be an nn\.Module, {message}"):
        ManifoldMixup(model, ["input"], 1.0)


def test_a_class_among_layers() -> None:
    model = nn.Sequential(nn.Linear(2, 2))
    with pytest.raises(
        TypeError, match=r"a module, got the class Linear; The model has: input, 0$"
    ):
        ManifoldMixup(model, [nn.Linear], 1.0)  # type: ignore[list-item]
    with pytest.raises(TypeError, match=r"a module, got 0; did you mean '0'"):
        ManifoldMixup(model, [0], 1.0)  # type: ignore[list-item]
    message = (
        r"^layer 1 must be an nn\.Module, got the class ReLU: give an instance, ReLU\(\.\.\.\)"
    )
    with pytest.raises(TypeError, match=message):
        ManifoldMixup.from_layers([(nn.Linear(2, 2), True), (nn.ReLU, False)], 1.0)  # type: ignore[list-item]
    with pytest.raises(TypeError, match=r"^layer 0 must be an nn\.Module, got True$"):
        ManifoldMixup.from_layers([(True, nn.Linear(2, 2))], 1.0)  # type: ignore[list-item]


def test_layers_that_are_no_list(net: MLP) -> None:
    with pytest.raises(
        TypeError, match=r"^layers must be a list, got a Sequential: write \[\.\.\."
    ):
        ManifoldMixup(net, net.hidden[0], 1.0)
    for layers, alpha in ((1.0, ["input"]), (None, 1.0)):
        with pytest.raises(TypeError, match=rf"^layers must be a list, got .*: {ORDER}"):
            ManifoldMixup(net, layers, alpha)  # type: ignore[arg-type]


class OwnLoss(nn.Module):
    """A loss that can be made of anything."""

    def __init__(self, first: Any = None, second: Any = None) -> None:
        super().__init__()

    def forward(self, output: Tensor, target: Tensor) -> Tensor:
        return F.cross_entropy(output, target)


@pytest.mark.parametrize("kind", [nn.CrossEntropyLoss, nn.BCEWithLogitsLoss, nn.HuberLoss, OwnLoss])
@pytest.mark.parametrize("lam", [0.3, [0.5] * N])
@pytest.mark.parametrize("is_hard", [True, False])
def test_a_class_as_criterion(
    logits: Tensor, kind: Any, lam: float | list[float], is_hard: bool
) -> None:
    target = torch.zeros(N, dtype=torch.int64) if is_hard else torch.rand(N, 3).double()
    message = rf"got the class {kind.__name__}: give an instance, {kind.__name__}\(\.\.\.\)$"
    with pytest.raises(TypeError, match=rf"^criterion must be a function or a module, {message}"):
        plan(lam).loss(kind, logits, target)


def test_the_criterion_comes_first(logits: Tensor) -> None:
    target = torch.zeros(N, dtype=torch.int64)
    order = r": the order is plan\.loss\(criterion, output, target\)$"
    for one in (plan(), plan([0.5] * N), MixPlan.plain(N)):
        with pytest.raises(TypeError, match=f"^criterion must be .*, got a Tensor{order}"):
            one.loss(logits, target, F.cross_entropy)  # type: ignore[arg-type]
        with pytest.raises(TypeError, match=f"got the str 'cross_entropy'{order}"):
            one.loss("cross_entropy", logits, target)  # type: ignore[arg-type]


def test_a_class_is_found_where_nothing_is_mixed(logits: Tensor) -> None:
    with pytest.raises(TypeError, match="got the class CrossEntropyLoss: give an instance"):
        MixPlan.plain(N).loss(nn.CrossEntropyLoss, logits, torch.zeros(N, dtype=torch.int64))


def test_errors_of_a_criterion_are_its_own(logits: Tensor) -> None:
    def broken(output: Tensor, target: Tensor) -> Tensor:
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        plan().loss(broken, logits, torch.zeros(N, dtype=torch.int64))


@pytest.mark.parametrize("layer", ["input", "hidden.0"])
@pytest.mark.parametrize("training", [True, False])
def test_a_batch_of_arrays(net: MLP, x: Tensor, layer: str, training: bool) -> None:
    mixer, array = ManifoldMixup(net.train(training), [layer], 1.0), x.numpy()
    calls: list[tuple[Callable[[], Any], str]] = [
        (lambda: mixer(array), "x is a ndarray"),
        (lambda: mixer(x=array), "x is a ndarray"),
        (lambda: mixer({"a": array}), "x is a dict of a"),
        (lambda: mixer(array.tolist()), "x is a list of 4 items"),
        (lambda: mixer(), "there are none"),
    ]
    for call, found in calls:
        with pytest.raises(
            TypeError, match=rf"^no tensor among the arguments.*\({found}\): give te"
        ):
            call()


def test_a_batch_of_arrays_with_a_plan(net: MLP, x: Tensor) -> None:
    mixer, array = ManifoldMixup(net, ["input"], 1.0), x.numpy()
    for batch, found in ((array, "a ndarray"), ([array], "a list of 1 items")):
        with pytest.raises(
            TypeError, match=rf"^at 'input': .*, but {found}; give tensors, such as"
        ):
            mixer(batch, plan=mixer.draw(4))
    with pytest.raises(
        TypeError, match=r"^at 'input': cannot mix a ndarray: .* give tensors, such"
    ):
        mixer({"a": x, "b": array}, plan=mixer.draw(4))


def test_targets_and_masks_that_are_arrays(logits: Tensor) -> None:
    array = np.zeros(N, dtype=np.int64)
    as_tensor = r": give torch\.as_tensor\({}\)$"
    target = rf"^target must be a tensor, got {{}}{as_tensor.format('target')}"
    for one in (plan(), MixPlan.plain(N)):
        with pytest.raises(TypeError, match=target.format("a ndarray")):
            one.soft_targets(array, 3)  # type: ignore[arg-type]
        with pytest.raises(TypeError, match=target.format("a list of 5 items")):
            one.soft_targets(array.tolist(), 3)  # type: ignore[arg-type]
    for given, found in ((array, "a ndarray"), (array.tolist(), "a list of 5 items")):
        with pytest.raises(TypeError, match=target.format(found)):
            plan().loss(F.cross_entropy, logits, given)
        with pytest.raises(TypeError, match=f"^mask must be a tensor, got {found}: give torch"):
            plan().mix_masks(given)
    for call in (lambda: plan().mix_targets(array), lambda: mix(array, 0.5, torch.arange(N))):
        with pytest.raises(TypeError, match=r"^cannot mix a ndarray: .* give tensors, such as"):
            call()


def test_plans_made_by_hand() -> None:
    perm = torch.tensor([1, 0])
    with pytest.raises(TypeError, match=r"^lam must be a number, got the str '0\.3': give one"):
        MixPlan("input", "0.3", perm)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"^perm must be a tensor, got .*: give torch\.as_tensor"):
        MixPlan("input", 0.3, [1, 0])  # type: ignore[arg-type]
