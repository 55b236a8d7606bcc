"""The stage that draws the figures, run again or on another study."""

from pathlib import Path

import pytest

from stages import plots
from tests.study.figures.plots_study import (
    DEFAULT_LIKE,
    ODD,
    drawn,
    make_study,
)

pytestmark = pytest.mark.slow


def test_another_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    make_study(tmp_path, [5], ODD, alpha=0.3)
    plots.main()
    assert list(drawn()) == [
        "bottleneck_arms_0_1.png",
        "boundaries_arms.png",
        "curves_arms.png",
        "curves_pair.png",
        "curves_plain.png",
        "draws_plain.png",
        "hidden_arms.png",
        "hidden_arms_singular_values.png",
        "methods_arms.png",
        "methods_pair.png",
        "methods_plain.png",
    ]


def test_a_second_run_gives_the_same_bytes_and_removes_what_is_no_longer_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Runs that params.yaml does not name change nothing: at first there are some."""
    monkeypatch.chdir(tmp_path)
    only = {"flat": DEFAULT_LIKE["flat"]}
    make_study(tmp_path, [5, 2, 6], only)
    make_study(tmp_path, [5, 2], only)
    plots.main()
    first = drawn()
    assert "draws_flat.png" in first
    Path("figures/study/curves_old.png").write_bytes(b"")
    for method in ("baseline", "manifold"):
        run_folder_of_6 = tmp_path / "runs/flat" / method / "6"
        assert run_folder_of_6.is_dir()
        run_folder_of_6.rename(tmp_path / f"moved_{method}")
    plots.main()
    assert drawn() == first
