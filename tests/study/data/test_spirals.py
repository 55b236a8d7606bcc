"""The spirals against their formulas, point by point."""

import math
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from study.data.dataset import save_dataset, split_dataset
from study.data.spirals import (
    ArmsConfig,
    MirroredConfig,
    SpiralsConfig,
    arms,
    generate,
    mirrored,
)
from study.params import ParamsError, check


def section(**changes: object) -> dict[str, object]:
    return {
        "kind": "arms",
        "seed": 0,
        "arms": {"n_samples": 1000, "noise_std": 0.0, "n_cycles": 2.0},
        "mirrored": {"points_per_class": 2000, "noise": 0.9, "max_angle": 780.0},
        **changes,
    }


def config(**changes: object) -> SpiralsConfig:
    checked: SpiralsConfig = check(SpiralsConfig, section(**changes), "spirals")
    return checked


def rng() -> np.random.Generator:
    return np.random.default_rng(7)


@pytest.mark.parametrize(("n_samples", "n_cycles"), [(1000, 2.0), (4, 0.5), (38, 3.25)])
def test_arms_follow_the_formula(n_samples: int, n_cycles: float) -> None:
    n = n_samples // 2
    expected = []
    for arm in (0, 1):
        for i in range(n):
            t = i / (n - 1)
            angle = 2 * math.pi * n_cycles * t + math.pi * arm
            radius = 0.2 + (2.0 - 0.2) * t
            expected.append((radius * math.cos(angle), radius * math.sin(angle)))
    points = arms(ArmsConfig(n_samples=n_samples, noise_std=0.0, n_cycles=n_cycles), rng())
    np.testing.assert_allclose(points, expected, rtol=0, atol=1e-12)


def test_generated_arms_are_the_same_points_with_the_label_of_their_arm() -> None:
    dataset = generate(config())
    for label, (start_x, end_x) in enumerate([(0.2, 2.0), (-0.2, -2.0)]):
        points = dataset.inputs[dataset.labels == label]
        radius = np.hypot(*points.T)
        points = points[np.argsort(radius)]
        np.testing.assert_allclose(np.sort(radius), np.linspace(0.2, 2.0, 500), atol=1e-6)
        np.testing.assert_allclose(points[[0, -1]], [(start_x, 0), (end_x, 0)], atol=1e-6)


def test_arms_noise_is_gaussian_and_independent_on_each_coordinate() -> None:
    size = {"n_samples": 20000, "n_cycles": 2.0}
    clean = arms(ArmsConfig(noise_std=0.0, **size), rng())
    noise = arms(ArmsConfig(noise_std=0.3, **size), rng()) - clean
    assert noise.mean(axis=0) == pytest.approx([0, 0], abs=4 * 0.3 / math.sqrt(20000))
    assert noise.std(axis=0) == pytest.approx([0.3, 0.3], rel=0.02)
    assert stats.kstest(noise.ravel() / 0.3, "norm").pvalue > 0.01
    assert abs(np.corrcoef(noise.T)[0, 1]) < 0.03


def test_mirrored_points_have_equal_angle_and_radius() -> None:
    points = mirrored(MirroredConfig(points_per_class=500, noise=0.0, max_angle=780.0), rng())
    for x, y in points[:500]:
        r = math.hypot(x, y)
        assert (x, y) == pytest.approx((-math.cos(r) * r, math.sin(r) * r), abs=1e-9)


def test_mirrored_angles_are_the_root_of_a_uniform_draw() -> None:
    settings = MirroredConfig(points_per_class=5000, noise=0.0, max_angle=780.0)
    radius = np.hypot(*mirrored(settings, rng())[:5000].T)
    largest = 780 * 2 * math.pi / 360
    assert 0.99 * largest < radius.max() < largest
    assert stats.kstest((radius / largest) ** 2, "uniform").pvalue > 0.01


def test_mirrored_noise_is_uniform_and_shared_by_twins() -> None:
    size = {"points_per_class": 5000, "max_angle": 780.0}
    clean = mirrored(MirroredConfig(noise=0.0, **size), rng())
    noise = mirrored(MirroredConfig(noise=0.9, **size), rng()) - clean
    assert stats.kstest(noise[:5000].ravel() / 0.9, "uniform").pvalue > 0.01
    assert abs(np.corrcoef(noise[:5000].T)[0, 1]) < 0.05
    np.testing.assert_allclose(noise[5000:], -noise[:5000], atol=1e-12)


