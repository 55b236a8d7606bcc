"""The stage that draws the figures, on another study."""

from pathlib import Path

import pytest

from stages import plots
from tests.study.figures.plots_study import ODD, drawn, make_study

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
