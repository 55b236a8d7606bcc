"""What tells the batch size, and which argument of a call is the input."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.testing import assert_close

from mixup import ManifoldMixup, mix
from tests.mixing.four import Timed, mixed, plan


@pytest.fixture
def x() -> Tensor:
    return torch.randn(4, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def t() -> Tensor:
    return torch.rand(4, dtype=torch.float64, generator=torch.Generator().manual_seed(2))


@pytest.mark.parametrize("order", [["mask", "t", "x"], ["t", "x", "mask"], ["x", "mask", "t"]])
def test_keywords_in_any_order_are_bound_by_the_models_signature(
    x: Tensor, t: Tensor, order: list[str]
) -> None:
    model, given = Timed(), {"x": x, "t": t, "mask": None}
    output, _ = ManifoldMixup(model, ["input"], 1.0)(
        **{name: given[name] for name in order}, plan=plan("input")
    )
    assert_close(output, model(mixed(x), t))


def test_an_argument_is_chosen_by_its_name_or_position(x: Tensor, t: Tensor) -> None:
    model = Timed()
    expected = model(x, mixed(t))
    for name in ("input:t", "input:1"):
        mixer = ManifoldMixup(model, [name, "body"], 1.0, seed=0)
        assert mixer.layers == (name, "body")
        assert_close(mixer(x, t, plan=plan(name))[0], expected)
    mixer = ManifoldMixup(model, ["input:t"], 1.0)
    assert_close(mixer(t=t, x=x, plan=plan("input:t"))[0], expected)
    both = ManifoldMixup(model, ["input", "input:t"], 1.0)
    assert_close(both(x, t, plan=plan("input"))[0], model(mixed(x), t))
    assert_close(both(x, t, plan=plan("input:t"))[0], expected)
    with pytest.raises(TypeError, match="at 'input:t': the call has no argument 't'"):
        mixer(x, plan=plan("input:t"))
    with pytest.raises(ValueError, match="the model has no argument 'time', but x, t, mask"):
        ManifoldMixup(model, ["input:time"], 1.0)


class Anything(nn.Module):
    """As a wrapper that hands on what it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = Timed()

    def forward(self, *args: Any, **kwargs: Any) -> Tensor:
        return self.inner(*args, **kwargs)


def test_an_input_that_is_not_clear_is_refused(x: Tensor, t: Tensor) -> None:
    model = Anything()
    mixer = ManifoldMixup(model, ["input"], 1.0, seed=0)
    with pytest.raises(TypeError, match=r"not clear which .* in t, x; name one, such as 'input:t'"):
        mixer(t=t, x=x)
    assert_close(mixer(mask=None, x=x, plan=plan("input"))[0], model(mixed(x)))
    named = ManifoldMixup(model, ["input:x"], 1.0)
    assert_close(named(t=t, x=x, plan=plan("input:x"))[0], model(x=mixed(x), t=t))
    assert len(named(t=t, x=x)[1].perm) == 4


class TwoInputs(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.image, self.table = nn.Linear(3, 2).double(), nn.Linear(1, 2).double()
        self.head = nn.Linear(2, 3).double()

    def forward(self, image: Tensor, table: Tensor) -> Tensor:
        return self.head(torch.tanh(self.image(image) * self.table(table)))


class OfDict(nn.Module):
    """As TwoInputs, of one argument."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, inputs: dict[str, Tensor]) -> Tensor:
        return self.model(**inputs)


def test_of_several_inputs_one_is_mixed_unless_a_dict_has_them_all(x: Tensor, t: Tensor) -> None:
    model, table = TwoInputs(), t.unsqueeze(1)
    for name, inputs in (
        ("input", (mixed(x), table)),
        ("input:image", (mixed(x), table)),
        ("input:table", (x, mixed(table))),
    ):
        mixer = ManifoldMixup(model, [name], 1.0)
        assert_close(mixer(x, table, plan=plan(name))[0], model(*inputs))
    both = model(mixed(x), mixed(table))
    of_dict = ManifoldMixup(OfDict(model), ["input", "model.head"], 1.0)
    inputs = {"image": x, "table": table}
    assert_close(of_dict(inputs, plan=plan("input"))[0], both)
    assert len(of_dict(inputs)[1].perm) == 4
    by_hand = plan("input")
    assert_close(model(*mix((x, table), by_hand.lam, by_hand.perm)), both)


def test_a_state_without_a_number_is_refused(x: Tensor) -> None:
    model = Timed()
    with pytest.raises(TypeError, match="at 'input:mask': there is no floating-point tensor"):
        ManifoldMixup(model, ["input:mask"], 1.0)(x, mask=None, plan=plan("input:mask"))

    class Told(nn.Module):
        def forward(self, x: Tensor) -> dict[str, Any]:
            return {"n": len(x), "ok": None}

    model.told = Told()
    model.body.register_forward_pre_hook(lambda _, args: model.told(args[0]) and None)
    with pytest.raises(TypeError, match=r"at 'told': .*, but a dict of n, ok"):
        ManifoldMixup(model, ["told"], 1.0)(x, plan=plan("told"))


class Images(nn.Module):
    """As a detector: of a list of images."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 2, 1).double()

    def forward(self, images: Any) -> Tensor:
        return self.stem(torch.stack(list(images))).mean((2, 3))


@pytest.mark.parametrize("kind", [list, tuple])
def test_a_list_of_images_does_not_tell_the_batch_size(kind: type) -> None:
    images = kind(torch.randn(4, 3, 5, 5, dtype=torch.float64).unbind())
    model = Images()
    mixer = ManifoldMixup(model, ["input", "stem"], 1.0, seed=0)
    with pytest.raises(TypeError, match=r"may be a batch of samples or several inputs.*plan=mixer"):
        mixer(images)
    output, _ = mixer(images, plan=plan("stem"))
    assert_close(output, mixed(model(images)))
    with pytest.raises(ValueError, match=r"at 'input': .*shape \(3, 5, 5\) for a batch of 4"):
        mixer(images, plan=plan("input"))


def test_tensors_that_disagree_about_the_batch_size(x: Tensor, t: Tensor) -> None:
    mixer = ManifoldMixup(Anything(), ["inner.body"], 1.0, seed=0)
    with pytest.raises(ValueError, match=r"have \[3, 4\] entries along dimension 0"):
        mixer(x=x, mask=torch.ones(3, dtype=torch.float64))
    assert len(mixer(x=x, t=t)[1].perm) == 4


class WithLoss(Timed):
    def forward(self, x: Tensor, labels: Tensor | None = None) -> Any:  # type: ignore[override]
        h = super().forward(x)
        return h if labels is None else (h, nn.functional.cross_entropy(h, labels))


def test_labels_given_to_the_model_are_refused(x: Tensor) -> None:
    mixer, y = ManifoldMixup(WithLoss(), ["body"], 1.0, seed=0), torch.tensor([0, 1, 2, 0])
    for call in (lambda: mixer(x, y), lambda: mixer(x, labels=y)):
        with pytest.raises(ValueError, match=r"with labels=, .* labels that are not mixed"):
            call()
    mixer(x, labels=None)
    mixer.model.eval()
    assert len(mixer(x, labels=y)[0]) == 2


def test_labels_that_are_not_mixed_may_be_given_to_the_model(x: Tensor) -> None:
    mixer, y = ManifoldMixup(WithLoss(), ["body"], 1.0, mixes="features"), torch.arange(4) % 3
    (output, loss), _ = mixer(x, labels=y, plan=plan("body", mixes="features"))
    assert_close(output, mixed(mixer.model.body(x)))
    assert_close(loss, nn.functional.cross_entropy(output, y))
