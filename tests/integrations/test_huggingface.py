"""The Trainer with the real transformers, on a model made from a configuration."""

import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.testing import assert_close

with warnings.catch_warnings():  # its dependencies' own, at import
    warnings.simplefilter("ignore")
    transformers = pytest.importorskip("transformers")
    pytest.importorskip("accelerate")
    from mixup.integrations.huggingface import ManifoldMixupTrainer

from mixup import ManifoldMixup
from tests import reference

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]
LAYERS = ["bert.embeddings", "bert.encoder.layer.*"]


def bert(**options: Any) -> nn.Module:
    torch.manual_seed(0)
    settings: dict[str, Any] = {
        "vocab_size": 20, "hidden_size": 8, "num_hidden_layers": 2, "num_attention_heads": 2,
        "intermediate_size": 16, "num_labels": 3, "max_position_embeddings": 16,
        "hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0,
    }  # fmt: skip
    config = transformers.BertConfig(**(settings | options))
    return transformers.BertForSequenceClassification(config)


def examples() -> list[dict[str, Any]]:
    generator = torch.Generator().manual_seed(0)
    return [
        {"input_ids": torch.randint(6 * (i % 3), 6 * (i % 3) + 6, (5,), generator=generator),
         "labels": i % 3} for i in range(12)
    ]  # fmt: skip


def trainer(
    folder: Path, model: nn.Module | None = None, given: dict[str, Any] | None = None,
    **options: Any,
) -> Any:  # fmt: skip
    settings: dict[str, Any] = {
        "output_dir": str(folder), "use_cpu": True, "per_device_train_batch_size": 4,
        "max_steps": 6, "learning_rate": 0.01, "report_to": "none", "save_strategy": "no",
        "seed": 3, "disable_tqdm": True, "logging_steps": 1,
    }  # fmt: skip
    return ManifoldMixupTrainer(
        model or bert(),
        transformers.TrainingArguments(**(settings | options)),
        train_dataset=examples(),
        eval_dataset=examples(),
        layers=LAYERS,
        alpha=1.0,
        **(given or {}),
    )


def test_the_loss_of_a_step_is_that_of_the_mixer(tmp_path: Path) -> None:
    run, twin = trainer(tmp_path, label_smoothing_factor=0.1), bert().train()
    run.current_gradient_accumulation_steps = 1  # set by train()
    mixer = ManifoldMixup(twin, LAYERS, 1.0, seed=[3, 0])
    batch = {"input_ids": torch.randint(20, (4, 5)), "labels": torch.tensor([0, 1, 2, 0])}
    for _ in range(5):
        loss = run.training_step(run.model, dict(batch))
        output, plan = mixer(input_ids=batch["input_ids"])
        assert run.plan.layer == plan.layer
        expected = plan.loss(F.cross_entropy, output.logits, batch["labels"], label_smoothing=0.1)
        expected.backward()
        assert_close(loss, expected.detach())
    for parameter, other in zip(run.model.parameters(), twin.parameters(), strict=True):
        assert_close(parameter.grad, other.grad)


def test_training_lowers_the_clean_loss_and_evaluation_is_plain(tmp_path: Path) -> None:
    run = trainer(tmp_path, max_steps=60)
    before = run.evaluate()["eval_loss"]
    run.train()
    assert run.evaluate()["eval_loss"] < 0.6 * before
    losses = [F.cross_entropy(run.model(e["input_ids"][None]).logits, torch.tensor([e["labels"]]))
              for e in examples()]  # fmt: skip
    assert run.evaluate()["eval_loss"] == pytest.approx(torch.stack(losses).mean().item(), rel=1e-4)


