"""Models of many families, made from configurations: as with a hook by hand, in float64."""

import warnings
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.testing import assert_close

from mixup import ManifoldMixup, MixPlan

with warnings.catch_warnings():  # its dependencies' own, at import
    warnings.simplefilter("ignore")
    transformers = pytest.importorskip("transformers")

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]
N, T, VOCABULARY = 4, 6, 30
PERM = [2, 0, 3, 1]
SMALL = {
    "vocab_size": VOCABULARY, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2,
    "intermediate_size": 24, "max_position_embeddings": 40, "pad_token_id": 0, "bos_token_id": 1,
    "eos_token_id": 2,
}  # fmt: skip
IMAGES = {
    "image_size": 16, "patch_size": 8, "num_channels": 3, "hidden_size": 16,
    "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 24,
}  # fmt: skip
GPT = {"n_embd": 16, "n_layer": 2, "n_head": 2, "n_positions": 40, "vocab_size": VOCABULARY,
       "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2}  # fmt: skip
CONV = {"num_channels": 3, "embedding_size": 8, "hidden_sizes": [8, 12], "depths": [1, 1],
        "layer_type": "basic"}  # fmt: skip
ALBERT = {"embedding_size": 8, "num_hidden_groups": 1}

# name: (configuration, its options, pattern of the layers, further options of the mixer)
FAMILIES: dict[str, tuple[str, dict[str, Any], str, dict[str, Any]]] = {
    "bert": ("BertConfig", SMALL, "encoder.layer.*", {}),
    "roberta": ("RobertaConfig", SMALL, "encoder.layer.*", {}),
    "xlm-roberta": ("XLMRobertaConfig", SMALL, "encoder.layer.*", {}),
    "camembert": ("CamembertConfig", SMALL, "encoder.layer.*", {}),
    "electra": ("ElectraConfig", SMALL | {"embedding_size": 16}, "encoder.layer.*", {}),
    "deberta-v2": ("DebertaV2Config", SMALL, "encoder.layer.*", {}),
    "roformer": ("RoFormerConfig", SMALL | {"embedding_size": 16}, "encoder.layer.*:0", {}),
    "distilbert": ("DistilBertConfig", {"vocab_size": VOCABULARY, "dim": 16, "n_layers": 2,
                                        "n_heads": 2, "hidden_dim": 24}, "transformer.layer.*", {}),
    "mpnet": ("MPNetConfig", SMALL, "encoder.layer.*:0", {}),
    "albert": ("AlbertConfig", SMALL | ALBERT, "encoder.albert_layer_groups.0",
               {"repeated": "first"}),
    "albert, each": ("AlbertConfig", SMALL | ALBERT, "encoder.albert_layer_groups.0",
                     {"repeated": "each"}),
    "modernbert": ("ModernBertConfig", SMALL, "layers.*", {}),
    "gpt2": ("GPT2Config", GPT, "h.*", {}),
    "gpt-neox": ("GPTNeoXConfig", SMALL, "layers.*", {}),
    "gptj": ("GPTJConfig", GPT | {"rotary_dim": 4}, "h.*", {}),
    "opt": ("OPTConfig", SMALL | {"ffn_dim": 24, "word_embed_proj_dim": 16},
            "decoder.layers.*", {}),
    "llama": ("LlamaConfig", SMALL | {"num_key_value_heads": 2}, "layers.*", {}),
    "mistral": ("MistralConfig", SMALL | {"num_key_value_heads": 2}, "layers.*", {}),
    "qwen2": ("Qwen2Config", SMALL | {"num_key_value_heads": 2}, "layers.*", {}),
    "phi": ("PhiConfig", SMALL | {"num_key_value_heads": 2}, "layers.*", {}),
    "gemma": ("GemmaConfig", SMALL | {"num_key_value_heads": 2, "head_dim": 8}, "layers.*", {}),
    "olmo": ("OlmoConfig", SMALL | {"num_key_value_heads": 2}, "layers.*", {}),
    "stablelm": ("StableLmConfig", SMALL | {"num_key_value_heads": 2}, "layers.*", {}),
    "starcoder2": ("Starcoder2Config", SMALL | {"num_key_value_heads": 2}, "layers.*", {}),
    "cohere": ("CohereConfig", SMALL | {"num_key_value_heads": 2}, "layers.*", {}),
    "bloom": ("BloomConfig", {"vocab_size": VOCABULARY, "hidden_size": 16, "n_layer": 2,
                              "n_head": 2}, "h.*", {}),
    "vit": ("ViTConfig", IMAGES, "layers.*", {}),
    "deit": ("DeiTConfig", IMAGES, "layers.*", {}),
    "dinov2": ("Dinov2Config", IMAGES, "encoder.layer.*", {}),
    "beit": ("BeitConfig", IMAGES, "layers.*", {}),
    "swin": ("SwinConfig", {"image_size": 16, "patch_size": 2, "embed_dim": 8, "depths": [1, 1],
                            "num_heads": [2, 2], "window_size": 4}, "encoder.layers.*:0", {}),
    "resnet": ("ResNetConfig", CONV, "encoder.stages.*", {}),
    "regnet": ("RegNetConfig", CONV | {"layer_type": "y", "groups_width": 4}, "encoder.stages.*",
               {}),
    "convnext": ("ConvNextConfig", {"num_channels": 3, "patch_size": 2, "num_stages": 2,
                                    "hidden_sizes": [8, 12], "depths": [1, 1]},
                 "encoder.stages.*", {}),
    "mobilenet-v1": ("MobileNetV1Config", {"image_size": 16, "depth_multiplier": 0.25},
                     "layer.[0-3]", {}),
    "t5": ("T5EncoderModel", {}, "encoder.block.*:0", {}),
}  # fmt: skip


def build(name: str) -> nn.Module:
    torch.manual_seed(0)
    kind, options, _, _ = FAMILIES[name]
    if kind == "T5EncoderModel":
        config = transformers.T5Config(
            vocab_size=VOCABULARY, d_model=16, d_kv=8, d_ff=24, num_layers=2, num_heads=2
        )
    else:
        config = getattr(transformers, kind)(**options)
    for key, value in vars(config).items():
        if "drop" in key and isinstance(value, float):
            setattr(config, key, 0.0)
    if kind == "T5EncoderModel":
        return transformers.T5EncoderModel(config).double().train()
    return transformers.AutoModel.from_config(config).double().train()


def inputs(name: str) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(0)
    if "vocab_size" in FAMILIES[name][1] or name == "t5":
        ids = torch.randint(3, VOCABULARY, (N, T), generator=generator)
        return {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    return {"pixel_values": torch.randn(N, 3, 16, 16, generator=generator, dtype=torch.float64)}


def mixed(h: Tensor, lam: float = 0.3) -> Tensor:
    return torch.stack([lam * h[i] + (1 - lam) * h[j] for i, j in enumerate(PERM)])


def by_hand(part: str | None, repeated: str | None) -> Callable[..., Any]:
    """Make a forward hook that mixes the whole output or one item of a tuple."""
    runs: list[None] = []

    def hook(_: nn.Module, args: Any, output: Any) -> Any:
        runs.append(None)
        if repeated == "first" and len(runs) > 1:
            return None
        if part is not None:
            return tuple(mixed(h) if i == int(part) else h for i, h in enumerate(output))
        if isinstance(output, tuple):
            return tuple(h if h is None else mixed(h) for h in output)
        return mixed(output)

    return hook


@pytest.mark.parametrize("name", FAMILIES)
def test_equals_a_hook_written_by_hand(name: str) -> None:
    _, _, pattern, options = FAMILIES[name]
    model, twin, given = build(name), build(name), inputs(name)
    mixer = ManifoldMixup(model, [pattern], 1.0, **options)
    for layer in mixer.layers:
        path, _, part = layer.partition(":")
        output, _ = mixer(**given, plan=MixPlan(layer, 0.3, torch.tensor(PERM)))
        hook = by_hand(part or None, options.get("repeated"))
        handle = twin.get_submodule(path).register_forward_hook(hook)
        expected = twin(**given)
        handle.remove()
        state, other = (o.last_hidden_state for o in (output, expected))
        assert_close(state, other)
        for one, total in ((model, state), (twin, other)):
            one.zero_grad()
            total.square().sum().backward()
        for one, two in zip(model.named_parameters(), twin.named_parameters(), strict=True):
            assert (one[1].grad is None) is (two[1].grad is None)
            if one[1].grad is not None:
                assert_close(one[1].grad, two[1].grad, msg=one[0])
        assert_close(dict(model.named_buffers()), dict(twin.named_buffers()))