def test_mirrored_twins_are_exact_images_in_one_group_of_two_classes() -> None:
    dataset = generate(config(kind="mirrored"))
    order = np.argsort(dataset.group, kind="stable")
    first, second = order[::2], order[1::2]
    np.testing.assert_array_equal(dataset.group[first], np.arange(2000))
    np.testing.assert_array_equal(dataset.group[second], np.arange(2000))
    np.testing.assert_array_equal(dataset.inputs[first], -dataset.inputs[second])
    np.testing.assert_array_equal(dataset.labels[first], 1 - dataset.labels[second])


def test_mirrored_twins_are_never_split() -> None:
    dataset = generate(config(kind="mirrored"))
    train, test = split_dataset(dataset, 0.1, rng())
    assert len(train)
    assert len(test)
    assert not set(dataset.group[train]) & set(dataset.group[test])


def test_the_first_mirrored_spiral_is_class_0() -> None:
    settings = {"points_per_class": 50, "noise": 0.0, "max_angle": 90.0}
    dataset = generate(config(kind="mirrored", mirrored=settings))
    # Up to a quarter turn, (-cos, sin) is the upper left quadrant.
    first = dataset.inputs[dataset.labels == 0]
    assert (first[:, 0] <= 0).all()
    assert (first[:, 1] >= 0).all()


@pytest.mark.parametrize(("kind", "n"), [("arms", 1000), ("mirrored", 4000)])
def test_data_set_is_balanced_shuffled_and_typed(kind: str, n: int) -> None:
    dataset = generate(config(kind=kind))
    assert dataset.inputs.shape == (n, 2)
    assert dataset.inputs.dtype == np.float32
    assert dataset.labels.dtype == np.int64
    assert dataset.group.dtype == np.int64
    assert np.bincount(dataset.labels).tolist() == [n // 2, n // 2]
    # Runs of equal labels: two when nothing is shuffled, about n / 2 when all is.
    runs = 1 + np.count_nonzero(np.diff(dataset.labels))
    assert runs == pytest.approx(n / 2, abs=4 * math.sqrt(n) / 2)
    assert not dataset.official_test.any()


def test_arms_are_independent_points() -> None:
    assert len(set(generate(config()).group.tolist())) == 1000


@pytest.mark.parametrize("kind", ["arms", "mirrored"])
def test_the_seed_decides_the_bytes(kind: str, tmp_path: Path) -> None:
    noisy = {"n_samples": 1000, "noise_std": 0.1, "n_cycles": 2.0}
    for name, seed in [("a", 1), ("b", 1), ("c", 2)]:
        save_dataset(tmp_path / name, generate(config(kind=kind, seed=seed, arms=noisy)))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert (tmp_path / "a").read_bytes() != (tmp_path / "c").read_bytes()


def arms_section(**changes: object) -> dict[str, object]:
    return {"arms": {"n_samples": 1000, "noise_std": 0.0, "n_cycles": 2.0, **changes}}


def mirrored_section(**changes: object) -> dict[str, object]:
    return {"mirrored": {"points_per_class": 2000, "noise": 0.9, "max_angle": 780.0, **changes}}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (arms_section(n_samples=1001), r"^spirals\.arms\.n_samples must be even.*got 1001$"),
        (arms_section(n_samples=0), r"^spirals\.arms\.n_samples .*greater than 0, got 0$"),
        (
            arms_section(n_samples="1000"),
            r"^spirals\.arms\.n_samples .*'1000': write 1000 without",
        ),
        (arms_section(noise_std=-0.1), r"^spirals\.arms\.noise_std .*got -0\.1$"),
        (arms_section(n_cycles=0), r"^spirals\.arms\.n_cycles .*got 0"),
        (arms_section(turns=2), r"^spirals\.arms\.turns is not a known key; there are: n_s"),
        (mirrored_section(points_per_class=0), r"^spirals\.mirrored\.points_per_class .*got 0$"),
        (mirrored_section(noise=-1.0), r"^spirals\.mirrored\.noise .*got -1\.0$"),
        (mirrored_section(max_angle=float("nan")), r"^spirals\.mirrored\.max_angle .*got nan$"),
        ({"kind": "circles"}, r"^spirals\.kind .*'arms' or 'mirrored', got 'circles'$"),
        ({"seed": -1}, r"^spirals\.seed .*got -1$"),
    ],
)
def test_bad_parameters_are_refused_by_name(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ParamsError, match=message):
        config(**changes)
