"""The hooks that mix: on the model for the forward pass under way, unless it is compiled."""

from __future__ import annotations

import weakref
from collections.abc import Iterable
from typing import Any, Literal, get_args

import torch
from torch import Tensor
from torch.utils.hooks import RemovableHandle

from mixup.mixing.again import all_tensors, mark
from mixup.mixing.hook import Hook, Pass
from mixup.mixing.layers import INPUT, Place, is_compiled
from mixup.mixing.plan import MixPlan

Where = Literal["after", "before"]
Skipped = Literal["error", "plain"]
Repeated = Literal["error", "first", "each"]


class Hooks:
    """All hooks of one mixer: on the model and armed for one forward pass at a time, and counted.

    Between passes the model has no hooks, and does not pay for any. A compiled model keeps them,
    idle, because `torch.compile` does not notice a hook that comes later. Checkpointed layers run
    again in the backward pass, for which the hooks come back.
    """

    def __init__(
        self,
        places: dict[str, Place],
        *,
        where: Where,
        batch_dim: int,
        stop_gradient: bool,
        skipped: Skipped,
        repeated: Repeated,
    ) -> None:
        for option, choice, choices in (
            ("where", where, get_args(Where)),
            ("skipped", skipped, get_args(Skipped)),
            ("repeated", repeated, get_args(Repeated)),
        ):
            if choice not in choices:
                raise ValueError(f"{option} must be one of {choices}, got {choice!r}")
        self._pass = Pass(batch_dim, stop_gradient)
        self._hooks = {
            name: Hook(
                name,
                place,
                where == "before" or name.partition(":")[0] == INPUT,
                self._pass,
                repeated == "first",
            )
            for name, place in places.items()
        }
        self._places, self._skipped, self._repeated = places, skipped, repeated
        self._armed: list[Hook] = []
        self._on_model: list[RemovableHandle] = []
        self._stays = False
        self._all_checked = False
        self._backward, self._nodes_entered = -1, 0
        self.closer = _closer(self, self._on_model)

    def stay(self) -> None:
        """Put all hooks on the model until the mixer is closed, for `torch.compile` to see them."""
        if not self._stays and self.closer.alive:
            self.stop()
            self._put_on(self._hooks.values())
            self._stays = True

    def start(self, plan: MixPlan, compiled: bool) -> None:
        if compiled:  # by now
            self.stay()
        if plan.layer is not None and plan.layer not in self._hooks:
            raise ValueError(f"the plan mixes at {plan.layer!r}, but layers are {[*self._hooks]}")
        if not self.closer.alive:
            raise RuntimeError("the mixer is closed: its hooks were taken off the model")
        self._arm(plan, again=False)

    def _arm(self, plan: MixPlan, *, again: bool) -> None:
        if self._armed or self._on_model:  # still, after a backward pass that failed
            self.stop()
        # Numbers are constants in a graph, tensors its inputs.
        self._pass.start(plan, again=again, as_tensors=self._stays)
        if plan.layer is None:
            return
        drawn = self._hooks[plan.layer]
        # In a graph, to count one hook only would be another graph than to count all.
        only_drawn = self._all_checked and not self._stays
        self._armed = [drawn] if only_drawn else [*self._hooks.values()]
        for hook in self._armed:
            hook.arm(hook is drawn)
        if not self._stays:
            self._put_on(self._armed)

    def _put_on(self, hooks: Iterable[Hook]) -> None:
        try:
            for hook in hooks:
                self._on_model.append(hook.register())
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        for hook in self._armed:
            hook.armed = hook.drawn = False
        self._armed = []
        if not self._stays:
            _take_off(self._on_model)

    @property
    def may_run_again(self) -> bool:
        """Whether backward may run layers of the pass just made again."""
        return self._pass.may_run_again

    def mix_again_in_backward(self, output: Any, inputs: Iterable[Tensor], plan: MixPlan) -> None:
        """Let the layers of the pass just made mix as they did whenever backward runs them again.

        Args:
            output: of the pass.
            inputs: tensors that went into it.
            plan: of the pass.

        Raises:
            RuntimeError: no tensor is found in the output, so backward cannot be followed.
        """
        if not (self.may_run_again and torch.is_grad_enabled()):
            return
        tensors = [*all_tensors(output)]
        if not tensors:
            raise RuntimeError(
                f"{plan.layer!r} is in a checkpoint, which runs again in the backward pass, but no "
                "tensor is found in the model's output, where that pass could be followed from: "
                "let the model return tensors, or objects that have them as attributes"
            )
        mark(tensors, inputs, lambda: self._enter(plan), self._leave)

    def _enter(self, plan: MixPlan) -> None:
        """Arm the hooks while backward is at a node of the graph of a pass."""
        backward = torch._C._current_graph_task_id()
        if backward != self._backward:  # counts of another one are those of one that failed
            self._backward, self._nodes_entered = backward, 0
        self._nodes_entered += 1
        if self._nodes_entered > 1 and self._armed and self._pass.plan is plan:
            return  # on another device's thread
        self._arm(plan, again=True)

    def _leave(self) -> None:
        self._nodes_entered -= 1
        if self._nodes_entered <= 0:
            self.stop()

    def check(self) -> bool:
        """Tell whether the plan's layer ran; raise unless it did so as often as it may.

        At the first pass all layers must have run.
        """
        if self._all_checked and len(self._armed) == 1:
            only = self._armed[0]
            if only.drawn and len(only.runs) == 1 and only.used is None:  # as nearly always
                return True
        drawn = next((hook for hook in self._armed if hook.drawn), None)
        if drawn is None:
            return False
        counted = [hook for hook in self._armed if hook.drawn or not self._all_checked]
        wrong = [hook for hook in counted if not self._may_run(len(hook.runs))]
        if wrong:
            self._raise_about(wrong, [hook for hook in counted if hook not in wrong])
        if self._pass.may_run_again and self._repeated == "first" and len(drawn.runs) > 1:
            raise RuntimeError(
                f"{drawn.name!r} is shared, and in a checkpoint: of the runs that the backward "
                "pass repeats, the first cannot be told; use repeated='each'"
            )
        drawn.check_is_read()
        self._all_checked = True
        return bool(drawn.runs)

    def _may_run(self, times: int) -> bool:
        return times == 1 or (self._skipped if times == 0 else self._repeated) != "error"

    def _raise_about(self, wrong: list[Hook], right: list[Hook]) -> None:
        ran = ", ".join(f"{hook.name!r} ran {len(hook.runs)} times" for hook in wrong)
        once = ", ".join(repr(hook.name) for hook in right) or "none"
        advice = []
        if any(hook.runs for hook in wrong):
            advice.append(
                "a layer that is shared can be mixed at with repeated='first' or 'each', or choose "
                "a module around it"
            )
        if any(not hook.runs for hook in wrong):
            parts = [part for place in self._places.values() for part in place.module.modules()]
            compiled = self._stays or any(map(is_compiled, parts))
            advice.append(
                "a mixer must be made after torch.compile, and before the first pass"
                if compiled
                else "a layer that is skipped at random can be mixed at with skipped='plain'; one "
                "whose forward the model never calls cannot, so choose another"
            )
        raise RuntimeError(
            "a layer to mix at must run exactly once in a forward pass, but "
            f"{ran} (exactly once: {once}); {'; '.join(advice)}"
        )

    def __getstate__(self) -> dict[str, Any]:
        return {key: value for key, value in vars(self).items() if key != "closer"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self.closer = _closer(self, self._on_model)


def _closer(hooks: Hooks, on_model: list[RemovableHandle]) -> weakref.finalize[Any, Any]:
    closer = weakref.finalize(hooks, _take_off, on_model)
    closer.atexit = False
    return closer


def _take_off(on_model: list[RemovableHandle]) -> None:
    while on_model:
        on_model.pop().remove()
