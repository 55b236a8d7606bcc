"""One hook: it changes the state after a layer, or before it, when the layer was drawn."""

from __future__ import annotations

import copy
import weakref
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from mixup.mixing.arguments import Signature
from mixup.mixing.checks import GIVE_TENSORS, found
from mixup.mixing.formula import add_noise, map_tensors, mix, tensors_of
from mixup.mixing.layers import INPUT, Place
from mixup.mixing.plan import MixPlan


class Pass:
    """What the hooks of one mixer share: the plan of the forward pass under way."""

    def __init__(self, batch_dim: int, stop_gradient: bool) -> None:
        self.batch_dim, self.stop_gradient = batch_dim, stop_gradient
        self.may_run_again = False

    def start(self, plan: MixPlan, *, again: bool, as_tensors: bool) -> None:
        self.plan, self.again = plan, again
        self.lam, self.perm, self.mixes_features = plan.lam, plan.perm, plan.mixes_features
        self.noise = plan.noise
        self.noise_seed: int | Tensor = plan.noise_seed
        if as_tensors:
            self.lam = torch.as_tensor(plan.lam, dtype=torch.float64)
            self.noise_seed = torch.tensor(plan.noise_seed)
        self.may_run_again = False
        self.with_grad = torch.is_grad_enabled()

    def note_checkpoint(self) -> None:
        """Note whether the layer that runs is in a checkpoint."""
        # Which runs it without gradients, or keeps what is saved for them.
        self.may_run_again |= (
            torch.is_grad_enabled() != self.with_grad
            or torch._C._autograd._top_saved_tensors_default_hooks(True) is not None
        )

    def change(self, state: Any, batch_dim: int) -> Any:
        if not isinstance(state, Tensor) and not any(map(_is_number, tensors_of(state))):
            raise TypeError(f"there is no floating-point tensor to mix, but {found(state)}")
        if self.stop_gradient:
            state = map_tensors(torch.Tensor.detach, state)
        if self.mixes_features:
            state = mix(state, self.lam, self.perm, batch_dim=batch_dim)
        return add_noise(state, self.noise, self.noise_seed) if self.noise else state


