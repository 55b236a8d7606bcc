"""Models of torchvision and timm: as with a hook written by hand, in float64.

CONTRIBUTING.md says how to install them; where one is missing, its tests are skipped.
"""

import importlib.util
import warnings
from operator import attrgetter
from typing import Any

import pytest
import torch
from torch import nn

from tests.mixing.families import Family, N, assert_as_by_hand, table_of

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

# (kind of model in the table, name, size of the images, options)
Row = tuple[str, str, int, dict[str, Any]]
TORCHVISION: list[Row] = [
    ("ResNet", "resnet18", 32, {}),
    ("ResNeXt", "resnext50_32x4d", 32, {}),
    ("ConvNeXt", "convnext_tiny", 32, {}),
    ("EfficientNet", "efficientnet_b0", 32, {}),
    ("MobileNet", "mobilenet_v2", 32, {}),
    ("MobileNet", "mobilenet_v3_small", 32, {}),
    ("Swin", "swin_t", 32, {}),
    ("DenseNet", "densenet121", 32, {}),
    ("RegNet", "regnet_y_400mf", 32, {}),
    ("MNASNet", "mnasnet0_5", 32, {}),
    ("ShuffleNet", "shufflenet_v2_x0_5", 32, {}),
    ("SqueezeNet", "squeezenet1_1", 64, {}),
    ("GoogLeNet", "googlenet", 64, {"init_weights": False}),
    ("VisionTransformer", "VisionTransformer", 16, {
        "image_size": 16, "patch_size": 8, "num_layers": 3, "num_heads": 2, "hidden_dim": 16,
        "mlp_dim": 24}),
    ("LRASPP", "segmentation.lraspp_mobilenet_v3_large", 32, {"weights_backbone": None}),
    ("DeepLab", "segmentation.deeplabv3_mobilenet_v3_large", 32, {"weights_backbone": None}),
]  # fmt: skip
SMALL_VIT = {"img_size": 32, "patch_size": 8, "depth": 3, "embed_dim": 32, "num_heads": 2}
TIMM: list[Row] = [
    ("ResNet", "resnet18", 32, {}),
    ("ResNet", "seresnet50", 32, {}),
    ("ResNeSt", "resnest14d", 32, {}),
    ("Res2Net", "res2net50_14w_8s", 32, {}),
    ("ConvNeXt", "convnext_atto", 32, {}),
    ("ConvNeXt", "convnextv2_atto", 32, {}),
    ("EdgeNeXt", "edgenext_xx_small", 64, {}),
    ("InceptionNeXt", "inception_next_atto", 32, {}),
    ("MobileViT", "mobilevit_xxs", 64, {}),
    ("PoolFormer", "poolformer_s12", 64, {}),
    ("RepVGG", "repvgg_a0", 32, {}),
    ("DenseNet", "densenet121", 32, {}),
    ("EfficientNet", "efficientnet_b0", 32, {"drop_path_rate": 0.2}),
    ("MobileNet", "mobilenetv3_small_050", 32, {}),
    ("GhostNet", "ghostnet_050", 32, {}),
    ("ViT", "vit_tiny_patch16_224", 32, SMALL_VIT | {"drop_path_rate": 0.2}),
    ("DeiT", "deit_tiny_distilled_patch16_224", 32, SMALL_VIT),
    ("Mixer", "mixer_s32_224", 64, {"img_size": 64}),
    ("XCiT", "xcit_nano_12_p8_224", 32, {}),
    ("CaiT", "cait_xxs24_224", 32, {"img_size": 32, "patch_size": 8}),
    ("RegNet", "regnety_002", 32, {}),
    ("Swin", "swin_tiny_patch4_window7_224", 32, {"img_size": 32, "window_size": 4}),
    ("VGG", "VGG", 32, {"cfg": [8, "M", 12, "M"], "mlp_ratio": 1 / 64,
                        "norm_layer": nn.BatchNorm2d}),
]  # fmt: skip


def images(size: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(N, 3, size, size, generator=generator, dtype=torch.float64)


def family(package: str, row: Row) -> Family:
    kind, name, size, options = row
    if importlib.util.find_spec(package) is None:
        pytest.skip(f"no {package}")
    with warnings.catch_warnings():  # its dependencies' own, at import
        warnings.simplefilter("ignore")
        create = attrgetter(name)(importlib.import_module(f"{package}.models"))
    given = {"input" if kind == "LRASPP" else "x": images(size)}
    layers = table_of(package)[kind]
    return Family(lambda: create(num_classes=5, **options), given, layers, {})


@pytest.mark.parametrize("row", TORCHVISION, ids=lambda row: row[1])
def test_torchvision_equals_a_hook_written_by_hand(row: Row) -> None:
    assert_as_by_hand(family("torchvision", row))


@pytest.mark.parametrize("row", TIMM, ids=lambda row: row[1])
def test_timm_equals_a_hook_written_by_hand(row: Row) -> None:
    assert_as_by_hand(family("timm", row))


@pytest.mark.parametrize(("package", "rows"), [("torchvision", TORCHVISION), ("timm", TIMM)])
def test_the_table_names_what_is_tested(package: str, rows: list[Row]) -> None:
    assert table_of(package).keys() == {kind for kind, *_ in rows}
