"""Which runs can be trained together as a cohort; quick to import, without torch."""

from mixup.study.training.config import RunConfig

WIDEST = 128
"""Units of a hidden layer up to which a step is bound by calls; `benchmarks.cohort` measures it."""
SHARED = ("experiment", "data", "net", "training", "threads")
"""What the runs of a cohort have in common."""


def can_stack(config: RunConfig) -> bool:
    """Tell whether a run can be trained in a cohort, and is the faster for it."""
    settings = config.settings
    known = not settings.batch_norm and not settings.stop_gradient
    return known and max(config.net.hidden) <= WIDEST


def cohort_key(config: RunConfig) -> str:
    """Give equal texts for runs that can be trained in one cohort."""
    return config.model_dump_json(include=set(SHARED))
