"""The table of attacks and deformations, on small nets that are really trained on small images."""

import copy
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import ndimage

from stages import robustness
from study.data.dataset import Dataset, load_dataset
from study.errors import StudyError
from study.measures.config import AttacksConfig, DeformationsConfig
from study.measures.deformations import deformation_measures
from study.measures.robustness import attack_measures
from study.params import ParamsError, check
from study.paths import RunKey
from study.seeds import Purpose, seed_sequence
from study.training.experiment import read_run_config
from study.training.record import write_run
from study.training.run import load_run
from study.training.trainer import train_run
from tests.stages.small_images import (
    ATTACKS,
    DEFORMATIONS,
    EXPERIMENT,
    ROBUSTNESS,
    SEEDS,
    SIDE,
    digits,
    trained,
    write_params,
)
from tests.training import train_all


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write_params()
    train_all({"images": EXPERIMENT}, {"digits": digits()}, SEEDS)
    return tmp_path


def table() -> pd.DataFrame:
    robustness.main()
    return pd.read_csv("metrics/robustness.csv")


def of_run(measures: pd.DataFrame, method: str, seed: int) -> dict[str, float]:
    rows = measures[(measures["method"] == method) & (measures["seed"] == seed)]
    return dict(zip(rows["metric"], rows["value"], strict=True))


def test_every_run_of_the_experiments_named_has_every_measure(study: Path) -> None:
    measures = table()
    assert list(measures) == ["experiment", "method", "seed", "metric", "value"]
    runs = measures[["experiment", "method", "seed"]].drop_duplicates().to_numpy().tolist()
    assert runs == [["images", m, seed] for m in ("baseline", "manifold") for seed in SEEDS]
    by_radius = [
        *("transfer_fgsm_accuracy", "fgsm_accuracy", "pgd_accuracy", "pgd_missed"),
        *("pgd_restart_gain", "pgd_loss"),
    ]
    expected = {
        *("attacked_samples", "unattacked_accuracy", "deformed_samples", "undeformed_accuracy"),
        *(f"{name}_{radius}" for name in by_radius for radius in ("0_2", "0_3")),
        *("rotation_accuracy_60", "rotation_accuracy"),
        *("shear_accuracy_20", "shear_accuracy_40", "shear_accuracy"),
        *("zoom_in_accuracy_0_5", "zoom_in_accuracy", "zoom_out_accuracy_1_2", "zoom_out_accuracy"),
    }
    for _, rows in measures.groupby(["method", "seed"]):
        assert set(rows["metric"]) == expected
        assert len(rows) == len(expected)


def test_accuracy_under_attack_is_that_of_examples_made_one_at_a_time(study: Path) -> None:
    run, source = trained(), trained("baseline")
    split = run.split(load_dataset("data/digits.npz"))
    chosen = [i * len(split.test_labels) // 20 for i in range(20)]

    def stepped(net: torch.nn.Module, image: torch.Tensor, label: int) -> torch.Tensor:
        image = image.clone().requires_grad_()
        (-net(image[None]).log_softmax(1)[0, label]).backward()
        return torch.clip(image.detach() + 0.2 * torch.sign(image.grad), 0, 1)

    right = {"unattacked_accuracy": 0, "fgsm_accuracy_0_2": 0, "transfer_fgsm_accuracy_0_2": 0}
    for i in chosen:
        image, label = split.test_inputs[i], int(split.test_labels[i])
        examples = (image, stepped(run.net, image, label), stepped(source.net, image, label))
        for name, example in zip(right, examples, strict=True):
            right[name] += int(run.net(example[None])[0].argmax()) == label
    found = of_run(table(), "manifold", 1)
    assert found["attacked_samples"] == 20
    assert {name: found[name] * 20 for name in right} == pytest.approx(right)
    assert right["fgsm_accuracy_0_2"] < right["unattacked_accuracy"]


def test_accuracy_on_turned_images_is_that_of_scipys_rotation(study: Path) -> None:
    run = trained()
    split = run.split(load_dataset("data/digits.npz"))
    rng = np.random.default_rng(seed_sequence(1, Purpose.DEFORMATIONS))
    angles = 60 * rng.uniform(-1, 1, len(split.test_labels))
    right = 0
    for image, label, angle in zip(split.test_inputs, split.test_labels, angles, strict=True):
        square = image.reshape(SIDE, SIDE).numpy()
        turned = ndimage.rotate(square, angle, reshape=False, order=1, mode="grid-constant")
        right += int(run.probabilities(torch.from_numpy(turned).reshape(1, -1)).argmax() == label)
    found = of_run(table(), "manifold", 1)
    assert found["rotation_accuracy_60"] == pytest.approx(right / len(angles), rel=1e-5)
    assert found["deformed_samples"] == len(angles)


def test_angles_are_uniform_and_the_same_for_the_methods_of_a_seed(
    study: Path, monkeypatch
) -> None:
    given: dict[str, list[np.ndarray]] = {"rotate": [], "shear": []}
    for name, angles in given.items():
        monkeypatch.setattr(
            f"study.measures.deformations.{name}",
            lambda images, degrees, angles=angles: angles.append(degrees) or images,
        )
    config: DeformationsConfig = check(DeformationsConfig, DEFORMATIONS)
    for method, seed in (("baseline", 4), ("manifold", 4), ("manifold", 1)):
        deformation_measures(trained(method, seed), digits(), config)
    first, second, other = given["rotate"]
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first, other)
    assert -60 <= first.min() < -50 < 50 < first.max() <= 60
    assert first.std() == pytest.approx(60 / 3**0.5, rel=0.15)
    np.testing.assert_allclose(given["shear"][0], first / 3)
    np.testing.assert_allclose(given["shear"][1], first / 1.5)


