"""``python -m tools.sweep`` on saved experiments whose results were written by hand."""

import sys
import time
from pathlib import Path

import pytest
from dvc.repo import Repo
from matplotlib.figure import Figure

from study.errors import StudyError
from tests.stages.conftest import Results
from tools import sweep

pytestmark = pytest.mark.slow

BASELINE = [0.5, 0.6, 0.7]


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Figure]:
    """Collect the figures that are saved, which are also really saved."""
    figures: list[Figure] = []
    save = sweep.save

    def save_and_keep(figure: Figure, path: Path) -> None:
        figures.append(figure)
        save(figure, path)

    monkeypatch.setattr(sweep, "save", save_and_keep)
    return figures


def run_sweep(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> None:
    monkeypatch.setattr(sys, "argv", ["sweep", *arguments, "--metric", "test_accuracy"])
    sweep.main()


def write(results: Results, alpha: float, score: float, **params: object) -> None:
    results.params(mixup={"alpha": alpha}, **params)
    results.runs(baseline=BASELINE, manifold=[score - 0.1, score, score + 0.1])


@pytest.fixture
def swept(results: Results) -> Results:
    """Make HEAD with alpha 2 and experiments with alpha 0.1 and 8."""
    write(results, 2.0, 0.7)
    results.commit("alpha 2")
    write(results, 8.0, 0.4)
    results.experiment("high")
    write(results, 0.1, 0.6)
    results.experiment("low")
    return results


def test_draws_every_value_with_its_interval(
    swept: Results, monkeypatch: pytest.MonkeyPatch, drawn: list[Figure], capsys
) -> None:
    run_sweep(monkeypatch, "mixup.alpha")
    said = capsys.readouterr().out
    for value in ("= 0.1 (low), 2 (main), 8 (high)", "report/sweep_mixup.alpha.png"):
        assert value in said
    assert "left out" not in said
    assert Path("report/sweep_mixup.alpha.png").stat().st_size > 1000
    (axes,) = drawn[0].axes
    lines = {line.get_label(): line for line in axes.get_lines()}
    assert lines["manifold mixup"].get_xdata().tolist() == [0.1, 2.0, 8.0]
    assert lines["manifold mixup"].get_ydata() == pytest.approx([0.6, 0.7, 0.4])
    assert list(lines["baseline"].get_ydata()) == pytest.approx([0.6, 0.6])
    (band,) = axes.collections
    half_width = 4.3027 * 0.1 / 3**0.5
    low = band.get_paths()[0].vertices[:, 1].min()
    assert low == pytest.approx(0.4 - half_width, abs=1e-4)


def test_experiment_with_another_difference_is_left_out(
    swept: Results, monkeypatch: pytest.MonkeyPatch, drawn: list[Figure], capsys
) -> None:
    write(swept, 4.0, 0.9, steps=7)
    swept.experiment("longer")
    write(swept, 0.1, 0.9)
    time.sleep(1.1)  # Git's dates are whole seconds, and "again" must be newer than "low"
    swept.experiment("again")
    swept.params(mixup={"alpha": 1.0})
    swept.git("rm", "-q", "metrics/summary.csv")
    swept.experiment("broken")
    run_sweep(monkeypatch, "mixup.alpha")
    said = capsys.readouterr().out
    assert "left out: longer differs in other params too" in said
    assert "left out: broken holds no results" in said
    assert "left out: low repeats a value" in said
    assert "0.1 (again)" in said
    (axes,) = drawn[0].axes
    assert axes.get_lines()[1].get_xdata().tolist() == [0.1, 2.0, 8.0]


def test_experiments_of_another_study_of_the_repository_are_passed_over(
    results: Results, monkeypatch: pytest.MonkeyPatch, drawn: list[Figure], capsys
) -> None:
    theirs = Path("other/params.yaml")
    theirs.parent.mkdir()
    theirs.write_text("alpha: 1")
    write(results, 2.0, 0.7)
    results.commit("two studies")
    write(results, 8.0, 0.4)
    results.experiment("high")
    theirs.write_text("alpha: 2")
    results.experiment("theirs")
    run_sweep(monkeypatch, "mixup.alpha")
    said = capsys.readouterr().out
    assert "= 2 (main), 8 (high)" in said
    assert "theirs" not in said


def test_values_that_have_results_are_not_run_again(
    swept: Results, monkeypatch: pytest.MonkeyPatch, drawn: list[Figure], capsys
) -> None:
    write(swept, 4.0, 0.9, steps=7)
    swept.experiment("longer")
    run_sweep(monkeypatch, "mixup.alpha", "8", "0.1")
    assert "Experiment" not in capsys.readouterr().out
    assert drawn[0].axes[0].get_lines()[1].get_xdata().tolist() == [0.1, 2.0, 8.0]
    with pytest.raises(StudyError):  # that of 4 is with other steps; this study cannot run one
        run_sweep(monkeypatch, "mixup.alpha", "8", "4")


def test_values_are_run_from_the_commit_that_is_checked_out(
    swept: Results, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    with pytest.raises(SystemExit):
        run_sweep(monkeypatch, "mixup.alpha", "1", "--base", "HEAD~1")
    assert "name either values or --base" in capsys.readouterr().err


def test_a_study_that_is_not_committed_has_nothing_to_start_from(
    results: Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    results.git("add", "dvc.yaml")
    results.git("commit", "-qm", "without params.yaml")
    write(results, 2.0, 0.7)
    with pytest.raises(StudyError, match=r"HEAD does not hold this study.* git commit"):
        run_sweep(monkeypatch, "mixup.alpha", "8")


def test_a_commit_while_experiments_run_is_told(
    swept: Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that ran before it would be missing from the figure without a word."""

    def run_and_commit(*_: object) -> None:
        write(swept, 4.0, 0.5)
        swept.experiment("four")
        swept.git("commit", "-q", "--allow-empty", "-m", "in between")

    monkeypatch.setattr(sweep, "run_experiments", run_and_commit)
    with pytest.raises(StudyError, match="HEAD moved while the experiments ran"):
        run_sweep(monkeypatch, "mixup.alpha", "4")


def test_queued_experiment_is_left_out(
    swept: Results, monkeypatch: pytest.MonkeyPatch, drawn: list[Figure], capsys
) -> None:
    """It still holds the metrics of the commit it starts from, which are not its own."""
    with Repo() as repo:
        repo.experiments.run(queue=True, params=["mixup.alpha=0.5"])
    run_sweep(monkeypatch, "mixup.alpha")
    assert "is queued" in capsys.readouterr().out
    assert drawn[0].axes[0].get_lines()[1].get_xdata().tolist() == [0.1, 2.0, 8.0]


def test_sweep_with_another_setting_for_all_is_one_sweep(
    swept: Results, monkeypatch: pytest.MonkeyPatch, drawn: list[Figure]
) -> None:
    for alpha in (0.2, 0.4, 0.6, 0.8):
        write(swept, alpha, 0.3 + alpha, steps=7)
        swept.experiment(f"steps7-{alpha * 10:g}")
    run_sweep(monkeypatch, "mixup.alpha")
    (axes,) = drawn[0].axes
    assert axes.get_lines()[1].get_xdata().tolist() == [0.2, 0.4, 0.6, 0.8]
    assert axes.get_xscale() == "linear"


def test_base_can_be_an_earlier_commit(
    swept: Results, monkeypatch: pytest.MonkeyPatch, drawn: list[Figure]
) -> None:
    (swept.folder / "note").touch()
    swept.commit("later")
    with pytest.raises(
        StudyError, match=r"a sweep needs at least two values of mixup\.alpha.*found only 2:"
    ):
        run_sweep(monkeypatch, "mixup.alpha")
    run_sweep(monkeypatch, "mixup.alpha", "--base", "HEAD~1")
    assert len(drawn) == 1


def test_what_cannot_be_drawn_is_named(swept: Results, monkeypatch: pytest.MonkeyPatch) -> None:
    for words, said in (
        ("mixup.alhpa", "mixup.alhpa is not in params.yaml: did you mean alpha?"),
        ("mixup.alpha.x", "mixup.alpha.x is not in params.yaml"),
        ("mixup", "mixup is not a number"),
        ("mixup.alpha --base nope", "'nope' is not a commit, branch, tag or DVC experiment"),
        ("mixup.alpha --metric nope", "no run has the metric nope"),
    ):
        with pytest.raises(StudyError, match=said):
            run_sweep(monkeypatch, *words.split())


def test_parameter_without_effect_is_an_error(
    results: Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(results, 2.0, 0.7)
    results.commit("results")
    write(results, 4.0, 0.7)
    results.experiment("equal")
    with pytest.raises(StudyError, match=r"no number depends on mixup\.alpha"):
        run_sweep(monkeypatch, "mixup.alpha")
