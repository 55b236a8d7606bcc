"""What all figures share: one look, one colour and one name a method, one way to save."""

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import TwoSlopeNorm
from matplotlib.figure import Figure
from matplotlib.style import context
from matplotlib.ticker import LogLocator, NullFormatter
from PIL import Image

from study.files import whole_file

DPI = 110

_LOOK: dict[str, Any] = {
    "font.size": 9,
    "axes.titlesize": 9.5,
    "axes.labelsize": 9,
    "figure.titlesize": 11,
    "legend.fontsize": 9,
    "legend.frameon": False,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e6e6e6",
    "grid.linewidth": 0.6,
    "lines.linewidth": 1.5,
}

# Okabe and Ito's palette, made to be told apart under the common kinds of colour blindness;
# the rest of it, and two dark tones, serve methods that are not named here.
_METHOD_COLOURS = {
    "baseline": "#000000",
    "weight_decay": "#CC79A7",
    "dropout": "#E69F00",
    "input": "#56B4E9",
    "hidden": "#009E73",
    "manifold": "#D55E00",
}
_OTHER_COLOURS = ("#0072B2", "#8C6D1F", "#882255", "#999999", "#332288", "#B8A800")

_METHOD_LABELS = {
    "baseline": "baseline",
    "weight_decay": "weight decay",
    "dropout": "dropout",
    "noise": "input noise",
    "input": "input mixup",
    "hidden": "hidden mixup",
    "manifold": "manifold mixup",
}

# Tol's "muted" palette for classes, with a mid grey instead of its pale one.
CLASS_COLOURS = (
    "#332288", "#CC6677", "#117733", "#DDCC77", "#88CCEE",
    "#882255", "#44AA99", "#999933", "#AA4499", "#777777",
)  # fmt: skip

# What a mark shows of the seeds, in the same words everywhere.
INTERVAL = "mean and its 95 % interval"
RANGE = "lowest to highest seed"

# Probability of class 1: blue is class 0, white is undecided, red is class 1.
PROBABILITY_MAP = "RdBu_r"
PROBABILITY_NORM = TwoSlopeNorm(vcenter=0.5, vmin=0.0, vmax=1.0)
BINARY_COLOURS = ("#053061", "#67001f")


def method_colours(methods: Iterable[str]) -> dict[str, str]:
    """Give every method its colour: fixed for the study's own, from a cycle for any other.

    Args:
        methods: every method of the study, in the order of params.yaml. Pass all of them for
            every figure, so that a method keeps its colour from one figure to the next.

    Returns:
        A colour as ``#rrggbb`` for each method.
    """
    names = list(dict.fromkeys(methods))
    others = [name for name in names if name not in _METHOD_COLOURS]
    cycle = {name: _OTHER_COLOURS[i % len(_OTHER_COLOURS)] for i, name in enumerate(others)}
    return {name: _METHOD_COLOURS.get(name) or cycle[name] for name in names}


def method_label(method: str) -> str:
    """Give the name that figures show for ``method``: ``hidden_0_5`` of a sweep is hidden 0.5."""
    if method in _METHOD_LABELS:
        return _METHOD_LABELS[method]
    return re.sub(r"(?<=\d)_(?=\d)", ".", method).replace("_", " ")


def seeds_said(n: int, marks: str = "") -> str:
    """Say of how many seeds a figure is and, of more than one, what its ``marks`` show of them."""
    return "one seed" if n == 1 else f"n = {n} seeds" + (f"; {marks}" if marks else "")


def some_seeds_said(drawn: int, n: int) -> str:
    """Say of how many seeds a figure is that draws the runs of the first ``drawn`` of them."""
    return seeds_said(n) if drawn >= n else f"{drawn} of n = {n} seeds"


def listed_numbers(numbers: Iterable[int]) -> str:
    """Write the different ``numbers`` once each, as ``400 or 500``."""
    return " or ".join(f"{number:,}" for number in sorted(set(numbers)))


def class_colour(label: int) -> str:
    """Give the colour of a class; the colours repeat after ten classes."""
    return CLASS_COLOURS[label % len(CLASS_COLOURS)]


