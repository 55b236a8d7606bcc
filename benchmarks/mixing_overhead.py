"""What mixing costs: time of a training step with it and without, side by side in one run.

Plain and mixed steps take turns, so that whatever else the machine does falls on both; a ratio is
the median over neighbouring steps. A second plain net shows what such a ratio is worth here. A loop
that mixes by hand, as papers write it, shows what is the formula's: its plans were drawn before
and it checks nothing.

    python -m benchmarks.mixing_overhead [--steps 1000] [--csv FILE]
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from statistics import median

import pandas as pd
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mixup import MLP, ManifoldMixup

Criterion = Callable[..., Tensor]
Step = Callable[[Tensor, Tensor], object]


class ResidualBlock(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x + self.norm(self.conv(x)))


class ResidualCNN(nn.Sequential):
    def __init__(self, channels: int = 32) -> None:
        blocks = (ResidualBlock(channels) for _ in range(3))
        stem = nn.Conv2d(1, channels, 3, padding=1)
        pool = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
        super().__init__(stem, *blocks, pool, nn.Linear(channels, 10))


@dataclass(frozen=True)
class Subject:
    name: str
    net: Callable[[], nn.Module]
    layers: list[str]
    shape: tuple[int, ...]
    criterion: Criterion = F.cross_entropy
    classes: int = 10

    def batch(self) -> tuple[Tensor, Tensor]:
        y = torch.randint(self.classes, self.shape[:1])
        if self.criterion is F.binary_cross_entropy_with_logits:
            return torch.randn(self.shape), y.float().unsqueeze(1)
        return torch.randn(self.shape), y


def mlp(features: int, hidden: list[int], outputs: int, slope: float) -> Callable[[], nn.Module]:
    return lambda: MLP(features, hidden, outputs, negative_slope=slope)


def hidden(*ks: int) -> list[str]:
    return [MLP.layer_name(k) for k in ks]


LINES = """{net}
  step: plain {plain_ms:.2f} ms, mixed {mixed_ms:.2f} ms, {added_us:.0f} us more, ratio {ratio:.3f}
        (mixed by hand: {by_hand_ratio:.3f}; two plain twins: {plain_twin_ratio:.3f})
  eval: model with a mixer {eval_model_ratio:.3f}, mixer(x) {eval_mixer_ratio:.3f} of the model"""

SUBJECTS = [
    Subject("spirals: 2-32-32-32-1, batch 64", mlp(2, [32] * 3, 1, 0.2), hidden(0, 1, 2, 3),
            (64, 2), F.binary_cross_entropy_with_logits, 2),
    Subject("mnist_2d: 784-512-512-2-512-512-10, batch 100",
            mlp(784, [512, 512, 2, 512, 512], 10, 0.3), hidden(3, 4), (100, 784)),
    Subject("mnist_12d: 784-512x3-12-512x4-10, batch 100",
            mlp(784, [512] * 3 + [12] + [512] * 4, 10, 0.3), hidden(3), (100, 784)),
    Subject("residual CNN: 3 blocks of 32 channels on 14 x 14, batch 32", ResidualCNN,
            ["input", "0", "1", "2", "3"], (32, 1, 14, 14)),
]  # fmt: skip


def measure(subject: Subject, steps: int) -> dict[str, float | str]:
    plain, twin, mixed, mixed_by_hand = nets = [subject.net() for _ in range(4)]
    for net in nets[1:]:
        net.load_state_dict(plain.state_dict())
    mixer = ManifoldMixup(mixed, subject.layers, 2.0, seed=0)

    plain_time, twin_time, mixed_time, by_hand_time = alternate(
        subject,
        [
            plain_step(plain, subject.criterion),
            plain_step(twin, subject.criterion),
            mixed_step(mixer, subject.criterion),
            step_by_hand(mixed_by_hand, subject),
        ],
        steps,
    )
    for net in nets:
        net.eval()
    with torch.no_grad():
        bare, idle, called = alternate(
            subject, [lambda x, _: plain(x), lambda x, _: mixed(x), lambda x, _: mixer(x)], steps
        )
    return {
        "net": subject.name,
        "plain_ms": median(plain_time) * 1e3,
        "mixed_ms": median(mixed_time) * 1e3,
        "added_us": (median(mixed_time) - median(plain_time)) * 1e6,
        "ratio": ratio(mixed_time, plain_time),
        "by_hand_ratio": ratio(by_hand_time, plain_time),
        "plain_twin_ratio": ratio(twin_time, plain_time),
        "eval_model_ratio": ratio(idle, bare),
        "eval_mixer_ratio": ratio(called, bare),
    }


def plain_step(net: nn.Module, criterion: Criterion) -> Step:
    train = trainer_of(net)
    return lambda x, y: train(criterion(net(x), y))


def mixed_step(mixer: ManifoldMixup, criterion: Criterion) -> Step:
    train = trainer_of(mixer.model)

    def step(x: Tensor, y: Tensor) -> None:
        output, plan = mixer(x)
        train(plan.loss(criterion, output, y))

    return step


def step_by_hand(net: nn.Module, subject: Subject) -> Step:
    """Mix as papers write it: lam * h + (1 - lam) * h[perm], and two losses."""
    train, criterion, layers = trainer_of(net), subject.criterion, dict(net.named_modules())
    draw = ManifoldMixup(net, subject.layers, 2.0, seed=0).draw
    plans = cycle([draw(subject.shape[0]) for _ in range(256)])

    def step(x: Tensor, y: Tensor) -> None:
        plan = next(plans)
        lam, perm = plan.lam, plan.perm

        def mix(h: Tensor) -> Tensor:
            return lam * h + (1 - lam) * h[perm]

        if plan.layer == "input":
            output = net(mix(x))
        else:
            hook = layers[str(plan.layer)].register_forward_hook(lambda _, __, h: mix(h))
            output = net(x)
            hook.remove()
        train(lam * criterion(output, y) + (1 - lam) * criterion(output, y[perm]))

    return step


def trainer_of(net: nn.Module) -> Callable[[Tensor], None]:
    optimiser = torch.optim.AdamW(net.parameters(), fused=True)

    def train(loss: Tensor) -> None:
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()

    return train


def alternate(subject: Subject, kinds: list[Step], steps: int) -> list[list[float]]:
    """Return the times of each kind of step, taken in turns on the same batches."""
    times: list[list[float]] = [[] for _ in kinds]
    batches = [subject.batch() for _ in range(8)]
    for i in range(-20, steps):
        for k in range(len(kinds)):
            turn = (i + k) % len(kinds)
            start = time.perf_counter()
            kinds[turn](*batches[i % 8])
            if i >= 0:  # the first ones warm up
                times[turn].append(time.perf_counter() - start)
    return times


def ratio(ones: list[float], others: list[float]) -> float:
    return median([one / other for one, other in zip(ones, others, strict=True)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=1000, help="pairs of steps a net")
    parser.add_argument("--csv", type=Path, help="also write the table there")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    rows = [measure(subject, arguments.steps) for subject in SUBJECTS]
    for row in rows:
        print(LINES.format(**row))
    if arguments.csv:
        pd.DataFrame(rows).to_csv(arguments.csv, index=False)


if __name__ == "__main__":
    main()
