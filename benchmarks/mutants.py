"""Mutation testing: change one operator, number or condition of the maths; a test must fail.

``python -m benchmarks.mutants [MODULE ...]``, in an environment with cosmic-ray besides the
project's packages: CONTRIBUTING.md, "Mutation testing". A mutant that no test notices is a gap in
the tests, or it is explained in mutants.yaml beside this file. The exit status is 1 if one is
neither.

The tree is copied; each mutant is tested in a process forked from one that has torch loaded.
"""

from __future__ import annotations

import argparse
import difflib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pandas  # noqa: F401
import pytest
import scipy.stats  # noqa: F401
import sklearn.metrics  # noqa: F401
import torch.distributed.tensor  # which the first `torch.testing.assert_close` imports
import yaml
from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator

ROOT = Path(__file__).resolve().parents[1]
EXPLAINED = Path(__file__).with_suffix(".yaml")
OPERATORS = [
    *(
        f"ReplaceBinaryOperator_{swap}"
        for swap in ("Add_Sub", "Sub_Add", "Mul_Div", "Div_Mul", "FloorDiv_Mul", "Pow_Mul")
    ),
    "ReplaceBinaryOperator_BitAnd_BitOr",
    *(
        f"ReplaceComparisonOperator_{swap}"
        for swap in ("Eq_NotEq", "NotEq_Eq", "Lt_LtE", "LtE_Lt", "Gt_GtE", "GtE_Gt")
    ),
    *("ReplaceComparisonOperator_Is_IsNot", "ReplaceComparisonOperator_IsNot_Is"),
    *(f"ReplaceUnaryOperator_Delete_{operator}" for operator in ("USub", "Not", "Invert")),
    *("AddNot", "ReplaceAndWithOr", "ReplaceOrWithAnd"),
    *("ReplaceTrueWithFalse", "ReplaceFalseWithTrue", "NumberReplacer"),
    *("ZeroIterationForLoop", "ReplaceBreakWithContinue", "ReplaceContinueWithBreak"),
]
MANIFOLD = [f"mixing/test_manifold{part}" for part in ("", "_layers", "_batches")]
LOSSES = ["mixing/test_losses", "mixing/test_losses_per_sample"]
LAYERS = [f"mixing/test_layers_of_{kind}" for kind in ("all_kinds", "sequences")]
ARGUMENTS = ["mixing/test_arguments", "mixing/test_parts_of_layers"]
TESTS = {
    "mixup/mixing/formula": [
        *("mixing/test_formula", "mixing/test_formula_infinities", "mixing/test_plan"),
        *(*LAYERS, "mixing/test_models", "mixing/test_plan_losses"),
        "mixing/test_checkpointing_outputs",
    ],
    "mixup/mixing/checks": [
        *("mixing/test_checks", "mixing/test_plan", "mixing/test_sampler_settings"),
    ],
    "mixup/mixing/losses": [*LOSSES, "mixing/test_plan_losses", "mixing/test_plan"],
    "mixup/mixing/trials": ["mixing/test_trials", "mixing/test_trials_leave_no_trace", *LOSSES],
    "mixup/mixing/reductions": LOSSES,
    "mixup/mixing/entropy": ["mixing/test_entropy"],
    "mixup/mixing/ahead": ["mixing/test_sampler", "mixing/test_sampler_settings", *MANIFOLD],
    "mixup/mixing/sampler": ["mixing/test_sampler", "mixing/test_sampler_settings", *MANIFOLD],
    "mixup/mixing/plan": [
        *("mixing/test_plan", "mixing/test_plan_losses", "mixing/test_trials"),
        *(*LOSSES, "mixing/test_checks", *MANIFOLD),
    ],
    "mixup/mixing/manifold": [
        *(*MANIFOLD, "mixing/test_models", "mixing/test_checkpointing", *ARGUMENTS),
        *("mixing/test_checkpointing_outputs", *LAYERS),
    ],
    "mixup/mixing/layers": [
        *(*MANIFOLD, "mixing/test_models", *ARGUMENTS, *LAYERS, "mixing/test_checkpointing"),
        *("mixing/test_hooks", "mixing/test_checks"),
    ],
    "mixup/mixing/hook": [
        *(*MANIFOLD, "mixing/test_models", "mixing/test_checkpointing", "mixing/test_hooks"),
        *("mixing/test_checkpointing_outputs", *LAYERS),
        *(*ARGUMENTS, "mixing/test_checks"),
    ],
    "mixup/mixing/hooks": [
        *(*MANIFOLD, "mixing/test_models", "mixing/test_checkpointing", "mixing/test_hooks"),
        *("mixing/test_checkpointing_outputs", *LAYERS),
    ],
    "study/training/scores": ["study/training/test_scores"],
    "study/measures/allowances": ["study/measures/test_allowances"],
    "study/measures/hidden_plane": ["study/measures/test_hidden_plane"],
    "study/measures/spectra": ["study/measures/test_spectra", "study/measures/test_bottleneck"],
    "study/measures/temperature": ["study/measures/test_temperature"],
    "study/paired": ["study/test_paired"],
    "study/summaries": [f"study/test_summaries{part}" for part in ("", "_curves", "_choices")],
    "study/inference/verdicts": [
        *("study/inference/test_verdicts", "study/inference/test_verdicts_evidence"),
        "study/inference/test_ledger_verdicts",
    ],
    "study/inference/power": ["study/inference/test_power"],
    "study/inference/agreement": ["study/inference/test_agreement"],
    "study/inference/ranking": ["study/inference/test_ranking"],
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("modules", nargs="*", metavar="MODULE", help=", ".join(TESTS))
    modules = parser.parse_args().modules or list(TESTS)
    if unknown := set(modules) - set(TESTS):
        parser.error(f"no tests are named for {', '.join(sorted(unknown))}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # and the copy is deleted
    reasons = yaml.safe_load(EXPLAINED.read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as folder:
        copy_tree(Path(folder))
        totals = [try_mutants(module, changes(reasons.get(module, []))) for module in modules]
    mutants, killed, known = map(sum, zip(*totals, strict=True))
    print(f"{mutants} mutants, {killed} killed, {known} explained")
    sys.exit(mutants != killed + known)


def changes(reasons: list[dict[str, Any]]) -> set[tuple[str, str]]:
    """List the mutants of a module that are explained, each as its lines before and after."""
    return {
        (old, new) for reason in reasons for old, made in reason["mutants"].items() for new in made
    }


def copy_tree(folder: Path) -> None:
    """Copy the files Git knows to the folder, go there, and import from there only."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True)
    for name in filter(None, listed.stdout.decode().split("\0")):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, folder / name, follow_symlinks=False)
    os.chdir(folder)
    sys.path[:] = [str(folder), *(path for path in sys.path if Path(path).resolve() != ROOT)]
    sys.dont_write_bytecode = True  # two mutants of one size and second have one cache entry
    # Other packages' plugins would cost more than the tests.
    os.environ.update(OMP_NUM_THREADS="1", PYTEST_DISABLE_PLUGIN_AUTOLOAD="1")
    torch.set_num_threads(1)
    # The same examples for every mutant; one that fails is enough, it need not be simple.
    phases = [hypothesis.Phase.explicit, hypothesis.Phase.generate]
    hypothesis.settings.register_profile(
        "mutants", derandomize=True, database=None, phases=phases, max_examples=25
    )
    hypothesis.settings.load_profile("mutants")


def try_mutants(module: str, explained: set[tuple[str, str]]) -> tuple[int, int, int]:
    """Test the mutants of a module; print those that live unexplained, and count."""
    path = Path(f"{module}.py")
    source = path.read_text()
    tests = [f"tests/{name}.py" for name in TESTS[module]] + [str(path)]
    started = time.monotonic()
    if not passes(tests, patience=600):
        sys.exit(f"{module}: the tests fail without a mutation")
    patience = 10 + 5 * (time.monotonic() - started)
    counts = {"mutants": 0, "killed": 0, "explained": 0}
    for mutant in mutants_of(source):
        path.write_text(mutant)
        counts["mutants"] += 1
        if not passes(tests, patience):
            counts["killed"] += 1
        elif (change := change_of(source, mutant)) in explained:
            counts["explained"] += 1
        else:
            print(f"{path}: {' -> '.join(change)}", flush=True)
    path.write_text(source)
    print(module, *(f"{count} {name}" for name, count in counts.items()), sep="  ", flush=True)
    mutants, killed, known = counts.values()
    return mutants, killed, known


def mutants_of(source: str) -> Iterator[str]:
    """Yield every mutant of a module: its text with one thing changed."""
    nodes = list(ast_nodes(get_ast(source)))
    for name in OPERATORS:
        operator = get_operator(f"core/{name}")()
        places = sum(len(list(operator.mutation_positions(node))) for node in nodes)
        for place in range(places):
            mutant = mutate_code(source, operator, place)
            # A bare * in a signature is no product.
            if mutant and mutant.count(" /,") == source.count(" /,"):
                yield mutant


def change_of(source: str, mutant: str) -> tuple[str, str]:
    """Give the changed lines, before and after, each in one line."""
    lines = difflib.ndiff(source.splitlines(), mutant.splitlines())
    changed = [line for line in lines if line.startswith(("- ", "+ "))]
    old, new = (
        " ".join(line[2:].strip() for line in changed if line.startswith(sign)) for sign in "-+"
    )
    return old, new


def passes(tests: list[str], patience: float) -> bool:
    """Say whether the tests pass, in a process of their own and within so many seconds."""
    if not (child := os.fork()):
        status = 1
        try:
            os.setsid()
            silence = os.open(os.devnull, os.O_WRONLY)
            os.dup2(silence, 1)
            os.dup2(silence, 2)
            quick = ["-x", "--assert=plain", "--tb=no", "-m", "not slow", "-p", "no:cacheprovider"]
            status = int(pytest.main([*quick, *tests]))
        finally:
            os._exit(status)
    ends = time.monotonic() + patience
    while time.monotonic() < ends:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return status == 0
        time.sleep(0.02)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return False


if __name__ == "__main__":
    main()
