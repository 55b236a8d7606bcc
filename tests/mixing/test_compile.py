"""`torch.compile`: a bounded number of graphs, and the results of the plain model."""

import gc
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.testing import assert_close

from mixup import MLP, ManifoldMixup, MixPlan
from tests.mixing.models import hooks_on

pytestmark = [
    pytest.mark.slow,
    # of torch's own making
    pytest.mark.filterwarnings(
        "ignore:The .grad attribute:UserWarning", "ignore:.*torch.jit.script:DeprecationWarning"
    ),
]

LAYERS = ["input", "hidden.0", "hidden.1"]


class Graphs:
    """A compiler backend that runs each graph as it is, and counts them."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, graph: torch.fx.GraphModule, _: list[Tensor]) -> Callable[..., Any]:
        self.count += 1
        return graph.forward


@pytest.fixture(autouse=True)
def _fresh_compiler() -> Iterator[None]:
    torch._dynamo.reset()
    yield
    torch._dynamo.reset()


def net() -> MLP:
    torch.manual_seed(0)
    return MLP(2, [8, 6], 3)


def compare(mixer: ManifoldMixup, twin: ManifoldMixup, sizes: list[int]) -> None:
    for n in sizes:
        x, y = torch.randn(n, 2), torch.arange(n) % 3
        output, plan = mixer(x)
        expected, drawn = twin(x)
        assert plan.layer == drawn.layer
        assert_close(output, expected)
        for one, loss in (
            (mixer, plan.loss(F.cross_entropy, output, y)),
            (twin, drawn.loss(F.cross_entropy, expected, y)),
        ):
            one.model.zero_grad()
            loss.backward()
        assert_close([*gradients(mixer.model)], [*gradients(twin.model)])


def gradients(model: nn.Module) -> Iterator[Tensor | None]:
    return (parameter.grad for parameter in model.parameters())


@pytest.mark.parametrize(
    ("options", "in_place"),
    [({}, False), ({}, True), ({"per_sample": True}, True), ({"where": "before"}, False)],
)
def test_one_graph_a_layer_and_one_without_mixing(options: dict[str, Any], in_place: bool) -> None:
    graphs, model, plain = Graphs(), net(), net()
    if in_place:
        model.compile(backend=graphs, fullgraph=True)
        compiled: Any = model
    else:
        compiled = torch.compile(model, backend=graphs, fullgraph=True)
    layers = ["hidden.0", "hidden.1", "classifier"] if options.get("where") else LAYERS
    mixer = ManifoldMixup(compiled, layers, 1.0, seed=0, **options)
    twin = ManifoldMixup(plain, layers, 1.0, seed=0, **options)
    compiled(torch.randn(8, 2))  # a plain pass first: hooks that came later would not be seen
    compare(mixer, twin, [8] * 25)
    x = torch.randn(8, 2)
    for _ in range(3):
        assert_close(compiled(x), plain(x))
    compiled.eval()
    assert_close(mixer(x)[0], plain(x))
    assert graphs.count <= len(layers) + 2  # one for each, without mixing, and in eval mode


def test_other_batch_sizes_at_most_double_the_graphs() -> None:
    graphs, model, plain = Graphs(), net(), net()
    mixer = ManifoldMixup(torch.compile(model, backend=graphs), LAYERS, 1.0, seed=0)
    compare(
        mixer,
        ManifoldMixup(plain, LAYERS, 1.0, seed=0),
        [16, 16, 16, 16, 16, 7] * 5 + [5, 9, 3] * 4,
    )
    assert graphs.count <= 2 * (len(LAYERS) + 1)


def test_dynamic_shapes_keep_one_graph_a_layer() -> None:
    graphs, model, plain = Graphs(), net(), net()
    compiled = torch.compile(model, backend=graphs, dynamic=True, fullgraph=True)
    mixer = ManifoldMixup(compiled, LAYERS, 1.0, seed=0)
    compare(mixer, ManifoldMixup(plain, LAYERS, 1.0, seed=0), [16, 7, 5, 9] * 6)
    assert graphs.count <= len(LAYERS) + 1


def test_compiled_parts_of_a_model() -> None:
    graphs, model, plain = Graphs(), net(), net()
    model.hidden[0] = torch.compile(model.hidden[0], backend=graphs, fullgraph=True)
    model.hidden[1].compile(backend=graphs, fullgraph=True)
    mixer = ManifoldMixup(model, LAYERS, 1.0, seed=0)
    compare(mixer, ManifoldMixup(plain, LAYERS, 1.0, seed=0), [8] * 20)
    assert graphs.count <= 5  # both parts with mixing and without, and what comes in mixed


def test_compiled_after_the_mixer_was_made() -> None:
    graphs, model, plain = Graphs(), net(), net()
    mixer = ManifoldMixup(model, LAYERS, 1.0, seed=0)
    model.compile(backend=graphs, fullgraph=True)
    compare(mixer, ManifoldMixup(plain, LAYERS, 1.0, seed=0), [8] * 20)
    assert graphs.count <= len(LAYERS) + 1


def test_hooks_that_the_compiler_did_not_see_are_noticed() -> None:
    model = net()
    compiled = torch.compile(model, backend=Graphs())
    compiled(torch.randn(8, 2))
    mixer = ManifoldMixup(compiled, ["hidden.0"], 1.0, seed=0)
    too_late = r"'hidden\.0' ran 0 times .*: none\); a mixer must be made after torch.compile"
    with pytest.raises(RuntimeError, match=too_late):
        mixer(torch.randn(8, 2))
    torch._dynamo.reset()
    mixer(torch.randn(8, 2))


def test_a_layer_that_does_not_run_is_noticed_whichever_is_drawn_first() -> None:
    graphs, model = Graphs(), net()
    model.never = nn.Linear(2, 2)
    mixer = ManifoldMixup(torch.compile(model, backend=graphs), ["hidden.0", "never"], 1.0)
    plan = MixPlan("hidden.0", 0.3, torch.arange(8).roll(1))
    with pytest.raises(RuntimeError, match=r"'never' ran 0 times \(exactly once: 'hidden\.0'\)"):
        mixer(torch.randn(8, 2), plan=plan)


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_compiled_model_keeps_its_hooks_until_the_mixer_is_closed(when: str) -> None:
    def mixer_of(model: nn.Module) -> ManifoldMixup:
        if when == "before":
            model.compile(backend="eager")
        mixer = ManifoldMixup(model, LAYERS, 1.0)
        if when == "after":
            model.compile(backend="eager")
            mixer(torch.randn(8, 2))
        assert hooks_on(model) == 3
        return mixer

    model = net()
    with mixer_of(model):
        pass
    assert hooks_on(model) == 0
    with pytest.raises(ZeroDivisionError), mixer_of(model):
        1 / 0  # noqa: B018
    assert hooks_on(model) == 0
    forgotten = mixer_of(model)
    del forgotten
    gc.collect()
    assert hooks_on(model) == 0


@pytest.mark.parametrize("options", [{}, {"mixes": "labels"}])
def test_noise_is_a_part_of_the_graph(options: dict[str, Any]) -> None:
    graphs, model, plain = Graphs(), net(), net()
    compiled = torch.compile(model, backend=graphs, fullgraph=True)
    mixer = ManifoldMixup(compiled, LAYERS, 1.0, noise=0.2, seed=0, **options)
    compare(mixer, ManifoldMixup(plain, LAYERS, 1.0, noise=0.2, seed=0, **options), [8] * 15)
    assert graphs.count <= len(LAYERS) + 1


def test_the_real_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the processor's special instructions: trying each out takes longest."""
    monkeypatch.setattr(torch._inductor.config.cpp, "vec_isa_ok", False)
    model, plain = net(), net()
    mixer = ManifoldMixup(torch.compile(model), ["hidden.0"], 1.0, seed=0, noise=0.2)
    twin = ManifoldMixup(plain, ["hidden.0"], 1.0, seed=0, noise=0.2)
    compare(mixer, twin, [8] * 4)
    plan = MixPlan("hidden.0", 0.3, torch.arange(8).roll(1))
    x = torch.randn(8, 2)
    assert torch.equal(mixer(x, plan=plan)[0], mixer(x, plan=plan)[0])
