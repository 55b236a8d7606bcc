"""The hooks that mix: on the model for the forward pass under way, unless it is compiled."""

from __future__ import annotations

import weakref
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from mixup.mixing.formula import add_noise, map_tensors, mix, tensors_of
from mixup.mixing.layers import INPUT
from mixup.mixing.plan import MixPlan


class Hooks:
    """All hooks of one mixer: on the model and armed for one forward pass at a time, and counted.

    Between passes the model has no hooks, and does not pay for any. A compiled model keeps them,
    idle, because `torch.compile` does not notice a hook that comes later. Checkpointed layers run
    again in the backward pass, for which the hooks come back.
    """

    def __init__(
        self, modules: dict[str, nn.Module], *, before: bool, batch_dim: int, stop_gradient: bool
    ) -> None:
        self._pass = Pass(batch_dim, stop_gradient)
        self._hooks = {
            name: Hook(name, module, before or name == INPUT, self._pass)
            for name, module in modules.items()
        }
        self._armed: list[Hook] = []
        self._on_model: list[RemovableHandle] = []
        self._stays = False
        self._all_checked = False
        self.closer = _closer(self, self._on_model)

    def stay(self) -> None:
        """Put all hooks on the model until the mixer is closed, for `torch.compile` to see them."""
        if not self._stays and self.closer.alive:
            self.stop()
            self._stays = True
            self._on_model += [hook.register() for hook in self._hooks.values()]

    def start(self, plan: MixPlan) -> None:
        if plan.layer is not None and plan.layer not in self._hooks:
            raise ValueError(f"the plan mixes at {plan.layer!r}, but layers are {[*self._hooks]}")
        if not self.closer.alive:
            raise RuntimeError("the mixer is closed: its hooks were taken off the model")
        if self._armed:  # still, after a backward pass that failed
            self.stop()
        # Numbers are constants in a graph, tensors its inputs.
        self._pass.start(plan, as_tensors=self._stays)
        if plan.layer is None:
            return
        drawn = self._hooks[plan.layer]
        # In a graph, to count one hook only would be another graph than to count all.
        only_drawn = self._all_checked and not self._stays
        self._armed = [drawn] if only_drawn else [*self._hooks.values()]
        for hook in self._armed:
            hook.armed, hook.drawn, hook.runs = True, hook is drawn, []
        if not self._stays:
            self._on_model += [hook.register() for hook in self._armed]

    def stop(self) -> None:
        for hook in self._armed:
            hook.armed = hook.drawn = False
        self._armed = []
        if not self._stays:
            _take_off(self._on_model)

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
        counted = [hook for hook in self._armed if hook.drawn or not self._all_checked]
        wrong = [hook for hook in counted if len(hook.runs) != 1]
        if wrong:
            ran = ", ".join(f"{hook.name!r} ran {len(hook.runs)} times" for hook in wrong)
            once = ", ".join(repr(hook.name) for hook in counted if hook not in wrong) or "none"
            compiled = "; a mixer must be made after torch.compile, and before the first pass"
            raise RuntimeError(
                "a layer to mix at must run exactly once in a forward pass, but "
                f"{ran} (exactly once: {once}); choose a module around it, or one that the model "
                f"calls{'' if all(hook.runs for hook in wrong) else compiled}"
            )
        self._all_checked |= bool(counted)

    def __getstate__(self) -> dict[str, Any]:
        return {key: value for key, value in vars(self).items() if key != "closer"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self.closer = _closer(self, self._on_model)


class Pass:
    """What the hooks of one mixer share: the plan of the forward pass under way."""

    def __init__(self, batch_dim: int, stop_gradient: bool) -> None:
        self.batch_dim, self.stop_gradient = batch_dim, stop_gradient

    def start(self, plan: MixPlan, *, as_tensors: bool) -> None:
        self.lam, self.perm, self.mixes_features = plan.lam, plan.perm, plan.mixes_features
        self.noise = plan.noise
        self.noise_seed: int | Tensor = plan.noise_seed
        if as_tensors:
            self.lam = torch.as_tensor(plan.lam, dtype=torch.float64)
            self.noise_seed = torch.tensor(plan.noise_seed)
        self.first_node = torch._C._autograd._get_sequence_nr()
        self.graph: range | None = None
        self.may_run_again = False
        self.with_grad = torch.is_grad_enabled()

    def change(self, state: Any, batch_dim: int) -> Any:
        if self.stop_gradient:
            state = map_tensors(torch.Tensor.detach, state)
        if self.mixes_features:
            state = mix(state, self.lam, self.perm, batch_dim=batch_dim)
        return add_noise(state, self.noise, self.noise_seed) if self.noise else state

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

    def __init__(self, name: str, module: nn.Module, before: bool, current: Pass) -> None:
        self.name = name
        self.armed = False  # counts its runs
        self.drawn = False  # and mixes
        self.runs: list[None] = []  # a number might become an input of a compiled graph
        self._module, self._before, self._current = module, before, current

    def register(self) -> RemovableHandle:
        if self._before:
            return self._module.register_forward_pre_hook(self._mix_before, with_kwargs=True)
        return self._module.register_forward_hook(self._mix_after)

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
        self.runs.append(None)
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


def _closer(hooks: Hooks, on_model: list[RemovableHandle]) -> weakref.finalize[Any, Any]:
    closer = weakref.finalize(hooks, _take_off, on_model)
    closer.atexit = False
    return closer


def _take_off(on_model: list[RemovableHandle]) -> None:
    while on_model:
        on_model.pop().remove()