def test_accumulation_gives_the_mean_of_the_batches(tmp_path: Path) -> None:
    run = trainer(
        tmp_path, max_steps=1, gradient_accumulation_steps=3, lr_scheduler_type="constant"
    )
    losses: list[float] = []
    compute = run.compute_loss
    run.compute_loss = lambda *args, **kwargs: losses.append(compute(*args, **kwargs)) or losses[-1]
    run.train()
    logged = [entry["loss"] for entry in run.state.log_history if "loss" in entry]
    assert len(losses) == 3
    assert logged == [pytest.approx(float(sum(losses)) / 3, abs=1e-4)]


def test_resumes_where_it_was(tmp_path: Path) -> None:
    options = {"save_strategy": "steps", "save_steps": 3, "lr_scheduler_type": "constant"}
    whole = trainer(tmp_path / "whole", **options)
    whole.train()
    again = trainer(tmp_path / "again", **options)
    again.mixer.draw(4)  # what was drawn before must not matter
    again.train(resume_from_checkpoint=str(tmp_path / "whole" / "checkpoint-3"))
    assert_close([*again.model.parameters()], [*whole.model.parameters()])
    assert again.mixer.state_dict() == whole.mixer.state_dict()


def test_a_model_made_later_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="give model, not model_init"):
        ManifoldMixupTrainer(
            args=transformers.TrainingArguments(output_dir=str(tmp_path), use_cpu=True),
            model_init=lambda: bert(), layers=LAYERS, alpha=1.0,
        )  # fmt: skip


def step(run: Any, batch: dict[str, Any]) -> tuple[float, Any, Any]:
    """Return the loss of a step, the logits that its plan gives without the Trainer, the plan."""
    run.current_gradient_accumulation_steps = 1  # set by train()
    loss = run.training_step(run.model, dict(batch)).item()
    inputs = {key: value for key, value in batch.items() if key != "labels"}
    with torch.no_grad():
        return loss, run.mixer(**inputs, plan=run.plan)[0].logits.double(), run.plan


@pytest.mark.parametrize("told", [True, False])
def test_a_multi_label_model_trains_with_the_loss_it_is_evaluated_with(
    tmp_path: Path, told: bool
) -> None:
    model = bert(problem_type="multi_label_classification") if told else bert()
    labels = torch.tensor([[1.0, 0, 1], [0, 0, 0], [1, 1, 1], [0, 1, 0]])
    batch = {"input_ids": torch.randint(20, (4, 5)), "labels": labels}
    run = trainer(tmp_path, model)
    for _ in range(4):
        loss, logits, plan = step(run, batch)
        mixed = reference.mixed(labels, plan.lam, plan.perm.tolist())
        assert loss == pytest.approx(reference.binary_cross_entropy(logits, mixed).mean(), rel=1e-5)
    with pytest.raises(ValueError, match="label_smoothing_factor is of no meaning"):
        step(trainer(tmp_path, model, label_smoothing_factor=0.1), batch)


@pytest.mark.parametrize("outputs", [1, 2])
@pytest.mark.parametrize("per_sample", [False, True])
def test_a_regression_trains_with_the_loss_it_is_evaluated_with(
    tmp_path: Path, outputs: int, per_sample: bool
) -> None:
    ids = torch.randint(20, (4, 5))
    kinds = [torch.rand(4, outputs)]
    kinds += [torch.rand(4), torch.tensor([3, 1, 0, 2])] if outputs == 1 else []
    for labels in kinds:
        model = bert(num_labels=outputs, problem_type="regression" if outputs > 1 else None)
        run = trainer(tmp_path, model, {"mixing": {"per_sample": per_sample}})
        loss, z, plan = step(run, {"input_ids": ids, "labels": labels})
        y, lam = labels.reshape(4, outputs).double(), torch.as_tensor(plan.lam).expand(4)
        expected = sum(
            float(share * (z[i] - y[k]).square().mean()) / 4
            for i, j in enumerate(plan.perm.tolist())
            for k, share in ((i, lam[i]), (j, 1 - lam[i]))
        )
        assert loss == pytest.approx(expected, rel=1e-5)
        own = run.compute_loss(model.eval(), {"input_ids": ids, "labels": labels.float()}).item()
        assert own == pytest.approx(F.mse_loss(model(ids).logits.double(), y).item(), rel=1e-5)
    smoothed = trainer(tmp_path, bert(num_labels=1), label_smoothing_factor=0.1)
    with pytest.raises(ValueError, match="label_smoothing_factor is of no meaning"):
        step(smoothed, {"input_ids": ids, "labels": torch.rand(4)})


