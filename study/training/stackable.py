"""Which runs can be trained together as a cohort; quick to import, without torch."""

from study.training.experiment import RunConfig

WIDEST = 128
"""Units of a hidden layer up to which a step is bound by calls; `benchmarks.cohort` measures it."""
UNKNOWN = ("batch_norm", "stop_gradient", "early_stopping", "choose")
"""Settings of a method that a stack does not know."""
KNOWN = {"optimiser": "adamw", "augment": None}
"""What a stack knows of a recipe."""
SHARED = ("experiment", "data", "net", "training", "threads", "device")
"""What the runs of a cohort have in common."""


def can_stack(config: RunConfig) -> bool:
    """Tell whether a run can be trained in a cohort, and is the faster for it."""
    return not not_stackable(config) and max(config.net.hidden_sizes) <= WIDEST


def not_stackable(config: RunConfig) -> list[str]:
    """Name the settings of a run that a stack does not know."""
    others = [name for name, known in KNOWN.items() if getattr(config.training, name) != known]
    if config.net.kind != "mlp":
        others.append("net.kind")
    if config.device != "cpu":
        others.append("device")
    return others + [name for name in UNKNOWN if getattr(config.settings, name)]


def cohort_key(config: RunConfig) -> str:
    """Give equal texts for runs that can be trained in one cohort."""
    return config.model_dump_json(include=set(SHARED))
