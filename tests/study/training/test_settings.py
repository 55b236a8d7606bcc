"""What a method may set, each shown by what it does to the net or the run."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from mixup.mixing.manifold import ManifoldMixup
from mixup.models.mlp import MLP
from study.params import ParamsError, check
from study.paths import RunKey
from study.tables import read_metrics
from study.training.config import MethodConfig
from study.training.experiment import ExperimentConfig, RunConfig, read_run_config
from study.training.net import build_mlp
from study.training.record import write_run
from study.training.run import load_run
from study.training.split import split_for
from study.training.trainer import new_state, train_run
from tests.study.training.test_trainer import NET, RECIPE, config, dataset, history

BOTTLENECK = NET | {"bottleneck": {"layer": 2, "size": 4}}


def with_settings(net: dict[str, Any] = NET, **settings: Any) -> RunConfig:
    mixes = {"alpha": 2.0} if "eligible" in settings else {}
    changed = {"net": net, "settings": settings, **mixes}
    return RunConfig.model_validate(config().model_dump() | changed)


def test_batch_norm_predicts_by_what_it_learnt_in_training(tmp_path: Path) -> None:
    chosen = with_settings(batch_norm=True)
    write_run(tmp_path / "run", train_run(chosen, dataset()))
    run = load_run(tmp_path / "run")
    norms = [module for module in run.net.modules() if isinstance(module, nn.BatchNorm1d)]
    assert [norm.num_features for norm in norms] == chosen.net.hidden_sizes
    assert all(norm.num_batches_tracked == 20 for norm in norms)
    test = run.split(dataset()).test_inputs
    alone = np.concatenate([run.probabilities(one) for one in test.split(1)])
    np.testing.assert_allclose(run.probabilities(test), alone, rtol=1e-5)


def test_input_noise_is_for_training_alone() -> None:
    net, x = MLP(2, [8], 3, input_noise=0.5), torch.randn(50_000, 2)
    noise = net(x, end=0) - x
    assert noise.std() == pytest.approx(0.5, rel=0.02)
    assert torch.equal(net(x, start=1, end=1), x)
    assert torch.equal(net.eval()(x, end=0), x)


def test_dropout_leaves_the_bottleneck_alone() -> None:
    net = build_mlp(with_settings(BOTTLENECK, dropout=0.5), 2, 1)
    drops = [any(isinstance(part, nn.Dropout) for part in layer) for layer in net.hidden]
    assert drops == [True, False, True]


def test_a_method_may_have_a_bottleneck_of_its_own() -> None:
    experiment = ExperimentConfig.model_validate(
        {
            "data": "test",
            "net": BOTTLENECK,
            "training": RECIPE,
            "plain": ["baseline", "wide"],
            "mixing": [],
            "methods": {"baseline": {}, "wide": {"bottleneck": 7}},
        }
    )
    assert experiment.net_of("baseline").hidden_sizes == [16, 4, 16]
    assert experiment.net_of("wide").hidden_sizes == [16, 7, 16]
    with pytest.raises(ValueError, match="bottleneck needs a net"):
        ExperimentConfig.model_validate(experiment.model_dump() | {"net": NET})


PARAMS = """
mixup: {alpha: 2.0}
compute: {threads: 1}
experiments:
  test:
    data: test
    net: {width: 16, depth: 3, negative_slope: 0.2, bottleneck: {layer: 2, size: 4}}
    training: {test_fraction: 0.5, batch_size: 8, steps: 20, learning_rate: 0.01, evaluations: 4}
    methods:
      manifold: {eligible: [0]}
      own: {eligible: [0], alpha: 0.5, bottleneck: 7}
      baseline: {alpha: 0.5}
"""


def test_what_a_method_sets_goes_before_what_all_have(tmp_path: Path) -> None:
    (tmp_path / "params.yaml").write_text(PARAMS)
    read = {
        name: read_run_config(RunKey("test", name, 0), tmp_path / "params.yaml")
        for name in ("manifold", "own", "baseline")
    }
    assert [run.alpha for run in read.values()] == [2.0, 0.5, None]
    assert [run.net.hidden_sizes[1] for run in read.values()] == [4, 7, 4]


@pytest.mark.parametrize("mixes", ["both", "features", "labels"])
def test_mixes_decides_what_is_mixed(mixes: str) -> None:
    state = new_state(with_settings(eligible=[0], mixes=mixes), dataset())
    assert state.mixer
    x = torch.randn(8, 2)
    output, plan = state.mixer(x)
    assert plan.mixes == mixes
    assert torch.equal(output, state.net(x)) == (mixes == "labels")


@pytest.mark.parametrize("layer", ["input", "hidden.0", "hidden.1"])
def test_no_gradient_reaches_the_layers_before_the_mixed_state(layer: str) -> None:
    net = MLP(2, [8, 6, 5], 3)
    gradients = []
    for stop_gradient in (False, True):
        net.zero_grad()
        mixer = ManifoldMixup(net, [layer], 2.0, seed=0, stop_gradient=stop_gradient)
        output, _ = mixer(torch.linspace(-1, 1, 20).view(10, 2))
        output.square().sum().backward()
        gradients.append([parameter.grad for parameter in net.parameters()])
    before = 0 if layer == "input" else 2 * (int(layer[-1]) + 1)  # weight and bias of each
    assert all(gradient is not None for gradient in gradients[0])
    assert all(gradient is None for gradient in gradients[1][:before])
    for free, stopped in zip(*(of[before:] for of in gradients), strict=True):
        torch.testing.assert_close(stopped, free)


def test_validation_points_come_from_the_training_points() -> None:
    data = dataset(120, n_classes=3)
    whole, parts = (
        split_for(config(validation_fraction=fraction), data) for fraction in (0.0, 0.25)
    )
    assert len(whole.validation_labels) == 0
    assert torch.equal(parts.test_inputs, whole.test_inputs)
    together = torch.cat([parts.train_inputs, parts.validation_inputs])
    assert sorted(together.tolist()) == sorted(whole.train_inputs.tolist())
    assert parts.validation_labels.bincount().tolist() == [5, 5, 5]


def test_validation_is_watched_where_there_is_any(tmp_path: Path) -> None:
    for name, fraction in (("with", 0.25), ("without", 0.0)):
        chosen = config(validation_fraction=fraction)
        write_run(tmp_path / name, train_run(chosen, dataset()))
        last = history(tmp_path / name)[-1]
        metrics = read_metrics(tmp_path / name)
        if fraction:
            assert float(last["validation_loss"]) == metrics["validation_nll"]
            assert float(last["validation_accuracy"]) == metrics["validation_accuracy"]
        else:
            assert last["validation_loss"] == last["validation_accuracy"] == ""
            assert "validation_nll" not in metrics


@pytest.mark.parametrize(
    "wrong", [{"input_noise": -1}, {"mixes": "all"}, {"bottleneck": 0}, {"alpha": 0.0}]
)
def test_settings_out_of_range_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ParamsError, match=next(iter(wrong))):
        check(MethodConfig, wrong)
