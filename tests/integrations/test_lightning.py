"""The Lightning callback with the real Lightning."""

import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.testing import assert_close
from torch.utils.data import DataLoader, TensorDataset

with warnings.catch_warnings():  # its dependencies' own, at import
    warnings.simplefilter("ignore")
    pl = pytest.importorskip("lightning.pytorch")
    from mixup.integrations.lightning import ManifoldMixupCallback

from mixup import ManifoldMixup

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]
C = 3


class Classifier(pl.LightningModule):  # type: ignore[misc, name-defined]
    def __init__(self, calls: int = 1) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.net = nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, C))
        self.calls = calls
        self.losses: list[float] = []
        self.targets: list[Tensor] = []
        self.states: list[Tensor] = []

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x)

    def training_step(self, batch: Any, batch_idx: int) -> Tensor:
        x, y = batch
        for _ in range(self.calls):
            loss = F.cross_entropy(self(x), y)
        self.losses.append(float(loss))
        self.targets.append(y)
        return loss

    def validation_step(self, batch: Any, batch_idx: int) -> None:
        x, y = batch
        assert y.dtype == torch.int64
        self.log("clean_loss", F.cross_entropy(self(x), y))
        assert torch.equal(self(x), self.net(x))

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.5)


def loader(n: int = 20) -> "DataLoader[Any]":
    generator = torch.Generator().manual_seed(0)
    y = torch.arange(n) % C
    x = F.one_hot(y, C)[:, :2].float() + 0.1 * torch.randn(n, 2, generator=generator)
    return DataLoader(TensorDataset(x, y), batch_size=8)


def trainer(folder: Path, **options: Any) -> Any:
    return pl.Trainer(
        default_root_dir=folder, accelerator="cpu", logger=False,
        enable_progress_bar=False, enable_model_summary=False,
        **({"max_epochs": 2, "enable_checkpointing": False, "devices": 1} | options),
    )  # fmt: skip


def callback(**options: Any) -> ManifoldMixupCallback:
    defaults: dict[str, Any] = {"num_classes": C, "seed": 5}
    return ManifoldMixupCallback(["input", "net.1"], 1.0, **(defaults | options))


def test_trains_as_a_plain_loop_with_the_mixer_does(tmp_path: Path) -> None:
    module, twin = Classifier(), Classifier()
    trainer(tmp_path, callbacks=[callback()]).fit(module, loader())
    mixer = ManifoldMixup(twin, ["input", "net.1"], 1.0, seed=[5, 0])
    optimiser = torch.optim.SGD(twin.parameters(), lr=0.5)
    losses = []
    for _ in range(2):
        for x, y in loader():
            output, plan = mixer(x)
            loss = plan.loss(F.cross_entropy, output, y)
            losses.append(loss.item())
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    assert_close(module.losses, losses, rtol=1e-5, atol=1e-6)
    assert_close([*module.parameters()], [*twin.parameters()])
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in module.modules())


def test_lowers_the_clean_loss_and_does_not_mix_validation(tmp_path: Path) -> None:
    module = Classifier()
    run = trainer(tmp_path, callbacks=[callback()], max_epochs=25)
    before = run.validate(module, loader(), verbose=False)[0]["clean_loss"]
    run.fit(module, loader(), loader())
    assert run.validate(module, loader(), verbose=False)[0]["clean_loss"] < 0.6 * before


def test_resumes_where_it_was(tmp_path: Path) -> None:
    whole = Classifier()
    trainer(tmp_path, callbacks=[callback()], max_epochs=4).fit(whole, loader())
    first = trainer(tmp_path, callbacks=[callback()], max_epochs=2)
    first.fit(Classifier(), loader())
    first.save_checkpoint(tmp_path / "half.ckpt")
    half = Classifier()
    trainer(tmp_path, callbacks=[callback(seed=99)], max_epochs=4).fit(
        half, loader(), ckpt_path=tmp_path / "half.ckpt"
    )
    assert_close(whole.losses[6:], half.losses)
    assert_close([*whole.parameters()], [*half.parameters()])