def test_the_gradient_of_a_regression_is_that_of_mixed_targets(tmp_path: Path) -> None:
    model, ids, labels = bert(num_labels=1), torch.randint(20, (4, 5)), torch.rand(4)
    run = trainer(tmp_path, model)
    _, _, plan = step(run, {"input_ids": ids, "labels": labels})
    target = reference.mixed(labels, plan.lam, plan.perm.tolist())
    twin = bert(num_labels=1).train()
    output, _ = ManifoldMixup(twin, LAYERS, 1.0)(input_ids=ids, plan=plan)
    F.mse_loss(output.logits[:, 0], torch.from_numpy(target).float()).backward()
    for parameter, other in zip(model.parameters(), twin.parameters(), strict=True):
        assert_close(parameter.grad, other.grad)


def test_models_whose_loss_must_be_given_are_refused(tmp_path: Path) -> None:
    ids = torch.randint(20, (4, 5))
    with pytest.raises(ValueError, match="a batch has no 'labels' to mix, but input_ids"):
        step(trainer(tmp_path), {"input_ids": ids})
    torch.manual_seed(0)
    config = transformers.BertConfig(
        vocab_size=20, hidden_size=8, num_hidden_layers=2, num_attention_heads=2, num_labels=3
    )
    tokens = transformers.BertForTokenClassification(config)
    with pytest.raises(ValueError, match=r"give a criterion for logits of shape \(4, 5, 3\)"):
        step(trainer(tmp_path, tokens), {"input_ids": ids, "labels": ids % 3})


def test_a_loss_function_of_the_trainer_is_used(tmp_path: Path) -> None:
    def compute(outputs: Any, labels: Any, num_items_in_batch: Any = None) -> Any:
        seen.append(num_items_in_batch)
        return 3 * F.cross_entropy(outputs.logits, labels, reduction="sum") / 7

    seen: list[Any] = []
    run = trainer(tmp_path, given={"compute_loss_func": compute})
    labels = torch.tensor([0, 1, 2, 0])
    loss, logits, plan = step(run, {"input_ids": torch.randint(20, (4, 5)), "labels": labels})
    soft = reference.mixed(reference.onehot(labels.tolist(), 3), plan.lam, plan.perm.tolist())
    assert loss == pytest.approx(3 * reference.cross_entropy(logits, soft).sum() / 7, rel=1e-5)
    with pytest.raises(ValueError, match="give criterion or compute_loss_func, not both"):
        trainer(tmp_path, given={"compute_loss_func": compute, "criterion": F.cross_entropy})
    run = trainer(tmp_path, given={"compute_loss_func": compute}, gradient_accumulation_steps=3,
                  max_steps=1)  # fmt: skip
    seen.clear()
    run.train()
    assert [int(n) for n in seen if n is not None] == [12] * 6


def test_the_last_epochs_are_plain_and_steps_are_logged(tmp_path: Path) -> None:
    run = trainer(tmp_path, given={"plain_epochs": 1}, max_steps=-1, num_train_epochs=3)
    run.train()
    logs = [entry for entry in run.state.log_history if "loss" in entry]
    assert [entry["mixup_layer"] == -1 for entry in logs] == [False] * 6 + [True] * 3
    assert {entry["mixup_lam"] for entry in logs[6:]} == {1.0}
    assert {entry["mixup_layer"] for entry in logs[:6]} <= {0, 1, 2}
    assert len({entry["mixup_lam"] for entry in logs[:6]}) == 6
