"""The hooks that mix: idle unless their layer was drawn for the forward pass under way."""

from __future__ import annotations

import weakref
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from mixup.mixing.formula import add_noise, mix, tensors_of
from mixup.mixing.layers import INPUT
from mixup.mixing.plan import MixPlan


class Hooks:
    """All hooks of one mixer: armed for one forward pass at a time, and counted.

    They stay on the model between passes, because `torch.compile` does not notice a hook that
    comes later, and because checkpointed layers run again in the backward pass.
    """

    def __init__(
        self, modules: dict[str, nn.Module], *, before: bool, batch_dim: int, compiled: bool
    ) -> None:
        self._pass = Pass(batch_dim)
        self._hooks = {name: Hook(name, self._pass) for name in modules}
        self._handles = [
            hook.register(modules[name], before=before or name == INPUT)
            for name, hook in self._hooks.items()
        ]
        self._compiled = compiled
        self._all_checked = False
        self.closer = _closer(self, self._handles)

    def start(self, plan: MixPlan) -> None:
        if plan.layer is not None and plan.layer not in self._hooks:
            raise ValueError(f"the plan mixes at {plan.layer!r}, but layers are {[*self._hooks]}")
        if not self.closer.alive:
            raise RuntimeError("the mixer is closed: its hooks were taken off the model")
        for hook in self._hooks.values():
            hook.runs = 0
        lam = plan.lam
        if self._compiled and not isinstance(lam, Tensor):
            # A tensor is an input of the graph, where a number would be a constant in it.
            lam = torch.tensor(lam, dtype=torch.float64)
        self._pass.start(plan, lam)

    def stop(self) -> None:
        self._pass.stop()

    def check(self, plan: MixPlan) -> None:
        """Raise unless the plan's layer ran exactly once; the first time, unless all did."""
        if plan.layer is None:
            return
        checked = [plan.layer] if self._all_checked else [*self._hooks]
        runs = {name: hook.runs for name, hook in self._hooks.items()}
        wrong = [f"{name!r} ran {runs[name]} times" for name in checked if runs[name] != 1]
        if wrong:
            once = ", ".join(repr(name) for name, n in runs.items() if n == 1) or "none"
            raise RuntimeError(
                "a layer to mix at must run exactly once in a forward pass, but "
                f"{', '.join(wrong)} (exactly once: {once}); choose a module around it, or one "
                "that the model calls"
            )
        self._all_checked = True

    def __getstate__(self) -> dict[str, Any]:
        return {key: value for key, value in vars(self).items() if key != "closer"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self.closer = _closer(self, self._handles)


class Pass:
    """What the hooks of one mixer share: the plan of the forward pass under way, if any.

    Plain attributes, and None for idle, so that `torch.compile` makes one graph a layer.
    """

    def __init__(self, batch_dim: int) -> None:
        self.batch_dim = batch_dim
        self.stop()

    def start(self, plan: MixPlan, lam: float | Tensor) -> None:
        self.layer: str | None = plan.layer
        self.lam: float | Tensor = lam
        self.perm: Tensor | None = plan.perm
        self.mixes_features = plan.mixes_features
        self.noise, self.noise_seed = plan.noise, plan.noise_seed

    def stop(self) -> None:
        self.layer = None
        self.perm = None

    def change(self, state: Any, batch_dim: int) -> Any:
        if self.mixes_features:
            assert self.perm is not None
            state = mix(state, self.lam, self.perm, batch_dim=batch_dim)
        return add_noise(state, self.noise, self.noise_seed) if self.noise else state


class Hook:
    """Mix the state after a layer, or before it, when the layer was drawn."""

    def __init__(self, name: str, current: Pass) -> None:
        self.name = name
        self.runs = 0
        self._current = current

    def register(self, module: nn.Module, *, before: bool) -> RemovableHandle:
        if before:
            return module.register_forward_pre_hook(self._mix_before, with_kwargs=True)
        return module.register_forward_hook(self._mix_after)

    def _is_drawn(self) -> bool:
        if self._current.layer is None:
            return False
        self.runs += 1
        return self._current.layer == self.name

    def _mix_after(self, module: nn.Module, args: Any, output: Any) -> Any:
        if not self._is_drawn():
            return None
        if isinstance(module, nn.RNNBase):  # (sequence, last state) have the batch elsewhere
            sequence, last = output
            batch_dim = 0 if module.batch_first else 1
            return self._change(module, sequence, batch_dim), self._change(module, last, 1)
        return self._change(module, output, self._current.batch_dim)

    def _mix_before(self, module: nn.Module, args: Any, kwargs: dict[str, Any]) -> Any:
        if not self._is_drawn():
            return None
        batch_dim = self._current.batch_dim
        if isinstance(module, nn.RNNBase):
            batch_dim = 0 if module.batch_first else 1
        if args:
            return (self._change(module, args[0], batch_dim), *args[1:]), kwargs
        first = next(iter(kwargs))
        return args, kwargs | {first: self._change(module, kwargs[first], batch_dim)}

    def _change(self, module: nn.Module, state: Any, batch_dim: int) -> Any:
        try:
            return self._current.change(state, batch_dim)
        except (TypeError, ValueError) as error:
            advice = self._advice(module, state)
            raise type(error)(f"at {self.name!r}: {error}{advice}") from error

    def _advice(self, module: nn.Module, state: Any) -> str:
        numbers = any(t.is_floating_point() or t.is_complex() for t in tensors_of(state))
        if self.name != INPUT or numbers:
            return ""
        names = [name for name, part in module.named_modules() if isinstance(part, nn.Embedding)]
        listed = f", such as {names[0]!r}" if names else ""
        return f"; mix token ids after their embedding layer instead{listed}"


def _closer(hooks: Hooks, handles: list[RemovableHandle]) -> weakref.finalize[Any, Any]:
    closer = weakref.finalize(hooks, _remove, handles)
    closer.atexit = False
    return closer


def _remove(handles: list[RemovableHandle]) -> None:
    for handle in handles:
        handle.remove()
