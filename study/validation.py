"""The whole of params.yaml: whether its sections fit each other, and what they would cost."""

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from study.costs import (
    GB,
    MEMORY,
    Sizes,
    attack_seconds,
    memory_limit,
    n_steps,
    run_bytes,
    run_seconds,
)
from study.data.mnist import MnistConfig
from study.data.own_config import OwnDataConfig
from study.data.spirals import SPIRALS, SpiralsConfig
from study.measures.config import RobustnessConfig, StatesConfig
from study.params import ParamsError, Section, check, read_params
from study.training.config import Choice, ComputeConfig, MixupConfig
from study.training.experiment import ExperimentConfig, KnownExperiments, Seeds

BUILT_IN = (*SPIRALS, "mnist")
DATA_SETS = (*BUILT_IN, "own")
"""Sections of params.yaml that stages make data of, in files of these names."""
YEAR = 366 * 24 * 3600
IDLE = {
    "cnn": ("batch_norm", "input_noise"),
    "resnet18": ("batch_norm", "input_noise", "dropout"),
    "own": ("batch_norm", "input_noise", "dropout"),
}
"""Settings of methods that nets of a kind do not have."""


class Study(Section):
    """All of params.yaml."""

    seeds: Seeds
    mixup: MixupConfig
    compute: ComputeConfig
    spirals: SpiralsConfig | None = None
    mirrored_spirals: SpiralsConfig | None = None
    mnist: MnistConfig | None = None
    own: OwnDataConfig | None = None
    experiments: KnownExperiments
    states: StatesConfig | None = None
    robustness: RobustnessConfig | None = None


def read_study(path: Path | str = "params.yaml") -> Study:
    """Read all of params.yaml and check that it can run.

    Raises:
        ParamsError: a key is missing, unknown or has a value that cannot be used, by itself, with
            the data or for its cost.
    """
    study: Study = check(Study, read_params(path))
    if not any(experiment.all_methods for experiment in study.experiments.values()):
        raise ParamsError("experiments: plain and mixing name no method in any of them")
    limit, sizes = memory_limit(), dict[str, Sizes]()
    for name, experiment in study.experiments.items():
        place = f"experiments.{name}"
        found = _sizes(study, experiment, place)
        # Of data that no stage here makes, nothing is known before they are read.
        sizes[name] = found or Sizes(1, 1, 1, 2)
        _check_own_code(study, experiment, place)
        for method in experiment.all_methods:
            _check_settings(experiment, method, place)
        for each in _by_method(experiment):
            _check_cost(each, sizes[name], limit, place)
        if found and study.states and name in study.states.features:
            _check_neighbours(study.states.neighbours, found, name)
    if study.states:
        study.states.check_fits(study.experiments)
    if study.robustness:
        _check_robustness(study, study.robustness, sizes, limit)
    return study


def refused(params: str) -> str:
    """Say why a study cannot have these params, the text of a params.yaml; else ""."""
    with TemporaryDirectory() as folder:
        path = Path(folder, "params.yaml")
        path.write_text(params, encoding="utf-8")
        try:
            read_study(path)
        except ParamsError as error:
            return str(error).removeprefix(f"{path}: ")
    return ""


def _check_own_code(study: Study, experiment: ExperimentConfig, place: str) -> None:
    """Refuse code of one's own where an edit of it would retrain nothing."""
    named = {"net.module": experiment.net.module, "training.augment": experiment.training.augment}
    for key, code in named.items():
        if code and study.own is None:
            raise ParamsError(
                f"{place}.{key} needs the section own, got {code!r}: the stages of this study do "
                "not follow one's own code; `python -m tools new_study` makes one whose stages do"
            )


def _check_settings(experiment: ExperimentConfig, name: str, place: str) -> None:
    """Refuse what a method sets or chooses to no effect, and weight decay that reverses weights."""
    method, recipe, key = experiment.methods[name], experiment.training, f"{place}.methods.{name}"
    choice = method.choose or Choice()
    for setting in IDLE.get(experiment.net.kind, ()):
        for chosen, part in (("", method), ("choose.", choice)):
            if getattr(part, setting, None):
                raise ParamsError(
                    f"{key}.{chosen}{setting} is of no effect in a net of kind "
                    f"{experiment.net.kind}"
                )
    highest = max(choice.weight_decay, default=0.0)
    if recipe.optimiser == "adamw" and highest * recipe.learning_rate > 1:
        raise ParamsError(
            f"{key}.choose.weight_decay must be at most 1 / training.learning_rate, got {highest}"
        )


