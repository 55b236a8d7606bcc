"""params.yaml as a whole: each bad value is named in a line, and whatever passes runs."""

import copy
import math
import os
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from study.errors import StudyError
from study.params import ParamsError, read_section
from study.training.experiment import Experiments
from study.validation import MEMORY, read_study
from tests.study.test_params import write

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.usefixtures("enough_memory")
PARAMS: dict[str, Any] = yaml.safe_load((ROOT / "params.yaml").read_text())


def turned(*changes: tuple[str, Any]) -> str:
    params = copy.deepcopy(PARAMS)
    for key, value in changes:
        *path, last = key.split(".")
        section = params
        for part in path:
            section = section[part]
        section[last] = value
    return yaml.safe_dump(params, sort_keys=False)


METHOD_LISTS = ("plain", "mixing")
S, M = "experiments.spirals.", "experiments.mnist_2d."
BAD: list[tuple[str, Any, str]] = [
    ("mixup.alhpa", 2.0, "mixup.alhpa is not a known key: did you mean alpha?"),
    (S + "training.batchsize", 8, ".training.batchsize is not a known key: did you mean batch_"),
    (S + "methods.baseline.drop_out", 0.1, "drop_out is not a known key: did you mean dropout?"),
    ("more", {}, "more is not a known key; there are: seeds, mixup, compute, "),
    ("mixup.alpha", "1_0", "mixup.alpha should be a valid number, got '1_0': write 10.0 without"),
    ("compute.threads", 2e0, "compute.threads should be a valid integer, got 2.0: write 2"),
    ("compute.threads", 2.5, "compute.threads should be a valid integer, got 2.5"),
    ("mixup.alpha", True, "mixup.alpha should be a valid number, got True"),
    ("mixup.alpha", 0, "mixup.alpha should be greater than or equal to 0.001, got 0"),
    ("mixup.alpha", math.nan, "mixup.alpha should be a finite number, got nan"),
    ("mixup.alpha", -math.inf, "mixup.alpha should be a finite number, got -inf"),
    ("mixup.alpha", 1e-300, "mixup.alpha should be greater than or equal to 0.001, got 1e-300"),
    ("mixup.alpha", 10**90, "mixup.alpha should be less than or equal to 1000000, got 1000"),
    ("seeds", [2**32], "seeds.0 should be less than 4294967296, got 4294967296"),
    ("seeds", ["zero"], "seeds.0 should be a valid integer, got 'zero'"),
    ("seeds", [False], "seeds.0 should be a valid integer, got False"),
    ("seeds", [1, 1], "seeds must not repeat an entry, got [1, 1]"),
    ("seeds", [], "seeds should have at least 1 item, got []"),
    ("compute.threads", 10**9, "compute.threads should be less than or equal to 256"),
    ("experiments", {}, "experiments"),
    (S + "net.width", 32.5, "experiments.spirals.net.width should be a valid integer, got 32.5"),
    (S + "net.width", -3, "net.width should be greater than or equal to 0, got -3"),
    (S + "net.width", 10**9, "GB of memory, most of it for the net and its optimiser, and 16.0 GB"),
    (S + "net.width", 10**90, "net.width should be less than or equal to 1000000000000, got 1"),
    (S + "net.depth", 10**9, "net.depth should be less than or equal to 10000"),
    (S + "net.negative_slope", 1e300, "negative_slope should be less than or equal to 1"),
    (S + "training.steps", 10**15, "training.steps should be less than or equal to"),
    (S + "training.steps", 10**12, f"{S[:-1]}: a run needs about 320.0 GB of memory, most of it"),
    (S + "training.evaluations", 10001, "must have evaluations <= steps (10000)"),
    (S + "training.decay_at", [9, 10001], "decay_at within its 10000 steps, got [10001]"),
    (S + "training.batch_size", 101, "batch_size must be at most 100, the number of training"),
    (S + "training.test_fraction", 1e-9, "test_fraction leaves no test points of the 500 of a c"),
    (S + "training.test_fraction", 0.9999, "test_fraction leaves no training points of the 500"),
    (S + "training.validation_fraction", 0.001, "validation_fraction leaves no validation points"),
    (S + "training.validation_fraction", 0.999, "validation_fraction leaves no training points"),
    (S + "training.validation_fraction", 0.5, "batch_size must be at most 50, the number of trai"),
    (M + "methods.input.bottleneck", 10**9, "GB of memory, most of it for "),
    (S + "methods.input.bottleneck", 2, "methods.input.bottleneck needs a net.bottleneck"),
    (S + "methods.input.mixes", "label", "methods.input.mixes"),
    (S + "training.learning_rate", 1e308, "learning_rate should be less than or equal to 1"),
    (S + "methods.weight_decay.weight_decay", 1e4, "weight_decay must be at most 1 / training.l"),
    (S + "methods.baseline.dropout", 1.0, "dropout should be less than 1, got 1.0"),
    (S + "methods.manifold.eligible", [4], "methods.manifold.eligible must lie within 0..3, got"),
    (S + "methods.manifold.eligible", [0, 0], "eligible must not repeat an entry, got [0, 0]"),
    (S + "mixing", ["manifld"], "mixing names 'manifld', which is not in methods: did you mean m"),
    (S + "data", "../x", "spirals.data should match pattern"),
    (S + "data", "x" * 300, "spirals.data should have at most 64 characters"),
    (M + "training.batch_size", True, "training.batch_size should be a valid integer, got True"),
    (M + "training.steps", 10, "must give either steps or epochs"),
    (M + "net.bottleneck.layer", 6, "bottleneck.layer <= depth (5)"),
    (M + "training.batch_size", 4001, "batch_size must be at most 4,000, the number of training"),
    (M + "training.epochs", 10**9, "GB of memory, most of it for the history, and 16.0 GB are"),
    (M + "training.evaluations", 10**9, "evaluations must be at most 960, the number of steps"),
    (M + "training.decay_at", [25], "must have decay_at within its 24 epochs, got [25]"),
    (M + "net.bottleneck.size", 10**9, "GB of memory, most of it for "),
    ("spirals.arms.n_samples", 10**12, "n_samples should be less than or equal to 10000000"),
    ("spirals.arms.n_samples", 2, "test_fraction leaves no training points of the 1 of a class"),
    ("spirals.arms.n_samples", 999, "spirals.arms.n_samples"),
    ("mnist.mirrors", ["https:///x"], "mnist.mirrors.0 must start with http://HOST"),
    ("mnist.mirrors", ["http://a b/"], "mnist.mirrors.0 must start with http://HOST"),
    ("mnist.mirrors", ["http://[/"], "mnist.mirrors.0 must start with http://HOST"),
    ("mnist.mirrors", ["file:///a", "file:///a"], "mnist.mirrors must not repeat an entry"),
]


