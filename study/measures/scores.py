"""What every run measures of itself, in its metrics.json: see `study.training.record`."""

from study.measures.measure import Measure

MEASURES = [
    Measure(
        "test_accuracy",
        "test accuracy",
        better="more",
        seen_in=("methods", "layers", "curves", "allowances"),
        said_in=("methods", "layers"),
        headline=True,
    ),
    Measure("test_balanced_accuracy", "test accuracy, mean over classes", better="more"),
    Measure(
        "test_nll",
        "test NLL",
        "nats",
        better="less",
        seen_in=("methods", "layers", "curves", "allowances"),
        said_in=("methods", "layers", "curves", "allowances"),
        headline=True,
    ),
    Measure(
        "test_ece",
        "test ECE",
        better="less",
        seen_in=("methods", "reliability", "allowances"),
        said_in=("reliability",),
        headline=True,
    ),
    Measure("test_brier", "test Brier score", better="less", seen_in=("methods",)),
    Measure("train_accuracy", "training accuracy", seen_in=("curves",)),
    Measure("train_nll", "training NLL on clean data", "nats", seen_in=("methods", "curves")),
    Measure("validation_accuracy", "validation accuracy"),
    Measure("validation_nll", "validation NLL", "nats"),
    Measure(
        "low_confidence_area",
        "unsure share of the input plane",
        seen_in=("methods", "boundaries", "hidden", "hidden_plain"),
        said_in=("boundaries",),
        meaning="unsure: P(class 1) from 0.25 to 0.75, as a share of the points' box",
        headline=True,
    ),
]
