"""Models of the transformers package, made from a configuration: no download."""

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F
from torch.testing import assert_close

from mixup import ManifoldMixup, MixPlan
from tests import reference

transformers = pytest.importorskip("transformers")


def bert() -> torch.nn.Module:
    torch.manual_seed(0)
    config = transformers.BertConfig(
        vocab_size=20, hidden_size=8, num_hidden_layers=3, num_attention_heads=2,
        intermediate_size=16, num_labels=3, max_position_embeddings=16,
        hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0,
    )  # fmt: skip
    return transformers.BertForSequenceClassification(config).train()


@pytest.fixture
def batch() -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(0)
    return {
        "input_ids": torch.randint(20, (4, 6), generator=generator),
        "attention_mask": torch.ones(4, 6, dtype=torch.int64),
    }


def test_equals_the_model_run_from_the_mixed_states(batch: dict[str, Tensor]) -> None:
    model, perm = bert(), torch.tensor([2, 0, 3, 1])
    states = model(**batch, output_hidden_states=True).hidden_states
    mixer = ManifoldMixup(model, ["bert.embeddings", "bert.encoder.layer.*"], 1.0)
    assert len(mixer.layers) == 4
    for k, layer in enumerate(mixer.layers):
        output, _ = mixer(**batch, plan=MixPlan(layer, 0.3, perm))
        h = torch.from_numpy(reference.mixed(states[k].detach(), 0.3, perm.tolist())).float()
        for block in model.bert.encoder.layer[k:]:
            h = block.forward(h)
        expected = model.classifier(model.bert.pooler(h))
        assert_close(output.logits, expected)


@pytest.mark.filterwarnings("ignore:.gradient_checkpointing_enable. is deprecated:FutureWarning")
@pytest.mark.parametrize("reentrant", [False, True])
def test_gradient_checkpointing(batch: dict[str, Tensor], reentrant: bool) -> None:
    grads = []
    for checkpointing in (False, True):
        model = bert()
        if checkpointing:
            model.gradient_checkpointing_enable({"use_reentrant": reentrant})
        mixer = ManifoldMixup(model, ["bert.embeddings", "bert.encoder.layer.*"], 1.0, seed=1)
        for _ in range(6):
            output, plan = mixer(**batch)
            plan.loss(F.cross_entropy, output.logits, torch.tensor([0, 1, 2, 1])).backward()
        grads.append([p.grad for p in model.parameters()])
    assert_close(*grads)


def test_a_few_steps_lower_the_loss_on_clean_data(batch: dict[str, Tensor]) -> None:
    model, labels = bert(), torch.tensor([0, 1, 2, 1])
    mixer = ManifoldMixup(model, ["bert.encoder.layer.*"], 1.0, seed=0)
    optimiser = torch.optim.Adam(model.parameters(), lr=0.01)
    before = F.cross_entropy(model(**batch).logits, labels).item()
    for _ in range(25):
        optimiser.zero_grad()
        output, plan = mixer(**batch)
        plan.loss(F.cross_entropy, output.logits, labels).backward()
        optimiser.step()
    assert F.cross_entropy(model.eval()(**batch).logits, labels).item() < 0.7 * before


def test_token_ids_are_not_mixed(batch: dict[str, Tensor]) -> None:
    mixer = ManifoldMixup(bert(), ["input"], 1.0)
    with pytest.raises(TypeError, match=r"after their embedding .*'bert\.embeddings\.word_emb"):
        mixer(**batch)


def test_a_causal_model_with_a_label_a_token() -> None:
    torch.manual_seed(0)
    config = transformers.LlamaConfig(
        vocab_size=20, hidden_size=8, num_hidden_layers=2, num_attention_heads=2,
        num_key_value_heads=2, intermediate_size=16, max_position_embeddings=16,
    )  # fmt: skip
    model = transformers.LlamaForCausalLM(config).train()
    tokens = torch.randint(20, (4, 6))
    mixer = ManifoldMixup(model, ["model.embed_tokens", "model.layers.*"], 1.0, seed=0)

    def next_token(logits: Tensor, labels: Tensor) -> Tensor:
        return F.cross_entropy(logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten())

    for _ in range(5):
        output, plan = mixer(input_ids=tokens)
        loss = plan.loss(next_token, output.logits, tokens)
        partner = next_token(output.logits, tokens[plan.perm])
        expected = plan.lam * next_token(output.logits, tokens) + (1 - plan.lam) * partner
        assert_close(loss, expected)
        loss.backward()
