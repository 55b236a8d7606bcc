"""Dots and an interval on one axis: where things stand in the picture of a claim."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from matplotlib.ticker import LogLocator, MaxNLocator

from study.inference.wording import MINUS

WIDTH, LEFT, RIGHT = 360.0, 56.0, 20.0
ROW, FOOT = 18.0, 24.0
MOST_ROWS = 12
PROFILE_HEIGHT = 160.0
MOST_LINEAR = 3.0
"""Ratio of the ends of a logarithmic axis up to which equal steps are spread well enough."""


@dataclass(frozen=True)
class Scale:
    """Maps numbers to places from left to right; what lies outside is put on the edge.

    With ``ratio``, numbers are differences as shares, > -1, and the scale is logarithmic: a half
    and a double are as far from 0.
    """

    low: float
    high: float
    ratio: bool = False

    def __call__(self, value: float) -> float:
        """Give the place of ``value`` in the drawing, in its own units, to a tenth."""
        at, low, high = map(self._position, (min(max(value, self.low), self.high), *self.ends))
        return round(LEFT + (at - low) / (high - low) * (WIDTH - LEFT - RIGHT), 1)

    @property
    def ends(self) -> tuple[float, float]:
        """The numbers at both edges."""
        return self.low, self.high

    def _position(self, value: float) -> float:
        return math.log1p(value) if self.ratio else value


@dataclass(frozen=True)
class IntervalChart:
    """A drawing as places: dots one below the other, then the estimate with its interval.

    Each dot is (x, y, name, words), a tick (x, words); ``estimate`` is (x, left, right, y) or None;
    ``regions`` are the (left, right) of where a claim holds, ``marks`` places of thin lines.
    """

    height: float
    reference: float | None
    dots: Sequence[tuple[float, float, str, str]]
    estimate: tuple[float, float, float, float] | None
    regions: Sequence[tuple[float, float]]
    marks: Sequence[float]
    ticks: Sequence[tuple[float, str]]
    width: float = field(default=WIDTH, init=False)
    foot: float = field(default=FOOT, init=False)


def interval_chart(
    dots: Mapping[str, tuple[float, str]],
    estimate: tuple[float, float, float] | None,
    region: tuple[float, float] | None,
    *,
    reference: float = 0.0,
    marks: Sequence[float] = (),
    percent: bool = False,
    ratio: bool = False,
    limits: tuple[float, float] | None = None,
) -> IntervalChart:
    """Lay out dots, an estimate with its interval, and the region where a claim holds.

    Args:
        dots: name -> number and the same in words, one a row; names fit beside a few rows only.
        estimate: number, low and high end; an end that is NaN is not drawn.
        region: low and high bound, which may be infinite.
        reference: what there is no difference at; marked by a line.
        marks: the smallest differences that matter; drawn as thinner lines.
        percent: whether the ticks are percentages of 1.
        ratio: whether the numbers are differences as shares, on a logarithmic scale in per cent.
        limits: ends of the axis, where it does not follow from the numbers.
    """
    of_dots = [number for number, _ in dots.values()]
    ends = () if limits else (reference, *marks)
    numbers = [*of_dots, *(estimate or ()), *(region or ()), *ends]
    scale = _scale([number for number in numbers if math.isfinite(number)], limits, ratio)
    step = ROW if len(dots) <= MOST_ROWS else max(3.0, ROW * MOST_ROWS / len(dots))
    y_of_estimate = len(dots) * step + ROW * 0.75
    height = (y_of_estimate + ROW * 0.6 if estimate else len(dots) * step + ROW * 0.4) + FOOT
    drawn = None
    if estimate and math.isfinite(estimate[0]):
        left, right = (estimate[0] if math.isnan(end) else end for end in estimate[1:])
        drawn = (scale(estimate[0]), scale(left), scale(right), y_of_estimate)
    inside = region and (region[0] < scale.high and region[1] > scale.low)
    return IntervalChart(
        round(height, 1),
        None if limits else scale(reference),
        [
            (scale(number), round(ROW * 0.6 + place * step, 1), name if step == ROW else "", words)
            for place, (name, (number, words)) in enumerate(dots.items())
        ],
        drawn,
        [(scale(region[0]), scale(region[1]))] if region and inside else [],
        [scale(mark) for mark in marks],
        [
            (scale(tick), _tick(float(tick), percent or ratio))
            for tick in _ticks(scale)
            if scale.low <= tick <= scale.high
        ],
    )


def _scale(numbers: Sequence[float], limits: tuple[float, float] | None, ratio: bool) -> Scale:
    if limits:
        return Scale(*limits)
    low, high = min(numbers), max(numbers)
    if ratio:
        low, high = math.log1p(low), math.log1p(high)
    margin = 0.08 * (high - low) or 1.0
    low, high = low - margin, high + margin
    return Scale(math.expm1(low), math.expm1(high), True) if ratio else Scale(low, high)


def _ticks(scale: Scale) -> Sequence[float]:
    """Choose round numbers; where a logarithmic scale is wide, those of round factors."""
    if scale.ratio and 1 + scale.high > MOST_LINEAR * (1 + scale.low):
        factors = LogLocator(subs=(1, 2, 5)).tick_values(1 + scale.low, 1 + scale.high)
        return [float(factor) - 1 for factor in factors]
    return list(MaxNLocator(4, steps=[1, 2, 2.5, 5, 10]).tick_values(scale.low, scale.high))


def _tick(value: float, percent: bool) -> str:
    text = f"{100 * value:.6g} %" if percent else f"{value:.6g}"
    return text.replace("-", MINUS)


Profile = tuple[Sequence[float], Sequence[float]]


@dataclass(frozen=True)
class ProfileChart:
    """Falling steps: for each method its points as SVG has them; ticks of x and y with words."""

    lines: Mapping[str, str]
    x_ticks: Sequence[tuple[float, str]]
    y_ticks: Sequence[tuple[float, str]]
    width: float = field(default=WIDTH, init=False)
    height: float = field(default=PROFILE_HEIGHT, init=False)
    foot: float = field(default=FOOT, init=False)


def profile_chart(profiles: Mapping[str, Profile]) -> ProfileChart:
    """Lay out performance profiles.

    Args:
        profiles: name -> ascending thresholds, and the share of seeds above each, falling from 1.
    """
    numbers = [float(number) for thresholds, _ in profiles.values() for number in thresholds]
    scale = _scale(numbers, None, False)
    bottom = PROFILE_HEIGHT - FOOT

    def y(share: float) -> float:
        return round(bottom - share * (bottom - ROW / 2), 1)

    lines = {}
    for name, (thresholds, shares) in profiles.items():
        corners = [(scale(scale.low), y(1.0))]
        for threshold, above in zip(thresholds, [*shares[1:], 0.0], strict=True):
            corners += [(scale(threshold), corners[-1][1]), (scale(threshold), y(above))]
        lines[name] = " ".join(f"{x},{down}" for x, down in corners)
    ticks = [(scale(t), _tick(t, False)) for t in _ticks(scale) if scale.low <= t <= scale.high]
    return ProfileChart(lines, ticks, [(y(share), f"{100 * share:g} %") for share in (0, 0.5, 1)])
