"""The graph of a forward pass: what its layers belong to when backward runs them again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from torch import Tensor, nn
from torch.autograd.graph import Node

_NOT_LOOKED_INTO = (nn.Module, type, str, bytes, int, float)


def mark(
    outputs: Iterable[Tensor],
    inputs: Iterable[Tensor],
    enter: Callable[[], object],
    leave: Callable[[], object],
) -> int:
    """Call ``enter`` before backward comes to a node of a graph, and ``leave`` after it.

    A checkpoint runs its layers again while backward is at a node of the pass they are of: at the
    checkpoint's own node, or where the first value is wanted that was not kept. So this tells
    passes apart, whatever thread backward runs in and however many passes it goes through.

    Args:
        outputs: where the graph ends.
        inputs: where it begins; nodes before these are of someone else.
        enter, leave: to be called.

    Returns:
        The number of nodes.
    """
    nodes = _nodes(outputs, inputs)
    for node in nodes:
        node.register_prehook(lambda *_: _nothing(enter()))
        node.register_hook(lambda *_: _nothing(leave()))
    return len(nodes)


def _nothing(_: object) -> None:
    """Return None: what a hook of a node returns would replace gradients."""


def _nodes(outputs: Iterable[Tensor], inputs: Iterable[Tensor]) -> set[Node]:
    seen = {tensor.grad_fn for tensor in inputs}
    found: set[Node] = set()
    todo = [tensor.grad_fn for tensor in outputs]
    while todo:
        node = todo.pop()
        # What accumulates gradients belongs to a parameter, and stays when the graph is gone.
        if node is None or node in seen or hasattr(node, "variable"):
            continue
        seen.add(node)
        found.add(node)
        todo += [following for following, _ in node.next_functions]
    return found


def all_tensors(tree: Any) -> Iterator[Tensor]:
    """Yield every tensor in what a model returned, also those in attributes of objects."""
    seen: dict[int, object] = {}  # keeps what has an id
    todo = [tree]
    while todo:
        item = todo.pop()
        if isinstance(item, Tensor):
            yield item
        elif id(item) not in seen and not isinstance(item, _NOT_LOOKED_INTO):
            seen[id(item)] = item
            todo += _parts(item)


def _parts(item: Any) -> list[Any]:
    parts: list[Any] = []
    if isinstance(item, Mapping):
        parts += item.values()
    elif isinstance(item, list | tuple | set | frozenset):
        parts += item
    slots = [name for kind in type(item).__mro__ for name in getattr(kind, "__slots__", ())]
    return [
        *parts,
        *getattr(item, "__dict__", {}).values(),
        *(getattr(item, name, None) for name in slots if isinstance(name, str)),
    ]
