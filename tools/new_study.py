"""Make a study of your own data: ``python -m tools new_study mine --data my.csv --target species``.

It is a DVC study, and ``dvc repro`` in its folder answers whether mixing helps."""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from study.code import code_run
from study.command import run
from study.data.dataset import Dataset
from study.data.own import BUNDLED, Description, read_own
from study.data.own_config import OwnDataConfig
from study.errors import StudyError
from study.files import whole_folder
from study.new_study.folder import git_folder, is_ignored, path_from, python_command
from study.new_study.values import NETS, hidden_layers, starting_values
from study.new_study.words import (
    OPTIONS,
    as_options,
    cautions,
    in_words,
    own_key,
    without_commas,
)
from study.params import check, did_you_mean
from study.paths import RunKey
from study.training.experiment import ExperimentConfig, read_run_config
from study.training.net import check_fits
from study.training.own_functions import build_own_net
from study.validation import read_study

TEMPLATES = Path(__file__).parent / "templates" / "new_study"
FILES = {
    "params.yaml.j2": "params.yaml",
    "claims.yaml.j2": "claims.yaml",
    "dvc.yaml.j2": "dvc.yaml",
    "README.md.j2": "README.md",
    "gitignore": ".gitignore",
    "dvcignore": ".dvcignore",
    "dvc_config.j2": ".dvc/config",
    "dvc_gitignore": ".dvc/.gitignore",
}
FEWEST_SEEDS, MOST_SEEDS = 2, 10_000


def new_study(folder: Path, own: dict[str, Any], net: str | None, n_seeds: int) -> str:
    """Make the folder of a study, whole or not at all.

    Args:
        folder: must not be there.
        own: section ``own`` of params.yaml, its path as seen from the current folder.
        net: one of `NETS`; FILE.py:FUNCTION, whose code is copied; or None, to go by the data.
        n_seeds: of the study.

    Returns:
        What was made, in a paragraph.

    Raises:
        StudyError: the folder is there, or the data or the net cannot be used.
    """
    if n_seeds < FEWEST_SEEDS:
        raise StudyError(
            f"--seeds must be at least {FEWEST_SEEDS}, got {n_seeds}: of one seed "
            "alone nobody can tell what another would bring"
        )
    if n_seeds > MOST_SEEDS:
        raise StudyError(f"--seeds must be at most {MOST_SEEDS:,}, got {n_seeds:,}")
    if folder.exists():
        raise StudyError(f"{folder} already exists: name another folder, or delete it first")
    python = python_command(folder)
    dataset, about = read_data(own)
    file, spec = own_code(net)
    values = starting_values(dataset, about, spec, layers_of(file, spec, dataset))
    if path := own.get("path"):
        own = own | {"path": path_from(folder, Path(path))}
    said = in_words(about, values, n_seeds)
    content = asdict(values) | {
        "own": own,
        "n_seeds": n_seeds,
        "source": Path(about.source).name,
        "about": said,
        "python": python,
        "has_git": git_folder(folder) is not None,
    }
    with whole_folder(folder) as made:
        fill(made, content)
        if file:
            copy_code(file, made)
        with inside(made):
            recipe = check_study(dataset).training
    beware = cautions(dataset, about, recipe.test_fraction)
    if is_ignored(folder):
        beware.append(f"Git ignores {folder}, so nothing of it can be committed: see .gitignore")
    return "\n".join([said, *(f"Caution: {text}." for text in beware)])


def read_data(own: dict[str, Any]) -> tuple[Dataset, Description]:
    """Read the data that section ``own`` names, with errors that name options instead of keys."""
    try:
        return read_own(check(OwnDataConfig, own, "own"))
    except StudyError as error:
        said, target = str(error), own.get("target") or []
        hint = without_commas([target] if isinstance(target, str) else target, said)
        raise StudyError(f"{said}{hint or as_options(said)}") from error


def copy_code(file: Path, made: Path) -> None:
    """Copy a file of one's own, and those beside it that it imports, into the study."""
    for code in code_run(file, file.parent)[0]:
        copy = made / code.relative_to(file.parent)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(code, copy)