@pytest.mark.parametrize("study", [".", "full"])
def test_the_committed_params_pass(study: str) -> None:
    path = ROOT / study / "params.yaml"
    written = yaml.safe_load(path.read_text())["experiments"]
    assert list(read_study(path).experiments) == list(written)


@pytest.mark.parametrize(("key", "value", "said"), BAD)
def test_a_bad_value_is_named_in_a_line(tmp_path: Path, key: str, value: Any, said: str) -> None:
    with pytest.raises(ParamsError) as error:
        read_study(write(tmp_path, turned((key, value))))
    assert said in str(error.value)
    assert str(error.value).isprintable()
    assert len(str(error.value)) < 300


def test_experiments_may_be_left_out_but_not_all(tmp_path: Path) -> None:
    without = [(f"experiments.{n}.{k}", []) for n in PARAMS["experiments"] for k in METHOD_LISTS]
    path = write(tmp_path, turned(*without[2:]))
    assert len(read_study(path).experiments) == 3
    assert list(read_section(Experiments, "experiments", path=path)) == ["spirals"]
    with pytest.raises(ParamsError, match="plain and mixing name no method in any of them"):
        read_study(write(tmp_path, turned(*without)))


CNN = {"kind": "cnn", "width": 8}
RESNET = {"kind": "resnet18", "width": 8}


@pytest.mark.parametrize(
    ("net", "settings", "said"),
    [
        (CNN, {"batch_norm": True}, "baseline.batch_norm is of no effect in a net of kind cnn"),
        (RESNET, {"dropout": 0.2}, "baseline.dropout is of no effect in a net of kind resnet18"),
        (RESNET, {"choose": {"dropout": [0.1, 0.2]}}, "choose.dropout is of no effect in a net of"),
        (None, {"choose": {"weight_decay": [0.0, 1001.0]}}, "choose.weight_decay must be at most"),
    ],
)
def test_settings_that_do_nothing_are_refused(
    tmp_path: Path, net: dict[str, Any] | None, settings: dict[str, Any], said: str
) -> None:
    changes = [(M + "methods.baseline", settings), (M + "training.validation_fraction", 0.2)]
    if net:
        lists = {"mixing": ["input"], "methods": {"baseline": settings, "input": {"eligible": [0]}}}
        changes += [(M + "net", net), *((M + key, value) for key, value in lists.items())]
    with pytest.raises(ParamsError, match=re.escape(said)):
        read_study(write(tmp_path, turned(*changes)))