def test_a_model_called_twice_is_refused_and_left_clean(tmp_path: Path) -> None:
    module = Classifier(calls=2)
    with pytest.raises(RuntimeError, match="ran 2 times"):
        trainer(tmp_path, callbacks=[callback()]).fit(module, loader())
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in module.modules())


def test_a_compiled_module(tmp_path: Path) -> None:
    torch._dynamo.reset()
    module, twin = Classifier(), Classifier()
    compiled = torch.compile(module, backend="eager")
    trainer(tmp_path, callbacks=[callback()]).fit(compiled, loader())
    trainer(tmp_path, callbacks=[callback()]).fit(twin, loader())
    assert_close([*module.parameters()], [*twin.parameters()])
    torch._dynamo.reset()


class Manual(Classifier):
    def __init__(self) -> None:
        super().__init__()
        self.automatic_optimization = False

    def training_step(self, batch: Any, batch_idx: int) -> Tensor:
        optimiser = self.optimizers()
        optimiser.zero_grad()
        loss = super().training_step(batch, batch_idx)
        self.manual_backward(loss)
        optimiser.step()
        return loss


def test_manual_optimisation(tmp_path: Path) -> None:
    module, twin = Manual(), Classifier()
    for one in (module, twin):
        trainer(tmp_path, callbacks=[callback()]).fit(one, loader())
        assert "training_step" not in vars(one)
    assert_close([*module.parameters()], [*twin.parameters()])


def test_targets_that_are_numbers(tmp_path: Path) -> None:
    module = Classifier()
    x, y = loader().dataset.tensors  # type: ignore[attr-defined]
    soft = DataLoader(TensorDataset(x, F.one_hot(y, C).float()), batch_size=8)
    one_sided = callback(num_classes=None, mixes="labels")
    trainer(tmp_path, callbacks=[one_sided], max_epochs=1).fit(module, soft)
    assert one_sided.plan is not None
    expected = one_sided.plan.soft_targets(y[16:], C)
    assert_close(module.targets[-1], expected)


class Segmenter(Classifier):
    """Labels a pixel, some of which are to be ignored."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Conv2d(1, 4, 1), nn.ReLU(), nn.Conv2d(4, C, 1))


def test_pixels_with_labels_to_be_ignored(tmp_path: Path) -> None:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(8, 1, 3, 3, generator=generator)
    y = torch.randint(C, (8, 3, 3), generator=generator)
    y[:3, 0] = 255
    module, twin = Segmenter(), Segmenter()
    one = callback(ignore_index=255, label_smoothing=0.1)
    trainer(tmp_path, callbacks=[one], max_epochs=3).fit(
        module, DataLoader(TensorDataset(x, y), batch_size=8)
    )
    mixer = ManifoldMixup(twin, ["input", "net.1"], 1.0, seed=[5, 0])
    optimiser = torch.optim.SGD(twin.parameters(), lr=0.5)
    losses = []
    for _ in range(3):
        output, plan = mixer(x)
        loss = plan.loss(F.cross_entropy, output, y, ignore_index=255, label_smoothing=0.1)
        losses.append(loss.item())
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert_close(module.losses, losses, rtol=1e-4, atol=1e-5)


def test_the_last_epochs_are_plain_and_steps_are_logged(tmp_path: Path) -> None:
    class Logged(Classifier):
        def on_train_batch_end(self, *_: Any) -> None:
            metrics = self.trainer.callback_metrics
            seen.append((float(metrics["mixup_lam"]), int(metrics["mixup_layer"])))

    seen: list[tuple[float, int]] = []
    one = callback(plain_epochs=2, log=True)
    with pytest.raises(RuntimeError, match="no mixer before fit has started"):
        _ = one.mixer
    trainer(tmp_path, callbacks=[one], max_epochs=4).fit(Logged(), loader())
    assert [layer for _, layer in seen[6:]] == [-1] * 6
    assert {lam for lam, _ in seen[6:]} == {1.0}
    assert {layer for _, layer in seen[:6]} == {0, 1}
    assert len({lam for lam, _ in seen[:6]}) == 6
    assert one.mixer.sampler.alpha == 1.0