def own_code(net: str | None) -> tuple[Path | None, str | None]:
    """Split a net of one's own into its file and what params.yaml calls it."""
    if net is None or net in NETS:
        return None, net
    name, _, function = net.rpartition(":")
    if not name.endswith(".py"):
        known = did_you_mean(net, NETS)
        raise StudyError(f"--net {net} is neither a net nor FILE.py:FUNCTION{known}")
    file = Path(name).absolute()
    return file, f"{file.name}:{function}"


def layers_of(file: Path | None, spec: str | None, dataset: Dataset) -> list[str]:
    """Build a net of one's own, and name the layers where mixing may enter besides the input."""
    if file is None:
        return []
    net = build_own_net(str(spec), dataset.inputs.shape[1:], dataset.n_classes, file.parent)
    return hidden_layers(net)


def fill(folder: Path, content: dict[str, Any]) -> None:
    """Write the files of a study from their templates."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), undefined=StrictUndefined, autoescape=False,
        trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True,
    )  # fmt: skip
    environment.policies["json.dumps_kwargs"] = {"ensure_ascii": False}
    for template, name in FILES.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(environment.get_template(template).render(content), encoding="utf-8")


@contextmanager
def inside(folder: Path) -> Iterator[None]:
    """Work in a folder for a while."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def check_study(dataset: Dataset) -> ExperimentConfig:
    """Check the study in the current folder: its numbers, its net, and where that is mixed."""
    experiment = read_study().experiments["own"]
    for method in experiment.all_methods:
        check_fits(read_run_config(RunKey("own", method, 0)), dataset)
    return experiment


def own_section(asked: argparse.Namespace) -> dict[str, Any]:
    """Make section ``own`` of params.yaml from the words of the command line."""
    where = {"path": asked.data, "name": None}
    if not Path(asked.data).exists():
        if asked.data not in BUNDLED:
            near = did_you_mean(asked.data, BUNDLED)
            raise StudyError(
                f"--data {asked.data} is neither a file nor a data set of scikit-learn{near}"
            )
        where = {"path": None, "name": asked.data}
    target = asked.target[0] if len(asked.target) == 1 else asked.target or None
    section = where | {"target": target, "group": asked.group}
    return section | dict(map(own_key, asked.own))


def words(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0],
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="\n  ".join(["what may be said of the data:", *OPTIONS.values()]),
    )
    parser.add_argument("folder", type=Path, nargs="?", help="that is made; the name of the study")
    parser.add_argument(
        "--data", required=True, metavar="PATH",
        help=f"CSV, Parquet, NPZ, a folder of images or of IDX files; or {', '.join(BUNDLED)}",
    )  # fmt: skip
    parser.add_argument(
        "--target", nargs="+", action="extend", default=[], metavar="COLUMN",
        help="of the classes; several of many labels a row",
    )  # fmt: skip
    parser.add_argument("--group", metavar="COLUMN", help="whose equal values are never split")
    parser.add_argument(
        "--net", help=f"{', '.join(NETS)}, or FILE.py:FUNCTION; default: by the data"
    )
    parser.add_argument("--seeds", type=int, default=10, help="how many; default: 10")
    parser.add_argument(
        "--own", action="append", default=[], metavar="KEY=VALUE",
        help="any other key of section own of params.yaml, such as drop=[id] or decimal=,",
    )  # fmt: skip
    asked = parser.parse_args(arguments)
    if asked.folder is None:
        taken = f": --target took {shlex.join(asked.target)}" if asked.target[1:] else ""
        parser.error(f"the folder of the study is missing{taken}; name it before the options")
    return asked


def main() -> None:
    asked = words()
    print(new_study(asked.folder, own_section(asked), asked.net, asked.seeds))
    print(f"Made {asked.folder}. Now: cd {shlex.quote(str(asked.folder))} && dvc repro")


if __name__ == "__main__":
    run(main)
