"""Train your own model with Manifold Mixup: replace what stands between the two lines.

python -m examples.mix_your_model [--alpha 1.0] [--epochs 20] [--plain]
"""

import argparse

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

from mixup import ManifoldMixup, entropy_floor

# ---------------------------------------------------------------------------------------------
CLASSES = 4
# Where mixing may enter: print `dict(model.named_modules())` to see the names.
LAYERS = ["input", "stem", "blocks.*"]


class YourModel(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Linear(2, 64)
        self.blocks = nn.ModuleList(nn.Sequential(nn.ReLU(), nn.Linear(64, 64)) for _ in range(2))
        self.head = nn.Linear(64, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        h = self.stem(x)
        for block in self.blocks:
            h = h + block(h)
        return self.head(h)


def your_data(n: int, seed: int) -> TensorDataset:
    """Four overlapping clouds."""
    generator = torch.Generator().manual_seed(seed)
    y = torch.arange(n) % CLASSES
    centres = torch.tensor([[1.0, 1.0], [-1.0, 1.0], [-1.0, -1.0], [1.0, -1.0]])
    return TensorDataset(centres[y] + 0.7 * torch.randn(n, 2, generator=generator), y)


# ---------------------------------------------------------------------------------------------


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--alpha", type=float, default=1.0)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--plain", action="store_true", help="train without mixing, to compare")
    arguments = parser.parse_args()

    torch.manual_seed(0)
    model = YourModel()
    mixer = ManifoldMixup(model, LAYERS, arguments.alpha, seed=0)
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-3)
    train = DataLoader(your_data(400, seed=0), batch_size=32, shuffle=True)
    test = DataLoader(your_data(2000, seed=1), batch_size=500)
    floor = 0.0
    if not arguments.plain:
        floor = entropy_floor(arguments.alpha, p_different=1 - 1 / CLASSES)

    for epoch in range(1, arguments.epochs + 1):
        model.train()
        losses = []
        for x, y in train:
            if arguments.plain:
                loss = F.cross_entropy(model(x), y)
            else:
                output, plan = mixer(x)
                loss = plan.loss(F.cross_entropy, output, y)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            losses.append(loss.item())
        accuracy, nll = evaluate(model, test)
        excess = sum(losses) / len(losses) - floor
        print(f"epoch {epoch:3d}  train loss above its floor {excess:.3f}"
              f"  test accuracy {accuracy:.3f}  test NLL {nll:.3f}")  # fmt: skip
    # To go on later: torch.save({"model": model.state_dict(), "mixer": mixer.state_dict()}, path)


@torch.no_grad()
def evaluate(model: nn.Module, loader: "DataLoader[tuple[Tensor, ...]]") -> tuple[float, float]:
    """Accuracy and negative log-likelihood on clean data."""
    model.eval()
    outputs, labels = zip(*((model(x), y) for x, y in loader), strict=True)
    output, label = torch.cat(outputs), torch.cat(labels)
    accuracy = (output.argmax(1) == label).float().mean().item()
    return accuracy, F.cross_entropy(output, label).item()


if __name__ == "__main__":
    main()
