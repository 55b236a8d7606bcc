"""The net of a run: built as its seed decides, its eligible layers tried, and asked to predict."""

import math
from collections.abc import Sequence
from copy import deepcopy

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from mixup.mixing.manifold import ManifoldMixup
from mixup.mixing.plan import MixPlan
from mixup.models.cnn import CNN
from mixup.models.initial import keras_
from mixup.models.mlp import MLP
from mixup.models.resnet import ResNet18
from mixup.models.tabular import TabularMLP
from study.data.dataset import Dataset
from study.errors import StudyError
from study.params import shown
from study.seeds import Purpose, seed_sequence
from study.training.experiment import RunConfig
from study.training.own_code import one_line
from study.training.own_functions import augmentation_for, build_own_net


def build_net(config: RunConfig, dataset: Dataset) -> nn.Module:
    """Build the run's net for a data set, with the initial weights that its seed decides.

    Raises:
        StudyError: the net is of another kind than the data, or one's own and cannot be used.

    Randomness: seeds torch's global generator.
    """
    seed_torch(config.seed, Purpose.WEIGHTS)
    net = _new_net(config, dataset)
    if config.net.init == "keras":
        keras_(net)
    return net


def check_fits(config: RunConfig, dataset: Dataset) -> None:
    """Build a run's net and try its eligible layers and augmentation, before any training.

    Raises:
        StudyError: the net does not fit the data; it has no such layers, or one cannot be mixed.

    Randomness: seeds torch's global generator, for the initial weights.
    """
    net, shape = build_net(config, dataset), dataset.inputs.shape[1:]
    if config.net.is_flat:
        shape = (math.prod(shape),)
    choices = config.settings.choose.eligible if config.settings.choose else []
    key = f"experiments.{config.experiment}.methods.{config.method}.eligible"
    for eligible in (config.settings.eligible, *choices):
        if eligible:
            find_eligible(net, layer_names(eligible), shape, key)
    augmentation_for(config, shape)


def n_logits(config: RunConfig, dataset: Dataset) -> int:
    """Count the logits of a run's net: one tells two classes apart, but in a net of one's own."""
    if dataset.n_classes == 2 and not dataset.multi_label and config.net.kind != "own":
        return 1
    return dataset.n_classes


def layer_names(eligible: Sequence[int | str]) -> list[str]:
    """Name eligible layers, or patterns of them, as `ManifoldMixup` does."""
    return [MLP.layer_name(k) if isinstance(k, int) else k for k in eligible]


def build_mlp(config: RunConfig, n_features: int, n_outputs: int) -> MLP:
    """Build the run's multi-layer perceptron.

    Randomness: initial weights, from torch's global generator.
    """
    settings, net = config.settings, config.net
    narrow = net.bottleneck.layer if net.bottleneck else None
    return MLP(
        n_features,
        net.hidden_sizes,
        n_outputs,
        negative_slope=net.negative_slope,
        dropout=[0.0 if k == narrow else settings.dropout for k in range(1, net.depth + 1)],
        batch_norm=settings.batch_norm,
        input_noise=settings.input_noise,
    )


def _new_net(config: RunConfig, dataset: Dataset) -> nn.Module:
    net, shape, n_outputs = config.net, dataset.inputs.shape[1:], n_logits(config, dataset)
    if net.kind == "own":
        return build_own_net(str(net.module), shape, n_outputs)
    if net.kind in ("cnn", "resnet18") and len(shape) != 3:
        raise StudyError(
            f"experiments.{config.experiment}.net.kind is {net.kind}, which needs images, and a "
            f"point of {config.data} has {shape[0]} numbers: choose mlp or tabular"
        )
    if net.kind == "cnn":
        return CNN(shape, n_outputs, width=net.width, dropout=config.settings.dropout)
    if net.kind == "resnet18":
        return ResNet18(shape, n_outputs, width=net.width)
    if net.kind == "tabular":
        columns = dataset.columns.tolist() or [0] * math.prod(shape)
        return TabularMLP(
            columns,
            net.hidden_sizes,
            n_outputs,
            embedding=net.embedding or None,
            negative_slope=net.negative_slope,
            dropout=config.settings.dropout,
            batch_norm=config.settings.batch_norm,
            input_noise=config.settings.input_noise,
        )
    return build_mlp(config, math.prod(shape), n_outputs)


@torch.no_grad()
def predict(
    net: nn.Module, inputs: Tensor, *, multi_label: bool = False, batch_size: int = 10_000
) -> NDArray[np.float64]:
    """Predict class probabilities in eval mode.

    Args:
        net: a net with one logit (two classes) or C logits.
        inputs: (N, ...) float32.
        multi_label: whether each logit is a label's own.
        batch_size: samples of one forward pass, a bound on memory.

    Returns:
        (N, C) probabilities in float64; two columns for a net with one logit, each computed
        from the logit so that neither loses digits to the other. Of many labels (N * L, 2): each
        label of each point is a question of its own.
    """
    net.eval()
    logits = torch.cat([net(part) for part in torch.split(inputs, batch_size)]).double().cpu()
    if multi_label or logits.shape[1] == 1:
        logits = logits.reshape(-1, 1)
        return torch.sigmoid(torch.cat([-logits, logits], dim=1)).numpy()
    return logits.softmax(1).numpy()


def find_eligible(
    net: nn.Module, eligible: Sequence[str], shape: Sequence[int], key: str = "eligible"
) -> tuple[str, ...]:
    """Find the layers that ``eligible`` names, and mix once at each, in a copy of the net.

    Args:
        net: any module.
        eligible: names, patterns and "input", as `ManifoldMixup` takes them.
        shape: of one input, (F,) or (C, H, W).
        key: the full key of params.yaml that says so, for the error.

    Returns:
        The names of the layers.

    Raises:
        StudyError: no layer is named so, and what layers there are; or the net does not run one of
            them once, or its state cannot be mixed.
    """
    try:
        mixer = ManifoldMixup(deepcopy(net).train(), list(eligible), alpha=1.0, seed=0)
        with torch.random.fork_rng(devices=[]), torch.no_grad():
            for layer in mixer.layers:
                mixer(torch.zeros(2, *shape), plan=MixPlan(layer, 0.5, torch.tensor([1, 0])))
    except Exception as error:
        said = one_line(error, 2000)  # it lists the layers
        raise StudyError(f"{key} cannot be {shown(list(eligible))}: {said}") from error
    return mixer.layers


def seed_torch(seed: int, purpose: Purpose) -> None:
    """Seed torch's global generator, which initial weights and dropout draw from."""
    torch.manual_seed(int(seed_sequence(seed, purpose).generate_state(1, np.uint64)[0] >> 1))
