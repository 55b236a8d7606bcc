"""The hooks that mix: idle unless their layer was drawn for the forward pass under way."""

from __future__ import annotations

import weakref
from typing import Any

import torch
from torch import Tensor, nn
from torch._compile import _disable_dynamo
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
        self._armed: list[Hook] = []
        self._compiled = compiled
        self._all_checked = compiled  # to count in all layers would take a graph of its own
        self.closer = _closer(self, self._handles)

    def start(self, plan: MixPlan) -> None:
        if plan.layer is not None and plan.layer not in self._hooks:
            raise ValueError(f"the plan mixes at {plan.layer!r}, but layers are {[*self._hooks]}")
        if not self.closer.alive:
            raise RuntimeError("the mixer is closed: its hooks were taken off the model")
        self.stop()
        self._armed = []
        lam = plan.lam
        if self._compiled and not isinstance(lam, Tensor):
            # A tensor is an input of the graph, where a number would be a constant in it.
            lam = torch.tensor(lam, dtype=torch.float64)
        self._pass.start(plan, lam)
        if plan.layer is None:
            return
        drawn = self._hooks[plan.layer]
        self._armed = [drawn] if self._all_checked else [*self._hooks.values()]
        for hook in self._armed:
            hook.armed, hook.drawn, hook.runs = True, hook is drawn, 0

    def stop(self) -> None:
        for hook in self._armed:
            hook.armed = False

    def start_again_in_backward(self, output: Any, plan: MixPlan) -> None:
        """Arm the hooks whenever backward reaches the graph of the pass just made."""
        if not self._pass.may_run_again:
            return
        nodes = range(self._pass.first_node, torch._C._autograd._get_sequence_nr())

        # Before anything else of this graph, backward comes by its outputs.
        def start_again(_: Tensor) -> None:
            if self.closer.alive:
                self.start(plan)
                self._pass.graph = nodes
                torch.autograd.Variable._execution_engine.queue_callback(self.stop)

        for tensor in tensors_of(output):
            if tensor.requires_grad:
                tensor.register_hook(start_again)  # type: ignore[no-untyped-call]

    def check(self) -> None:
        """Raise unless the plan's layer ran exactly once; the first time, unless all did."""
        runs = {hook.name: hook.runs for hook in self._armed}
        wrong = [f"{name!r} ran {n} times" for name, n in runs.items() if n != 1]
        if wrong:
            once = ", ".join(repr(name) for name, n in runs.items() if n == 1) or "none"
            raise RuntimeError(
                "a layer to mix at must run exactly once in a forward pass, but "
                f"{', '.join(wrong)} (exactly once: {once}); choose a module around it, or one "
                "that the model calls"
            )
        self._all_checked |= bool(self._armed)

    def __getstate__(self) -> dict[str, Any]:
        return {key: value for key, value in vars(self).items() if key != "closer"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self.closer = _closer(self, self._handles)


class Pass:
    """What the hooks of one mixer share: the plan of the forward pass under way."""

    def __init__(self, batch_dim: int) -> None:
        self.batch_dim = batch_dim

    def start(self, plan: MixPlan, lam: float | Tensor) -> None:
        self.plan, self.lam, self.perm = plan, lam, plan.perm
        self.mixes_features, self.adds_noise = plan.mixes_features, plan.noise > 0
        self.first_node = torch._C._autograd._get_sequence_nr()
        self.graph: range | None = None
        self.may_run_again = False
        self.with_grad = torch.is_grad_enabled()

    def change(self, state: Any, batch_dim: int) -> Any:
        if self.mixes_features:
            state = mix(state, self.lam, self.perm, batch_dim=batch_dim)
        return self._add_noise(state) if self.adds_noise else state

    # Its seed would be a constant in the graph. torch.compiler.disable would import the compiler.
    @_disable_dynamo
    def _add_noise(self, state: Any) -> Any:
        return add_noise(state, self.plan.noise, self.plan.noise_seed)

    def is_of_another_graph(self) -> bool:
        """Whether backward runs a layer again for a pass other than the one it was armed for."""
        assert self.graph is not None
        node = torch._C._current_autograd_node()
        # Numbers from first_node on are of nodes that this backward pass made itself.
        return node is None or not (
            node._sequence_nr() in self.graph or node._sequence_nr() >= self.first_node
        )


class Hook:
    """Mix the state after a layer, or before it, when the layer was drawn.

    ``armed`` and ``drawn`` are all that `torch.compile` sees of an idle hook: one graph without
    mixing, and one with it.
    """

    def __init__(self, name: str, current: Pass) -> None:
        self.name = name
        self.armed = False  # counts its runs
        self.drawn = False  # and mixes
        self.runs = 0
        self._current = current

    def register(self, module: nn.Module, *, before: bool) -> RemovableHandle:
        if before:
            return module.register_forward_pre_hook(self._mix_before, with_kwargs=True)
        return module.register_forward_hook(self._mix_after)

    def _is_drawn(self) -> bool:
        if not self.armed:
            return False
        if torch.compiler.is_compiling():
            self._current.may_run_again = True  # whether it may cannot be seen from here
        elif self._current.graph is None:
            # Inside a checkpoint, which runs without gradients or keeps what is saved for them.
            self._current.may_run_again = (
                torch.is_grad_enabled() != self._current.with_grad
                or torch._C._autograd._top_saved_tensors_default_hooks(True) is not None
            )
        elif self._current.is_of_another_graph():
            return False
        self.runs += 1
        return self.drawn

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