@pytest.mark.parametrize("key", ["net.module", "training.augment"])
def test_code_of_ones_own_is_for_studies_whose_stages_follow_it(tmp_path: Path, key: str) -> None:
    code = "mine.py:function"
    change = (M + "net", {"module": code}) if key == "net.module" else (M + key, code)
    others = [(M + "mixing", ["input"]), (M + "methods.input.eligible", ["input"])]
    with pytest.raises(ParamsError, match=rf"mnist_2d\.{key} needs the section own"):
        read_study(write(tmp_path, turned(change, *others)))


def test_a_run_of_years_is_refused(tmp_path: Path) -> None:
    longer = ((S + "training.steps", 10**12), (S + "training.evaluations", 10**4))
    with pytest.raises(ParamsError, match=r"at least 3 years, 1,000,000,000,000 steps of 100 poi"):
        read_study(write(tmp_path, turned(*longer)))


PAPER: dict[str, Any] = yaml.safe_load((ROOT / "full/params.yaml").read_text())
PAPER["experiments"]["mnist"]["training"]["disjoint"] = 500


@pytest.mark.parametrize(
    ("section", "changes", "said"),
    [
        (
            ("states",),
            {"features": {"mnist": ["baseline"]}, "neighbours": 1000},
            "states.neighbours must be at most 500, the number of training points of mnist, got",
        ),
        (
            ("robustness", "attacks"),
            {"pgd_steps": 10_000, "pgd_searches": 10_000},
            "years, 2,000 radii of 10,000 searches of 10,000 steps for each run; 1 year is allowed",
        ),
        (
            ("robustness", "deformations"),
            {"rotations": [1 + n / 1000 for n in range(10_000)]},
            "of memory, and 16.0 GB are allowed",
        ),
    ],
)
def test_measures_that_cannot_be_taken_are_refused(
    tmp_path: Path, section: tuple[str, ...], changes: dict[str, Any], said: str
) -> None:
    params = copy.deepcopy(PAPER)
    params["experiments"]["mnist"]["training"] |= {"test_fraction": 0.9, "validation_fraction": 0.0}
    params["robustness"]["attacks"]["radii"] = [round(0.1 + n / 10_000, 4) for n in range(2_000)]
    changed: Any = params
    for key in section:
        changed = changed[key]
    changed |= changes
    with pytest.raises(ParamsError) as error:
        read_study(write(tmp_path, yaml.safe_dump(params)))
    assert said in str(error.value)
    assert str(error.value).isprintable()


LAUGHS = "a: &a [x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n"
    for before, name in zip("abcdefghi", "bcdefghij", strict=True)
)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (LAUGHS, "line 1: found an anchor or alias, with which `dvc exp run -S` changes nothing"),
        ("a: &a 1\n", "line 1: found an anchor or alias"),
        ("a: 1\nb:\n  c: 1\n  d: 2\n  c: 3\n", "line 5: found the key 'c' twice"),
        ("a: !!python/object/apply:os.system [ls]\n", "line 1: found a tag"),
        ("a: !!int x\n", "line 1: found a tag"),
        ("[" * 100_000, "nested too deeply"),
        ("a: " + "[" * 5_000 + "]" * 5_000, "nested too deeply"),
        ("a: x\n" * 100_000, "longer than the 262,144 bytes allowed"),
        ("? [a]\n: b\n", "line 1: found unhashable key"),
        ("a: \x00", "is not YAML"),
    ],
)
def test_yaml_that_does_not_mean_what_it_says(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ParamsError) as error:
        read_study(write(tmp_path, text))
    assert said in str(error.value)
    assert str(error.value).isprintable()


@pytest.mark.parametrize("text", ["-1", "none", "0", "nan", "1e300"])
def test_a_memory_limit_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv(MEMORY, text)
    with pytest.raises(StudyError, match=f"{MEMORY} must be a number of gigabytes > 0"):
        read_study(ROOT / "params.yaml")


def test_without_a_limit_the_machines_memory_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(MEMORY)
    there = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    with pytest.raises(ParamsError, match=rf"and {there:,.1f} GB are allowed"):
        read_study(write(tmp_path, turned((S + "net.width", 10**7))))
