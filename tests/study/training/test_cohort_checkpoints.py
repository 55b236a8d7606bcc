"""Runs trained together, interrupted: they go on to the same bytes."""

from pathlib import Path

import pytest
import torch

from study.training.cohort import train_cohort
from study.training.trainer import train_run
from tests.study.training.interruption import each_step, stop_after  # noqa: F401 (a fixture)
from tests.study.training.kernels import needs_agreeing_products
from tests.study.training.test_cohort import METHODS, config, dataset


@needs_agreeing_products
@pytest.mark.slow
@pytest.mark.usefixtures("each_step")
@pytest.mark.parametrize("n_classes", [2, 4])
def test_an_interrupted_cohort_goes_on_to_the_same_bytes(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    n_classes: int,
) -> None:
    """Together, alone, with others and from different steps."""
    configs = [config(name, decay_at=[5, 18]) for name in METHODS]
    data, files = dataset(n_classes), [tmp_path / name for name in METHODS]
    undisturbed = train_cohort(configs, data, [None] * len(configs))
    # Stopped when the first four have written their seventh, the others their sixth.
    stop_after(monkeypatch, 6 * len(configs) + 4, train_cohort, configs, data, files)
    torch.manual_seed(5)  # whatever ran in between must not matter
    stop_after(monkeypatch, 9, train_run, configs[0], data, files[0])  # alone: after step 16
    files[1].unlink()  # starts anew
    assert train_run(configs[2], data, files[2]) == undisturbed[2]
    capsys.readouterr()
    assert train_cohort(configs, data, files) == undisturbed
    told = capsys.readouterr().err
    assert f"{files[0]}: continues after step 16\n" in told
    assert str(files[1]) not in told
    assert f"{files[3]}: continues after step 7\n" in told
    assert f"{files[4]}: continues after step 6\n" in told


@needs_agreeing_products
@pytest.mark.usefixtures("each_step")
def test_checkpoint_is_that_of_the_run_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, data = config("everything"), dataset()
    stop_after(monkeypatch, 10, train_run, one, data, tmp_path / "alone")
    stop_after(
        monkeypatch, 20, train_cohort, [config("baseline"), one], data,
        [tmp_path / "other", tmp_path / "together"],
    )  # fmt: skip
    assert (tmp_path / "together").read_bytes() == (tmp_path / "alone").read_bytes()


@pytest.mark.usefixtures("each_step")
def test_a_failed_run_writes_no_more_checkpoints(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(METHODS, "spoilt", {"weight_decay": 1e6})
    configs = [config("spoilt", evaluations=20), config("baseline", evaluations=20)]
    failed, _ = train_cohort(configs, dataset(), [tmp_path / "spoilt", tmp_path / "baseline"])
    step = int(str(failed).split(" at step ")[1].split()[0])
    again, _ = train_cohort(configs, dataset(), [tmp_path / "spoilt", tmp_path / "baseline"])
    assert step > 1
    assert str(again).split(" (before")[0] == str(failed).split(" (before")[0]
