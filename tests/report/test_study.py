"""What the page says of the spirals, next to the points that are really made."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from mixup.data.spirals import SpiralsConfig, generate
from mixup.report.gallery import picture_of_spirals
from mixup.report.study import spirals_in_words

ARMS = {"n_samples": 1200, "noise_std": 0.0, "n_cycles": 1.5}
MIRRORED = {"points_per_class": 700, "noise": 0.25, "max_angle": 540.0}


def spirals(kind: str, **changes: Any) -> SpiralsConfig:
    content: dict[str, Any] = {"kind": kind, "seed": 0, "arms": ARMS, "mirrored": MIRRORED}
    content[kind] = content[kind] | changes
    return SpiralsConfig.model_validate(content)


def test_arms_are_described_as_they_are() -> None:
    inputs = generate(spirals("arms")).inputs
    radius = np.linalg.norm(inputs, axis=1)
    said = spirals_in_words(spirals("arms"))
    assert said.startswith(f"{len(inputs):,} points, ")
    assert f"from {radius.min():.1f} to {radius.max():.0f};" in said
    assert "1.5 turns" in said
    assert said.endswith("There is no noise.")
    assert spirals_in_words(spirals("arms", noise_std=0.05)).endswith(
        "Gaussian noise of standard deviation 0.05 is on each coordinate."
    )
    assert "1 turn around" in spirals_in_words(spirals("arms", n_cycles=1.0))


def test_mirrored_spirals_are_described_as_they_are() -> None:
    noisy, clean = spirals("mirrored"), spirals("mirrored", noise=0.0)
    said = spirals_in_words(noisy)
    assert said.startswith(f"{len(generate(noisy).inputs):,} points, ")
    degrees = float(re.findall(r"up to (\d+) degrees", said)[0])
    radius = np.linalg.norm(generate(clean).inputs, axis=1)
    assert radius.max() == pytest.approx(np.deg2rad(degrees), rel=0.01)
    assert "noise uniform in [0, 0.25) on each coordinate" in said
    assert "without noise" in spirals_in_words(clean)


def test_picture_of_the_spirals_is_evidence_for_no_claim(tmp_path: Path) -> None:
    path = tmp_path / "spirals_data.png"
    Image.new("RGB", (4, 4)).save(path)
    shown = picture_of_spirals(path, spirals("arms"))
    assert (shown.name, shown.experiment, shown.metrics) == ("spirals_data", "", ())
    assert shown.caption.startswith("1,200 points")