def log_scale(
    axes: Axes, which: Literal["x", "y"], values: Iterable[float], margin: float = 1.3
) -> None:
    """Make an axis logarithmic around the positive ``values``, with plain numbers at its ticks."""
    positive = [value for value in values if 0 < value < math.inf]
    if not positive:
        return
    low, high = min(positive) / margin, max(positive) * margin
    axes.set(**{f"{which}scale": "log", f"{which}lim": (low, high)})
    axis = axes.xaxis if which == "x" else axes.yaxis
    narrow = high < 50 * low
    axis.set_major_locator(_LogTicks(subs=(1, 2, 3, 5) if narrow else (1,), numticks=5))
    axis.set_minor_locator(_LogTicks(subs="auto"))
    axis.set_major_formatter(_plain_number)
    axis.set_minor_formatter(NullFormatter())


class _LogTicks(LogLocator):
    """Ticks within the axis: matplotlib's own go on beyond it, where they cost and do not show."""

    def tick_values(self, vmin: float, vmax: float) -> list[float]:
        """Keep the ticks from ``vmin`` to ``vmax``, but for rounding."""
        low, high = min(vmin, vmax) * (1 - 1e-9), max(vmin, vmax) * (1 + 1e-9)
        return [tick for tick in super().tick_values(vmin, vmax) if low < tick < high]


def _plain_number(value: float, _: float) -> str:
    """Write 0.001 and 1000 so, and 1e-05 as a power of ten."""
    if 1e-3 <= value < 1e4:
        return f"{value:g}"
    digits, exponent = f"{value:.0e}".split("e")
    times = "" if digits == "1" else rf"{digits} \cdot "
    return f"${times}10^{{{int(exponent)}}}$"


@contextmanager
def styled() -> Iterator[None]:
    """Draw with the look of this study, whatever matplotlibrc says; also a decorator."""
    with context(["default", _LOOK]):
        yield


def a_row_a_method(axes: Axes, methods: Sequence[str]) -> None:
    """Give each method a row with its name at the left, from the top."""
    axes.set_yticks(range(len(methods)), [method_label(method) for method in methods])
    axes.set_ylim(len(methods) - 0.5, -0.5)
    axes.grid(axis="y", visible=False)


def set_heading(axes: Axes, text: str, **look: Any) -> None:
    """Set the title of a panel that has nothing else above it, no factor of its vertical axis.

    Else matplotlib measures the axis to find the title's place, whenever it lays out or draws.
    """
    axes.set_title(text, y=1, **look)


def new_figure(width: float, height: float) -> Figure:
    """Make an empty figure of ``width`` by ``height`` inches that pyplot knows nothing of."""
    return Figure(figsize=(width, height), layout="constrained")


def shared_panels(figure: Figure, n_rows: int, n_columns: int) -> np.ndarray:
    """Make a grid of panels that share both axes; labels stand at the left and below."""
    panels = figure.subplots(n_rows, n_columns, sharex=True, sharey=True, squeeze=False)
    # The other axes have no labels that need room, so the layout need not measure them.
    for axes in panels[:-1].flat:
        axes.xaxis.set_in_layout(False)
    for axes in panels[:, 1:].flat:
        axes.yaxis.set_in_layout(False)
    return panels


def legend_below(
    figure: Figure, handles: Iterable[Artist], labels: Iterable[str], columns: int = 6
) -> None:
    """Set a legend under the panels, in as many of ``columns`` columns as there is room for."""
    handles, labels = list(handles), list(labels)
    canvas: Any = FigureCanvasAgg(figure)
    for n in range(min(columns, len(labels)), 0, -1):
        legend = figure.legend(handles, labels, loc="outside lower center", ncols=n)
        if n == 1 or legend.get_window_extent(canvas.get_renderer()).width <= figure.bbox.width:
            return
        legend.remove()


def save(figure: Figure, path: Path | str) -> None:
    """Write ``figure`` as a PNG file of at most 256 colours, whole or not at all.

    A palette makes the file a third of the size, which matters for pictures kept in Git. Equal
    figures give equal bytes: no date and no version is written.
    """
    with styled():
        figure.set_dpi(DPI)
        canvas: Any = FigureCanvasAgg(figure)  # matplotlib leaves its methods untyped
        canvas.draw()
        drawn = Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")
    picture = drawn.quantize(256, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    with whole_file(path) as temporary:
        picture.save(temporary, format="PNG", optimize=True, dpi=(DPI, DPI))
