"""Samplers that differ in one setting from the usual one, and what they draw."""

from typing import Any

from mixup.mixing.sampler import Sampler


def sampler(layers: dict[str, float] | None = None, **options: Any) -> Sampler:
    defaults: dict[str, Any] = {
        "alpha": 2.0, "beta": None, "per_sample": False, "pairing": "random", "mixes": "both",
        "noise": 0.0, "seed": 0,
    }  # fmt: skip
    return Sampler(layers or {"a": 1.0, "b": 1.0, "c": 1.0}, **(defaults | options))


def stream(source: Sampler, n: int = 20, batch_size: int = 7) -> list[Any]:
    plans = [source.draw(batch_size) for _ in range(n)]
    return [(p.layer, p.lam, p.perm.tolist(), p.noise_seed) for p in plans]
