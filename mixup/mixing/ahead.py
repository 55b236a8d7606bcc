"""Draw several times at once, and hand out one by one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

import numpy as np

Draw = TypeVar("Draw")


class Ahead(Generic[Draw]):
    """Draws of a generator, made several at a time and taken one by one.

    A training step leaves nothing of a generator's code in the processor's caches, where one draw
    then takes as long as ten in a row. To the outside, what was not taken has not been drawn.
    """

    def __init__(self, rng: np.random.Generator, draw: Callable[[np.random.Generator, int], Draw]):
        self._rng, self._draw = rng, draw
        self._drawn: list[Draw] = []
        self._taken, self._size = 0, -1

    def take(self, size: int = 0) -> Draw:
        """Return ``draw(generator, size)``."""
        if size != self._size or self._taken == len(self._drawn):
            self._draw_ahead(size)
        self._taken += 1
        return self._drawn[self._taken - 1]

    def _draw_ahead(self, size: int) -> None:
        # More each time, as long as sizes are the same; not much memory for large ones.
        n = min(2 * len(self._drawn), 32, 2**20 // (size + 1)) if size == self._size else 1
        self.rewind()
        self._size, self._before = size, self._rng.bit_generator.state
        self._drawn = [self._draw(self._rng, size) for _ in range(max(1, n))]

    @property
    def generator(self) -> np.random.Generator:
        """The generator, as if what was not taken had not been drawn."""
        self.rewind()
        return self._rng

    def rewind(self) -> None:
        """Give back what was drawn and not taken."""
        if self._taken < len(self._drawn):
            self._rng.bit_generator.state = self._before
            for _ in range(self._taken):
                self._draw(self._rng, self._size)
        self._drawn, self._taken = [], 0

    def state_dict(self) -> Mapping[str, Any]:
        state: Mapping[str, Any] = _plain(self.generator.bit_generator.state)
        return state

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self._drawn, self._taken = [], 0
        self._rng.bit_generator.state = state


def _plain(value: Any) -> Any:
    """Make what some generators keep as arrays fit for JSON."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else value
