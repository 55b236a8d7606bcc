"""Models of transformers, from configurations: as with a hook written by hand, in float64."""

import warnings
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from tests.mixing.families import Family, N, assert_as_by_hand, table_of

with warnings.catch_warnings():  # its dependencies' own, at import
    warnings.simplefilter("ignore")
    transformers = pytest.importorskip("transformers")

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]
T, VOCABULARY = 6, 30
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

GROUPED = SMALL | {"num_key_value_heads": 2}

# (kind of model in the table, configuration, its options)
Row = tuple[str, str, dict[str, Any]]
FAMILIES: list[Row] = [
    ("BERT", "BertConfig", SMALL),
    ("RoBERTa", "RobertaConfig", SMALL),
    ("XLM-RoBERTa", "XLMRobertaConfig", SMALL),
    ("CamemBERT", "CamembertConfig", SMALL),
    ("ELECTRA", "ElectraConfig", SMALL | {"embedding_size": 16}),
    ("DeBERTa", "DebertaV2Config", SMALL),
    ("RoFormer", "RoFormerConfig", SMALL | {"embedding_size": 16}),
    ("DistilBERT", "DistilBertConfig", {"vocab_size": VOCABULARY, "dim": 16, "n_layers": 2,
                                        "n_heads": 2, "hidden_dim": 24}),
    ("MPNet", "MPNetConfig", SMALL),
    ("ALBERT", "AlbertConfig", SMALL | {"embedding_size": 8, "num_hidden_groups": 1}),
    ("ModernBERT", "ModernBertConfig", SMALL),
    ("GPT-2", "GPT2Config", GPT),
    ("GPT-NeoX", "GPTNeoXConfig", SMALL),
    ("GPT-J", "GPTJConfig", GPT | {"rotary_dim": 4}),
    ("OPT", "OPTConfig", SMALL | {"ffn_dim": 24, "word_embed_proj_dim": 16}),
    ("Llama", "LlamaConfig", GROUPED),
    ("Mistral", "MistralConfig", GROUPED),
    ("Qwen", "Qwen2Config", GROUPED),
    ("Phi", "PhiConfig", GROUPED),
    ("Gemma", "GemmaConfig", GROUPED | {"head_dim": 8}),
    ("OLMo", "OlmoConfig", GROUPED),
    ("StableLM", "StableLmConfig", GROUPED),
    ("StarCoder", "Starcoder2Config", GROUPED),
    ("Cohere", "CohereConfig", GROUPED),
    ("BLOOM", "BloomConfig", {"vocab_size": VOCABULARY, "hidden_size": 16, "n_layer": 2,
                              "n_head": 2}),
    ("ViT", "ViTConfig", IMAGES),
    ("DeiT", "DeiTConfig", IMAGES),
    ("DINOv2", "Dinov2Config", IMAGES),
    ("BEiT", "BeitConfig", IMAGES),
    ("Swin", "SwinConfig", {"image_size": 16, "patch_size": 2, "embed_dim": 8, "depths": [1, 1],
                            "num_heads": [2, 2], "window_size": 4}),
    ("ResNet", "ResNetConfig", CONV),
    ("RegNet", "RegNetConfig", CONV | {"layer_type": "y", "groups_width": 4}),
    ("ConvNeXt", "ConvNextConfig", {"num_channels": 3, "patch_size": 2, "num_stages": 2,
                                    "hidden_sizes": [8, 12], "depths": [1, 1]}),
    ("MobileNet", "MobileNetV1Config", {"image_size": 16, "depth_multiplier": 0.25}),
    ("T5 encoder", "T5Config", {"vocab_size": VOCABULARY, "d_model": 16, "d_kv": 8, "d_ff": 24,
                                "num_layers": 2, "num_heads": 2}),
]  # fmt: skip


def build(kind: str, options: dict[str, Any]) -> nn.Module:
    config = getattr(transformers, kind)(**options)
    encoder_only = kind == "T5Config"
    make = transformers.T5EncoderModel if encoder_only else transformers.AutoModel.from_config
    model: nn.Module = make(config)
    return model


def inputs(options: dict[str, Any]) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(0)
    if "vocab_size" in options:
        ids = torch.randint(3, VOCABULARY, (N, T), generator=generator)
        return {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    return {"pixel_values": torch.randn(N, 3, 16, 16, generator=generator, dtype=torch.float64)}


CASES = [
    pytest.param(row, repeated, id=f"{row[0]}-{repeated}")
    for row in FAMILIES
    for repeated in (("first", "each") if row[0] == "ALBERT" else ("error",))
]


@pytest.mark.parametrize(("row", "repeated"), CASES)
def test_equals_a_hook_written_by_hand(row: Row, repeated: str) -> None:
    kind, config, options = row
    layers, given = table_of("transformers")[kind], {"repeated": repeated}
    assert_as_by_hand(Family(lambda: build(config, options), inputs(options), layers, given))


def test_the_table_names_what_is_tested() -> None:
    assert table_of("transformers").keys() == {kind for kind, *_ in FAMILIES}