def test_measures_hang_together(study: Path) -> None:
    measures = table()
    for method in ("baseline", "manifold"):
        for seed in SEEDS:
            of = of_run(measures, method, seed)
            assert of["pgd_loss_0_3"] > of["pgd_loss_0_2"]
            assert of["pgd_accuracy_0_3"] <= of["pgd_accuracy_0_2"] <= of["unattacked_accuracy"]
            mean = (of["shear_accuracy_20"] + of["shear_accuracy_40"]) / 2
            assert of["shear_accuracy"] == pytest.approx(mean, rel=1e-5)
            assert of["rotation_accuracy"] == of["rotation_accuracy_60"]
            if method == "baseline":
                assert of["transfer_fgsm_accuracy_0_3"] == of["fgsm_accuracy_0_3"]


def test_restarts_and_points_that_pgd_missed_are_counted(study: Path, monkeypatch) -> None:
    """A search that first finds nothing, then what fools the first sample that it is given."""
    run, data = trained(), load_dataset("data/digits.npz")
    split = run.split(data)
    asked: list[int] = []

    def finds_one_later(net, inputs, labels, *, radius, steps, generator):
        asked.append(len(labels))
        found = inputs.clone()
        if len(asked) == 2:
            other = split.test_labels != labels[0]
            right = torch.from_numpy(run.probabilities(split.test_inputs).argmax(1))
            wrong = torch.nonzero(other & (right == split.test_labels))[0, 0]
            found[0] = split.test_inputs[wrong].double()
        return found

    monkeypatch.setattr("study.measures.attacks.pgd", finds_one_later)
    config: AttacksConfig = check(AttacksConfig, ATTACKS | {"radii": [0.3]})
    of = attack_measures(run, None, data, config)
    n_right = round(20 * of["unattacked_accuracy"])
    assert asked == [20, n_right, n_right - 1]
    assert of["pgd_restart_gain_0_3"] == pytest.approx(1 / 20)
    assert of["pgd_accuracy_0_3"] == pytest.approx(of["unattacked_accuracy"] - 1 / 20)
    fooled_by_fgsm = of["unattacked_accuracy"] - of["fgsm_accuracy_0_3"]
    assert of["pgd_missed_0_3"] >= fooled_by_fgsm - 1 / 20 - 1e-9 > 0
    assert not [name for name in of if name.startswith("transfer")]


def test_a_point_that_fools_and_was_made_for_the_baseline_counts_as_missed(
    study: Path, monkeypatch
) -> None:
    run, data = trained(), load_dataset("data/digits.npz")
    made: list[int] = []

    def fools_all_if_made_for_the_baseline(net, inputs, labels, radius):
        made.append(len(labels))
        return inputs if len(made) == 1 else 1 - inputs

    monkeypatch.setattr("study.measures.attacks.fgsm", fools_all_if_made_for_the_baseline)
    monkeypatch.setattr("study.measures.attacks.pgd", lambda net, inputs, *_, **__: inputs)
    config: AttacksConfig = check(AttacksConfig, ATTACKS | {"radii": [0.3]})
    of = attack_measures(run, trained("baseline"), data, config)
    assert of["fgsm_accuracy_0_3"] == of["pgd_accuracy_0_3"] == of["unattacked_accuracy"] == 1
    assert of["pgd_missed_0_3"] == 1 - of["transfer_fgsm_accuracy_0_3"] > 0


def test_a_net_of_one_logit_is_attacked_as_one_of_two(study: Path) -> None:
    data = digits(n_classes=2)
    key = RunKey("images", "baseline", 4)
    folder = Path("pair")
    write_run(folder, train_run(read_run_config(key), data))
    run = load_run(folder)
    config: AttacksConfig = check(AttacksConfig, ATTACKS)
    of = attack_measures(run, run, data, config)
    split = run.split(data)
    chosen = torch.arange(20) * len(split.test_labels) // 20
    labels = split.test_labels[chosen]
    right = (run.probabilities(split.test_inputs[chosen]).argmax(1) == labels.numpy()).mean()
    assert of["unattacked_accuracy"] == pytest.approx(right)
    assert of["fgsm_accuracy_0_3"] < right


def test_a_second_run_gives_the_same_bytes(study: Path) -> None:
    first = table()
    content = Path("metrics/robustness.csv").read_bytes()
    assert table().equals(first)
    assert Path("metrics/robustness.csv").read_bytes() == content


def test_data_that_are_no_images_are_named(study: Path) -> None:
    points = Dataset(np.ones((9, 2), np.float32), np.arange(9) % 3, np.arange(9), np.arange(9) < 3)
    attacks: AttacksConfig = check(AttacksConfig, ATTACKS)
    deformations: DeformationsConfig = check(DeformationsConfig, DEFORMATIONS)
    said = "names images, whose data set digits holds no square images"
    with pytest.raises(StudyError, match=said):
        attack_measures(trained(), None, points, attacks)
    with pytest.raises(StudyError, match=said):
        deformation_measures(trained(), points, deformations)


def test_a_missing_run_is_named_and_nothing_is_written(study: Path) -> None:
    (study / "runs/images/manifold/1/model.safetensors").unlink()
    with pytest.raises(StudyError, match=r"manifold.1.*missing"):
        robustness.main()
    assert not Path("metrics/robustness.csv").exists()


def test_an_experiment_that_is_none_is_named(study: Path) -> None:
    write_params(robustness=copy.deepcopy(ROBUSTNESS) | {"experiments": ["image"]})
    with pytest.raises(ParamsError, match="names 'image', which is not in experiments: did you"):
        robustness.main()
