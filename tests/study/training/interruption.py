"""Training that is stopped after so many checkpoints."""

from typing import Any

import pytest

from study.training.checkpoint import Checkpoint


@pytest.fixture
def each_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """Write a checkpoint after every step."""
    monkeypatch.setenv("MIXUP_CHECKPOINT_SECONDS", "0")


def stop_after(monkeypatch: pytest.MonkeyPatch, n: int, train: Any, *arguments: Any) -> None:
    """Train until n checkpoints are written."""
    save, left = Checkpoint.save, [n]

    def save_and_stop(self: Checkpoint, state: Any) -> None:
        save(self, state)
        left[0] -= 1
        if not left[0]:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Checkpoint, "save", save_and_stop)
        with pytest.raises(KeyboardInterrupt):
            train(*arguments)
