"""Which runs can be trained together as a cohort; quick to import, without torch."""

from mixup.study.training.config import RunConfig

ALONE = {"batch_norm": False, "input_noise": 0.0, "mixes": "both", "stop_gradient": False}
"""Settings whose other values a stacked model does not know."""
WIDEST = 128
"""Units of the widest layer with which stacking still pays."""


def can_stack(config: RunConfig) -> bool:
    """Tell whether a run can be trained in a cohort, faster than alone."""
    knows = all(getattr(config.settings, name) == known for name, known in ALONE.items())
    return knows and max(config.net.hidden) <= WIDEST


def cohort_key(config: RunConfig) -> str:
    """Name what the runs of a cohort have in common."""
    shared = {"experiment", "data", "net", "training", "threads"}
    return config.model_dump_json(include=shared)