def _sizes(study: Study, experiment: ExperimentConfig, place: str) -> Sizes | None:
    """Count what an experiment is trained and tested on; refuse what that is too little for."""
    recipe, key = experiment.training, f"{place}.training"
    if experiment.data in BUILT_IN and getattr(study, experiment.data) is None:
        raise ParamsError(f"{place}.data is {experiment.data!r}, and its section is missing")
    official = False
    match getattr(study, experiment.data, None):
        case SpiralsConfig(kind="arms", arms=arms):
            per_class, features, classes = arms.n_samples // 2, 2, 2
        case SpiralsConfig(mirrored=mirrored):
            per_class, features, classes = mirrored.points_per_class, 2, 2
        case MnistConfig(source="bundled"):
            per_class, features, classes = 500, 784, 10
        case MnistConfig():
            per_class, features, classes, official = 7_000, 784, 10, True
        case _:
            return None
    n_test = 1_000 if official else round(per_class * recipe.test_fraction)
    if recipe.disjoint:
        _check_disjoint(study, experiment, place, classes * (per_class - n_test), official)
        per_class = n_test + recipe.disjoint // classes
    if not 0 < n_test < per_class:
        none_left = "test" if n_test == 0 else "training"
        raise ParamsError(
            f"{key}.test_fraction leaves no {none_left} points of the {per_class} of a class, "
            f"got {recipe.test_fraction}"
        )
    n_validation = round((per_class - n_test) * recipe.validation_fraction)
    n_train = per_class - n_test - n_validation
    if n_train < 1 or (recipe.validation_fraction and not n_validation):
        none_left = "training" if n_train < 1 else "validation"
        raise ParamsError(
            f"{key}.validation_fraction leaves no {none_left} points of the {per_class - n_test} "
            f"of a class, got {recipe.validation_fraction}"
        )
    n_rest = n_test + n_validation
    sizes = Sizes(classes * n_train, classes * n_rest, features, classes)
    if recipe.batch_size > sizes.train:
        raise ParamsError(
            f"{key}.batch_size must be at most {sizes.train:,}, the number of training points, "
            f"got {recipe.batch_size}"
        )
    if recipe.evaluations > n_steps(experiment, sizes):
        raise ParamsError(
            f"{key}.evaluations must be at most {n_steps(experiment, sizes):,}, the number of "
            f"steps, got {recipe.evaluations}"
        )
    return sizes


def _check_disjoint(
    study: Study, experiment: ExperimentConfig, place: str, n_train: int, official: bool
) -> None:
    """Refuse blocks of training points that two seeds would share."""
    size, seeds = experiment.training.disjoint or 1, experiment.seeds_or(study.seeds)
    if not official:
        raise ParamsError(
            f"{place}.training.disjoint needs data with an official test set, "
            "such as mnist with mnist.source download"
        )
    blocks = n_train // size
    if len({seed % blocks for seed in seeds} if blocks else ()) < len(seeds):
        raise ParamsError(
            f"{place}.training.disjoint: {n_train:,} points make {blocks} blocks of {size:,}, and "
            f"two of the {len(seeds)} seeds would share one"
        )


def _check_cost(experiment: ExperimentConfig, sizes: Sizes, limit: int, place: str) -> None:
    parts = run_bytes(experiment, sizes)
    total, largest = sum(parts.values()), max(parts, key=lambda part: parts[part])
    if total > limit:
        raise ParamsError(
            f"{place}: a run needs about {total / GB:,.1f} GB of memory, most of it for {largest}, "
            f"and {limit / GB:,.1f} GB are allowed (all of this machine's, or {MEMORY})"
        )
    if (seconds := run_seconds(experiment, sizes)) > YEAR:
        raise ParamsError(
            f"{place}: a run takes at least {seconds / YEAR:,.0f} years, "
            f"{n_steps(experiment, sizes):,} steps of {sizes.train:,} points; 1 year is allowed"
        )


def _by_method(experiment: ExperimentConfig) -> list[ExperimentConfig]:
    """Give the experiment with the net of each of its methods."""
    nets = [experiment.net_of(method) for method in experiment.all_methods]
    return [experiment.model_copy(update={"net": net}) for net in nets]


def _check_neighbours(neighbours: int, sizes: Sizes, name: str) -> None:
    if neighbours > sizes.train:
        raise ParamsError(
            f"states.neighbours must be at most {sizes.train:,}, the number of training points of "
            f"{name}, got {neighbours}"
        )


def _check_robustness(
    study: Study, config: RobustnessConfig, sizes: Mapping[str, Sizes], limit: int
) -> None:
    attacks, changes = config.attacks, config.deformations
    n_changes = len(changes.rotations) + len(changes.shears) + len(changes.zooms)
    seconds = 0.0
    config.check_fits(study.experiments)
    for name in config.experiments:
        experiment, of = study.experiments[name], sizes[name]
        deformed = 4 * n_changes * of.rest * of.features  # float32, all at once
        if deformed > limit:
            raise ParamsError(
                f"robustness.deformations: {n_changes:,} of {of.rest:,} points of {name} need "
                f"about {deformed / GB:,.1f} GB of memory, and {limit / GB:,.1f} GB are allowed "
                f"(all of this machine's, or {MEMORY})"
            )
        each = (attack_seconds(one, of, attacks) for one in _by_method(experiment))
        seconds += len(experiment.seeds_or(study.seeds)) * sum(each)
    if seconds > YEAR:
        raise ParamsError(
            f"robustness.attacks may take {seconds / YEAR:,.0f} years, {len(attacks.radii):,} "
            f"radii of {attacks.pgd_searches:,} searches of {attacks.pgd_steps:,} steps for each "
            "run; 1 year is allowed"
        )
