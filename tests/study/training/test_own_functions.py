"""Nets and augmentations of the user's own: what is checked before any training."""

from pathlib import Path

import pytest
import torch
from torch import nn

from study.errors import StudyError
from study.training.own_functions import build_own_net, load_augmentation

HEAD = "import torch\nfrom torch import nn\n"
GOOD = """
def build(shape, n_outputs):
    return nn.Sequential(nn.Flatten(), nn.LazyLinear(4), nn.Dropout(), nn.Linear(4, n_outputs))
"""


def own_net(folder: Path, body: str, shape: tuple[int, ...] = (1, 4, 4)) -> nn.Module:
    (folder / "my_net.py").write_text(HEAD + body)
    return build_own_net("my_net.py:build", shape, 3, folder)


@pytest.mark.parametrize("shape", [(16,), (1, 4, 4)])
def test_a_net_is_built_and_knows_its_input(tmp_path: Path, shape: tuple[int, ...]) -> None:
    net = own_net(tmp_path, GOOD, shape)
    assert net.training
    assert net[1].weight.shape == (4, 16)
    assert net(torch.randn(5, *shape)).shape == (5, 3)


def test_the_check_leaves_modes_and_the_generator_alone(tmp_path: Path) -> None:
    torch.manual_seed(0)
    net = own_net(
        tmp_path,
        "class Net(nn.Linear):\n"
        "    def __init__(self):\n"
        "        super().__init__(2, 3)\n"
        "        self.norm, self.frozen = nn.BatchNorm1d(2), nn.BatchNorm1d(2).eval()\n"
        "    def forward(self, x):\n"
        "        return super().forward(self.norm(self.frozen(x)) + torch.rand(2))\n"
        "def build(shape, n_outputs): return Net()\n",
        (2,),
    )
    after = torch.rand(1)
    assert net.training
    assert net.norm.training
    assert not net.frozen.training
    assert net.norm.num_batches_tracked == 0
    torch.manual_seed(0)
    nn.Linear(2, 3)
    assert torch.equal(torch.rand(1), after)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("return 3", r"my_net\.py:build must return a torch\.nn\.Module, got a int"),
        ("return nn.Linear", "got the class Linear"),
        ("pass", "got a NoneType"),
        ("1 / 0", r"raises ZeroDivisionError: division by zero \(my_net\.py, line 3\)"),
        ("return nn.Linear(7, 3)", "the net of my_net.py:build raises RuntimeError: mat1 and mat2"),
        ("return nn.Linear(4, 2)", r"logits of shape \(N, 3\), got \(2, 1, 4, 2\) for N = 2"),
        ("return nn.GRU(4, 3)", "the net of my_net.py:build raises"),
        ("n = nn.Flatten(); n.forward = len; return n", "a tensor of logits, got a int"),
        ("n = nn.Flatten(); n.forward = torch.argmax; return n", "got one of int64"),
        (
            "return nn.Sequential(nn.AvgPool2d((4, 2), padding=(0, 1)), nn.Flatten())",
            "has no parameters to train",
        ),
    ],
)
def test_what_is_no_net_is_refused_in_one_line(tmp_path: Path, body: str, says: str) -> None:
    with pytest.raises(StudyError, match=says) as caught:
        own_net(tmp_path, f"def build(shape, n_outputs): {body}\n")
    assert "\n" not in str(caught.value)


def test_a_function_that_takes_other_arguments_is_told(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match=r"raises TypeError: .*takes 1 positional argument"):
        own_net(tmp_path, "def build(n_outputs): return nn.Linear(4, 3)\n")


# Augmentations


def own_augmentation(folder: Path, body: str) -> torch.Tensor:
    (folder / "my_aug.py").write_text(f"{HEAD}def augment(x, generator):\n    {body}\n")
    augment = load_augmentation("my_aug.py:augment", (1, 4, 4), folder)
    return augment(torch.arange(32.0).view(2, 1, 4, 4), torch.Generator().manual_seed(0))


def test_an_augmentation_changes_inputs(tmp_path: Path) -> None:
    changed = own_augmentation(tmp_path, "return x.flip(-1) + torch.rand(1, generator=generator)")
    noise = torch.rand(1, generator=torch.Generator().manual_seed(0))
    assert torch.equal(changed, torch.arange(32.0).view(2, 1, 4, 4).flip(-1) + noise)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("return x[:1]", r"float32 of shape \(2, 1, 4, 4\), got float32 of shape \(1, 1, 4, 4\)"),
        ("return x.double()", "got float64 of shape"),
        ("return None", "got NoneType"),
        ("return x.add_(1)", "changes its input in place"),
        ("x[0] = 1; return x.clone()", "changes its input in place"),
        ("return x + torch.rand(1)", "draws from torch's global generator"),
        ("return y", r"raises NameError: .* \(my_aug\.py, line 4\)"),
    ],
)
def test_what_is_no_augmentation_is_refused(tmp_path: Path, body: str, says: str) -> None:
    before = torch.get_rng_state()
    with pytest.raises(StudyError, match=says):
        own_augmentation(tmp_path, body)
    assert torch.equal(torch.get_rng_state(), before)
