"""Compare a mixed pass of any model, in float64, with one that a hook written by hand mixes.

Which layers, docs/library.md says.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.testing import assert_close
from torch.utils._pytree import tree_leaves

from mixup import ManifoldMixup, MixPlan

N = 4
PERM = [2, 0, 3, 1]
LAM = 0.3
LIBRARY = (Path(__file__).parents[2] / "docs" / "library.md").read_text(encoding="utf-8")


def table_of(package: str) -> dict[str, tuple[str, ...]]:
    """Return the layers to choose in each kind of model."""
    rows = re.findall(rf"^\| {package} \| (.*?) \| (.*?) \|$", LIBRARY, re.MULTILINE)
    return {
        kind: tuple(re.findall(r'`"([^"]*)"`', layers))
        for kinds, layers in rows
        for kind in kinds.split(", ")
    }


class Family(NamedTuple):
    """A kind of model, and where to mix."""

    build: Callable[[], nn.Module]
    given: dict[str, Any]
    layers: tuple[str, ...]
    options: dict[str, Any]


def assert_as_by_hand(family: Family) -> None:
    """Compare states, outputs, all gradients and running statistics at each of its layers.

    Both models draw from torch's generator, as dropout does, from the same state.
    """
    model, twin = _built(family), _built(family)
    given = family.given
    mixer = ManifoldMixup(model, family.layers, 1.0, **family.options)
    for layer in mixer.layers:
        states: list[Tensor] = []
        with _Recorded(model, layer, states):
            output = _run(lambda layer=layer: mixer(**given, plan=_plan(layer))[0])
        expected_states: list[Tensor] = []
        hook = _by_hand(layer, family.options.get("repeated"))
        handle = _part(twin, layer).register_forward_hook(hook) if _is_hidden(layer) else None
        with _Recorded(twin, layer, expected_states):
            expected = _run(lambda layer=layer: twin(**_given_by_hand(given, layer)))
        if handle is not None:
            handle.remove()
        assert len(states) == len(expected_states) > 0
        assert_close(states, expected_states)
        outputs, others = map(_numbers, (output, expected))
        assert_close(outputs, others)
        for one, results in ((model, outputs), (twin, others)):
            one.zero_grad()
            torch.stack([result.square().sum() for result in results]).sum().backward()
        _assert_close_gradients(model, twin)
        assert_close(dict(model.named_buffers()), dict(twin.named_buffers()))


def _assert_close_gradients(model: nn.Module, twin: nn.Module) -> None:
    pairs = zip(model.named_parameters(), twin.parameters(), strict=True)
    grads = [(name, one.grad, two.grad) for (name, one), two in pairs]
    # Batch normalisation of a few numbers makes much of the last digits, even of what should be 0.
    atol = 1e-7 * max(float(two.abs().max()) for _, _, two in grads if two is not None)
    for name, one, two in grads:
        assert (one is None) is (two is None), name
        if one is not None:
            assert_close(one, two, rtol=1e-5, atol=atol, msg=lambda text, name=name: name + text)


def _built(family: Family) -> nn.Module:
    torch.manual_seed(0)
    return family.build().double().train()


def _run(call: Callable[[], Any]) -> Any:
    torch.manual_seed(1)
    return call()


def _plan(layer: str) -> MixPlan:
    return MixPlan(layer, LAM, torch.tensor(PERM))


def _mixed(h: Tensor) -> Tensor:
    return torch.stack([LAM * h[i] + (1 - LAM) * h[j] for i, j in enumerate(PERM)])


def _is_hidden(layer: str) -> bool:
    return layer.partition(":")[0] != "input"


def _part(model: nn.Module, layer: str) -> nn.Module:
    path = layer.partition(":")[0]
    return model.get_submodule(path) if _is_hidden(layer) else model


def _given_by_hand(given: dict[str, Any], layer: str) -> dict[str, Any]:
    if _is_hidden(layer):
        return given
    name = layer.partition(":")[2] or next(iter(given))
    return given | {name: _mixed(given[name])}


def _by_hand(layer: str, repeated: str | None) -> Callable[..., Any]:
    """Make a forward hook that mixes the whole output, or one item of a tuple."""
    part = layer.partition(":")[2]
    runs: list[None] = []

    def hook(_: nn.Module, args: Any, output: Any) -> Any:
        runs.append(None)
        if repeated == "first" and len(runs) > 1:
            return None
        if part:
            return tuple(_mixed(h) if i == int(part) else h for i, h in enumerate(output))
        if isinstance(output, tuple):
            return tuple(h if h is None else _mixed(h) for h in output)
        return _mixed(output)

    return hook


class _Recorded:
    """Keep what the model goes on with after a layer; of the whole model, what it returns."""

    def __init__(self, model: nn.Module, layer: str, states: list[Tensor]) -> None:
        self._model, self._layer, self._states = _part(model, layer), layer, states

    def __enter__(self) -> None:
        def record(_module: nn.Module, _args: Any, output: Any) -> None:
            self._states.extend(tensor.detach().clone() for tensor in _numbers(output))

        self._handle = self._model.register_forward_hook(record)

    def __exit__(self, *_: object) -> None:
        self._handle.remove()


def _numbers(tree: Any) -> list[Tensor]:
    leaves = tree_leaves(tree)
    return [leaf for leaf in leaves if isinstance(leaf, Tensor) and leaf.is_floating_point()]
