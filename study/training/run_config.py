"""Everything that decides the bytes of one run, next to the data and the code."""

from pathlib import Path

from study.params import (
    ParamsError,
    Section,
    check,
    read_section,
)
from study.paths import RunKey
from study.training.config import (
    Alpha,
    ComputeConfig,
    MethodConfig,
    MixupConfig,
    Name,
    NetConfig,
    Seed,
    Threads,
    TrainingConfig,
    net_for,
)


class RunConfig(Section):
    """Everything that decides the bytes of one run, next to the data and the code."""

    experiment: Name
    method: Name
    seed: Seed
    data: Name
    net: NetConfig
    training: TrainingConfig
    settings: MethodConfig
    alpha: Alpha | None
    """The method's alpha, or mixup.alpha, for a method that mixes, else None."""
    threads: Threads


def read_run_config(key: RunKey, path: Path | str = "params.yaml") -> RunConfig:
    """Read what the run ``key`` needs from params.yaml, and nothing else.

    Raises:
        ParamsError: a section is missing or has a value that cannot be used.
    """
    place = ("experiments", key.experiment)
    settings: MethodConfig = read_section(MethodConfig, *place, "methods", key.method, path=path)
    net: NetConfig = read_section(NetConfig, *place, "net", path=path)
    if max(settings.eligible, default=0) > net.depth:
        raise ParamsError(
            f"experiments.{key.experiment}.methods.{key.method}.eligible must be at most "
            f"net.depth = {net.depth}, got {settings.eligible}"
        )
    found = {
        **key._asdict(),
        "data": read_section(Name, *place, "data", path=path),
        "net": net_for(net, settings),
        "training": read_section(TrainingConfig, *place, "training", path=path),
        "settings": settings,
        "alpha": None,
        "threads": read_section(ComputeConfig, "compute", path=path).threads,
    }
    if settings.eligible:
        alpha = read_section(MixupConfig, "mixup", path=path).alpha
        found["alpha"] = settings.alpha or alpha
    config: RunConfig = check(RunConfig, found)
    return config
