"""Everything that decides the bytes of one run, next to the data and the code."""

from pathlib import Path
from typing import Literal

from pydantic import Field

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
    NetConfig,
    Threads,
    TrainingConfig,
)
from study.training.experiment import Name, Seed, net_for
from study.training.own_code import digest


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
    device: Literal["cpu", "cuda"] = "cpu"
    own_code: dict[str, str] = Field(default_factory=dict)
    """Functions of one's own -> digests of the code that they are made of."""


def read_run_config(key: RunKey, path: Path | str = "params.yaml") -> RunConfig:
    """Read what the run ``key`` needs from params.yaml, and nothing else.

    Raises:
        ParamsError: a section is missing or has a value that cannot be used.
    """
    place = ("experiments", key.experiment)
    settings: MethodConfig = read_section(MethodConfig, *place, "methods", key.method, path=path)
    net: NetConfig = read_section(NetConfig, *place, "net", path=path)
    if wrong := net.check_eligible(settings.eligible):
        raise ParamsError(
            f"experiments.{key.experiment}.methods.{key.method}.eligible must {wrong}"
        )
    training: TrainingConfig = read_section(TrainingConfig, *place, "training", path=path)
    compute: ComputeConfig = read_section(ComputeConfig, "compute", path=path)
    own = [code for code in (net.module, training.augment) if code]
    found = {
        **key._asdict(),
        "data": read_section(Name, *place, "data", path=path),
        "net": net_for(net, settings),
        "training": training,
        "settings": settings,
        "alpha": None,
        "threads": compute.threads,
        "device": compute.device,
        "own_code": {code: digest(code) for code in own},
    }
    if settings.eligible:
        alpha = read_section(MixupConfig, "mixup", path=path).alpha
        found["alpha"] = settings.alpha or alpha
    config: RunConfig = check(RunConfig, found)
    return config
