"""The two-spirals data sets of the two sources: ``arms`` (the video's) and ``mirrored``."""

from typing import Literal

import numpy as np
from pydantic import Field, field_validator

from study.data.dataset import Dataset
from study.params import Section
from study.seeds import Purpose, seed_sequence

SPIRALS = ("spirals", "mirrored_spirals")
"""Sections of params.yaml."""
INNER_RADIUS, OUTER_RADIUS = 0.2, 2.0


class ArmsConfig(Section):
    """Two arms whose angle and radius grow linearly."""

    n_samples: int = Field(gt=0, le=10**7)
    """Points of both arms together; even, so that the classes are balanced."""
    noise_std: float = Field(ge=0, le=1e6)
    """Standard deviation of the Gaussian noise on each coordinate."""
    n_cycles: float = Field(gt=0, le=1e6)
    """Turns that an arm makes around the origin."""

    @field_validator("n_samples")
    @classmethod
    def _even(cls, n_samples: int) -> int:
        if n_samples % 2:
            raise ValueError("must be even, half for each arm")
        return n_samples


class MirroredConfig(Section):
    """One noisy spiral and its mirror image through the origin."""

    points_per_class: int = Field(gt=0, le=5 * 10**6)
    """Points of each spiral."""
    noise: float = Field(ge=0, le=1e6)
    """Noise on each coordinate is uniform in [0, noise)."""
    max_angle: float = Field(gt=0, le=1e6)
    """Largest angle, in degrees."""


class SpiralsConfig(Section):
    """The ``spirals`` section of params.yaml."""

    kind: Literal["arms", "mirrored"]
    """Which of the two generators makes the data."""
    seed: int = Field(ge=0, lt=2**32)
    """Decides noise, positions and order of the points."""
    arms: ArmsConfig
    mirrored: MirroredConfig


def generate(config: SpiralsConfig) -> Dataset:
    """Make the two spirals that ``config`` describes, in random order.

    Returns:
        inputs (N, 2) float32; labels 0 and 1, equally many. In kind ``mirrored`` a point and
        its mirror image, which share their noise, are one group.

    Randomness: a generator of its own, `Purpose.DATA` of ``config.seed``.
    """
    rng = np.random.default_rng(seed_sequence(config.seed, Purpose.DATA))
    if config.kind == "arms":
        points = arms(config.arms, rng)
        group = np.arange(len(points))
    else:
        points = mirrored(config.mirrored, rng)
        group = np.tile(np.arange(len(points) // 2), 2)
    labels = np.repeat([0, 1], len(points) // 2)
    order = rng.permutation(len(points))
    return Dataset(
        inputs=points[order].astype(np.float32),
        labels=labels[order].astype(np.int64),
        group=group[order].astype(np.int64),
        official_test=np.zeros(len(points), dtype=bool),
    )


def arms(config: ArmsConfig, rng: np.random.Generator) -> np.ndarray:
    """Give the points of two arms that wind around the origin, half a turn apart.

    For the i-th of the n points of arm c in {0, 1}, with t = i / (n - 1),

        angle  = 2 pi n_cycles t + pi c
        radius = 0.2 + 1.8 t
        (x, y) = radius (cos angle, sin angle) + Normal(0, noise_std)

    Source: the generator of the video "Mixup in PyTorch" (jankrepl/mildlyoverfitted).

    Returns:
        (n_samples, 2) float64, the first arm before the second.
    """
    n = config.n_samples // 2
    angle = np.linspace(0, 2 * np.pi * config.n_cycles, n)
    radius = np.linspace(INNER_RADIUS, OUTER_RADIUS, n)
    points = np.concatenate([_on_circle(angle + offset, radius) for offset in (0.0, np.pi)])
    return points + rng.normal(scale=config.noise_std, size=points.shape)


def mirrored(config: MirroredConfig, rng: np.random.Generator) -> np.ndarray:
    """Give the points of a noisy spiral, then their mirror images through the origin.

    With the angle in radians, and u uniform in [0, 1) for each point,

        angle  = radius = sqrt(u) * max_angle * 2 pi / 360
        (x, y) = (-radius cos angle, radius sin angle) + Uniform[0, noise)

    Source: the spiral data of rahulmadanahalli/manifold_mixup.

    Returns:
        (2 * points_per_class, 2) float64; point i + points_per_class is minus point i.
    """
    n = config.points_per_class
    angle = np.sqrt(rng.uniform(size=n)) * np.deg2rad(config.max_angle)
    spiral = _on_circle(angle, angle) * [-1, 1] + rng.uniform(0, config.noise, size=(n, 2))
    return np.concatenate([spiral, -spiral])


def _on_circle(angle: np.ndarray, radius: np.ndarray) -> np.ndarray:
    return np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])
