"""What every network here must do."""

import torch
from torch import Tensor, nn

from mixup import ManifoldMixup, MixPlan
from tests.reference import mixed

LAM, PERM = 0.3, [2, 0, 3, 1]


def mixed_by_hand(state: Tensor) -> Tensor:
    return torch.from_numpy(mixed(state.detach().numpy(), LAM, PERM))


def output_mixed_at(net: nn.Module, layer: str, x: Tensor) -> Tensor:
    """Run a net in training mode, mixed at a layer by the library."""
    mixer = ManifoldMixup(net.train(), [layer], alpha=1.0)
    output, _ = mixer(x, plan=MixPlan(layer, LAM, torch.tensor(PERM)))
    assert isinstance(output, Tensor)
    return output


def check_gradients_and_eval(net: nn.Module, x: Tensor, n_outputs: int) -> None:
    """Every parameter has a gradient; in eval mode nothing is random or depends on the batch."""
    output = net.train()(x)
    assert output.shape == (len(x), n_outputs)
    # a sum would have none after batch normalisation
    output.square().sum().backward()
    without = [name for name, weight in net.named_parameters() if not weight.grad.abs().sum() > 0]
    assert not without
    net.eval()
    assert torch.equal(net(x), net(x))
    torch.testing.assert_close(net(x)[:1], net(x[:1]))