class Hook:
    """Mix the state after a layer, or before it, when the layer was drawn.

    ``armed`` and ``drawn`` are all that `torch.compile` sees of an idle hook: one graph without
    mixing, and one with it.
    """

    def __init__(
        self, name: str, place: Place, before: bool, current: Pass, only_first: bool
    ) -> None:
        self.name = name
        self.armed = False  # counts its runs
        self.drawn = False  # and mixes
        self.runs: list[None] = []  # a number might become an input of a compiled graph
        self._module, self._part, self._current = place.module, place.part, current
        self._before, self._only_first = before, only_first
        self._signature = Signature.of(place.module) if before else None
        self.used: weakref.ref[Any] | None = None

    def arm(self, drawn: bool) -> None:
        self.armed, self.drawn, self.runs, self.used = True, drawn, [], None

    def register(self) -> RemovableHandle:
        if self._before:
            return self._module.register_forward_pre_hook(self._mix_before, with_kwargs=True)
        # Before hooks of others, so that they see the state with which the model goes on.
        return self._module.register_forward_hook(self._mix_after, prepend=True)

    def _is_drawn(self) -> bool:
        if not self.armed:
            return False
        if torch.compiler.is_compiling():
            self._current.may_run_again = True  # whether it may cannot be seen from here
        elif not self._current.again:
            self._current.note_checkpoint()
        elif torch._C._current_graph_task_id() == -1:
            return False  # armed by a backward pass that failed
        self.runs.append(None)
        return self.drawn and not (self._only_first and len(self.runs) > 1)

    def _mix_after(self, module: nn.Module, args: Any, output: Any) -> Any:
        if not self._is_drawn():
            return None
        if self._part is not None:
            dim = self._dim_of_second() if self._part == "1" else self._batch_dim()
            changed = self._at_part(output, self._part, lambda state: self._change(state, dim))
        elif isinstance(module, _IN_TWO_PLACES) and isinstance(output, tuple):
            first, second = output
            if second is not None:  # attention without its weights
                second = self._change(second, self._dim_of_second())
            changed = self._change(first, self._batch_dim()), second
        else:
            changed = self._change(output, self._batch_dim())
        if not torch.compiler.is_compiling() and any(output is one for one in args):
            self._watch(changed)
        return changed

    def _mix_before(self, module: nn.Module, args: Any, kwargs: dict[str, Any]) -> Any:
        if not self._is_drawn():
            return None
        assert self._signature is not None
        try:
            where = self._signature.find(self._part, args, kwargs)
        except TypeError as error:
            raise TypeError(f"at {self.name!r}: {error}") from error
        is_state = isinstance(module, nn.RNNBase) and where in (1, "hx")
        dim = 1 if is_state else self._batch_dim()
        if isinstance(where, int):
            changed = self._change(args[where], dim)
            return (*args[:where], changed, *args[where + 1 :]), kwargs
        return args, kwargs | {where: self._change(kwargs[where], dim)}

    def _batch_dim(self) -> int:
        batch_first = _batch_first(self._module)
        return self._current.batch_dim if batch_first is None else 1 - batch_first

    def _dim_of_second(self) -> int:
        """Tell where the batch is in the second thing that a layer returns."""
        if isinstance(self._module, _IN_TWO_PLACES):  # the last state, or the weights of attention
            return 1 if isinstance(self._module, nn.RNNBase) else 0
        return self._batch_dim()

    def _at_part(self, output: Any, part: str, change: Callable[[Any], Any]) -> Any:
        key = int(part) if part.isdigit() else part
        try:
            if isinstance(output, Mapping):
                changed: Any = copy.copy(output)
                changed[key] = change(output[key])
                return changed
            if isinstance(output, tuple | list) and isinstance(key, int):
                items = [*output[:key], change(output[key]), *output[key + 1 :]]
                return type(output)(*items) if hasattr(output, "_fields") else type(output)(items)
        except LookupError:
            pass
        raise TypeError(f"at {self.name!r}: no part {part!r}, but {found(output)}")

    def _watch(self, changed: Any) -> None:
        """Find out whether the model reads what the layer returned, or what went into it."""
        if isinstance(changed, Tensor) and changed.grad_fn is not None:
            token = _Token()
            # gone with the node, when nobody reads it; torch types a property as a method
            changed.grad_fn.metadata["mixup"] = token  # type: ignore[index]
            self.used = weakref.ref(token)

    def check_is_read(self) -> None:
        if self.used is not None and self.used() is None:
            raise RuntimeError(
                f"{self.name!r} changes its argument in place, and the model reads that and not "
                "what the layer returns, which would be the mixed state: mix before or after "
                "another layer, or let the model go on with what this one returns"
            )

    def _change(self, state: Any, batch_dim: int) -> Any:
        try:
            return self._current.change(state, batch_dim)
        except (TypeError, ValueError) as error:
            raise type(error)(f"at {self.name!r}: {error}{self._advice(state)}") from error

    def _advice(self, state: Any) -> str:
        tensors = [*tensors_of(state)]
        if self.name.partition(":")[0] != INPUT or any(map(_is_number, tensors)):
            return ""
        if not tensors:
            return "" if state is None else f"; {GIVE_TENSORS}"
        parts = self._module.named_modules()
        names = [name for name, part in parts if isinstance(part, nn.Embedding)]
        listed = f", such as {names[0]!r}" if names else ""
        return f"; mix token ids after their embedding layer instead{listed}"


_IN_TWO_PLACES = (nn.RNNBase, nn.MultiheadAttention)
"""Layers that return two things, with the batch in a place of its own in the second."""


def _batch_first(layer: nn.Module) -> bool | None:
    """Tell whether a layer takes batches first, or steps; None where it does not say so."""
    if isinstance(layer, nn.TransformerEncoder | nn.TransformerDecoder):
        said = _attention_first(layer.layers[0])
    elif isinstance(layer, nn.TransformerEncoderLayer | nn.TransformerDecoderLayer):
        said = _attention_first(layer)
    elif isinstance(layer, nn.RNNBase | nn.MultiheadAttention | nn.Transformer):
        said = layer.batch_first
    else:
        return None
    return None if said is None else bool(said)


def _attention_first(layer: nn.Module) -> Any:
    # through the wrappers of compiled and checkpointed layers, as PyTorch reads it
    return getattr(getattr(layer, "self_attn", None), "batch_first", None)


class _Token:
    """Something a weak reference can be made to."""


def _is_number(tensor: Tensor) -> bool:
    return tensor.is_floating_point() or tensor.is_complex()
