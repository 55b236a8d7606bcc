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


def test_hidden_states_are_those_of_the_mixed_pass(batch: dict[str, Tensor]) -> None:
    model, perm = bert(), torch.tensor([2, 0, 3, 1])
    states = model(**batch, output_hidden_states=True).hidden_states
    mixer = ManifoldMixup(model, ["bert.embeddings", "bert.encoder.layer.*"], 1.0)
    for _ in range(2):
        for k, layer in enumerate(mixer.layers):
            output, _ = mixer(**batch, output_hidden_states=True, plan=MixPlan(layer, 0.3, perm))
            h = torch.from_numpy(reference.mixed(states[k].detach(), 0.3, perm.tolist())).float()
            expected = [*states[:k], h]
            for block in model.bert.encoder.layer[k:]:
                expected.append(block.forward(expected[-1]))
            assert_close([*output.hidden_states], expected)


def test_labels_given_to_the_model_are_refused(batch: dict[str, Tensor]) -> None:
    mixer = ManifoldMixup(bert(), ["bert.encoder.layer.*"], 1.0)
    with pytest.raises(ValueError, match="with labels=, the model would compute a loss of labels"):
        mixer(**batch, labels=torch.tensor([0, 1, 2, 0]))


def t5(layer: str) -> ManifoldMixup:
    torch.manual_seed(0)
    config = transformers.T5Config(
        vocab_size=20, d_model=8, d_kv=4, d_ff=16, num_layers=3, num_heads=2, dropout_rate=0.0,
        num_labels=3,
    )  # fmt: skip
    return ManifoldMixup(transformers.T5EncoderModel(config).train(), [layer], 1.0)


def test_the_hidden_state_of_t5_is_mixed_without_its_position_bias() -> None:
    ids, perm = torch.randint(20, (4, 6)), torch.tensor([2, 0, 3, 1])
    mixer = t5("encoder.block.*:0")
    blocks = mixer.model.encoder.block
    for k in range(3):
        seen: list[Tensor] = []
        handles = [
            block.register_forward_pre_hook(lambda _m, args, seen=seen: seen.append(args[0]))
            for block in blocks
        ]
        mixer.model(input_ids=ids)
        plain = blocks[k](seen[k], position_bias=None if k == 0 else bias(blocks, seen[0]))[0]
        seen.clear()
        mixer(input_ids=ids, plan=MixPlan(f"encoder.block.{k}:0", 0.3, perm))
        if k < 2:
            expected = torch.from_numpy(reference.mixed(plain.detach(), 0.3, perm.tolist())).float()
            assert_close(seen[k + 1], expected)
        for handle in handles:
            handle.remove()
    with pytest.raises(ValueError, match=r"at 'encoder\.block\.0': cannot mix .* batch of 4"):
        t5("encoder.block.0")(input_ids=ids)


def bias(blocks: torch.nn.ModuleList, first: Tensor) -> Tensor:
    return blocks[0](first)[1]


def test_layers_that_albert_shares_are_mixed_at_when_asked() -> None:
    torch.manual_seed(0)
    config = transformers.AlbertConfig(
        vocab_size=20, embedding_size=8, hidden_size=8, num_hidden_layers=3, num_attention_heads=2,
        intermediate_size=16, num_labels=3, hidden_dropout_prob=0.0, classifier_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
    )  # fmt: skip
    model = transformers.AlbertForSequenceClassification(config).train()
    layer = "albert.encoder.albert_layer_groups.0.albert_layers.0"
    ids, perm = torch.randint(20, (4, 6)), torch.tensor([2, 0, 3, 1])
    plan = MixPlan(layer, 0.3, perm)
    with pytest.raises(RuntimeError, match=r"ran 3 times.*repeated='first' or 'each'"):
        ManifoldMixup(model, [layer], 1.0)(input_ids=ids, plan=plan)
    part = model.get_submodule(layer)
    h = model.albert.encoder.embedding_hidden_mapping_in(model.albert.embeddings(input_ids=ids))
    for run in range(3):
        h = part(h)
        h = h[0] if isinstance(h, tuple) else h
        if run == 0:
            h = torch.from_numpy(reference.mixed(h.detach(), 0.3, perm.tolist())).float()
    expected = model.classifier(model.albert.pooler_activation(model.albert.pooler(h[:, 0])))
    output, _ = ManifoldMixup(model, [layer], 1.0, repeated="first")(input_ids=ids, plan=plan)
    assert_close(output.logits, expected)
