"""Which runs can be trained together as a cohort; quick to import, without torch."""

from study.training.run_config import RunConfig

WIDEST = 128
"""Units of a hidden layer up to which a step is bound by calls; `benchmarks.cohort` measures it."""
UNKNOWN = ("batch_norm", "stop_gradient")
"""Settings that a stack does not know."""
SHARED = ("experiment", "data", "net", "training", "threads")
"""What the runs of a cohort have in common."""


def can_stack(config: RunConfig) -> bool:
    """Tell whether a run can be trained in a cohort, and is the faster for it."""
    return not not_stackable(config) and max(config.net.hidden) <= WIDEST


def not_stackable(config: RunConfig) -> list[str]:
    """Name the settings of a run that a stack does not know."""
    return [name for name in UNKNOWN if getattr(config.settings, name)]


def cohort_key(config: RunConfig) -> str:
    """Give equal texts for runs that can be trained in one cohort."""
    return config.model_dump_json(include=set(SHARED))
