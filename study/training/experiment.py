"""An experiment of params.yaml: what it compares, checked as a whole, and each of its runs."""

from itertools import product
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field
from pydantic import model_validator as check_after

from study.params import ParamsError, Section, check, did_you_mean, read_section, shown, unique
from study.paths import RunKey
from study.training.config import (
    NO_MIXING,
    Alpha,
    Choice,
    ComputeConfig,
    MethodConfig,
    MixupConfig,
    NetConfig,
    Threads,
    TrainingConfig,
)
from study.training.own_code import digest

# File names are made of them, which may have 255 characters.
Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$", max_length=64)]
Names = Annotated[list[Name], AfterValidator(unique)]
Seed = Annotated[int, Field(ge=0, lt=2**32)]
Seeds = Annotated[list[Seed], Field(min_length=1), AfterValidator(unique)]


class ExperimentConfig(Section):
    """A data set, a network, a training recipe, and the methods compared on them."""

    data: Name
    """Name of the data set, a file in data/."""
    seeds: Seeds | None = None
    """Seeds of this experiment, where they are others than `seeds`."""
    net: NetConfig
    training: TrainingConfig
    plain: Names
    """Methods that read no mixup.* parameter, so that turning those retrains none of them."""
    mixing: Names
    """Methods that mix. An experiment with no method in either list is left out of the study."""
    methods: dict[Name, MethodConfig]
    """Settings of every method named in `plain` and `mixing`."""

    @check_after(mode="after")
    def _methods_fit(self) -> Self:
        if both := set(self.plain) & set(self.mixing):
            raise ValueError(f"plain and mixing both name {shown(sorted(both))}")
        for kind, names in (("plain", self.plain), ("mixing", self.mixing)):
            for name in names:
                if name not in self.methods:
                    nearest = did_you_mean(name, self.methods)
                    raise ValueError(f"{kind} names {name!r}, which is not in methods{nearest}")
                self._method_fits(name, kind)
        return self

    def _method_fits(self, name: str, kind: str) -> None:
        method, key = self.methods[name], f"methods.{name}"
        eligible = f"{key}.eligible must {{}}, got {shown(method.eligible)}"
        if kind == "mixing" and not method.eligible:
            raise ValueError(eligible.format("not be empty for a mixing method"))
        if kind == "plain" and method.eligible:
            raise ValueError(eligible.format("be empty for a plain method"))
        if method.choose:
            self._choice_fits(method.choose, kind, key)
        if (method.choose or method.early_stopping) and not self.training.validation_fraction:
            raise ValueError(f"{key} chooses, for which training.validation_fraction must be > 0")
        for idle, default in NO_MIXING.items():
            if kind == "plain" and getattr(method, idle) != default:
                raise ValueError(f"{key}.{idle} is of no effect in a plain method")
        if method.bottleneck and not self.net.bottleneck:
            raise ValueError(f"{key}.bottleneck needs a net.bottleneck to be in place of")
        if wrong := self.net.check_eligible(method.eligible):
            raise ValueError(f"{key}.eligible must {wrong}")
        decoupled = self.training.optimiser == "adamw"
        if decoupled and method.weight_decay * self.training.learning_rate > 1:
            raise ValueError(
                f"{key}.weight_decay must be at most 1 / training.learning_rate, "
                f"got {method.weight_decay}"
            )

    def _choice_fits(self, choice: Choice, kind: str, key: str) -> None:
        if not choice.combinations[1:]:
            raise ValueError(f"{key}.choose must give more than one combination")
        if kind == "plain" and (choice.alpha or choice.eligible):
            raise ValueError(f"{key}.choose: alpha and eligible are of no effect in a plain method")
        for eligible in choice.eligible:
            wrong = None if eligible else "not have an empty list"
            if wrong := wrong or self.net.check_eligible(eligible):
                raise ValueError(f"{key}.choose.eligible must {wrong}")

    def net_of(self, method: str) -> NetConfig:
        """Give the net that a method trains."""
        return net_for(self.net, self.methods[method])

    def seeds_or(self, default: list[int]) -> list[int]:
        """Give its own seeds, or those of the study where it has none."""
        return self.seeds or default

    @property
    def all_methods(self) -> list[str]:
        """Every method compared, plain ones first."""
        return [*self.plain, *self.mixing]

    @property
    def mixing_without_choice(self) -> list[str]:
        """The methods that mix, without those that choose alpha or layers run by run."""
        return [method for method in self.mixing if not self.methods[method].choose]


def _those_run(experiments: dict[str, ExperimentConfig]) -> dict[str, ExperimentConfig]:
    return {name: experiment for name, experiment in experiments.items() if experiment.all_methods}


KnownExperiments = Annotated[dict[Name, ExperimentConfig], Field(min_length=1)]
"""All that params.yaml has."""
Experiments = Annotated[KnownExperiments, AfterValidator(_those_run)]
"""Those of which any method is run."""


def read_experiments() -> tuple[list[int], dict[str, ExperimentConfig]]:
    """Read from params.yaml the seeds of the study, and the experiments of which any method is run.

    Raises:
        ParamsError: one of both is missing or cannot be used.
    """
    seeds: list[int] = read_section(Seeds, "seeds")
    experiments: dict[str, ExperimentConfig] = read_section(Experiments, "experiments")
    return seeds, experiments


def net_for(net: NetConfig, settings: MethodConfig) -> NetConfig:
    """Give the net its bottleneck's size, where the method has one of its own."""
    if not (net.bottleneck and settings.bottleneck):
        return net
    bottleneck = net.bottleneck.model_copy(update={"size": settings.bottleneck})
    return net.model_copy(update={"bottleneck": bottleneck})


def all_runs(seeds: list[int], experiments: dict[str, ExperimentConfig]) -> list[RunKey]:
    """List every run of the study, in the order of params.yaml.

    Args:
        seeds: of the experiments that have none of their own.
        experiments: by name.
    """
    return [
        key
        for name, experiment in experiments.items()
        for key in runs_of(name, experiment, experiment.seeds_or(seeds))
    ]


def runs_of(name: str, experiment: ExperimentConfig, seeds: list[int]) -> list[RunKey]:
    """List the runs that an experiment has on ``seeds``, in the order of params.yaml."""
    return [RunKey(name, method, seed) for method, seed in product(experiment.all_methods, seeds)]


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
