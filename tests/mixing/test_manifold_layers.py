"""Which layers a mixer takes, and that each must run once."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.testing import assert_close

from mixup import MLP, ManifoldMixup, MixPlan, mix
from tests.mixing.models import hooks_on

PERM = torch.tensor([2, 0, 1, 3])


def test_layers_are_chosen_by_name_pattern_module_and_weight(net: MLP) -> None:
    def names(layers: Any) -> tuple[str, ...]:
        return ManifoldMixup(net, layers, 2.0).layers

    assert names(["input", "hidden.0"]) == ("input", "hidden.0")
    assert names(["hidden.*"]) == ("hidden.0", "hidden.1", "hidden.2")
    assert names(["hidden.[12]", "input"]) == ("hidden.1", "hidden.2", "input")
    assert names(["hidden.*.1"]) == ("hidden.0.1", "hidden.1.1", "hidden.2.1")
    assert names([net.hidden[1], net.classifier]) == ("hidden.1", "classifier")
    assert names(iter(["input"])) == ("input",)
    mixer = ManifoldMixup(net, {"input": 1, net.hidden[0]: 3, "hidden.[12]": 2}, 2.0, seed=0)
    drawn = [mixer.draw(1).layer for _ in range(8000)]
    for name, share in (("input", 1 / 8), ("hidden.0", 3 / 8), ("hidden.1", 2 / 8)):
        assert drawn.count(name) / 8000 == pytest.approx(share, abs=0.02)


def test_a_wrapped_layer_is_the_layer_and_a_shared_one_has_its_first_name(net: MLP) -> None:
    assert ManifoldMixup(net, [nn.DataParallel(net.hidden[1])], 2.0).layers == ("hidden.1",)
    shared = nn.ReLU()
    model = nn.Sequential(nn.Linear(2, 2), shared, nn.Linear(2, 2), shared)
    assert ManifoldMixup(model, [shared], 2.0).layers == ("1",)
    assert ManifoldMixup(model, ["3"], 2.0).layers == ("3",)


def test_of_several_containers_the_first_is_named() -> None:
    model = nn.ModuleDict({"a": nn.ModuleDict(), "b": nn.ModuleList()})
    with pytest.raises(ValueError, match=r"'a' is a ModuleDict, which .*members, 'a\.\*'"):
        ManifoldMixup(model, ["[ab]"], 2.0)


@pytest.mark.parametrize(
    ("layers", "error", "message"),
    [
        (["hiden.0"], ValueError, r"no layer matches 'hiden\.0'; did you mean "
                                  r"'hidden\.0'.*The model has: input, hidden\.0, hidden\.0\.0"),
        (["encoder.*"], ValueError, r"no layer matches 'encoder\.\*'; The model has: input"),
        (["hidden"], ValueError, r"'hidden' is a ModuleList.*take its members, 'hidden\.\*'"),
        (["hidden.0", "hidden.*"], ValueError, r"'hidden\.0' is selected twice.*'hidden\.\*'"),
        ([], ValueError, "no layer to mix at; to train without mixing"),
        ([nn.ReLU()], ValueError, "cannot mix at ReLU: it is no part of the model"),
        ("hidden.0", TypeError, r"layers must be a list.*write \['hidden\.0'\]"),
        ([1], TypeError, "a layer must be a name or a module, got 1"),
        ({"input": 0}, ValueError, "weight of layer 'input' must be > 0"),
    ],
)  # fmt: skip
def test_layers_that_cannot_be(net: MLP, layers: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        ManifoldMixup(net, layers, 2.0)
    assert hooks_on(net) == 0


@pytest.mark.parametrize(("n", "ending"), [(39, "37, 38"), (40, "37, 38 and 1 more"),
                                           (60, "37, 38 and 21 more")])  # fmt: skip
def test_of_many_layers_forty_are_named(n: int, ending: str) -> None:
    model = nn.Sequential(*(nn.ReLU() for _ in range(n)))
    with pytest.raises(ValueError, match=rf"The model has: input, 0, 1, .*, {ending}$"):
        ManifoldMixup(model, ["nowhere"], 1.0)


def test_other_bad_arguments(net: MLP) -> None:
    with pytest.raises(ValueError, match="cannot mix at MLP: it is the model itself"):
        ManifoldMixup(net, [net], 2.0)
    with pytest.raises(ValueError, match=r"where must be one of \('after', 'before'\), got 'in'"):
        ManifoldMixup(net, ["input"], 2.0, where="in")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="alpha must be > 0 and finite, got 0"):
        ManifoldMixup(net, ["input"], 0)
    model = nn.ModuleDict({"input": nn.Linear(2, 2)})
    with pytest.raises(ValueError, match="a module named 'input' cannot be mixed at"):
        ManifoldMixup(model, [model["input"]], 2.0)
    assert hooks_on(net) == 0


class Odd(nn.Module):
    """Calls `twice` two times, `never` not, and `late` only when told."""

    def __init__(self) -> None:
        super().__init__()
        self.once, self.twice, self.never, self.late = (nn.Linear(2, 2) for _ in range(4))
        self.call_late = False

    def forward(self, x: Tensor) -> Tensor:
        x = self.twice(self.twice(self.once(x)))
        return self.late(x) if self.call_late else x


@pytest.mark.parametrize(
    ("name", "times", "advice"),
    [("twice", 2, "shared can be mixed at with repeated='first' or 'each'"),
     ("never", 0, "skipped at random can be mixed at with skipped='plain'")],
)  # fmt: skip
def test_a_layer_must_run_exactly_once(x: Tensor, name: str, times: int, advice: str) -> None:
    model = Odd()
    mixer = ManifoldMixup(model, ["once", name], 1.0, seed=0)
    message = rf"'{name}' ran {times} times \(exactly once: 'once'\); a layer that is {advice}"
    for layer in ("once", name):  # whichever is drawn first
        with pytest.raises(RuntimeError, match=message):
            mixer(x, plan=MixPlan(layer, 0.5, PERM))
    assert torch.equal(model(x), model(x))  # nothing stays switched on


def test_a_layer_that_stops_running_is_noticed_when_it_is_drawn(x: Tensor) -> None:
    model = Odd()
    model.call_late = True
    mixer = ManifoldMixup(model, ["once", "late"], 1.0)
    mixer(x)
    model.call_late = False
    mixer(x, plan=MixPlan("once", 0.5, PERM))
    with pytest.raises(RuntimeError, match="'late' ran 0 times"):
        mixer(x, plan=MixPlan("late", 0.5, PERM))


def test_a_plan_of_another_mixer_is_refused(net: MLP, x: Tensor) -> None:
    mixer = ManifoldMixup(net, ["hidden.0"], 1.0)
    with pytest.raises(ValueError, match=r"the plan mixes at 'hidden\.1', but layers are"):
        mixer(x, plan=MixPlan("hidden.1", 0.5, PERM))
    with pytest.raises(ValueError, match=r"at 'hidden\.0': .*for a batch of 3"):
        mixer(x, plan=MixPlan("hidden.0", 0.5, PERM[:3].argsort()))


def test_from_layers_mixes_the_input_of_flagged_layers(x: Tensor) -> None:
    layers = [(nn.Linear(2, 8), True), (nn.ReLU(), False), (nn.Linear(8, 2), True)]
    mixer = ManifoldMixup.from_layers(layers, alpha=1.0, seed=0)
    assert mixer.layers == ("0", "2")
    first, relu, last = (layer for layer, _ in layers)
    expected = last.forward(mix(relu.forward(first.forward(x)), 0.3, PERM))
    assert_close(mixer(x, plan=MixPlan("2", 0.3, PERM))[0], expected)
    expected = last.forward(relu.forward(first.forward(mix(x, 0.3, PERM))))
    assert_close(mixer(x, plan=MixPlan("0", 0.3, PERM))[0], expected)
    assert torch.equal(mixer.model.eval()(x), last(relu(first(x))))
    with pytest.raises(ValueError, match="no layer to mix at"):
        ManifoldMixup.from_layers([(nn.Linear(2, 2), False)], alpha=1.0)
